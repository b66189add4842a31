"""A part of the twin as a process: found, started, stopped; never guessed from a process id alone.

Each part holds a lock on ``<name>.lock`` in its state directory while it lives, and its process id is in that file.
So a lock that is held proves a living process, and the id belongs to it: ids that the system has given to somebody
else do no harm. What it has to say, such as its port, is in ``<name>.json``.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from hallmark.errors import EnvironmentFault
from hallmark.twin.files import disk_fault, is_held
from hallmark.twin.part import ENDED
from hallmark.twin.sources import mark
from hallmark.twin.stores.given.address import POSTGRES, REDIS
from hallmark.waiting import until

T = TypeVar("T")
ANY = 0
"""Any free port."""
STARTS_WITHIN = 90.0
STOPS_WITHIN = 60.0
"""Seconds; stopping includes a last save."""
RESPONDS_WITHIN = 10.0
"""Seconds in which a part that is well answers, even on a busy machine."""
GIVES_UP_WITHIN = 2.0
"""Seconds to end that a part gets which does not answer."""
MISLEADING = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "MOTO_ACCOUNT_ID", "AWS_CA_BUNDLE", "KUBECONFIG")
"""Variables of the caller that would change what a part does."""
SECRET = (POSTGRES, REDIS)
"""Variables with passwords, which no part reads (:mod:`hallmark.twin.stores.given.chosen`)."""
FRUGAL = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}
"""Have glibc give memory back: with an arena for each thread, the parts with many threads kept 90 MB for nothing."""


class Process:
    """The one process of a part.

    Args:
        state: The state directory of the part.
        name: Base name of its lock, about file and log.
        module: What ``python -m`` runs.
        label: What a person calls it.
    """

    def __init__(self, state: Path, name: str, module: str, label: str) -> None:
        self.state = state
        self._lock = state / f"{name}.lock"
        self._about = state / f"{name}.json"
        self._code = state / f"{name}.code"
        self.log = state / f"{name}.log"
        self._module = module
        self._label = label

    @property
    def is_alive(self) -> bool:
        """Whether the process lives, whatever it does."""
        return is_held(self._lock)

    @property
    def crashed(self) -> bool:
        """Whether the last one ended without saying so."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            return not self.is_alive and json.loads(self._about.read_text())["pid"] != ENDED
        return False

    def about(self) -> dict[str, Any] | None:
        """What the living process says of itself; None while it starts, or if the file is not its own."""
        try:
            about: dict[str, Any] = json.loads(self._about.read_text())
            return about if self.is_alive and str(about["pid"]) == self._lock.read_text() else None
        except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
            return None

    def ports(self, usual: int = 0) -> list[int]:
        """Where it should listen, best first: where it did last, as shells still point there; as usual; anywhere."""
        last = 0
        with suppress(OSError, ValueError, KeyError, TypeError):
            last = int(json.loads(self._about.read_text())["port"])
        return [*(port for port in (last, usual) if port and is_free(port)), ANY]

    @property
    def is_current(self) -> bool:
        """Whether it was started from the code that there is now, as far as anybody has noted it."""
        with suppress(OSError):
            return self._code.read_text(encoding="utf-8") == mark()
        return True

    def responds(self) -> bool:
        """Whether the living process is of this code and does something.

        See :func:`hallmark.twin.part.respond_to_signal`, which it has to have called.
        """
        if self.about() is None or not self.is_current:
            return False
        os.utime(self._about, (0, 0))
        self.signal(signal.SIGUSR1)
        until(lambda: self._about.stat().st_mtime > 0 or not self.is_alive, RESPONDS_WITHIN, pause=0.01)
        return self.is_alive and self._about.stat().st_mtime > 0

    def launch_on(self, ports: Sequence[int], arguments: Sequence[str], answers: Callable[[], T | None]) -> T:
        """Start the process on the first of these ports that nobody takes meanwhile; see :meth:`launch`."""
        *wanted, last = ports
        for port in wanted:
            try:
                return self.launch([*arguments, "--port", str(port)], answers)
            except EnvironmentFault:
                if is_free(port):
                    raise
        return self.launch([*arguments, "--port", str(last)], answers)

    def launch(self, arguments: Sequence[str], answers: Callable[[], T | None]) -> T:
        """Start the process and wait until it answers.

        Args:
            arguments: Its command line.
            answers: What tells that it does; asked again and again.

        Raises:
            EnvironmentFault: The disk is full, or the process did not come up.
        """
        pid = self._spawn(arguments)
        try:
            until(lambda: _has_ended(pid) or answers(), STARTS_WITHIN)
            answer = None if _has_ended(pid) else answers()
        except BaseException:
            _kill(pid)
            raise
        if answer is None:
            _kill(pid)
            raise EnvironmentFault(f"{self._label} did not start: {self._last_words()}", f"read {self.log}")
        return answer

    def stop(self, within: float | None = None) -> None:
        """Stop the process if there is one: gently, so that it saves; with force if it does not obey.

        Args:
            within: Seconds it gets; by default long enough for any save.
        """
        if not self.is_alive:
            return  # the id in the lock may be anybody's by now: nobody waits for that
        self.signal(signal.SIGTERM)
        self._wait(STOPS_WITHIN if within is None else within)
        if self.is_alive:
            self.signal(signal.SIGKILL)
            self._wait(5.0)
        if self.is_alive:
            raise EnvironmentFault(f"{self._label} cannot be stopped.", f"kill -9 {self._lock.read_text()}")

    def signal(self, sign: signal.Signals) -> None:
        """Send a signal to the living process; nothing happens if there is none."""
        if self.is_alive:
            with suppress(ProcessLookupError, ValueError):
                os.kill(int(self._lock.read_text()), sign)

    def _wait(self, seconds: float) -> None:
        with suppress(ValueError, OSError):
            pid = int(self._lock.read_text())
            until(lambda: not self.is_alive and _has_ended(pid), seconds)

    def _spawn(self, arguments: Sequence[str]) -> int:
        command = [sys.executable, "-m", self._module, *arguments]
        environment = FRUGAL | {name: value for name, value in os.environ.items() if name not in MISLEADING + SECRET}
        try:
            self.state.mkdir(parents=True, exist_ok=True)
            self._code.write_text(mark(), encoding="utf-8")
            with self.log.open("ab") as log:
                return os.posix_spawn(
                    sys.executable,
                    command,
                    environment,
                    file_actions=[
                        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                        (os.POSIX_SPAWN_DUP2, log.fileno(), 1),
                        (os.POSIX_SPAWN_DUP2, log.fileno(), 2),
                    ],
                    setsid=True,  # it outlives this command and does not hear its Ctrl-C
                    setsigmask=(),  # whatever this thread has blocked
                )
        except OSError as error:
            raise disk_fault(self.state, error) from error

    def _last_words(self) -> str:
        with suppress(OSError):
            lines = self.log.read_text(errors="replace").strip().splitlines()
            return lines[-1] if lines else "it said nothing."
        return "its log cannot be read."


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold a Ctrl-C back until the end: a pool forgets the thread that it was just starting, and its work goes on."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def is_free(port: int) -> bool:
    """Whether a port of 127.0.0.1 can be listened on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _has_ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True  # somebody was told already, or it was never ours


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    until(lambda: _has_ended(pid), 5.0)
