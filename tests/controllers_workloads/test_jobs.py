"""Jobs on a real API server, driven by the real kubectl."""

from collections.abc import Callable
from typing import Any

Make = Callable[..., Any]


def test_a_job_completes(cluster: Any, workload: Make) -> None:
    """Two completions one after the other; `kubectl wait` ends, the pods stay."""
    cluster.apply(workload("Job", "migrate", behaviour="succeed", completions=2))
    cluster.kubectl("wait", "job/migrate", "--for=condition=Complete", "--timeout=10s")

    status = cluster.get("job", "migrate")["status"]
    assert (status["succeeded"], status.get("active"), status.get("failed")) == (2, None, None)
    assert [(each["type"], each["reason"]) for each in status["conditions"]] == [
        ("SuccessCriteriaMet", "CompletionsReached"),
        ("Complete", "CompletionsReached"),
    ]
    assert "Completed: Job completed" in cluster.soon(lambda: cluster.events("migrate"))
    assert len(cluster.get("pods", "", "-l", "batch.kubernetes.io/job-name=migrate")) == 2


def test_a_job_fails(cluster: Any, workload: Make) -> None:
    """With no retry left, the first failed pod fails the Job."""
    cluster.apply(workload("Job", "migrate", behaviour="fail", backoffLimit=0))
    cluster.kubectl("wait", "job/migrate", "--for=condition=Failed", "--timeout=10s")

    status = cluster.get("job", "migrate")["status"]
    assert status["failed"] == 1
    assert [(each["type"], each["reason"]) for each in status["conditions"]] == [
        ("FailureTarget", "BackoffLimitExceeded"),
        ("Failed", "BackoffLimitExceeded"),
    ]
    assert "BackoffLimitExceeded: Job has reached the specified backoff limit" in cluster.events("migrate")


def test_a_job_is_suspended_and_resumed(cluster: Any, workload: Make) -> None:
    """A suspended Job has no pods; resumed, it runs."""
    cluster.apply(workload("Job", "migrate", behaviour="succeed", suspend=True))
    cluster.kubectl("wait", "job/migrate", "--for=condition=Suspended", "--timeout=10s")
    assert cluster.pods("migrate") == []

    cluster.kubectl("patch", "job", "migrate", "--type=merge", "-p", '{"spec":{"suspend":false}}')
    cluster.kubectl("wait", "job/migrate", "--for=condition=Complete", "--timeout=10s")


def test_a_finished_job_goes_after_its_time(cluster: Any, workload: Make) -> None:
    """`ttlSecondsAfterFinished: 0` takes the Job and its pods away at once."""
    cluster.apply(workload("Job", "migrate", behaviour="succeed", ttlSecondsAfterFinished=0))

    assert cluster.soon(lambda: cluster.get("jobs") == cluster.get("pods") == [])


def test_pods_of_an_indexed_job_have_their_index(cluster: Any, workload: Make) -> None:
    """Each index once, in the pod's name, label and environment."""
    cluster.apply(
        workload("Job", "shards", behaviour="succeed", completions=3, parallelism=3, completionMode="Indexed")
    )
    cluster.kubectl("wait", "job/shards", "--for=condition=Complete", "--timeout=10s")

    assert cluster.get("job", "shards")["status"]["completedIndexes"] == "0-2"
    assert sorted(each["spec"]["hostname"] for each in cluster.pods("shards")) == ["shards-0", "shards-1", "shards-2"]
