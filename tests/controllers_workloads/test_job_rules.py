"""When a Job makes pods, waits, completes and fails, as tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hallmark.twin.controllers.clock import written
from hallmark.twin.controllers.workloads import job_rules
from hallmark.twin.controllers.workloads.job_rules import COMPLETE, INDEX, TOO_LONG, TOO_OFTEN, Run

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)


def ago(seconds: float) -> str:
    """A moment in the past."""
    return written(NOW - timedelta(seconds=seconds))


def job(status: Any = None, restart: str = "Never", **spec: Any) -> Any:
    """A Job of one completion."""
    usual = {"completions": 1, "parallelism": 1, "backoffLimit": 6, "template": {"spec": {"restartPolicy": restart}}}
    return {"metadata": {"name": "j", "uid": "1"}, "spec": {**usual, **spec}, "status": status or {}}


def pod(phase: str, ended: float | None = None, index: int | None = None, restarts: int = 0) -> Any:
    """A pod of a Job; it may have ended some seconds ago."""
    state = {} if ended is None else {"terminated": {"finishedAt": ago(ended)}}
    annotations = {} if index is None else {INDEX: str(index)}
    return {
        "metadata": {"name": "p", "creationTimestamp": ago(99), "annotations": annotations},
        "spec": {},
        "status": {"phase": phase, "containerStatuses": [{"state": state, "restartCount": restarts}]},
    }


RUNNING, DONE = pod("Running"), pod("Succeeded", 1)


@pytest.mark.parametrize(
    ("work", "pods", "create", "delete", "again"),
    [
        (job(), [], 1, 0, None),
        (job(), [RUNNING], 0, 0, None),
        (job(completions=5, parallelism=3), [RUNNING], 2, 0, None),
        (job(completions=5, parallelism=3), [DONE, DONE, DONE], 2, 0, None),
        (job(completions=2, parallelism=2), [DONE, RUNNING], 0, 0, None),
        (job(completions=5, parallelism=1), [RUNNING, RUNNING], 0, 1, None),
        (job(suspend=True), [RUNNING], 0, 1, None),
        # A work queue: nobody new once one has succeeded.
        (job(completions=None, parallelism=2), [], 2, 0, None),
        (job(completions=None, parallelism=2), [DONE, RUNNING], 0, 0, None),
        # After a failure: 10 seconds, then 20; a success in between forgets it.
        (job(), [pod("Failed", 4)], 0, 0, 6.0),
        (job(), [pod("Failed", 30), pod("Failed", 4)], 0, 0, 16.0),
        (job(), [pod("Failed", 10)], 1, 0, None),
        (job(), [pod("Failed")], 1, 0, None),
        (job(completions=2), [pod("Failed", 5), pod("Succeeded", 1)], 1, 0, None),
        # Whatever comes first: the back-off or the deadline.
        (job({"startTime": ago(57)}, activeDeadlineSeconds=60), [pod("Failed", 4)], 0, 0, 3.0),
        (job({"startTime": ago(10)}, activeDeadlineSeconds=60), [RUNNING], 0, 0, 50.0),
        (job({"startTime": ago(60)}, activeDeadlineSeconds=60), [RUNNING], 0, 1, None),
        # It is over: what still runs is deleted.
        (job(backoffLimit=0), [pod("Failed", 1), RUNNING], 0, 1, None),
    ],
)
def test_steps(work: Any, pods: Any, create: int, delete: int, again: float | None) -> None:
    """How many pods come and go, and when to look again."""
    step = job_rules.step(Run(work, pods, NOW))

    assert (len(step.create), len(step.delete), step.again) == (create, delete, again)


@pytest.mark.parametrize(
    ("work", "pods", "expected"),
    [
        (job(), [RUNNING], None),
        (job(), [DONE], COMPLETE),
        (job(completions=2), [DONE], None),
        (job({"succeeded": 1}, completions=2), [DONE], None),
        (job({"succeeded": 2}, completions=2), [], COMPLETE),
        (job(completions=None), [DONE, RUNNING], None),
        (job(completions=None), [DONE], COMPLETE),
        (job(backoffLimit=1), [pod("Failed", 1)], None),
        (job(backoffLimit=1), [pod("Failed", 1)] * 2, TOO_OFTEN),
        (job(restart="OnFailure", backoffLimit=2), [pod("Running", restarts=1)], None),
        (job(restart="OnFailure", backoffLimit=2), [pod("Running", restarts=2)], TOO_OFTEN),
        (job(restart="OnFailure", backoffLimit=0), [pod("Running", restarts=1)], TOO_OFTEN),
        (job({"startTime": ago(60)}, activeDeadlineSeconds=60), [RUNNING], TOO_LONG),
    ],
)
def test_verdicts(work: Any, pods: Any, expected: Any) -> None:
    """Why a Job ends."""
    assert job_rules.verdict(Run(work, pods, NOW)) == expected


def test_a_job_that_failed_says_so_once_its_pods_are_gone() -> None:
    """First only that it will fail; then that it has."""
    status = job_rules.new_status(Run(job(backoffLimit=0), [pod("Failed", 1), RUNNING], NOW))
    assert [each["type"] for each in status["conditions"]] == ["FailureTarget"]
    status = job_rules.new_status(Run(job(status, backoffLimit=0), [pod("Failed", 1)], NOW))
    assert [each["type"] for each in status["conditions"]] == ["FailureTarget", "Failed"]
    assert (status["failed"], "completionTime" in status) == (1, False)


def test_a_job_that_is_done_says_when() -> None:
    """Started when it was first seen, completed now."""
    status = job_rules.new_status(Run(job({"startTime": ago(9)}), [DONE], NOW))

    assert (status["startTime"], status["completionTime"], status["succeeded"]) == (ago(9), written(NOW), 1)


def test_a_suspended_job_has_no_start() -> None:
    """Resumed, it starts anew."""
    status = job_rules.new_status(Run(job({"startTime": ago(9)}, suspend=True), [], NOW))
    assert "startTime" not in status
    assert [(each["status"], each["reason"]) for each in status["conditions"]] == [("True", "JobSuspended")]
    status = job_rules.new_status(Run(job(status), [], NOW))
    assert status["startTime"] == written(NOW)
    assert [(each["status"], each["reason"]) for each in status["conditions"]] == [("False", "JobResumed")]


def test_indexes() -> None:
    """The lowest that neither succeeded nor runs; done ones are written as ranges and remembered."""
    work = job({"completedIndexes": "0-2,4"}, completions=9, parallelism=3, completionMode="Indexed")
    pods = [pod("Running", index=3), pod("Succeeded", 1, index=6)]

    run = Run(work, pods, NOW)
    assert job_rules.step(run).create == [5, 7]
    assert job_rules.new_status(run)["completedIndexes"] == "0-2,4,6"
    assert job_rules.new_status(run)["succeeded"] == 5


@pytest.mark.parametrize(("ttl", "expected"), [(None, None), (0, 0.0), (60, 50.0), (5, 0.0)])
def test_expiry(ttl: int | None, expected: float | None) -> None:
    """Counted from when the Job ended."""
    ended = [{"type": "Complete", "status": "True", "lastTransitionTime": ago(10)}]

    assert job_rules.expires_in(job({"conditions": ended}, ttlSecondsAfterFinished=ttl), NOW) == expected
