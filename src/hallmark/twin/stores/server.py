"""A store's server as a child of ours: started on a free port of loopback, known to be ours, stopped within bounds.

The kernel kills a server when the *thread* that started it ends (prctl(2)), so start servers from one that lives as
long as they should.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from hallmark.errors import EnvironmentFault
from hallmark.twin.stores import child
from hallmark.waiting import until

HOST = "127.0.0.1"
PATIENCE = 30.0
"""Seconds to start; machines are busy."""
ATTEMPTS = 5
"""A port may be taken meanwhile, and what a killed server left may need a moment to go."""
STOPS_WITHIN = 10.0
KEPT_LOG = 1_000_000
"""Bytes of log above which it begins anew at the next start."""
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""Nothing of the caller's: it holds credentials."""


class Server:
    """One server with its data in one folder.

    Args:
        folder: Where everything of it is; made if missing, closed to others.
        label: What a person calls it.
    """

    gently = signal.SIGTERM
    """What asks the server to end in order."""

    def __init__(self, folder: Path, label: str) -> None:
        self.folder = folder
        self.label = label
        self.log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return HOST, self._port

    @property
    def is_alive(self) -> bool:
        """Whether the server that was started here still runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id, 0 if it was never started."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start it and wait until it accepts connections; nothing happens if it runs.

        Raises:
            EnvironmentFault: It cannot be started.
        """
        if self.is_alive:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._prepare()
        try:
            self._attempt(time.monotonic() + PATIENCE)
            self._settle()
        except BaseException:
            self.stop(0.0)
            raise

    def stop(self, within: float = STOPS_WITHIN) -> None:
        """Stop it, with force if it does not obey; nothing happens if it does not run.

        Args:
            within: Seconds it gets to end in order.
        """
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return  # its id may be anybody's by now; what it forked ends with it
        if within:
            process.send_signal(self.gently)
            process.send_signal(signal.SIGCONT)  # a frozen one would not hear it
            with suppress(subprocess.TimeoutExpired):
                process.wait(within)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # it leads its group; what it forked may be left
        process.wait(STOPS_WITHIN)

    def _prepare(self) -> None:
        """Make what the server needs on disk."""

    def _command(self, port: int) -> tuple[list[str], bytes]:
        """Its command line, and what it reads from standard input."""
        raise NotImplementedError

    def _is_ready(self) -> bool:
        """Whether our very server accepts connections."""
        raise NotImplementedError

    def _settle(self) -> None:
        """Do what is to be done at every start before anybody is told of the server."""

    def _attempt(self, deadline: float) -> None:
        for _ in range(ATTEMPTS):
            self._port = free_port()
            command, said = self._command(self._port)
            self._process = spawn(command, self.log, self._account(), said)
            until(lambda: not self.is_alive or self._is_ready(), deadline - time.monotonic(), pause=0.02)
            if self.is_alive and self._is_ready():
                return
            self.stop(0.0)
            if time.monotonic() > deadline:
                break
            time.sleep(0.5)  # whatever the cause was, it needs a moment to pass
        raise EnvironmentFault(f"{self.label} did not start: {last_words(self.log)}", f"read {self.log}")

    def _account(self) -> int | None:
        """User id to run as, if not ours."""
        return None


def spawn(command: list[str], log: Path, account: int | None = None, said: bytes = b"") -> subprocess.Popen[bytes]:
    """Start a program that dies with this thread, in its own process group.

    Args:
        command: Program and arguments; no secrets, as anybody can read them.
        log: Where its output goes.
        account: User id to run as.
        said: Its standard input; small enough for a pipe's buffer.
    """
    with suppress(FileNotFoundError):
        if log.stat().st_size > KEPT_LOG:
            log.unlink()
    whom = child.AS_WE_ARE if account is None else str(account)
    wrapped = [sys.executable, "-I", "-S", child.__file__, str(os.getpid()), whom, *command]
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "wb") as output:
        process = subprocess.Popen(
            wrapped,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
        )
    with suppress(BrokenPipeError):  # it ended already: whoever waits for it will see
        _tell(process, said)
    return process


def _tell(process: subprocess.Popen[bytes], said: bytes) -> None:
    if process.stdin:
        with process.stdin as pipe:
            pipe.write(said)


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def last_words(log: Path) -> str:
    """The last line of a log."""
    with suppress(OSError):
        lines = log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing."
    return "its log cannot be read."
