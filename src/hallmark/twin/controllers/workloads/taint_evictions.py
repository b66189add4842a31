"""Evicts pods from nodes with a ``NoExecute`` taint: at once, or after the time a pod tolerates it."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from hallmark.twin.controllers.clock import Clock, now, seconds_since
from hallmark.twin.controllers.workloads.pods import is_finished, is_leaving, node_name
from hallmark.twin.controllers.workloads.scheduling.taints import tolerates
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import NODES, PODS, Key, Kind, Object, key_of
from hallmark.twin.kube.reconcile import Mapper


class TaintEvictions:
    """Deletes pods that a taint drives away.

    Args:
        caches: The cluster.
        clock: Tells the time.
    """

    name = "taint-eviction-controller"

    def __init__(self, caches: Caches, clock: Clock = now) -> None:
        self._caches = caches
        self._clock = clock
        self._recorder = Recorder(caches.api, self.name)
        self._taints: dict[str, object] = {}
        self._marked: set[str] = set()

    def watches(self) -> Mapping[Kind, Mapper]:
        """Pods on a node, and nodes whose taints change."""
        return {PODS: self._of_pod, NODES: self._of_node}

    async def reconcile(self, key: Key) -> float | None:
        """Delete a pod whose time on its node is over."""
        pod = self._caches[PODS].get(key)
        if pod is None or is_leaving(pod):
            return None
        node = self._caches[NODES].get(("", node_name(pod)))
        left = stays(pod, node, self._clock()) if node else None
        namespace, name = key
        if left is None:
            if pod["metadata"]["uid"] in self._marked:
                self._marked.discard(pod["metadata"]["uid"])
                message = f"Cancelling deletion of Pod {namespace}/{name}"
                await self._recorder.normal(pod, "TaintManagerEviction", message)
            return None
        self._marked.add(pod["metadata"]["uid"])
        if left > 0:
            return left
        await self._recorder.normal(pod, "TaintManagerEviction", f"Marking for deletion Pod {namespace}/{name}")
        await self._caches.delete(PODS, pod)
        self._marked.discard(pod["metadata"]["uid"])
        return None

    def _of_pod(self, pod: Object) -> Iterable[Key]:
        return [key_of(pod)] if node_name(pod) and not is_finished(pod) else ()

    def _of_node(self, node: Object) -> Iterable[Key]:
        name, found = node["metadata"]["name"], _driving(node)
        if self._taints.get(name, []) == found:
            return ()
        self._taints[name] = found
        return [key_of(each) for each in self._caches[PODS].all() if node_name(each) == name]


def stays(pod: Object, node: Object, moment: datetime) -> float | None:
    """Seconds a pod may stay on its node: None without end, 0 not at all.

    Source: "Taint based Evictions" in the Kubernetes documentation: the shortest ``tolerationSeconds`` counts.
    """
    shortest: float | None = None
    for taint in _driving(node):
        covering = [each for each in pod["spec"].get("tolerations") or [] if tolerates(each, taint)]
        if not covering:
            return 0.0
        limits = [each["tolerationSeconds"] for each in covering if each.get("tolerationSeconds") is not None]
        if limits and len(limits) == len(covering):
            left = max(0.0, min(limits) - seconds_since(taint.get("timeAdded"), moment))
            shortest = left if shortest is None else min(shortest, left)
    return shortest


def _driving(node: Object) -> list[Object]:
    return [each for each in node["spec"].get("taints") or [] if each["effect"] == "NoExecute"]
