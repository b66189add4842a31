"""Pulling an image: at once if the catalogue has it and the node reaches its registry, else again and again.

Pauses between two tries grow. Source of the words: Kubernetes ``pkg/kubelet/images``.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from hallmark.twin.kube.kinds import Object
from hallmark.twin.kubelet.images import Image, PullFailed, full_name, hosts, unanswered

if TYPE_CHECKING:
    from hallmark.twin.kubelet.pod import Pod

FIRST_PAUSE, LAST_PAUSE = 10.0, 300.0
SYNC = 1.0
"""Seconds: between two tries, doubled each time, and until a failed pull is called a back-off."""


class Pulling:
    """Pulls the image of one container.

    Args:
        pod: Its pod.
        spec: Gives the container's specification as it is now.
        wait: Puts reason and message into the container's status.
        sleep: Waits, or less when the pod has changed.
    """

    def __init__(
        self,
        pod: "Pod",
        spec: Callable[[], Object],
        wait: Callable[[str, str], None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._pod = pod
        self._spec = spec
        self._wait = wait
        self._sleep = sleep

    async def image(self) -> Image:
        """Pull until it works."""
        pause, reference = FIRST_PAUSE, ""
        while True:
            pause = min(pause * 2, LAST_PAUSE) if reference == self._spec()["image"] else FIRST_PAUSE
            reference = self._spec()["image"]
            try:
                return await self._pull(reference)
            except PullFailed as failure:
                await self._failed(reference, failure)
            await self._sleep(pause)

    async def _pull(self, reference: str) -> Image:
        machine, here = self._pod.machine, (self._pod.node_name, full_name(reference))
        if here in machine.pulled and self._spec().get("imagePullPolicy") != "Always":
            await self._pod.normal("Pulled", f'Container image "{reference}" already present on machine')
            return machine.catalogue.pull(reference)
        await self._pod.normal("Pulling", f'Pulling image "{reference}"')
        image = machine.catalogue.pull(reference)
        await self._reach(reference)
        took = "0s (0s including waiting). Image size: 0 bytes."
        await self._pod.normal("Pulled", f'Successfully pulled image "{reference}" in {took}')
        machine.pulled.add(here)
        return image

    async def _reach(self, reference: str) -> None:
        """Reach what has the image from the pod's node.

        Raises:
            PullFailed: There is no way.
        """
        egress, node = self._pod.machine.egress, self._pod.machine.node(self._pod.node_name)
        if egress is None:
            return
        for host in hosts(reference):
            way = await egress.way(node, host)
            if not way.is_open:
                raise unanswered(reference, host, way.address)

    async def _failed(self, reference: str, failure: PullFailed) -> None:
        self._wait(failure.reason, failure.message)
        if failure.reason == "InvalidImageName":
            await self._pod.warning("InspectFailed", failure.message)
            await self._pod.warning("Failed", "Error: InvalidImageName")
            return
        await self._pod.warning("Failed", f'Failed to pull image "{reference}": {failure.message}')
        await self._pod.warning("Failed", "Error: ErrImagePull")
        await self._sleep(SYNC)
        said = f'Back-off pulling image "{reference}"'
        self._wait("ImagePullBackOff", f"{said}: ErrImagePull: {failure.message}")
        await self._pod.normal("BackOff", said)
        await self._pod.warning("Failed", "Error: ImagePullBackOff")
