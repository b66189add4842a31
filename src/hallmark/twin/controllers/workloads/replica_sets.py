"""ReplicaSets: as many pods as wanted, and the right ones go when there are too many."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hallmark.twin.controllers import conditions
from hallmark.twin.controllers.clock import Clock, now, seconds_since
from hallmark.twin.controllers.workloads import templates
from hallmark.twin.controllers.workloads.children import claim, to_itself, to_parents
from hallmark.twin.controllers.workloads.pod_writer import PodWriter
from hallmark.twin.controllers.workloads.pods import (
    annotations,
    is_active,
    is_available,
    is_leaving,
    is_ready,
    labels,
    next_available,
    node_name,
    phase,
)
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.client import ApiError
from hallmark.twin.kube.kinds import PODS, REPLICA_SETS, Key, Kind, Object
from hallmark.twin.kube.reconcile import Mapper

BURST = 500
"""Most pods that one look creates or deletes."""
COST = "controller.kubernetes.io/pod-deletion-cost"


class ReplicaSets:
    """Keeps the number of pods of each ReplicaSet.

    Args:
        caches: The cluster.
        clock: Tells the time.
    """

    name = "replicaset-controller"

    def __init__(self, caches: Caches, clock: Clock = now) -> None:
        self._caches = caches
        self._clock = clock
        self._pods = PodWriter(caches, self.name)

    def watches(self) -> Mapping[Kind, Mapper]:
        """ReplicaSets, and pods that belong to one or may."""
        return {REPLICA_SETS: to_itself, PODS: to_parents(self._caches, REPLICA_SETS)}

    async def reconcile(self, key: Key) -> float | None:
        """Create or delete what is missing or too much, and tell how it stands."""
        replica_set = self._caches[REPLICA_SETS].get(key)
        if replica_set is None:
            return None
        await claim(self._caches, PODS, replica_set, replica_set["spec"]["selector"])
        refusal = None if is_leaving(replica_set) else await self._adjust(replica_set)
        wait = await self._report(replica_set, refusal)
        if refusal:
            raise refusal
        return wait

    async def _adjust(self, replica_set: Object) -> ApiError | None:
        pods = self._children(replica_set)
        missing = replica_set["spec"]["replicas"] - len(pods)
        try:
            if missing > 0:
                template = replica_set["spec"]["template"]
                fresh = [templates.pod(replica_set, template) for _ in range(min(missing, BURST))]
                await self._pods.create_all(replica_set, fresh)
            for pod in deletion_order(pods, self._clock())[: max(0, min(-missing, BURST))]:
                await self._pods.delete(replica_set, pod)
        except ApiError as error:
            return error
        return None

    async def _report(self, replica_set: Object, refusal: ApiError | None) -> float | None:
        pods, moment = self._children(replica_set), self._clock()
        wanted = status(replica_set, pods, refusal, moment)
        if wanted != replica_set.get("status"):
            await self._caches.update(REPLICA_SETS, {**replica_set, "status": wanted}, "status")
        return next_available(pods, replica_set["spec"].get("minReadySeconds", 0), moment)

    def _children(self, replica_set: Object) -> list[Object]:
        return [each for each in self._caches[PODS].controlled_by(replica_set["metadata"]["uid"]) if is_active(each)]


def deletion_order(pods: Sequence[Object], moment: datetime) -> list[Object]:
    """Pods in the order in which they go: those that are missed least come first.

    Source: ``ActivePodsWithRanks`` in Kubernetes' controllers: unassigned, then pending, then not ready, then cheap,
    then crowded on their node, then ready for the shortest time, then restarted most, then youngest.
    """
    crowd = [node_name(pod) for pod in pods]

    def rank(pod: Object) -> tuple[Any, ...]:
        ready = conditions.find(pod, "Ready") or {}
        restarts = [each["restartCount"] for each in (pod.get("status") or {}).get("containerStatuses") or []]
        return (
            bool(node_name(pod)),
            {"Pending": 0, "Unknown": 1}.get(phase(pod), 2),
            is_ready(pod),
            int(annotations(pod).get(COST, "0")),
            -crowd.count(node_name(pod)),
            seconds_since(ready.get("lastTransitionTime"), moment),
            -max(restarts, default=0),
            seconds_since(pod["metadata"]["creationTimestamp"], moment),
        )

    return sorted(pods, key=rank)


def status(replica_set: Object, pods: Sequence[Object], refusal: ApiError | None, moment: datetime) -> Object:
    """Status of a ReplicaSet.

    Args:
        replica_set: With its status so far.
        pods: Its active pods.
        refusal: What the API said to the last attempt to create or delete a pod, if it refused.
        moment: The present moment.
    """
    spec, known = replica_set["spec"], (replica_set.get("status") or {}).get("conditions") or []
    template_labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    numbers = {
        "fullyLabeledReplicas": sum(labels(pod).items() >= template_labels.items() for pod in pods),
        "readyReplicas": sum(map(is_ready, pods)),
        "availableReplicas": sum(is_available(pod, spec.get("minReadySeconds", 0), moment) for pod in pods),
    }
    if refusal:
        reason = "FailedCreate" if len(pods) < spec["replicas"] else "FailedDelete"
        new = conditions.make("ReplicaFailure", "True", reason, refusal.message, moment)
        known = conditions.put(known, new)
    else:
        known = conditions.drop(known, "ReplicaFailure")
    return {
        "replicas": len(pods),
        **{name: number for name, number in numbers.items() if number},
        "observedGeneration": replica_set["metadata"].get("generation", 1),
        **({"conditions": known} if known else {}),
    }
