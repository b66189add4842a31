"""Nodes whose kubelet is silent are called Unknown, and what is wrong with a node becomes a taint."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from time import monotonic

from hallmark.twin.controllers import conditions
from hallmark.twin.controllers.clock import Clock, now, written
from hallmark.twin.controllers.workloads.children import to_itself
from hallmark.twin.controllers.workloads.pods import is_ready, node_name, status
from hallmark.twin.controllers.workloads.scheduling import taints
from hallmark.twin.controllers.workloads.scheduling.taints import Taint
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import LEASES, NODES, PODS, Key, Kind, Object
from hallmark.twin.kube.reconcile import Mapper

GRACE = 40.0
"""Seconds of silence after which a node is Unknown: ``--node-monitor-grace-period``."""
LEASE_NAMESPACE = "kube-node-lease"
REPORTED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
OURS = {taints.NOT_READY, taints.UNREACHABLE, taints.UNSCHEDULABLE, *taints.PRESSURES.values()}
"""Keys of the taints that conditions call for; all others belong to somebody else."""


class NodeLifecycle:
    """Watches the heartbeats of nodes.

    Source: "Nodes" and "Taint based Evictions" in the Kubernetes documentation. Silence is measured from when a
    heartbeat was seen here, not from the moment written in it, and on a clock that stands still while the computer
    sleeps: so a twin that wakes up does not find all its nodes lost.

    Args:
        caches: The cluster.
        clock: Tells the time that is written down.
        ticks: Seconds of a clock that never jumps.
        grace: Seconds of silence that are forgiven.
    """

    name = "node-controller"

    def __init__(
        self, caches: Caches, clock: Clock = now, ticks: Callable[[], float] = monotonic, grace: float = GRACE
    ) -> None:
        self._caches = caches
        self._clock = clock
        self._ticks = ticks
        self._grace = grace
        self._recorder = Recorder(caches.api, self.name)
        self._beats: dict[str, tuple[object, float]] = {}

    def watches(self) -> Mapping[Kind, Mapper]:
        """Nodes and their leases; pods are read when a node is lost."""
        return {NODES: to_itself, LEASES: _to_node, PODS: lambda _: ()}

    async def reconcile(self, key: Key) -> float | None:
        """Notice a heartbeat or its absence, and keep the taints."""
        node = self._caches[NODES].get(key)
        if node is None:
            self._beats.pop(key[1], None)
            return None
        left = self._grace - self._silence(node)
        if left <= 0 and not _is_unknown(node):
            node = await self._lose(node)
        wanted = wanted_taints(node, self._clock())
        if wanted != (node["spec"].get("taints") or []):
            version = {"resourceVersion": node["metadata"]["resourceVersion"]}
            await self._caches.patch(NODES, node, {"metadata": version, "spec": {"taints": wanted}})
        return left if left > 0 else None

    def _silence(self, node: Object) -> float:
        name = node["metadata"]["name"]
        lease = self._caches[LEASES].get((LEASE_NAMESPACE, name)) or {"spec": {}}
        ready = conditions.find(node, "Ready") or {}
        beat = (node["metadata"]["uid"], lease["spec"].get("renewTime"), ready.get("lastHeartbeatTime"))
        if self._beats.get(name, (None, 0.0))[0] != beat:
            self._beats[name] = (beat, self._ticks())
        return self._ticks() - self._beats[name][1]

    async def _lose(self, node: Object) -> Object:
        name, moment = node["metadata"]["name"], self._clock()
        told = {**status(node), "conditions": unknown(node, moment)}
        node = await self._caches.update(NODES, {**node, "status": told}, "status")
        await self._recorder.normal(node, "NodeNotReady", f"Node {name} status is now: NodeNotReady")
        for pod in self._caches[PODS].all():
            if node_name(pod) == name and is_ready(pod):
                await self._unready(pod, moment)
        return node

    async def _unready(self, pod: Object, moment: datetime) -> None:
        known = status(pod).get("conditions") or []
        changed = [
            {**each, "status": "False", "lastTransitionTime": written(moment)} if each["type"] == "Ready" else each
            for each in known
        ]
        await self._caches.update(PODS, {**pod, "status": {**status(pod), "conditions": changed}}, "status")
        await self._recorder.warning(pod, "NodeNotReady", "Node is not ready")


def unknown(node: Object, moment: datetime) -> list[Object]:
    """Conditions of a node that is silent."""
    result = []
    for each in status(node).get("conditions") or []:
        lost = {**each, "status": "Unknown", "reason": "NodeStatusUnknown", "lastTransitionTime": written(moment)}
        lost["message"] = "Kubelet stopped posting node status."
        result.append(lost if each["type"] in REPORTED else each)
    for type_ in REPORTED:
        if not conditions.find(node, type_):
            message = "Kubelet never posted node status."
            result.append(conditions.make(type_, "Unknown", "NodeStatusNeverUpdated", message, moment))
    return result


def wanted_taints(node: Object, moment: datetime) -> list[Taint]:
    """Taints a node should have: its own, and those its conditions call for.

    A node that is not ready or not reachable also has ``NoExecute``: pods leave it, each after the time it tolerates.
    """
    present = node["spec"].get("taints") or []
    called: list[Taint] = list(taints.implied(node))
    if ready := conditions.find(node, "Ready"):
        key = {"False": taints.NOT_READY, "Unknown": taints.UNREACHABLE}.get(ready["status"])
        called += [{"key": key, "effect": "NoExecute"}] if key else []
    wanted = {(each["key"], each["effect"]) for each in called}
    kept = [each for each in present if each["key"] not in OURS or (each["key"], each["effect"]) in wanted]
    known = {(each["key"], each["effect"]) for each in kept}
    fresh = [each for each in called if (each["key"], each["effect"]) not in known]
    return [*kept, *({**each, "timeAdded": written(moment)} for each in fresh)]


def _is_unknown(node: Object) -> bool:
    ready = conditions.find(node, "Ready")
    return ready is not None and ready["status"] == "Unknown"


def _to_node(lease: Object) -> Iterable[Key]:
    if lease["metadata"]["namespace"] == LEASE_NAMESPACE:
        yield "", lease["metadata"]["name"]
