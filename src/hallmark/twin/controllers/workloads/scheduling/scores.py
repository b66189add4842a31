"""Which of the possible nodes is best: free room, pods of one workload apart, and what the pod would rather have."""

from collections.abc import Callable, Mapping, Sequence

from hallmark.twin.controllers.workloads.scheduling import affinity, neighbours, resources, taints
from hallmark.twin.controllers.workloads.scheduling.places import ZONE, Place
from hallmark.twin.kube.kinds import Object, controller_of

WEIGHTS = {"room": 1, "spread": 2, "preferred": 2, "neighbours": 2, "taints": 3}
"""How much each score counts; source: the default plugins of the Kubernetes scheduler."""


def best(pod: Object, possible: Sequence[Place], places: Sequence[Place]) -> Place:
    """The best of the possible places; of equals the first by name, so that the same always happens again.

    Args:
        pod: The pod.
        possible: Places that no filter refused; at least one.
        places: All places: neighbours on full nodes count too.
    """
    scores: Mapping[str, Callable[[Place], float]] = {
        "room": lambda place: resources.free_share(pod, place),
        "spread": lambda place: -_siblings(pod, place, places),
        "preferred": lambda place: affinity.preference(pod, place.node),
        "neighbours": lambda place: neighbours.preference(pod, place, places),
        "taints": lambda place: -_unwelcome(pod, place),
    }
    totals = [0.0] * len(possible)
    for name, score in scores.items():
        values = [score(place) for place in possible]
        for number, value in enumerate(values if name == "room" else _normal(values)):
            totals[number] += WEIGHTS[name] * value
    ranked = sorted(zip(totals, possible, strict=True), key=lambda each: (-each[0], each[1].name))
    return ranked[0][1]


def _siblings(pod: Object, place: Place, places: Sequence[Place]) -> float:
    # Apart on nodes first, then apart in zones.
    zone = place.domain(ZONE)
    here = sum(_is_sibling(pod, each) for each in place.pods)
    near = sum(_is_sibling(pod, each) for other in places if zone and other.domain(ZONE) == zone for each in other.pods)
    return here + near / 2


def _is_sibling(pod: Object, other: Object) -> bool:
    parent, others = controller_of(pod), controller_of(other)
    return bool(parent and others and parent["uid"] == others["uid"])


def _unwelcome(pod: Object, place: Place) -> int:
    return sum(
        taints.untolerated(pod["spec"], [each], {"PreferNoSchedule"}) is not None for each in taints.of(place.node)
    )


def _normal(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    return [100 * (value - low) / (high - low) if high > low else 0 for value in values]
