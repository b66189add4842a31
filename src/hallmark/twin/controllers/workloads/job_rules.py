"""What a Job does next, and when it is done or has failed; pure functions.

Source: "Jobs" in the Kubernetes documentation, ``job_controller.go`` in its code. Not copied: pod failure policies,
success policies and a back-off limit for each index; pods are counted without finalizers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hallmark.twin.controllers import conditions
from hallmark.twin.controllers.clock import read, seconds_since, written
from hallmark.twin.controllers.conditions import Condition
from hallmark.twin.controllers.workloads import indexes
from hallmark.twin.controllers.workloads.pods import annotations, is_active, is_leaving, is_ready, phase, status
from hallmark.twin.controllers.workloads.replica_sets import deletion_order
from hallmark.twin.kube.kinds import Object

INDEX = "batch.kubernetes.io/job-completion-index"
FIRST_DELAY, LAST_DELAY = 10.0, 600.0
"""Seconds before a pod follows one that failed: doubled each time."""
COMPLETE = ("CompletionsReached", "Reached expected number of succeeded pods")
TOO_OFTEN = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
TOO_LONG = ("DeadlineExceeded", "Job was active longer than specified deadline")
_CALM = {"SuccessCriteriaMet", "Complete", "FailureTarget", "Failed"}


@dataclass
class Step:
    """What to do next.

    Attributes:
        create: Pods to create; each is a completion index, or None where pods are all alike.
        delete: Pods to delete.
        again: Seconds after which to look again, or None.
    """

    create: list[int | None] = field(default_factory=list)
    delete: list[Object] = field(default_factory=list)
    again: float | None = None


@dataclass(frozen=True)
class Run:
    """A Job and its pods at one moment.

    Attributes:
        job: The Job.
        pods: Its pods.
        moment: The present moment.
    """

    job: Object
    pods: Sequence[Object]
    moment: datetime

    @property
    def spec(self) -> Mapping[str, Any]:
        """Spec of the Job."""
        return self.job["spec"]  # type: ignore[no-any-return]  # an object's spec is an object

    @property
    def active(self) -> list[Object]:
        """Pods that still work."""
        return [each for each in self.pods if is_active(each)]

    @property
    def ending(self) -> list[Object]:
        """Pods that are being deleted and have not ended."""
        return [each for each in self.pods if is_leaving(each) and phase(each) not in {"Succeeded", "Failed"}]

    @property
    def is_indexed(self) -> bool:
        """Whether each pod has a completion index."""
        return str(self.spec.get("completionMode", "NonIndexed")) == "Indexed"

    @property
    def done_indexes(self) -> set[int]:
        """Completion indexes that succeeded."""
        done = {index for each in self.pods if phase(each) == "Succeeded" and (index := index_of(each)) is not None}
        return done | indexes.read(status(self.job).get("completedIndexes", ""))

    def count(self, name: str) -> int:
        """Pods that ended in this phase; the Job remembers those that are gone."""
        if name == "Succeeded" and self.is_indexed:
            return len(self.done_indexes)
        return max(sum(phase(each) == name for each in self.pods), int(status(self.job).get(name.lower(), 0)))


def is_over(job: Object) -> bool:
    """Whether a Job is complete or has failed."""
    return conditions.holds(job, "Complete") or conditions.holds(job, "Failed")


def expires_in(job: Object, moment: datetime) -> float | None:
    """Seconds until a finished Job is deleted, or None if it stays; see ``ttlSecondsAfterFinished``."""
    ttl = job["spec"].get("ttlSecondsAfterFinished")
    ended = [each for name in ("Complete", "Failed") if (each := conditions.find(job, name))]
    if ttl is None or not ended:
        return None
    return max(0.0, float(ttl) - seconds_since(ended[0]["lastTransitionTime"], moment))


def index_of(pod: Object) -> int | None:
    """Completion index of a pod."""
    text = annotations(pod).get(INDEX)
    return None if text is None else int(text)


def verdict(run: Run) -> tuple[str, str] | None:
    """Why a Job is about to end: reason and message; None while it goes on."""
    for name in ("SuccessCriteriaMet", "FailureTarget"):
        if found := conditions.find(run.job, name):
            return found["reason"], found["message"]
    if _has_failed_too_often(run):
        return TOO_OFTEN
    if (left := _time_left(run)) is not None and left <= 0:
        return TOO_LONG
    wanted, succeeded = run.spec.get("completions"), run.count("Succeeded")
    enough = succeeded > 0 and not run.active if wanted is None else succeeded >= wanted
    return COMPLETE if enough else None


def step(run: Run, first_delay: float = FIRST_DELAY) -> Step:
    """Decide what to create and delete.

    Args:
        run: The Job and its pods.
        first_delay: Seconds before the first pod that follows a failed one.
    """
    if run.spec.get("suspend") or verdict(run):
        return Step(delete=run.active)
    left = _time_left(run)
    missing = _wanted(run) - len(run.active)
    if missing < 0:
        return Step(delete=deletion_order(run.active, run.moment)[:-missing], again=left)
    pause = _pause(run, first_delay) if missing else 0
    if pause > 0:
        return Step(again=min(pause, left) if left is not None else pause)
    return Step(create=_next_indexes(run, missing) if run.is_indexed else [None] * missing, again=left)


def new_status(run: Run) -> Object:
    """Status of a Job that has not ended yet."""
    so_far, suspended = status(run.job), bool(run.spec.get("suspend"))
    known = _suspension(run, list(so_far.get("conditions") or []))
    ended = verdict(run)
    if ended:
        known = _ended(run, known, *ended)
    started = None if suspended else so_far.get("startTime") or written(run.moment)
    complete = any(each["type"] == "Complete" for each in known)
    numbers = {
        "active": len(run.active),
        "succeeded": run.count("Succeeded"),
        "failed": run.count("Failed"),
    }
    return {
        **({"startTime": started} if started else {}),
        **{name: number for name, number in numbers.items() if number},
        "terminating": len(run.ending),
        "ready": sum(is_ready(each) for each in run.active),
        "uncountedTerminatedPods": {},
        **({"completedIndexes": indexes.write(run.done_indexes)} if run.is_indexed and run.done_indexes else {}),
        **({"completionTime": written(run.moment)} if complete else {}),
        **({"conditions": known} if known else {}),
    }


def _ended(run: Run, known: Sequence[Condition], reason: str, message: str) -> list[Condition]:
    # Said twice: at once that it will end so, and that it has once no pod is left.
    well = reason == COMPLETE[0]
    names = ["SuccessCriteriaMet" if well else "FailureTarget"]
    if not run.active and not run.ending:
        names.append("Complete" if well else "Failed")
    result = list(known)
    for name in names:
        if not any(each["type"] == name for each in result):
            new = conditions.make(name, "True", reason, message, run.moment)
            result.append({**new, "lastProbeTime": written(run.moment)})
    return result


def _suspension(run: Run, known: list[Condition]) -> list[Condition]:
    suspended, was = bool(run.spec.get("suspend")), conditions.holds(run.job, "Suspended")
    if suspended == was or any(each["type"] in _CALM for each in known):
        return known
    word = "Suspended" if suspended else "Resumed"
    new = conditions.make("Suspended", str(suspended), f"Job{word}", f"Job {word.lower()}", run.moment)
    return conditions.put(known, {**new, "lastProbeTime": written(run.moment)})


def _wanted(run: Run) -> int:
    most: int = run.spec.get("parallelism", 1)
    if run.spec.get("completions") is None:  # a work queue: nobody new once one has succeeded
        return min(most, len(run.active)) if run.count("Succeeded") else most
    return min(most, max(0, int(run.spec["completions"]) - run.count("Succeeded")))


def _next_indexes(run: Run, missing: int) -> list[int | None]:
    taken = run.done_indexes | {index for each in run.active if (index := index_of(each)) is not None}
    return [each for each in range(run.spec["completions"]) if each not in taken][:missing]  # type: ignore[return-value]  # indexes are numbers


def _has_failed_too_often(run: Run) -> bool:
    limit: int = run.spec.get("backoffLimit", 6)
    if run.count("Failed") > limit:
        return True
    if run.spec["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    restarts: int = sum(
        each.get("restartCount", 0)
        for pod in run.active
        for name in ("initContainerStatuses", "containerStatuses")
        for each in status(pod).get(name) or []
    )
    return restarts > 0 if limit == 0 else restarts >= limit


def _time_left(run: Run) -> float | None:
    most, started = run.spec.get("activeDeadlineSeconds"), status(run.job).get("startTime")
    if most is None or not started:
        return None
    return float(most) - seconds_since(started, run.moment)


def _pause(run: Run, first_delay: float) -> float:
    ends = sorted((_ended_at(each), phase(each)) for each in run.pods if phase(each) in {"Succeeded", "Failed"})
    failures = 0
    for _, how in reversed(ends):
        if how == "Succeeded":
            break
        failures += 1
    if not failures:
        return 0.0
    delay = min(LAST_DELAY, first_delay * 2.0 ** (failures - 1))
    return delay - (run.moment - ends[-1][0]).total_seconds()


def _ended_at(pod: Object) -> datetime:
    # The containers know best; a pod that was evicted has none that ended.
    ends = [
        read(ended["finishedAt"])
        for each in status(pod).get("containerStatuses") or []
        if (ended := (each.get("state") or {}).get("terminated")) and ended.get("finishedAt")
    ]
    ready = conditions.find(pod, "Ready") or {}
    return max(ends, default=read(ready.get("lastTransitionTime") or pod["metadata"]["creationTimestamp"]))
