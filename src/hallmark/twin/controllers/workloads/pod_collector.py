"""Deletes pods whose node is gone: no kubelet is left that could end them."""

from collections.abc import Iterable, Mapping

from hallmark.twin.controllers.clock import Clock, now
from hallmark.twin.controllers.workloads.pods import node_name
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.kinds import NODES, PODS, Key, Kind, Object, key_of
from hallmark.twin.kube.reconcile import Mapper

QUARANTINE = 40.0
"""Seconds for which a node must be gone: it may have been replaced by one of the same name."""


class PodCollector:
    """Collects pods of nodes that no longer exist.

    Source: "Garbage collection of Pods" in the Kubernetes documentation.

    Args:
        caches: The cluster.
        clock: Tells the time.
        quarantine: Seconds to wait.
    """

    name = "pod-garbage-collector"

    def __init__(self, caches: Caches, clock: Clock = now, quarantine: float = QUARANTINE) -> None:
        self._caches = caches
        self._clock = clock
        self._quarantine = quarantine
        self._missed: dict[str, float] = {}

    def watches(self) -> Mapping[Kind, Mapper]:
        """Nodes that go, and pods bound to one that is not there."""
        return {NODES: self._of_node, PODS: self._of_pod}

    async def reconcile(self, key: Key) -> float | None:
        """Delete a pod once its node has been gone for long enough."""
        pod = self._caches[PODS].get(key)
        if pod is None or not self._is_lost(pod):
            return None
        moment = self._clock().timestamp()
        left = self._missed.setdefault(node_name(pod), moment) + self._quarantine - moment
        if left > 0:
            return left
        await self._caches.delete(PODS, pod, gracePeriodSeconds=0)
        return None

    def _of_node(self, node: Object) -> Iterable[Key]:
        name = node["metadata"]["name"]
        if self._caches[NODES].get(("", name)):
            self._missed.pop(name, None)
            return ()
        return [key_of(each) for each in self._caches[PODS].all() if node_name(each) == name]

    def _of_pod(self, pod: Object) -> Iterable[Key]:
        return [key_of(pod)] if self._is_lost(pod) else ()

    def _is_lost(self, pod: Object) -> bool:
        return bool(node_name(pod)) and self._caches[NODES].get(("", node_name(pod))) is None
