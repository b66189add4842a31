"""CronJobs: schedules as a table, and one that makes a Job on a real API server."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hallmark.twin.controllers.clock import now, written
from hallmark.twin.controllers.workloads import cron_jobs
from hallmark.twin.controllers.workloads.cron import Schedule
from hallmark.twin.controllers.workloads.cron_jobs import CronJobs
from hallmark.twin.kube.access import Access
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.client import Api, Conflict
from hallmark.twin.kube.kinds import CRON_JOBS

FRIDAY = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "latest", "following"),
    [
        ("* * * * *", "2026-05-01T12:00", "2026-05-01T12:01"),
        ("*/15 * * * *", "2026-05-01T12:00", "2026-05-01T12:15"),
        ("5-10/5 * * * *", "2026-05-01T11:10", "2026-05-01T12:05"),
        ("0 3 * * *", "2026-05-01T03:00", "2026-05-02T03:00"),
        ("30 12 1 * *", "2026-04-01T12:30", "2026-05-01T12:30"),
        ("0 0 * * mon-tue", "2026-04-28T00:00", "2026-05-04T00:00"),
        ("0 0 * * 7", "2026-04-26T00:00", "2026-05-03T00:00"),
        # A day of the month and one of the week: either is enough.
        ("0 0 13 * fri", "2026-05-01T00:00", "2026-05-08T00:00"),
        ("@monthly", "2026-05-01T00:00", "2026-06-01T00:00"),
        ("0 0 29 feb *", "2024-02-29T00:00", "2028-02-29T00:00"),
        ("0 0 30 2 *", None, None),
    ],
)
def test_schedules(text: str, latest: str | None, following: str | None) -> None:
    """Asked on a Friday, half a minute after noon."""
    schedule = Schedule.parse(text)
    told = [each and each.strftime("%Y-%m-%dT%H:%M") for each in (schedule.latest(FRIDAY), schedule.following(FRIDAY))]

    assert told == [latest, following]


@pytest.mark.parametrize("text", ["* * * *", "60 * * * *", "* * * * noday", "5-1 * * * *", ""])
def test_what_is_no_schedule(text: str) -> None:
    """Too few fields, numbers out of range, words nobody knows."""
    with pytest.raises(ValueError, match=r".+"):
        Schedule.parse(text)


def cron_job(last: datetime, **spec: Any) -> Any:
    """A CronJob that runs at each full hour and last ran at *last*."""
    metadata = {"name": "nightly", "namespace": "n", "uid": "1", "creationTimestamp": written(last)}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": metadata,
        "spec": {"schedule": "0 * * * *", "jobTemplate": {"spec": {"backoffLimit": 1}}, **spec},
        "status": {"lastScheduleTime": written(last)},
    }


NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "due"),
    [
        (cron_job(NOON), None),
        (cron_job(NOON - timedelta(hours=1)), NOON),
        # Many that were missed are made up for by one.
        (cron_job(NOON - timedelta(days=30)), NOON),
        (cron_job(NOON - timedelta(hours=1), startingDeadlineSeconds=10), None),
        (cron_job(NOON - timedelta(hours=1), startingDeadlineSeconds=60), NOON),
        (cron_job(NOON - timedelta(hours=1), suspend=True), None),
        (cron_job(NOON - timedelta(hours=1), schedule="0 14 * * *", timeZone="Europe/Berlin"), NOON),
    ],
)
def test_what_is_due(one: Any, due: datetime | None) -> None:
    """Half a minute after noon."""
    assert cron_jobs.times(one, FRIDAY)[0] == due


def test_the_job_of_a_time() -> None:
    """Its name and annotation say which time it is of; it belongs to the CronJob."""
    made = cron_jobs.job(cron_job(NOON), NOON)

    assert made["metadata"]["name"] == f"nightly-{int(NOON.timestamp() // 60)}"
    assert made["metadata"]["annotations"] == {
        "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-05-01T12:00:00Z"
    }
    assert made["metadata"]["ownerReferences"][0]["kind"] == "CronJob"
    assert made["spec"] == {"backoffLimit": 1}


def test_a_job_is_made_when_it_is_due(cluster: Any, workload: Callable[..., Any]) -> None:
    """A year later there is one Job, which runs; the CronJob says when, and that it saw it complete."""
    spec = workload("Job", "tick", behaviour="succeed")["spec"]
    cluster.apply(
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "tick"},
            "spec": {"schedule": "@yearly", "jobTemplate": {"spec": spec}},
        }
    )

    async def later() -> None:
        async with Api(Access.read(cluster.kubeconfig), "tests") as api:
            caches = Caches(api)
            controller = CronJobs(caches, clock=lambda: now() + timedelta(days=366))
            for _ in range(5):  # the cluster's own controller writes the status, too
                caches[CRON_JOBS].note(await api.get(CRON_JOBS, "tick", cluster.namespace) or {})
                with suppress(Conflict):
                    await controller.reconcile((cluster.namespace, "tick"))
                    return

    asyncio.run(later())
    (made,) = cluster.get("jobs")
    name = made["metadata"]["name"]
    cluster.kubectl("wait", f"job/{name}", "--for=condition=Complete", "--timeout=10s")
    saw = f"SawCompletedJob: Saw completed job: {name}, condition: Complete"
    assert cluster.soon(lambda: saw in cluster.events("tick"))
    assert f"SuccessfulCreate: Created job {name}" in cluster.events("tick")
    assert set(cluster.get("cronjob", "tick")["status"]) == {"lastScheduleTime", "lastSuccessfulTime"}
