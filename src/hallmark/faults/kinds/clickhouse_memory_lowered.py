"""ClickHouse is killed as soon as it is asked for something: its memory limit is far too low.

Traces are accepted and pile up in the queue, lists of runs and charts fail while the pod is down. The pod restarts
again and again; its last state is OOMKilled with exit code 137, and the engine may say MEMORY_LIMIT_EXCEEDED before.
Idle, it looks well and is ready. Its volume, its password and every other workload are untouched.

The fault lowers limit and request of the container's memory; the pod is made anew. Nothing is lost: what was
acknowledged is on the volume, and what was accepted meanwhile is in the queue.
"""

from typing import Any

from hallmark.errors import Absent, UsageError
from hallmark.faults import changes, release
from hallmark.faults.capacity import number
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.faults.release import Object, name
from hallmark.faults.sight import Sight
from hallmark.model import Call

SHOWS_WITHIN = 180.0
"""The pod has to end and to start again, and its volume to follow it."""
SEEN = Sight("small_read", "refused", 500, words="POST /api/v1/runs: 202; GET /api/v1/runs/<id>: 500")


def plan(read: Reader, component: str = "clickhouse", memory: str = "2Gi") -> list[Step]:
    """Lower limit and request of the workload's first container; the inverse restores the recorded ones."""
    one = release.workload(read, component)
    recorded = _memory(_container(one))
    if recorded["limits"] is None:
        raise Absent(f"{component} has no memory limit to lower")
    if number(recorded["limits"]) <= number(memory):
        hint = "Choose less in the fault's parameters."
        raise UsageError(f"{component} has {recorded['limits']}, which is no more than {memory}.", hint)
    step = Step(
        what=f"limit the memory to {memory} instead of {recorded['limits']}",
        back=f"limit the memory to {recorded['limits']}, request {recorded['requests'] or 'nothing'}",
        resource=changes.title(one),
        do=_set(one, {"limits": memory, "requests": memory}),
        undo=_set(one, recorded),
    )
    # A StatefulSet waits for a broken pod before it goes on, also on the way back (Kubernetes, "Forced rollback").
    return [step, changes.replace_pods(one)]


def observe(read: Reader, component: str = "clickhouse", memory: str = "2Gi") -> Observation:
    """Look whether the pod has so little memory, and at the rest of the workload and all other objects."""
    one = release.workload(read, component)
    pods = [pod for pod in release.pods(read, one) if not pod["metadata"].get("deletionTimestamp")]
    is_small = bool(pods) and all(_memory(pod["spec"]["containers"][0])["limits"] == memory for pod in pods)
    unaffected = changes.surroundings(read, changes.title(one)) | {"the rest of it": _rest(one)}
    return Observation(is_small and _memory(_container(one))["limits"] == memory, unaffected)


def _container(one: Object) -> Object:
    found: Object = one["spec"]["template"]["spec"]["containers"][0]
    return found


def _memory(container: Object) -> dict[str, Any]:
    resources = container.get("resources") or {}
    return {kind: (resources.get(kind) or {}).get("memory") for kind in ("limits", "requests")}


def _set(one: Object, memory: dict[str, Any]) -> Call:
    place = {"resource": one["resource"], "namespace": one["metadata"]["namespace"], "name": name(one)}
    return Call.of("kubernetes", "set_memory", **place, container=_container(one)["name"], memory=memory)


def _rest(one: Object) -> dict[str, Any]:
    template = one["spec"]["template"]
    first, *others = template["spec"]["containers"]
    resources = {
        kind: {key: value for key, value in (amounts or {}).items() if key != "memory"}
        for kind, amounts in (first.get("resources") or {}).items()
    }
    pod = {**template["spec"], "containers": [{**first, "resources": resources}, *others]}
    return {**one["spec"], "template": {**template, "spec": pod}}
