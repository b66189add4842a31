"""One object, several versions: how an object that is stored in one is shown in another.

Events are one kind under two names with other field names (Kubernetes ``pkg/apis/events/v1/conversion.go``);
HorizontalPodAutoscalers have a short old form (``pkg/apis/autoscaling/v1/conversion.go``): of the metrics only the
CPU utilisation has a place in it. Custom resources are shown as they are, as with the conversion strategy ``None``.
"""

from typing import Any

from hallmark.twin.cluster.registry import Resource

Json = dict[str, Any]

EVENT_FIELDS = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
"""Field of the core group, field of events.k8s.io."""
EVENT_FIELDS_BACK = {new: old for old, new in EVENT_FIELDS.items()}


def shown(resource: Resource, obj: Json) -> Json:
    """An object as this resource shows it; the object itself if it is stored so."""
    if obj.get("apiVersion") == resource.api_version and obj.get("kind") == resource.kind:
        return obj
    if resource.kind == "Event" and resource.group:
        obj = _renamed(obj, EVENT_FIELDS)
    elif resource.kind == "HorizontalPodAutoscaler" and resource.version == "v1":
        obj = _old_autoscaler(obj)
    return {**obj, "apiVersion": resource.api_version, "kind": resource.kind}


def stored(resource: Resource, obj: Json, old: Json | None = None) -> Json:
    """An object that came in by this resource, as it is stored.

    Args:
        resource: What the client wrote to.
        obj: What it wrote.
        old: What was stored before; what the client's version cannot tell is taken from it.
    """
    if resource.kind == "Event" and resource.group == "events.k8s.io":
        return _renamed(obj, EVENT_FIELDS_BACK) | {"apiVersion": "v1"}
    if resource.kind == "HorizontalPodAutoscaler" and resource.version == "v1":
        return _new_autoscaler(obj, old or {}) | {"apiVersion": "autoscaling/v2"}
    return obj


def _renamed(obj: Json, names: dict[str, str]) -> Json:
    return {names.get(key, key): value for key, value in obj.items()}


def _old_autoscaler(obj: Json) -> Json:
    spec = {key: value for key, value in obj.get("spec", {}).items() if key not in {"metrics", "behavior"}}
    status = {key: value for key, value in obj.get("status", {}).items() if key not in {"currentMetrics", "conditions"}}
    target = _cpu(obj.get("spec", {}).get("metrics"), "target")
    current = _cpu(obj.get("status", {}).get("currentMetrics"), "current")
    if target is not None:
        spec["targetCPUUtilizationPercentage"] = target
    if current is not None:
        status["currentCPUUtilizationPercentage"] = current
    return {**obj, "spec": spec, "status": status}


def _new_autoscaler(obj: Json, old: Json) -> Json:
    spec, status = dict(obj.get("spec", {})), dict(obj.get("status", {}))
    spec["metrics"] = _other_metrics(old.get("spec", {}).get("metrics"))
    target = spec.pop("targetCPUUtilizationPercentage", None)
    if target is not None:
        spec["metrics"].append(_metric("target", {"type": "Utilization", "averageUtilization": target}))
    if "behavior" in old.get("spec", {}):
        spec["behavior"] = old["spec"]["behavior"]
    status.pop("currentCPUUtilizationPercentage", None)
    status |= {key: value for key, value in old.get("status", {}).items() if key in {"currentMetrics", "conditions"}}
    return {**obj, "spec": spec} | ({"status": status} if status else {})


def _metric(name: str, value: Json) -> Json:
    return {"type": "Resource", "resource": {"name": "cpu", name: value}}


def _other_metrics(metrics: list[Json] | None) -> list[Json]:
    return [metric for metric in metrics or () if _cpu([metric], "target") is None]


def _cpu(metrics: list[Json] | None, name: str) -> int | None:
    for metric in metrics or ():
        if metric.get("type") == "Resource" and metric["resource"].get("name") == "cpu":
            utilization: int | None = metric["resource"].get(name, {}).get("averageUtilization")
            return utilization
    return None
