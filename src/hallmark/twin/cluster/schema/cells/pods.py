"""What ``kubectl get pods`` says about a pod.

Source: printPod in pkg/printers/internalversion/printers.go of Kubernetes.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hallmark.twin.cluster.schema import durations
from hallmark.twin.cluster.schema.values import Json, dig

_ENDED = ("Succeeded", "Failed")


def row_conditions(obj: Json) -> list[Json]:
    """What the row of a pod that has ended says to clients that sort it out."""
    phase = dig(obj, "status", "phase")
    if obj.get("kind") != "Pod" or phase not in _ENDED:
        return []
    message = "The pod has completed successfully." if phase == "Succeeded" else "The pod failed."
    return [{"type": "Completed", "status": "True", "reason": phase, "message": message}]


def ready(pod: Json, _: datetime) -> str:
    """Ready containers of all that keep running."""
    total = len(dig(pod, "spec", "containers") or ()) + len(_sidecars(pod))
    ready = sum(bool(each.get("ready") and "running" in each.get("state", {})) for each in _running_ones(pod))
    return f"{ready}/{total}"


def status(pod: Json, _: datetime) -> str:
    """The one word for how a pod is."""
    found = pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        if found.get("reason") == "NodeLost":
            return "Unknown"
        if found.get("phase") not in _ENDED:
            return "Terminating"
    return _initial(pod) or _main(pod)


def restarts(pod: Json, now: datetime) -> str:
    """How often containers started again, and how long ago the last one did."""
    waiting = _initial(pod)
    counted = [*_statuses(pod, "initContainerStatuses")] if waiting else [*_running_ones(pod)]
    count = sum(each.get("restartCount", 0) for each in counted)
    ends = [dig(each, "lastState", "terminated", "finishedAt") for each in counted if each.get("restartCount")]
    last = max((each for each in ends if each), default=None)
    return f"{count} ({durations.since(last, now)} ago)" if count and last else str(count)


def address(pod: Json, _: datetime) -> str:
    """Address of a pod."""
    return str(dig(pod, "status", "podIP") or "<none>")


def readiness_gates(pod: Json, _: datetime) -> str:
    """How many of the extra conditions of readiness hold."""
    gates = [each["conditionType"] for each in dig(pod, "spec", "readinessGates") or ()]
    if not gates:
        return "<none>"
    true = {each["type"] for each in dig(pod, "status", "conditions") or () if each.get("status") == "True"}
    return f"{sum(gate in true for gate in gates)}/{len(gates)}"


def _statuses(pod: Json, field: str) -> Iterable[Json]:
    return dig(pod, "status", field) or ()


def _sidecars(pod: Json) -> set[str]:
    """Initial containers that keep running beside the others."""
    found = dig(pod, "spec", "initContainers") or ()
    return {each["name"] for each in found if each.get("restartPolicy") == "Always"}


def _running_ones(pod: Json) -> Iterable[Json]:
    sidecars = _sidecars(pod)
    yield from (each for each in _statuses(pod, "initContainerStatuses") if each.get("name") in sidecars)
    yield from _statuses(pod, "containerStatuses")


def _initial(pod: Json) -> str:
    """What holds a pod before its main containers start; empty once nothing does."""
    sidecars = _sidecars(pod)
    for i, each in enumerate(_statuses(pod, "initContainerStatuses")):
        state = each.get("state", {})
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended is not None and not ended.get("exitCode"):
            continue
        if each.get("name") in sidecars and each.get("started"):
            continue
        if ended is not None:
            return "Init:" + _why(ended)
        if waiting.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{waiting['reason']}"
        return f"Init:{i}/{len(dig(pod, 'spec', 'initContainers') or ())}"
    return ""


def _main(pod: Json) -> str:
    reason, running = _phase(pod), False
    for each in reversed([*_statuses(pod, "containerStatuses")]):
        state: dict[str, Any] = each.get("state", {})
        if dig(state, "waiting", "reason"):
            reason = state["waiting"]["reason"]
        elif "terminated" in state:
            reason = _why(state["terminated"])
        elif each.get("ready") and "running" in state:
            running = True
    if reason == "Completed" and running:
        return "Running" if _is_ready(pod) else "NotReady"
    return reason


def _phase(pod: Json) -> str:
    gated = any(
        each["type"] == "PodScheduled" and each.get("reason") == "SchedulingGated"
        for each in _statuses(pod, "conditions")
    )
    found = pod.get("status") or {}
    return "SchedulingGated" if gated else str(found.get("reason") or found.get("phase") or "")


def _is_ready(pod: Json) -> bool:
    return any(each["type"] == "Ready" and each.get("status") == "True" for each in _statuses(pod, "conditions"))


def _why(ended: Json) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"
