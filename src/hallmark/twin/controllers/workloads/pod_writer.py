"""Creates and deletes pods in the name of a workload, with the events an operator reads there."""

import asyncio
from collections.abc import Sequence
from itertools import islice

from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.client import ApiError
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import PODS, Object


class PodWriter:
    """Writes pods and says so on their workload.

    Args:
        caches: The cluster.
        component: For example ``replicaset-controller``; the events' source.
    """

    def __init__(self, caches: Caches, component: str) -> None:
        self._caches = caches
        self._recorder = Recorder(caches.api, component)

    async def create(self, owner: Object, pod: Object) -> Object:
        """Create a pod.

        Raises:
            ApiError: It was refused; the owner has an event that says why.
        """
        try:
            created = await self._caches.create(PODS, pod)
        except ApiError as error:
            await self._recorder.warning(owner, "FailedCreate", f"Error creating: {error.message}")
            raise
        await self._recorder.normal(owner, "SuccessfulCreate", f"Created pod: {created['metadata']['name']}")
        return created

    async def create_all(self, owner: Object, pods: Sequence[Object]) -> None:
        """Create pods in batches of 1, 2, 4, … so that a template that is refused is refused once, not a hundred times.

        Source: ``slowStartBatch`` in Kubernetes' controllers.

        Raises:
            ApiError: The first refusal; the batches after it are not tried.
        """
        left, size = iter(pods), 1
        while batch := list(islice(left, size)):
            answers = await asyncio.gather(*(self.create(owner, pod) for pod in batch), return_exceptions=True)
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer
            size *= 2

    async def delete(self, owner: Object, pod: Object) -> None:
        """Delete a pod.

        Raises:
            ApiError: It was refused; the owner has an event that says why.
        """
        try:
            await self._caches.delete(PODS, pod)
        except ApiError as error:
            await self._recorder.warning(owner, "FailedDelete", f"Error deleting: {error.message}")
            raise
        await self._recorder.normal(owner, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
