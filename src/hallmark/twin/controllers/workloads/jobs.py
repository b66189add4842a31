"""Jobs: pods that run until enough of them succeeded."""

from collections.abc import Mapping

from hallmark.twin.controllers import conditions
from hallmark.twin.controllers.clock import Clock, now
from hallmark.twin.controllers.workloads import job_rules, templates
from hallmark.twin.controllers.workloads.children import claim, to_itself, to_parents
from hallmark.twin.controllers.workloads.job_rules import INDEX, Run
from hallmark.twin.controllers.workloads.pod_writer import PodWriter
from hallmark.twin.controllers.workloads.pods import is_leaving
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import JOBS, PODS, Key, Kind, Object
from hallmark.twin.kube.reconcile import Mapper


class Jobs:
    """Runs each Job.

    Args:
        caches: The cluster.
        clock: Tells the time.
        first_delay: Seconds before the first pod that follows a failed one.
    """

    name = "job-controller"

    def __init__(self, caches: Caches, clock: Clock = now, first_delay: float = job_rules.FIRST_DELAY) -> None:
        self._caches = caches
        self._clock = clock
        self._first_delay = first_delay
        self._pods = PodWriter(caches, self.name)
        self._recorder = Recorder(caches.api, self.name)

    def watches(self) -> Mapping[Kind, Mapper]:
        """Jobs and their pods."""
        return {JOBS: to_itself, PODS: to_parents(self._caches, JOBS)}

    async def reconcile(self, key: Key) -> float | None:
        """Take the next step, and tell how it stands; a finished Job is deleted when its time is over."""
        job = self._caches[JOBS].get(key)
        if job is None or is_leaving(job):
            return None
        if job_rules.is_over(job):
            return await self._expire(job)
        await claim(self._caches, PODS, job, job["spec"].get("selector"))
        step = job_rules.step(self._run(job), self._first_delay)
        try:
            for pod in step.delete:
                await self._pods.delete(job, pod)
            await self._pods.create_all(job, [_pod(job, index) for index in step.create])
        finally:
            await self._report(job)
        return step.again

    async def _expire(self, job: Object) -> float | None:
        left = job_rules.expires_in(job, self._clock())
        if left is not None and left <= 0:
            await self._caches.delete(JOBS, job, propagationPolicy="Background")
            return None
        return left

    async def _report(self, job: Object) -> None:
        wanted = job_rules.new_status(self._run(job))
        if wanted == job.get("status"):
            return
        told = await self._caches.update(JOBS, {**job, "status": wanted}, "status")
        for each in wanted.get("conditions") or []:
            before = conditions.find(job, each["type"])
            if not before or before["status"] != each["status"]:
                await self._announce(told, each["type"], each["reason"], each["message"])

    async def _announce(self, job: Object, type_: str, reason: str, message: str) -> None:
        if type_ == "Complete":
            await self._recorder.normal(job, "Completed", "Job completed")
        elif type_ == "Failed":
            await self._recorder.warning(job, reason, message)
        elif type_ == "Suspended":
            await self._recorder.normal(job, reason.removeprefix("Job"), message)

    def _run(self, job: Object) -> Run:
        return Run(job, self._caches[PODS].controlled_by(job["metadata"]["uid"]), self._clock())


def _pod(job: Object, index: int | None) -> Object:
    pod = templates.pod(job, job["spec"]["template"])
    if index is None:
        return pod
    metadata, name = pod["metadata"], job["metadata"]["name"]
    field = {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}
    variable = {"name": "JOB_COMPLETION_INDEX", "valueFrom": field}
    containers = {
        key: [{**each, "env": [*(each.get("env") or []), variable]} for each in pod["spec"][key]]
        for key in ("initContainers", "containers")
        if pod["spec"].get(key)
    }
    marks = {
        "generateName": f"{name}-{index}-",
        "annotations": {**(metadata.get("annotations") or {}), INDEX: str(index)},
        "labels": {**metadata["labels"], INDEX: str(index)},
    }
    return {"metadata": {**metadata, **marks}, "spec": {**pod["spec"], **containers, "hostname": f"{name}-{index}"}}
