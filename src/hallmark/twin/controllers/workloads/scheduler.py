"""The scheduler: finds a node for each pod that has none, and says why when there is none."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hallmark.twin.controllers import conditions
from hallmark.twin.controllers.clock import Clock, now
from hallmark.twin.controllers.workloads.pods import annotations, is_finished, is_leaving, labels, node_name, status
from hallmark.twin.controllers.workloads.scheduling import filters, scores, volumes, words
from hallmark.twin.controllers.workloads.scheduling.places import Place
from hallmark.twin.controllers.workloads.scheduling.taints import of as taints_of
from hallmark.twin.controllers.workloads.scheduling.volumes import SELECTED, NotYet, Volumes
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import CLAIMS, NODES, PODS, STORAGE_CLASSES, VOLUMES, Key, Kind, Object, key_of
from hallmark.twin.kube.reconcile import Mapper


class Scheduler:
    """Binds pods to nodes.

    Args:
        caches: The cluster.
        clock: Tells the time.
    """

    name = "default-scheduler"

    def __init__(self, caches: Caches, clock: Clock = now) -> None:
        self._caches = caches
        self._clock = clock
        self._recorder = Recorder(caches.api, self.name)
        self._assumed: dict[str, str] = {}
        self._taking_room: set[str] = set()
        self._nodes: dict[str, tuple[Any, ...]] = {}

    def watches(self) -> Mapping[Kind, Mapper]:
        """Pods without a node, and whatever may make room for one: nodes, pods that end, volumes."""
        return {
            PODS: self._of_pod,
            NODES: self._of_node,
            CLAIMS: self._of_claim,
            VOLUMES: self._of_any,
            STORAGE_CLASSES: self._of_any,
        }

    async def reconcile(self, key: Key) -> None:
        """Find a node for a pod and bind it, or say why not."""
        pod = self._caches[PODS].get(key)
        if pod is None or not _waits(pod):
            return
        places = self._places(pod)
        try:
            needs = volumes.look_up(self._caches, pod)
        except NotYet as reason:
            await self._refuse(pod, words.not_yet(str(reason), len(places)))
            return
        possible, refusals = [], []
        for place in places:
            refusal = filters.refusal(pod, place, places, needs)
            if refusal:
                refusals.append(refusal)
            else:
                possible.append(place)
        if not possible:
            await self._refuse(pod, words.nowhere(refusals))
            return
        await self._place(pod, self._choose(pod, possible, places, needs), needs)

    def _choose(self, pod: Object, possible: Sequence[Place], places: Sequence[Place], needs: Volumes) -> Place:
        started = next((place for place in possible if place.name == needs.chosen), None)
        return started or scores.best(pod, possible, places)

    async def _place(self, pod: Object, place: Place, needs: Volumes) -> None:
        # Assumed at once, before anything is awaited: the next pod already sees this one on its node.
        self._assumed[pod["metadata"]["uid"]] = place.name
        for claim, _ in needs.delayed:
            if annotations(claim).get(SELECTED) != place.name:
                await self._caches.patch(CLAIMS, claim, {"metadata": {"annotations": {SELECTED: place.name}}})
        if needs.delayed:  # its volumes are made first; their claims tell when
            return
        namespace, name = key_of(pod)
        target = {"apiVersion": "v1", "kind": "Node", "name": place.name}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
        await self._caches.api.call("POST", PODS.path(namespace, name, "binding"), binding)
        await self._recorder.normal(pod, "Scheduled", f"Successfully assigned {namespace}/{name} to {place.name}")

    async def _refuse(self, pod: Object, message: str) -> None:
        self._assumed.pop(pod["metadata"]["uid"], None)
        known = conditions.find(pod, "PodScheduled")
        if known and known.get("message") == message:
            return
        new = conditions.make("PodScheduled", "False", "Unschedulable", message, self._clock())
        so_far = status(pod)
        told = {**so_far, "conditions": conditions.put(so_far.get("conditions") or [], new)}
        await self._caches.update(PODS, {**pod, "status": told}, "status")
        await self._recorder.warning(pod, "FailedScheduling", message)

    def _places(self, pod: Object) -> list[Place]:
        on: dict[str, list[Object]] = {}
        for other in self._caches[PODS].all():
            uid = other["metadata"]["uid"]
            if node_name(other) or is_leaving(other):
                self._assumed.pop(uid, None)
            where = node_name(other) or self._assumed.get(uid)
            if where and not is_finished(other) and uid != pod["metadata"]["uid"]:
                on.setdefault(where, []).append(other)
        return [Place(node, on.get(node["metadata"]["name"], ())) for node in self._caches[NODES].all()]

    def _of_pod(self, pod: Object) -> Iterable[Key]:
        if _waits(pod):
            return [key_of(pod)]
        uid, present = pod["metadata"]["uid"], self._caches[PODS].get(key_of(pod))
        takes_room = present is not None and present["metadata"]["uid"] == uid and not is_finished(pod)
        if takes_room == (uid in self._taking_room):
            return ()
        (self._taking_room.add if takes_room else self._taking_room.discard)(uid)
        return self._waiting()

    def _of_node(self, node: Object) -> Iterable[Key]:
        # A node reports every few seconds; only what the filters read is a reason to look again.
        name, offered = node["metadata"]["name"], status(node).get("allocatable")
        matters = (node["metadata"]["uid"], labels(node), taints_of(node), offered, node["spec"].get("unschedulable"))
        if self._nodes.get(name) == matters and self._caches[NODES].get(("", name)):
            return ()
        self._nodes[name] = matters
        return self._waiting()

    def _of_claim(self, claim: Object) -> Iterable[Key]:
        namespace, name = key_of(claim)
        return [key for key, pod in self._pending() if key[0] == namespace and name in volumes.claim_names(pod)]

    def _of_any(self, _: Object) -> Iterable[Key]:
        return self._waiting()

    def _waiting(self) -> list[Key]:
        return [key for key, _ in self._pending()]

    def _pending(self) -> Iterable[tuple[Key, Object]]:
        return [(key_of(pod), pod) for pod in self._caches[PODS].all() if _waits(pod)]


def _waits(pod: Object) -> bool:
    spec = pod["spec"]
    ours = spec.get("schedulerName", Scheduler.name) == Scheduler.name
    return (
        ours and not node_name(pod) and not is_leaving(pod) and not is_finished(pod) and not spec.get("schedulingGates")
    )
