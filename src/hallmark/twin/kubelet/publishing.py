"""What the API hears of a pod: its status, soon after it has changed, and at last that it is gone."""

import asyncio
from typing import TYPE_CHECKING

from hallmark.errors import EnvironmentFault
from hallmark.twin.kube.client import STRATEGIC, ApiError, Conflict, NotFound
from hallmark.twin.kube.kinds import PODS, Object

if TYPE_CHECKING:
    from hallmark.twin.kubelet.pod import Pod

RETRY = 0.5
"""Seconds until the next try."""


class Publishing:
    """Tells the API of one pod, again and again until it listens.

    Args:
        pod: The pod.
    """

    def __init__(self, pod: "Pod") -> None:
        self._pod = pod
        self._due = asyncio.Event()
        self._published: Object = {}

    def soon(self) -> None:
        """Have the status written if it has changed."""
        self._due.set()

    def forget(self) -> None:
        """What was written last is no longer what the API has."""
        self._published = {}

    async def run(self) -> None:
        """Write whenever it is due, until the pod is gone."""
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self.write()
            except NotFound:
                return
            except (ApiError, EnvironmentFault):
                await asyncio.sleep(RETRY)
                self._due.set()

    async def write(self) -> None:
        """Write the status at once, unless it is what was written last.

        Raises:
            ApiError: The API does not take it.
            EnvironmentFault: The API does not answer.
        """
        pod, wanted = self._pod, self._pod.status()
        if wanted == self._published:
            return
        body = {"metadata": {"uid": pod.uid}, "status": wanted}
        # Strategic: conditions of others, such as the scheduler's and readiness gates, stay.
        answer = await pod.machine.caches.api.patch(PODS, pod.object, body, "status", STRATEGIC)
        self._published = wanted
        pod.object = answer
        pod.machine.caches[PODS].note(answer)

    async def tell_gone(self) -> None:
        """Have the pod removed from the API."""
        while True:
            try:
                await self._pod.machine.caches.delete(PODS, self._pod.object, gracePeriodSeconds=0)
            except Conflict:
                return  # another pod has its name already
            except (ApiError, EnvironmentFault):
                await asyncio.sleep(RETRY)
            else:
                return
