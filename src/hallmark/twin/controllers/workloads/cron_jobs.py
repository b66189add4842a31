"""CronJobs: a Job each time the schedule says so."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hallmark.twin.controllers import conditions
from hallmark.twin.controllers.clock import Clock, now, read, written
from hallmark.twin.controllers.workloads import job_rules
from hallmark.twin.controllers.workloads.children import to_controller, to_itself
from hallmark.twin.controllers.workloads.cron import Schedule
from hallmark.twin.controllers.workloads.pods import is_leaving, status
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import CRON_JOBS, JOBS, Key, Kind, Object, owned_by
from hallmark.twin.kube.reconcile import Mapper

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"


class CronJobs:
    """Makes the Jobs of each CronJob.

    Source: "CronJob" in the Kubernetes documentation.

    Args:
        caches: The cluster.
        clock: Tells the time.
    """

    name = "cronjob-controller"

    def __init__(self, caches: Caches, clock: Clock = now) -> None:
        self._caches = caches
        self._clock = clock
        self._recorder = Recorder(caches.api, self.name)

    def watches(self) -> Mapping[Kind, Mapper]:
        """CronJobs and their Jobs."""
        return {CRON_JOBS: to_itself, JOBS: to_controller(CRON_JOBS)}

    async def reconcile(self, key: Key) -> float | None:
        """Make the Job that is due, forget old ones, and wait for the next time."""
        cron_job = self._caches[CRON_JOBS].get(key)
        if cron_job is None or is_leaving(cron_job):
            return None
        moment, jobs = self._clock(), self._jobs(cron_job)
        await self._forget(cron_job, jobs)
        try:
            due, following = times(cron_job, moment)
        except (ValueError, KeyError) as error:
            message = f"Unparseable schedule: {cron_job['spec']['schedule']} : {error}"
            await self._recorder.warning(cron_job, "UnparseableSchedule", message)
            return None
        if due:
            await self._start(cron_job, jobs, due)
        await self._report(cron_job, due)
        return (following - moment).total_seconds() if following else None

    async def _start(self, cron_job: Object, jobs: Sequence[Object], due: datetime) -> None:
        running = [each for each in jobs if not job_rules.is_over(each)]
        policy = cron_job["spec"].get("concurrencyPolicy", "Allow")
        if running and policy == "Forbid":
            message = "Not starting job because prior execution is running and concurrency policy is Forbid"
            await self._recorder.normal(cron_job, "JobAlreadyActive", message)
            return
        for each in running if policy == "Replace" else ():
            await self._delete(cron_job, each)
        wanted = job(cron_job, due)
        if self._caches[JOBS].get((wanted["metadata"]["namespace"], wanted["metadata"]["name"])) is None:
            created = await self._caches.create(JOBS, wanted)
            await self._recorder.normal(cron_job, "SuccessfulCreate", f"Created job {created['metadata']['name']}")

    async def _forget(self, cron_job: Object, jobs: Sequence[Object]) -> None:
        spec = cron_job["spec"]
        limits = {
            "Complete": spec.get("successfulJobsHistoryLimit", 3),
            "Failed": spec.get("failedJobsHistoryLimit", 1),
        }
        for type_, limit in limits.items():
            ended = [each for each in jobs if conditions.holds(each, type_) and not is_leaving(each)]
            for each in ended[: max(0, len(ended) - limit)]:
                await self._delete(cron_job, each)

    async def _delete(self, cron_job: Object, old: Object) -> None:
        await self._caches.delete(JOBS, old, propagationPolicy="Background")
        await self._recorder.normal(cron_job, "SuccessfulDelete", f"Deleted job {old['metadata']['name']}")

    async def _report(self, cron_job: Object, due: datetime | None) -> None:
        so_far, jobs = status(cron_job), self._jobs(cron_job)
        for each in so_far.get("active") or []:
            ended = next(
                (one for one in jobs if one["metadata"]["uid"] == each["uid"] and job_rules.is_over(one)), None
            )
            if ended:
                how = "Complete" if conditions.holds(ended, "Complete") else "Failed"
                message = f"Saw completed job: {each['name']}, condition: {how}"
                await self._recorder.normal(cron_job, "SawCompletedJob", message)
        active = [_reference(each) for each in jobs if not job_rules.is_over(each)]
        done = [ended for each in jobs if (ended := status(each).get("completionTime"))]
        wanted = {
            **({"active": active} if active else {}),
            "lastScheduleTime": written(due.astimezone(UTC)) if due else so_far.get("lastScheduleTime"),
            "lastSuccessfulTime": max([*done, so_far.get("lastSuccessfulTime") or ""]) or None,
        }
        wanted = {name: value for name, value in wanted.items() if value}
        if wanted != so_far:
            await self._caches.update(CRON_JOBS, {**cron_job, "status": wanted}, "status")

    def _jobs(self, cron_job: Object) -> list[Object]:
        found = self._caches[JOBS].controlled_by(cron_job["metadata"]["uid"])
        return sorted(found, key=lambda each: (each["metadata"]["creationTimestamp"], each["metadata"]["name"]))


def times(cron_job: Object, moment: datetime) -> tuple[datetime | None, datetime | None]:
    """The latest time that is due and was not served yet, and the next one.

    Raises:
        ValueError: The schedule is none.
        KeyError: The time zone does not exist.
    """
    spec = cron_job["spec"]
    schedule = Schedule.parse(spec["schedule"])
    zone = ZoneInfo(spec["timeZone"]) if spec.get("timeZone") else UTC
    local = moment.astimezone(zone)
    following = schedule.following(local)
    if spec.get("suspend"):
        return None, None
    since = read(status(cron_job).get("lastScheduleTime") or cron_job["metadata"]["creationTimestamp"]).astimezone(zone)
    if (deadline := spec.get("startingDeadlineSeconds")) is not None:
        since = max(since, local - timedelta(seconds=deadline))
    due = schedule.latest(local)
    return (due if due and due > since else None), following


def job(cron_job: Object, due: datetime) -> Object:
    """The Job of one time; its name says which, so that it is never made twice."""
    metadata, template = cron_job["metadata"], cron_job["spec"]["jobTemplate"]
    given = template.get("metadata") or {}
    return {
        "metadata": {
            "name": f"{metadata['name']}-{int(due.timestamp() // 60)}",
            "namespace": metadata["namespace"],
            "labels": given.get("labels") or {},
            "annotations": {**(given.get("annotations") or {}), SCHEDULED: written(due.astimezone(UTC))},
            "ownerReferences": owned_by(cron_job),
        },
        "spec": dict(template["spec"]),
    }


def _reference(job_: Object) -> Object:
    metadata = job_["metadata"]
    return {
        "apiVersion": JOBS.api_version,
        "kind": JOBS.kind,
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
        "resourceVersion": metadata["resourceVersion"],
    }
