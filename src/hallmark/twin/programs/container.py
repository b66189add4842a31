"""What a program sees of its container: its environment, files, address, and the kubelet's gate."""

import json
import os
import signal
import sys
import threading
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn, Self

STOPPED = 143
"""Exit code of a program ended by SIGTERM, as a shell gives it."""


@dataclass(frozen=True)
class Container:
    """One container, from inside.

    Attributes:
        name: Its name in the pod.
        pod: The pod's name.
        namespace: The pod's namespace.
        arguments: Command and arguments of the pod's specification, as text: never executed.
        environment: The pod's own variables.
        root: Folder that stands for ``/``.
        read_only: Paths in it that cannot be written.
        address: Loopback address that stands for the pod's.
        ip: The pod's address as the cluster knows it.
        gate: URL of the kubelet's gate, with the pod's token, see :mod:`hallmark.twin.programs.dependencies`.
        log: A file to copy lines from, for controllers that live elsewhere; empty for none.
        speed: How many times faster than in reality waits are.
        settings: What the catalogue says of the image beyond that.
    """

    name: str
    pod: str
    namespace: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    root: Path
    read_only: tuple[str, ...]
    address: str
    ip: str
    gate: str
    log: str
    speed: float
    settings: Mapping[str, Any]
    _reports: int = -1
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, spec: Mapping[str, Any], reports: int = -1) -> Self:
        """Read what the kubelet says of a container."""
        return cls(
            name=spec["name"],
            pod=spec["pod"],
            namespace=spec["namespace"],
            arguments=tuple(spec["arguments"]),
            environment=spec["environment"],
            root=Path(spec["root"]),
            read_only=tuple(spec["read_only"]),
            address=spec["address"],
            ip=spec["ip"],
            gate=spec["gate"],
            log=spec["log"],
            speed=spec["speed"],
            settings=spec["settings"],
            _reports=reports,
        )

    def path(self, inside: str) -> Path:
        """Where a path of the container really is; ``..`` does not lead out."""
        return self.root / os.path.normpath(f"/{PurePosixPath(inside)}").lstrip("/")

    def say(self, level: str, message: str) -> None:
        """Write one line to the log. Never a secret: values of the environment do not belong here."""
        moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.write(f"{moment} {level} {message}")

    def write(self, line: str) -> None:
        """Write a line to the log as it is."""
        sys.stdout.write(f"{line}\n")

    def fail(self, message: str) -> NoReturn:
        """Say why, and end the container with exit code 1."""
        self.say("ERROR", message)
        raise SystemExit(1)

    def report(self, **facts: object) -> None:
        """Tell the kubelet what it cannot see: ports listened on, memory and CPU in use."""
        if self._reports >= 0:
            with self._lock:
                os.write(self._reports, json.dumps(facts).encode() + b"\n")

    def on_stop(self, code: int) -> None:
        """End with this exit code when the pod is stopped."""

        def end(_signal: int, _frame: types.FrameType | None) -> None:
            raise SystemExit(code)

        signal.signal(signal.SIGTERM, end)

    def forever(self) -> NoReturn:
        """Wait for the end."""
        while True:
            signal.pause()

    def pause(self, seconds: float) -> None:
        """Wait as long as the real program would, or shorter when the twin runs faster."""
        threading.Event().wait(seconds / self.speed)
