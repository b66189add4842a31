"""DaemonSets: one pod on every node that wants it."""

from collections.abc import Iterable, Mapping, Sequence

from hallmark.twin.controllers.clock import Clock, now
from hallmark.twin.controllers.workloads import daemons, revisions, templates
from hallmark.twin.controllers.workloads.children import claim, to_controller, to_itself, to_parents
from hallmark.twin.controllers.workloads.pod_writer import PodWriter
from hallmark.twin.controllers.workloads.pods import is_leaving, labels, next_available
from hallmark.twin.controllers.workloads.scheduling.taints import of as taints_of
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import CONTROLLER_REVISIONS, DAEMON_SETS, NODES, PODS, Key, Kind, Object, key_of
from hallmark.twin.kube.reconcile import Mapper


class DaemonSets:
    """Keeps the pods of each DaemonSet.

    Args:
        caches: The cluster.
        clock: Tells the time.
    """

    name = "daemonset-controller"

    def __init__(self, caches: Caches, clock: Clock = now) -> None:
        self._caches = caches
        self._clock = clock
        self._pods = PodWriter(caches, self.name)
        self._recorder = Recorder(caches.api, self.name)
        self._nodes: dict[str, object] = {}

    def watches(self) -> Mapping[Kind, Mapper]:
        """DaemonSets, their pods and revisions, and nodes that come, go or change what they admit."""
        return {
            DAEMON_SETS: to_itself,
            PODS: to_parents(self._caches, DAEMON_SETS),
            CONTROLLER_REVISIONS: to_controller(DAEMON_SETS),
            NODES: self._of_node,
        }

    async def reconcile(self, key: Key) -> float | None:
        """Create, delete and renew pods node by node, and tell how it stands."""
        daemon_set = self._caches[DAEMON_SETS].get(key)
        if daemon_set is None:
            return None
        await claim(self._caches, PODS, daemon_set, daemon_set["spec"]["selector"])
        history = await revisions.known(self._caches, daemon_set)
        latest = await revisions.latest(self._caches, daemon_set, history)
        code = latest["metadata"]["labels"]["controller.kubernetes.io/hash"]
        try:
            if not is_leaving(daemon_set):
                await self._step(daemon_set, code)
        finally:
            wait = await self._report(daemon_set, code)
        used = {f"{key[1]}-{labels(each).get(revisions.LABEL)}" for each in self._children(daemon_set)}
        await revisions.forget(self._caches, daemon_set, history, {latest["metadata"]["name"], *used})
        return wait

    async def _step(self, daemon_set: Object, code: str) -> None:
        nodes, pods, moment = self._caches[NODES].all(), self._children(daemon_set), self._clock()
        plan = daemons.plan(daemon_set, nodes, pods, code, moment)
        for pod in plan.failed:
            place, name = daemons.node_of(pod), pod["metadata"]["name"]
            message = (
                f"Found failed daemon pod {pod['metadata']['namespace']}/{name} on node {place}, will try to kill it"
            )
            await self._recorder.warning(daemon_set, "FailedDaemonPod", message)
        for pod in [*plan.failed, *plan.delete]:
            await self._pods.delete(daemon_set, pod)
        await self._pods.create_all(daemon_set, [_pod(daemon_set, node, code) for node in plan.create])

    async def _report(self, daemon_set: Object, code: str) -> float | None:
        nodes, pods, moment = self._caches[NODES].all(), self._children(daemon_set), self._clock()
        wanted = daemons.status(daemon_set, nodes, pods, code, moment)
        if wanted != daemon_set.get("status"):
            await self._caches.update(DAEMON_SETS, {**daemon_set, "status": wanted}, "status")
        return next_available(pods, daemon_set["spec"].get("minReadySeconds", 0), moment)

    def _children(self, daemon_set: Object) -> Sequence[Object]:
        return self._caches[PODS].controlled_by(daemon_set["metadata"]["uid"])

    def _of_node(self, node: Object) -> Iterable[Key]:
        name = node["metadata"]["name"]
        matters = (labels(node), taints_of(node)) if self._caches[NODES].get(("", name)) else None
        if self._nodes.get(name) == matters:
            return ()
        self._nodes[name] = matters
        return [key_of(each) for each in self._caches[DAEMON_SETS].all()]


def _pod(daemon_set: Object, node: str, code: str) -> Object:
    template = {**daemon_set["spec"]["template"], "spec": daemons.pod_spec(daemon_set, node)}
    generation = str(daemon_set["metadata"].get("generation", 1))
    return templates.pod(daemon_set, template, {revisions.LABEL: code, "pod-template-generation": generation})
