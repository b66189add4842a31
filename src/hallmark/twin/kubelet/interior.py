"""The inside of a container: what its programs find there, and commands that are run in it."""

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hallmark.twin.kube.kinds import Object
from hallmark.twin.kubelet.environment import expand, resolve
from hallmark.twin.kubelet.images import BUILTINS, SHELL, Image, Program
from hallmark.twin.kubelet.runtime import Process
from hallmark.twin.programs import container as inside
from hallmark.twin.programs.shell.interpreter import NOT_FOUND, find

if TYPE_CHECKING:
    from hallmark.twin.kubelet.pod import Pod

OUTPUT_LIMIT = 4096
"""Bytes of a command's output that are of interest."""


class Interior:
    """What the programs of one container find; its ports and commands are those of a :class:`probes.Target`.

    Args:
        pod: Its pod.
        spec: Gives the container's specification as it is now.
    """

    def __init__(self, pod: "Pod", spec: Callable[[], Object]) -> None:
        self._pod = pod
        self._runtime = pod.machine.runtime
        self._spec = spec
        self._program: Program | None = None
        self._environment: Mapping[str, str] = {}
        self._root, self._read_only = pod.folder, tuple[str, ...]()
        self.arguments: Sequence[str] = ()
        """Command and arguments of its own program."""

    def furnish(self, image: Image) -> Program:
        """Make what its programs find, anew for every run, and choose its own program.

        Raises:
            ConfigError: A variable cannot be filled in.
            MountFailed: A volume cannot be mounted.
        """
        spec, pod = self._spec(), self._pod
        environment = resolve(pod.object, spec, pod.supplies.environment(pod.ip))
        self._root, self._read_only = pod.volumes.root(pod.object, spec)
        self._environment = environment
        words = [*(spec.get("command") or []), *(spec.get("args") or [])]
        command = [expand(word, environment) for word in words]
        self._program = program = image.program(spec["name"], command)
        self.arguments = command or program.settings.get("command", [])
        return program

    def path(self, name: str) -> Path:
        """Where a path of the container is on this machine."""
        return inside.Container.of(self._described(SHELL, [])).path(name)

    # What probes ask.

    @property
    def ip(self) -> str:
        """The pod's address."""
        return self._pod.ip

    def reach(self, port: int) -> tuple[str, int]:
        """Where a port of the pod is on this machine."""
        return self._pod.reach(port)

    def port(self, named: str | int) -> int | None:
        """The number of a port, given by number or by its name in this container."""
        if isinstance(named, int) or named.isdigit():
            return int(named)
        ports = self._spec().get("ports") or []
        return next((int(port["containerPort"]) for port in ports if port.get("name") == named), None)

    async def execute(self, command: Sequence[str], seconds: float) -> tuple[int | None, str]:
        """Run a command and wait for its end: exit code (None: it took too long) and output."""
        if complaint := self.refusal(command):
            return NOT_FOUND, complaint
        process = await self.spawn(command, apart=False, wants_input=False)
        try:
            async with asyncio.timeout(seconds):
                output = await process.output.read(OUTPUT_LIMIT)
                return await process.exit, output.decode("utf-8", "replace")
        except TimeoutError:
            return None, ""
        finally:
            self._runtime.kill(process, signal.SIGKILL)
            process.close()

    # What runs in it.

    async def start(self, program: Program) -> Process:
        """Start its own program."""
        return await self._runtime.spawn(self._described(program.module, self.arguments))

    async def spawn(self, command: Sequence[str], *, apart: bool, wants_input: bool, terminal: int = -1) -> Process:
        """Start a command in it, as ``kubectl exec`` does; see :meth:`Runtime.spawn`."""
        spec = self._described(SHELL, command)
        spec["settings"] = {**spec["settings"], "tty": terminal >= 0}
        spec["terminal"] = terminal >= 0
        return await self._runtime.spawn(spec, apart=apart, wants_input=wants_input, terminal=terminal)

    def refusal(self, command: Sequence[str]) -> str:
        """Why a command cannot be executed in it, in the runtime's words; empty if it can."""
        name = command[0] if command else ""
        if self._program and name not in BUILTINS and find(self._program.commands, name):
            return ""
        return f"OCI runtime exec failed: exec failed: unable to start container process: {not_executed(name)}"

    def _described(self, module: str, arguments: Sequence[str]) -> dict[str, Any]:
        """A process in it, as :class:`hallmark.twin.programs.container.Container` reads it."""
        pod, machine = self._pod, self._pod.machine
        settings = dict(self._program.settings) if self._program else {}
        addon = settings.get("addon")
        return {
            "name": self._spec()["name"],
            "pod": pod.name,
            "namespace": pod.namespace,
            "address": pod.address.loopback,
            "ip": pod.ip,
            "gate": f"{machine.gate}/{pod.token}",
            "speed": machine.speed,
            "environment": self._environment,
            "root": str(self._root),
            "read_only": self._read_only,
            "program": module,
            "arguments": list(arguments),
            "log": str(machine.addons / f"{addon}.log") if addon else "",
            "settings": settings,
            "terminal": False,
        }


def not_executed(name: str) -> str:
    """Why a file cannot be executed, in the runtime's words."""
    why = f"stat {name}: no such file or directory" if "/" in name else "executable file not found in $PATH"
    return f'exec: "{name}": {why}: unknown'
