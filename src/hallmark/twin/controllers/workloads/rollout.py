"""How large each ReplicaSet of a Deployment should be next: the rules of a rollout, as pure functions.

Source: ``rolling.go`` and ``sync.go`` of Kubernetes' deployment controller.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from hallmark.twin.controllers.workloads.counts import fenceposts
from hallmark.twin.controllers.workloads.pods import annotations, is_leaving, status
from hallmark.twin.kube.kinds import Object

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"
HASH = "pod-template-hash"
Sizes = Mapping[str, int]
"""Wanted replicas by name of ReplicaSet; those that are not named stay as they are."""


def size(replica_set: Object) -> int:
    """How many pods a ReplicaSet wants."""
    return int(replica_set["spec"]["replicas"])


def available(replica_set: Object) -> int:
    """How many of its pods are available."""
    return int(status(replica_set).get("availableReplicas", 0))


def revision(thing: Object) -> int:
    """Revision of a Deployment or ReplicaSet; 0 before it has one."""
    return int(annotations(thing).get(REVISION, "0"))


def by_age(sets: Iterable[Object]) -> list[Object]:
    """ReplicaSets, oldest first."""
    return sorted(sets, key=lambda each: (each["metadata"]["creationTimestamp"], each["metadata"]["name"]))


def split(deployment: Object, sets: Iterable[Object]) -> tuple[Object | None, list[Object]]:
    """The ReplicaSet with the Deployment's template, if there is one, and all others, oldest first."""
    ordered = by_age(sets)
    wanted = _bare(deployment["spec"]["template"])
    new = next((each for each in ordered if _bare(each["spec"]["template"]) == wanted), None)
    return new, [each for each in ordered if each is not new]


def maximum(deployment: Object) -> int:
    """Most pods the Deployment may have at a time."""
    return _replicas(deployment) + (_surge(deployment) if _replicas(deployment) else 0)


def least_available(deployment: Object) -> int:
    """Fewest available pods the Deployment may have without being called unavailable."""
    replicas = _replicas(deployment)
    if not _is_rolling(deployment):
        return replicas
    return replicas - min(replicas, fenceposts(deployment["spec"]["strategy"], replicas)[1])


def first_size(deployment: Object, old: Sequence[Object]) -> int:
    """How large a new ReplicaSet begins."""
    if not _is_rolling(deployment):
        return _replicas(deployment)
    return max(0, min(_replicas(deployment), maximum(deployment) - sum(map(size, old))))


def is_scaled(deployment: Object, sets: Iterable[Object]) -> bool:
    """Whether ``replicas`` changed since the ReplicaSets were sized: then they are scaled before a rollout goes on."""
    told = [annotations(each)[DESIRED] for each in sets if size(each) and DESIRED in annotations(each)]
    return any(each != str(_replicas(deployment)) for each in told)


def step(deployment: Object, new: Object, old: Sequence[Object]) -> Sizes:
    """Sizes after the next step of a rollout; nothing when it waits or is done."""
    if not _is_rolling(deployment):
        shut = {each["metadata"]["name"]: 0 for each in old if size(each)}
        return shut or _changed(new, _replicas(deployment))
    return _grown(deployment, new, old) or _shrunk(deployment, new, old)


def scaled(deployment: Object, new: Object | None, old: Sequence[Object]) -> Sizes:
    """Sizes when ``replicas`` changed, in the middle of a rollout or not: all sets share the change by their size."""
    everything = [*old, *([new] if new else [])]
    active = [each for each in everything if size(each)]
    if len(active) <= 1:
        only = active[0] if active else new or (old[-1] if old else None)
        return {only["metadata"]["name"]: _replicas(deployment)} if only else {}
    if new and _is_saturated(deployment, new):
        return {each["metadata"]["name"]: 0 for each in active if each is not new}
    return _proportional(deployment, active) if _is_rolling(deployment) else {}


def forgettable(deployment: Object, old: Iterable[Object]) -> list[Object]:
    """Old ReplicaSets beyond ``revisionHistoryLimit`` that have no pods left, lowest revision first."""
    limit = deployment["spec"].get("revisionHistoryLimit", 10)
    known = sorted((each for each in old if not is_leaving(each)), key=revision)
    return [each for each in known[: max(0, len(known) - limit)] if _is_empty(each)]


def is_complete(deployment: Object, so_far: Mapping[str, int]) -> bool:
    """Whether a status says that the rollout is done."""
    numbers = (so_far.get("updatedReplicas", 0), so_far.get("replicas", 0), so_far.get("availableReplicas", 0))
    return all(number == _replicas(deployment) for number in numbers)


def _grown(deployment: Object, new: Object, old: Sequence[Object]) -> Sizes:
    if size(new) > _replicas(deployment):
        return _changed(new, _replicas(deployment))
    room = max(0, maximum(deployment) - size(new) - sum(map(size, old)))
    return _changed(new, size(new) + min(room, _replicas(deployment) - size(new)))


def _shrunk(deployment: Object, new: Object, old: Sequence[Object]) -> Sizes:
    # Pods that are not available go first: their end costs nothing. Then as many as may be missing.
    total = size(new) + sum(map(size, old))
    most = total - least_available(deployment) - (size(new) - available(new))
    if most <= 0:
        return {}
    sizes = {each["metadata"]["name"]: size(each) for each in old}
    for each in old:
        sick = min(most, size(each) - available(each))
        sizes[each["metadata"]["name"]] -= max(0, sick)
        most -= max(0, sick)
    spare = max(0, available(new) + sum(map(available, old)) - least_available(deployment))
    for each in old:
        gone = min(spare, sizes[each["metadata"]["name"]])
        sizes[each["metadata"]["name"]] -= gone
        spare -= gone
    return {each["metadata"]["name"]: after for each in old if (after := sizes[each["metadata"]["name"]]) != size(each)}


def _proportional(deployment: Object, active: Sequence[Object]) -> Sizes:
    allowed = maximum(deployment)
    change = allowed - sum(map(size, active))
    # The largest set is changed first and takes what rounding leaves; of equals the newest grows, the oldest shrinks.
    ordered = list(reversed(by_age(active))) if change > 0 else by_age(active)
    ordered.sort(key=size, reverse=True)
    sizes, given = {}, 0
    for each in ordered:
        before = int(annotations(each).get(MOST) or status(deployment).get("replicas", 0) or allowed)
        part = math.floor(size(each) * allowed / before + 0.5) - size(each) if _replicas(deployment) else -size(each)
        part = min(part, change - given) if change > 0 else max(part, change - given)
        sizes[each["metadata"]["name"]] = size(each) + part
        given += part
    largest = ordered[0]["metadata"]["name"]
    sizes[largest] = max(0, sizes[largest] + change - given)
    return sizes


def _changed(replica_set: Object, wanted: int) -> Sizes:
    return {} if size(replica_set) == wanted else {replica_set["metadata"]["name"]: wanted}


def _is_saturated(deployment: Object, new: Object) -> bool:
    wanted = _replicas(deployment)
    return annotations(new).get(DESIRED) == str(wanted) and size(new) == wanted == available(new)


def _is_empty(replica_set: Object) -> bool:
    so_far = status(replica_set)
    seen = int(so_far.get("observedGeneration", 0)) >= replica_set["metadata"].get("generation", 1)
    return seen and not size(replica_set) and not so_far.get("replicas")


def _is_rolling(deployment: Object) -> bool:
    return str(deployment["spec"]["strategy"]["type"]) == "RollingUpdate"


def _surge(deployment: Object) -> int:
    return fenceposts(deployment["spec"]["strategy"], _replicas(deployment))[0] if _is_rolling(deployment) else 0


def _replicas(deployment: Object) -> int:
    return int(deployment["spec"]["replicas"])


def _bare(template: Mapping[str, Object]) -> tuple[object, object]:
    metadata = template.get("metadata") or {}
    labels = {name: value for name, value in (metadata.get("labels") or {}).items() if name != HASH}
    return {"labels": labels, "annotations": metadata.get("annotations") or {}}, template["spec"]
