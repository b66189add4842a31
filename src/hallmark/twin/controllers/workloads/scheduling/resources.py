"""Room on a node: what pods request, what a node has; source: "Resource Management" in the Kubernetes documentation."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from hallmark.twin.cluster.schema import quantities
from hallmark.twin.controllers.workloads.pods import status
from hallmark.twin.controllers.workloads.scheduling.places import Place, Refusal
from hallmark.twin.kube.kinds import Object

Amounts = Mapping[str, Decimal]
NOTHING = Decimal(0)
ASSUMED = {"cpu": Decimal("0.1"), "memory": Decimal(200 * 2**20)}
"""What a pod without requests is taken to need when nodes are compared: the scheduler's ``GetNonzeroRequests``."""


def requests(pod: Object) -> Amounts:
    """What a pod takes on its node: its containers together, or its largest init container, plus overhead."""
    spec = pod["spec"]
    together = _sum(_of(each) for each in spec.get("containers") or [])
    sidecars: Amounts = {}
    peak: Amounts = {}
    for container in spec.get("initContainers") or []:
        beside = _sum([sidecars, _of(container)])
        if container.get("restartPolicy") == "Always":  # a sidecar stays
            sidecars = beside
        peak = _larger(peak, beside)
    return _sum([_larger(peak, _sum([together, sidecars])), _numbers(spec.get("overhead") or {})])


def used(pods: Iterable[Object]) -> Amounts:
    """What pods take together."""
    return _sum(map(requests, pods))


def allocatable(node: Object) -> Amounts:
    """What a node offers to pods."""
    return _numbers(status(node).get("allocatable") or {})


def shortage(pod: Object, place: Place) -> Refusal | None:
    """Which resources a node lacks for a pod, if any."""
    offered, taken = allocatable(place.node), used(place.pods)
    reasons, final = [], False
    if len(place.pods) + 1 > offered.get("pods", 0):
        reasons.append("Too many pods")
    for name, amount in requests(pod).items():
        if amount and amount > offered.get(name, 0) - taken.get(name, 0):
            reasons.append(f"Insufficient {name}")
            final = final or amount > offered.get(name, 0)
    return Refusal(tuple(reasons), final=final) if reasons else None


def free_share(pod: Object, place: Place) -> float:
    """How much of a node's CPU and memory would be left with a pod on it: 0 to 100."""
    shares = []
    for name, assumed in ASSUMED.items():
        offered = allocatable(place.node).get(name, NOTHING)
        taken = sum((requests(each).get(name) or assumed for each in [*place.pods, pod]), NOTHING)
        shares.append(max(NOTHING, offered - taken) / offered if offered else NOTHING)
    return float(sum(shares) / len(shares) * 100)


def _of(container: Mapping[str, Any]) -> Amounts:
    return _numbers((container.get("resources") or {}).get("requests") or {})


def _numbers(amounts: Mapping[str, Any]) -> Amounts:
    return {name: _number(str(amount)) for name, amount in amounts.items()}


@lru_cache(maxsize=4096)
def _number(text: str) -> Decimal:
    return quantities.of(text)


def _larger(one: Amounts, other: Amounts) -> Amounts:
    return {name: max(one.get(name, NOTHING), other.get(name, NOTHING)) for name in {**one, **other}}


def _sum(many: Iterable[Amounts]) -> Amounts:
    total: dict[str, Decimal] = {}
    for amounts in many:
        for name, amount in amounts.items():
            total[name] = total.get(name, NOTHING) + amount
    return total
