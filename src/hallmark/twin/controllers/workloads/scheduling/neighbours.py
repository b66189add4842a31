"""Which pods a pod wants near or far: affinity between pods, and topology spread constraints.

Source: "Inter-pod affinity and anti-affinity" and "Pod Topology Spread Constraints" in the Kubernetes documentation.
Of constraints, ``DoNotSchedule`` is honoured and ``ScheduleAnyway`` left to the scores.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hallmark.twin.controllers.workloads.pods import is_leaving, labels
from hallmark.twin.controllers.workloads.scheduling import affinity, taints
from hallmark.twin.controllers.workloads.scheduling.places import Place, Refusal
from hallmark.twin.kube.kinds import Object, matches

Term = Mapping[str, Any]
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def refusal(pod: Object, place: Place, places: Sequence[Place]) -> Refusal | None:
    """Why the pods that run already keep a pod from a node, if they do."""
    for term in _terms(pod, "podAffinity", REQUIRED):
        if not _near(pod, term, place, places):
            return Refusal(("node(s) didn't match pod affinity rules",))
    for term in _terms(pod, "podAntiAffinity", REQUIRED):
        if _count(pod, term, place, places):
            return Refusal(("node(s) didn't match pod anti-affinity rules",), final=False)
    for other in places:
        for neighbour in other.pods:
            terms = _terms(neighbour, "podAntiAffinity", REQUIRED)
            if any(_selects(neighbour, term, pod) and _together(place, other, term) for term in terms):
                return Refusal(("node(s) didn't satisfy existing pods anti-affinity rules",), final=False)
    return None


def uneven(pod: Object, place: Place, places: Sequence[Place]) -> Refusal | None:
    """Why a pod on this node would be spread too unevenly, if it would."""
    reason = "node(s) didn't match pod topology spread constraints"
    for constraint in pod["spec"].get("topologySpreadConstraints") or []:
        if constraint.get("whenUnsatisfiable", "DoNotSchedule") != "DoNotSchedule":
            continue
        domain = place.domain(constraint["topologyKey"])
        if domain is None:
            return Refusal((f"{reason} (missing required label)",))
        counts = _spread(pod, constraint, places)
        fewest = min(counts.values(), default=0) if len(counts) >= constraint.get("minDomains", 1) else 0
        itself = matches(constraint.get("labelSelector"), labels(pod))
        if counts[domain] + itself - fewest > constraint["maxSkew"]:
            return Refusal((reason,), final=False)
    return None


def preference(pod: Object, place: Place, places: Sequence[Place]) -> int:
    """Sum of the weights of a pod's preferred affinity to others on this node, less those it would rather avoid."""
    total = 0
    for name, sign in (("podAffinity", 1), ("podAntiAffinity", -1)):
        for each in _terms(pod, name, PREFERRED):
            total += sign * each["weight"] * _count(pod, each["podAffinityTerm"], place, places)
    return total


def _terms(pod: Object, name: str, strength: str) -> list[Term]:
    return ((pod["spec"].get("affinity") or {}).get(name) or {}).get(strength) or []


def _near(pod: Object, term: Term, place: Place, places: Sequence[Place]) -> bool:
    if place.domain(term["topologyKey"]) is None:
        return False
    if _count(pod, term, place, places):
        return True
    # The first of a group that wants to be together has nobody to be with yet.
    anywhere = any(_selects(pod, term, neighbour) for other in places for neighbour in other.pods)
    return not anywhere and _selects(pod, term, pod)


def _count(pod: Object, term: Term, place: Place, places: Iterable[Place]) -> int:
    near = [other for other in places if _together(place, other, term)]
    return sum(_selects(pod, term, neighbour) for other in near for neighbour in other.pods)


def _together(place: Place, other: Place, term: Term) -> bool:
    domain = place.domain(term["topologyKey"])
    return domain is not None and domain == other.domain(term["topologyKey"])


def _selects(pod: Object, term: Term, neighbour: Object) -> bool:
    namespace = neighbour["metadata"]["namespace"]
    return _reaches(pod, term, namespace) and matches(term.get("labelSelector"), labels(neighbour))


def _reaches(pod: Object, term: Term, namespace: str) -> bool:
    selector = term.get("namespaceSelector")
    if selector is not None and matches(selector, {"kubernetes.io/metadata.name": namespace}):
        return True
    named = term.get("namespaces") or ([] if selector is not None else [pod["metadata"]["namespace"]])
    return namespace in named


def _spread(pod: Object, constraint: Term, places: Iterable[Place]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for place in places:
        domain = place.domain(constraint["topologyKey"])
        if domain is None or not _counts(pod, constraint, place):
            continue
        counts[domain] += sum(
            matches(constraint.get("labelSelector"), labels(each))
            for each in place.pods
            if each["metadata"]["namespace"] == pod["metadata"]["namespace"] and not is_leaving(each)
        )
    return counts


def _counts(pod: Object, constraint: Term, place: Place) -> bool:
    if constraint.get("nodeAffinityPolicy", "Honor") == "Honor" and not affinity.wants(pod, place.node):
        return False
    if constraint.get("nodeTaintsPolicy", "Ignore") == "Ignore":
        return True
    return taints.untolerated(pod["spec"], taints.of(place.node), taints.KEEPS_OUT) is None
