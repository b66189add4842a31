"""Disruption budgets: how many pods may be evicted now; the API refuses an eviction when none may."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from hallmark.twin.controllers import conditions
from hallmark.twin.controllers.clock import Clock, now, seconds_since
from hallmark.twin.controllers.workloads.children import to_itself
from hallmark.twin.controllers.workloads.counts import share
from hallmark.twin.controllers.workloads.pods import is_finished, is_leaving, is_ready, labels, status
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import (
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    PODS,
    REPLICA_SETS,
    STATEFUL_SETS,
    Key,
    Kind,
    Object,
    controller_of,
    key_of,
    matches,
)
from hallmark.twin.kube.reconcile import Mapper

EVICTED_WITHIN = 120.0
"""Seconds within which a pod whose eviction was allowed must begin to end; else it counts as healthy again."""


class DisruptionBudgets:
    """Keeps the status of each PodDisruptionBudget.

    Args:
        caches: The cluster.
        clock: Tells the time.
    """

    name = "controllermanager"

    def __init__(self, caches: Caches, clock: Clock = now) -> None:
        self._caches = caches
        self._clock = clock
        self._recorder = Recorder(caches.api, self.name)

    def watches(self) -> Mapping[Kind, Mapper]:
        """Budgets, pods, and the workloads whose size a percentage is of."""
        return {
            DISRUPTION_BUDGETS: to_itself,
            PODS: self._of_namespace,
            DEPLOYMENTS: self._of_namespace,
            REPLICA_SETS: self._of_namespace,
            STATEFUL_SETS: self._of_namespace,
        }

    async def reconcile(self, key: Key) -> float | None:
        """Count, and tell how many evictions are allowed."""
        budget = self._caches[DISRUPTION_BUDGETS].get(key)
        if budget is None:
            return None
        selector = budget["spec"].get("selector")
        pods = [each for each in self._caches[PODS].all(key[0]) if _counts(selector, each)]
        if not pods:
            await self._say_once(budget)
        moment = self._clock()
        wanted = calculate(budget, pods, self._scale(pods), moment)
        if wanted != budget.get("status"):
            await self._caches.update(DISRUPTION_BUDGETS, {**budget, "status": wanted}, "status")
        marks = wanted.get("disruptedPods") or {}
        return min((EVICTED_WITHIN - seconds_since(each, moment) for each in marks.values()), default=None)

    async def _say_once(self, budget: Object) -> None:
        if not conditions.find(budget, "DisruptionAllowed"):
            await self._recorder.normal(budget, "NoPods", "No matching pods found")

    def _scale(self, pods: Iterable[Object]) -> int:
        sizes: dict[str, int] = {}
        for pod in pods:
            workload = self._workload(pod)
            if workload:
                sizes[workload["metadata"]["uid"]] = int(workload["spec"].get("replicas", 1))
        return sum(sizes.values())

    def _workload(self, thing: Object) -> Object | None:
        parent = controller_of(thing)
        for kind in (REPLICA_SETS, DEPLOYMENTS, STATEFUL_SETS):
            if parent and parent["kind"] == kind.kind:
                found = self._caches[kind].get((thing["metadata"]["namespace"], parent["name"]))
                return (self._workload(found) or found) if found else None
        return None

    def _of_namespace(self, thing: Object) -> Iterable[Key]:
        return [key_of(each) for each in self._caches[DISRUPTION_BUDGETS].all(thing["metadata"]["namespace"])]


def calculate(budget: Object, pods: Sequence[Object], scale: int, moment: datetime) -> Object:
    """Status of a budget.

    Source: "Specifying a Disruption Budget" in the Kubernetes documentation, ``disruption.go`` in its code.

    Args:
        budget: The PodDisruptionBudget.
        pods: The pods it selects.
        scale: How many pods their workloads want together.
        moment: The present moment.
    """
    expected, least = _expected(budget, pods, scale)
    marks = _still_marked(budget, pods, moment)
    healthy = sum(is_ready(each) and not is_leaving(each) and each["metadata"]["name"] not in marks for each in pods)
    allowed = max(0, healthy - least) if expected > 0 else 0
    generation = budget["metadata"].get("generation", 1)
    word = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
    new = {**conditions.make("DisruptionAllowed", *word, "", moment), "observedGeneration": generation}
    return {
        "observedGeneration": generation,
        **({"disruptedPods": marks} if marks else {}),
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": least,
        "expectedPods": expected,
        "conditions": conditions.put(status(budget).get("conditions") or [], new),
    }


def _expected(budget: Object, pods: Sequence[Object], scale: int) -> tuple[int, int]:
    spec = budget["spec"]
    if "maxUnavailable" in spec:
        return scale, max(0, scale - share(spec["maxUnavailable"], scale, up=True))
    least = spec.get("minAvailable", 1)
    if isinstance(least, int):
        return len(pods), least
    return scale, share(least, scale, up=True)


def _still_marked(budget: Object, pods: Iterable[Object], moment: datetime) -> dict[str, str]:
    # The API marks a pod when it allows an eviction; the mark counts until the pod begins to end, or for two minutes.
    marked = status(budget).get("disruptedPods") or {}
    here = {each["metadata"]["name"] for each in pods if not is_leaving(each)}
    return {
        name: since for name, since in marked.items() if name in here and seconds_since(since, moment) < EVICTED_WITHIN
    }


def _counts(selector: Mapping[str, object] | None, pod: Object) -> bool:
    return matches(selector, labels(pod)) and not is_finished(pod)
