"""Mounting the volumes of a pod: again and again until what they are made of is there; then they are kept fresh."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from hallmark.errors import EnvironmentFault
from hallmark.twin.kube.client import ApiError
from hallmark.twin.kubelet.volumes import MountFailed, mentions

if TYPE_CHECKING:
    from hallmark.twin.kubelet.pod import Pod

RETRY = 2.0
"""Seconds between two tries, unless the pod changes before."""


class Mounting:
    """Mounts the volumes of one pod.

    Args:
        pod: The pod.
    """

    def __init__(self, pod: "Pod") -> None:
        self._pod = pod
        self.done = False

    async def mount(self) -> None:
        """Mount until it works."""
        pod = self._pod
        while True:
            try:
                await pod.supplies.renew()
                await self._fill()
                break
            except MountFailed as error:
                await pod.warning("FailedMount", str(error))
            except (ApiError, EnvironmentFault, OSError) as error:
                said = error.strerror if isinstance(error, OSError) else error.message
                await pod.warning("FailedMount", f"MountVolume.SetUp failed: {said}")
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY):
                    await pod.changed.wait()
        self.done = True

    def is_made_of(self, kind: str, name: str) -> bool:
        """Whether something of the pod's namespace is in what has been mounted."""
        return self.done and (kind, name) in set(mentions(self._pod.object))

    async def renew(self) -> None:
        """Bring mounted files up to date.

        Real kubelets do it within a minute or so; subPath mounts are never renewed, and here neither.
        """
        with suppress(MountFailed, ApiError, EnvironmentFault):
            await self._fill()

    async def keep_tokens(self) -> None:
        """Renew tokens before they expire, as long as there are any."""
        while seconds := self._pod.supplies.renewal:
            await asyncio.sleep(seconds)
            await self.renew()

    async def _fill(self) -> None:
        pod = self._pod
        await pod.volumes.set_up(pod.object, pod.supplies.volumes(pod.ip))
