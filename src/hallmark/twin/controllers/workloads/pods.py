"""Facts of pods that several controllers ask for."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from math import inf
from typing import Any

from hallmark.twin.controllers import conditions
from hallmark.twin.controllers.clock import seconds_since
from hallmark.twin.kube.kinds import Object


def labels(thing: Mapping[str, Any]) -> Mapping[str, str]:
    """Labels of an object; none is the same as empty."""
    return thing["metadata"].get("labels") or {}


def annotations(thing: Mapping[str, Any]) -> Mapping[str, str]:
    """Annotations of an object; none is the same as empty."""
    return thing["metadata"].get("annotations") or {}


def status(thing: Mapping[str, Any]) -> Mapping[str, Any]:
    """Status of an object; none is the same as empty."""
    return thing.get("status") or {}


def phase(pod: Object) -> str:
    """Phase of a pod, for example ``Running``."""
    return str(status(pod).get("phase", "Pending"))


def node_name(pod: Object) -> str:
    """Node a pod is bound to, or empty."""
    return str(pod["spec"].get("nodeName", ""))


def is_leaving(thing: Mapping[str, Any]) -> bool:
    """Whether an object is being deleted."""
    return "deletionTimestamp" in thing["metadata"]


def is_finished(pod: Object) -> bool:
    """Whether all containers ended for good."""
    return phase(pod) in {"Succeeded", "Failed"}


def is_active(pod: Object) -> bool:
    """Whether a pod counts as a replica: neither finished nor being deleted."""
    return not is_finished(pod) and not is_leaving(pod)


def is_ready(pod: Object) -> bool:
    """Whether a pod takes traffic."""
    return conditions.holds(pod, "Ready")


def available_in(pod: Object, min_ready_seconds: int, now: datetime) -> float:
    """Seconds until a pod is available: 0 if it is, infinity while it is not ready.

    Args:
        pod: The pod.
        min_ready_seconds: For how long it must have been ready, see ``minReadySeconds`` of a Deployment.
        now: The present moment.
    """
    ready = conditions.find(pod, "Ready")
    if not ready or ready["status"] != "True":
        return inf
    return max(0.0, min_ready_seconds - seconds_since(ready.get("lastTransitionTime"), now)) if min_ready_seconds else 0


def is_available(pod: Object, min_ready_seconds: int, now: datetime) -> bool:
    """Whether a pod has been ready for long enough."""
    return available_in(pod, min_ready_seconds, now) == 0


def next_available(pods: Iterable[Object], min_ready_seconds: int, now: datetime) -> float | None:
    """Seconds until the next ready pod becomes available, or None if time alone changes nothing."""
    waits = [wait for pod in pods if 0 < (wait := available_in(pod, min_ready_seconds, now)) < inf]
    return min(waits, default=None)
