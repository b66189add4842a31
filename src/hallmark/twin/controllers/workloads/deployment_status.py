"""Status of a Deployment: how many, how well, and whether its rollout still moves; pure functions.

Source: ``progress.go`` and ``calculateStatus`` of Kubernetes' deployment controller.
"""

from collections.abc import Sequence
from datetime import datetime

from hallmark.twin.controllers import conditions
from hallmark.twin.controllers.clock import seconds_since, written
from hallmark.twin.controllers.conditions import Condition
from hallmark.twin.controllers.workloads.pods import annotations, status
from hallmark.twin.controllers.workloads.rollout import HISTORY, is_complete, least_available
from hallmark.twin.kube.kinds import Object

DONE, LATE, PAUSED, RESUMED = (
    "NewReplicaSetAvailable",
    "ProgressDeadlineExceeded",
    "DeploymentPaused",
    "DeploymentResumed",
)
NO_DEADLINE = 2**31 - 1
"""The API's word for "wait for ever"."""


def calculate(deployment: Object, new: Object | None, old: Sequence[Object], moment: datetime) -> Object:
    """Status of a Deployment.

    Args:
        deployment: With its status so far.
        new: The ReplicaSet of its template.
        old: The others.
        moment: The present moment.
    """
    so_far, sets = status(deployment), [*old, *([new] if new else [])]
    numbers = {
        "replicas": _sum(sets, "replicas"),
        "updatedReplicas": _sum([new] if new else [], "replicas"),
        "readyReplicas": _sum(sets, "readyReplicas"),
        "availableReplicas": _sum(sets, "availableReplicas"),
    }
    wanted = sum(each["spec"]["replicas"] for each in sets)
    numbers["unavailableReplicas"] = max(0, wanted - numbers["availableReplicas"])
    known: list[Condition] = so_far.get("conditions") or []
    known = _put(known, _available(deployment, numbers["availableReplicas"], moment), moment)
    known = _with_progress(deployment, known, numbers, new, moment)
    failures = [each for one in [*([new] if new else []), *old] if (each := conditions.find(one, "ReplicaFailure"))]
    known = _put(known, failures[0], moment) if failures else conditions.drop(known, "ReplicaFailure")
    return {
        "observedGeneration": deployment["metadata"].get("generation", 1),
        **{name: number for name, number in numbers.items() if number},
        "conditions": known,
        **{name: so_far[name] for name in ("collisionCount",) if name in so_far},
    }


def late_in(deployment: Object, moment: datetime) -> float | None:
    """Seconds until a rollout that does not move is called late, or None if that is not the question."""
    found = conditions.find(deployment, "Progressing")
    if not found or found["reason"] in {DONE, LATE, PAUSED} or not _has_deadline(deployment):
        return None
    # One second on top: moments are written in whole seconds.
    since = seconds_since(found.get("lastUpdateTime"), moment)
    return max(0.0, float(deployment["spec"]["progressDeadlineSeconds"]) - since) + 1


def _available(deployment: Object, available: int, moment: datetime) -> Condition:
    if available >= least_available(deployment):
        message = "Deployment has minimum availability."
        return conditions.make("Available", "True", "MinimumReplicasAvailable", message, moment)
    message = "Deployment does not have minimum availability."
    return conditions.make("Available", "False", "MinimumReplicasUnavailable", message, moment)


def _with_progress(
    deployment: Object, known: list[Condition], numbers: dict[str, int], new: Object | None, moment: datetime
) -> list[Condition]:
    if not _has_deadline(deployment):
        return conditions.drop(known, "Progressing")
    found = conditions.find(deployment, "Progressing")
    fresh = _progress(deployment, found, numbers, new, moment)
    if fresh and found and found["reason"] == fresh["reason"] == "ReplicaSetUpdated":
        known = [each if each["type"] != "Progressing" else {**each, "reason": ""} for each in known]  # time moves on
    return _put(known, fresh, moment) if fresh else known


def _progress(
    deployment: Object, found: Condition | None, numbers: dict[str, int], new: Object | None, moment: datetime
) -> Condition | None:
    reason = found["reason"] if found else ""
    paused = deployment["spec"].get("paused", False)
    if paused or reason == PAUSED:
        return _pause(reason, moment, paused=paused)
    name = f'"{new["metadata"]["name"]}"' if new else ""
    if new and reason != RESUMED and (not found or name not in found["message"]):
        return _begun(new, name, moment)
    if reason == DONE and numbers["replicas"] == numbers["updatedReplicas"]:
        return None
    subject = f"ReplicaSet {name}" if new else f'Deployment "{deployment["metadata"]["name"]}"'
    return _moved(deployment, found, numbers, subject, moment)


def _moved(
    deployment: Object, found: Condition | None, numbers: dict[str, int], subject: str, moment: datetime
) -> Condition | None:
    if is_complete(deployment, numbers):
        return conditions.make("Progressing", "True", DONE, f"{subject} has successfully progressed.", moment)
    if _has_moved(deployment, numbers):
        return conditions.make("Progressing", "True", "ReplicaSetUpdated", f"{subject} is progressing.", moment)
    if found and found["reason"] not in {DONE, LATE} and _is_late(deployment, found, moment):
        return conditions.make("Progressing", "False", LATE, f"{subject} has timed out progressing.", moment)
    return None


def _pause(reason: str, moment: datetime, *, paused: bool) -> Condition | None:
    if reason == LATE:  # a lack of progress that was reported is not hidden by a pause
        return None
    if paused:
        return conditions.make("Progressing", "Unknown", PAUSED, "Deployment is paused", moment)
    return conditions.make("Progressing", "Unknown", RESUMED, "Deployment is resumed", moment)


def _begun(new: Object, name: str, moment: datetime) -> Condition:
    if HISTORY in annotations(new):
        return conditions.make("Progressing", "True", "FoundNewReplicaSet", f"Found new replica set {name}", moment)
    return conditions.make("Progressing", "True", "NewReplicaSetCreated", f"Created new replica set {name}", moment)


def _has_moved(deployment: Object, numbers: dict[str, int]) -> bool:
    before = status(deployment)
    old_before = before.get("replicas", 0) - before.get("updatedReplicas", 0)
    fewer_old = numbers["replicas"] - numbers["updatedReplicas"] < old_before
    growing = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return fewer_old or any(numbers[name] > before.get(name, 0) for name in growing)


def _is_late(deployment: Object, found: Condition, moment: datetime) -> bool:
    return seconds_since(found.get("lastUpdateTime"), moment) > float(deployment["spec"]["progressDeadlineSeconds"])


def _has_deadline(deployment: Object) -> bool:
    return int(deployment["spec"].get("progressDeadlineSeconds", NO_DEADLINE)) != NO_DEADLINE


def _put(known: list[Condition], new: Condition, moment: datetime) -> list[Condition]:
    # A condition that says the same with the same reason is left alone, its times included.
    old = next((each for each in known if each["type"] == new["type"]), None)
    if old and (old["status"], old["reason"]) == (new["status"], new["reason"]):
        return known
    return conditions.put(known, {**new, "lastUpdateTime": written(moment)})


def _sum(sets: Sequence[Object], name: str) -> int:
    return sum(status(each).get(name, 0) for each in sets)
