"""The emulated AWS as a process of the twin (`hallmark.twin.aws.server` is the other end)."""

from dataclasses import dataclass
from pathlib import Path

from hallmark.twin.aws.seal import Seal
from hallmark.twin.control import Control
from hallmark.twin.process import Process

PORT = 4566
"""LocalStack's edge port, which tools know."""


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


class Server(Process):
    """The one server of a state directory.

    Args:
        state: The state directory.
    """

    def __init__(self, state: Path) -> None:
        super().__init__(state, "server", "hallmark.twin.aws.server", "The twin's server")

    def find(self) -> Running | None:
        """The server, if it lives, says where it is and answers there."""
        about = self.about()
        if about is None:
            return None
        control = Control(about["port"], Seal.of(self.state).token)
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
        ports = self.ports(PORT) if port is None else [port]
        return self.launch_on(ports, ["--state", str(self.state)], self.find)
