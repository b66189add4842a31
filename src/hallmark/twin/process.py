"""The server as a process: found, started, stopped; never guessed from a process id alone.

The server holds a lock on ``server.lock`` while it lives, and its process id is in that file. So a lock that is held
proves a living server, and the id belongs to it: ids that the system has given to somebody else do no harm.
"""

import json
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hallmark.errors import EnvironmentFault
from hallmark.twin.aws.seal import Seal
from hallmark.twin.control import Control
from hallmark.twin.files import disk_fault, is_held
from hallmark.waiting import until

PORT = 4566
"""LocalStack's edge port, which tools know."""
ENDED = 0
"""Process id in ``server.json`` after an orderly end."""
STARTS_WITHIN = 90.0
STOPS_WITHIN = 60.0
"""Seconds; stopping includes a last save."""
MISLEADING = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "MOTO_ACCOUNT_ID", "AWS_CA_BUNDLE")
"""Variables of the caller that would change what the server does."""


@dataclass(frozen=True)
class Running:
    """A server that answers.

    Attributes:
        pid: Process id.
        port: Port on 127.0.0.1.
        started: When it started, ISO 8601 UTC.
        versions: Of moto, the extension and Python inside the process.
        control: Its control paths.
        autosave_error: Why the last save failed, or empty.
    """

    pid: int
    port: int
    started: str
    versions: dict[str, str]
    control: Control
    autosave_error: str = ""


class Server:
    """The one server of a state directory.

    Args:
        state: The state directory.
    """

    def __init__(self, state: Path) -> None:
        self._state = state
        self._lock = state / "server.lock"
        self._about = state / "server.json"
        self.log = state / "server.log"

    @property
    def is_alive(self) -> bool:
        """Whether a server process lives, whatever it does."""
        return is_held(self._lock)

    @property
    def crashed(self) -> bool:
        """Whether the last server ended without saying so."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            return not self.is_alive and json.loads(self._about.read_text())["pid"] != ENDED
        return False

    def find(self) -> Running | None:
        """The server, if it lives, says where it is and answers there."""
        if not self.is_alive:
            return None
        about = self._read()
        if about is None:
            return None
        control = Control(about["port"], Seal.of(self._state).token)
        health = control.health()
        if health is None:
            return None
        return Running(
            pid=about["pid"],
            port=about["port"],
            started=about["started"],
            versions=health["versions"],
            control=control,
            autosave_error=health["autosave_error"],
        )

    def start(self, port: int | None = None) -> Running:
        """Start a server and wait until it answers.

        Args:
            port: Its port; by default the one it had last, else 4566, else a free one.

        Raises:
            EnvironmentFault: The port is taken, the disk is full, or the server did not come up.
        """
        wanted = port if port is not None else self._free_port()
        pid = self._spawn(wanted)
        try:
            until(lambda: _has_ended(pid) or self.find(), STARTS_WITHIN)
            running = None if _has_ended(pid) else self.find()
        except BaseException:
            _kill(pid)
            raise
        if running is None:
            _kill(pid)
            raise EnvironmentFault(f"The twin's server did not start: {self._last_words()}", f"read {self.log}")
        return running

    def stop(self) -> None:
        """Stop the server if there is one: gently, so that it saves; with force if it does not obey."""
        self._signal(signal.SIGTERM, STOPS_WITHIN)
        self._signal(signal.SIGKILL, 5.0)
        if self.is_alive:
            raise EnvironmentFault("The twin's server cannot be stopped.", f"kill -9 {self._lock.read_text()}")

    def _signal(self, sign: signal.Signals, seconds: float) -> None:
        if not self.is_alive:
            return
        with suppress(ProcessLookupError, ValueError):
            pid = int(self._lock.read_text())
            os.kill(pid, sign)
            until(lambda: not self.is_alive and _has_ended(pid), seconds)

    def _spawn(self, port: int) -> int:
        command = [sys.executable, "-m", "hallmark.twin.aws.server", "--port", str(port), "--state", str(self._state)]
        environment = {name: value for name, value in os.environ.items() if name not in MISLEADING}
        try:
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
                )
        except OSError as error:
            raise disk_fault(self._state, error) from error

    def _read(self) -> dict[str, Any] | None:
        # None while the server starts, or if the file is not the living server's.
        try:
            about: dict[str, Any] = json.loads(self._about.read_text())
            return about if str(about["pid"]) == self._lock.read_text() else None
        except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
            return None

    def _free_port(self) -> int:
        # The port it had last comes first: shells and editors still point there.
        with suppress(OSError, ValueError, KeyError, TypeError):
            last = int(json.loads(self._about.read_text())["port"])
            if is_free(last):
                return last
        return PORT if is_free(PORT) else 0

    def _last_words(self) -> str:
        with suppress(OSError):
            lines = self.log.read_text(errors="replace").strip().splitlines()
            return lines[-1] if lines else "it said nothing."
        return "its log cannot be read."


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
