"""What a container's program tells the kubelet, which cannot see it: ports it serves, memory and CPU it uses.

See ``programs/README.md``: a working set above the limit is what the kernel's OOM killer acts on, and so it is here.
"""

import asyncio
import json
import signal
from collections.abc import Callable

from hallmark.twin.cluster.schema import quantities
from hallmark.twin.kube.kinds import Object
from hallmark.twin.kubelet.images import Program
from hallmark.twin.kubelet.machine import Machine
from hallmark.twin.kubelet.runtime import Process, lines


class Reports:
    """Reports from one container, run after run.

    Args:
        machine: What pods share.
        spec: Gives the container's specification as it is now.
    """

    def __init__(self, machine: Machine, spec: Callable[[], Object]) -> None:
        self._machine = machine
        self._spec = spec
        self.listening: dict[int, int] = {}
        """Ports of the pod that this container serves, and where they really are."""
        self.memory, self.cpu = 0, 0
        """In use at this moment: bytes, millicores."""
        self.out_of_memory = False
        """Whether the present or last run was killed for the memory it used."""

    def begin(self, process: Process, program: Program) -> None:
        """A run has begun: what it uses is what its program uses when idle."""
        self.out_of_memory = False
        self._uses(process, program.memory, program.cpu)

    async def heed(self, process: Process, program: Program) -> None:
        """Take in what the program says, until it ends."""
        async for line in lines(process.reports):
            told = json.loads(line)
            self.listening |= {int(port): real for port, real in told.get("listening", {}).items()}
            if "memory" in told:
                self._uses(process, int(quantities.parse(told["memory"])), program.cpu)
                seconds = told["seconds"] / self._machine.speed
                asyncio.get_running_loop().call_later(seconds, self._rest, process, program)

    def end(self) -> None:
        """The run is over."""
        self.listening.clear()
        self.memory = self.cpu = 0

    def _rest(self, process: Process, program: Program) -> None:
        if not process.exit.done():
            self._uses(process, program.memory, program.cpu)

    def _uses(self, process: Process, memory: int, cpu: int) -> None:
        self.memory, self.cpu = memory, cpu
        limit = quantities.of(((self._spec().get("resources") or {}).get("limits") or {}).get("memory"))
        if limit and memory > limit:
            self.out_of_memory = True
            self._machine.runtime.kill(process, signal.SIGKILL)
