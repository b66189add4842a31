"""Cells of what makes pods: controllers, jobs and autoscalers.

Source: pkg/printers/internalversion/printers.go of Kubernetes.
"""

from datetime import datetime

from hallmark.twin.cluster.schema import durations
from hallmark.twin.cluster.schema.cells.common import labels, selector_text
from hallmark.twin.cluster.schema.values import Json, dig


def replicas_ready(obj: Json, _: datetime) -> str:
    """Ready of wanted."""
    return f"{dig(obj, 'status', 'readyReplicas') or 0}/{dig(obj, 'spec', 'replicas') or 0}"


def containers(obj: Json, _: datetime) -> str:
    """Names of the template's containers."""
    return ",".join(each.get("name", "") for each in _pod_spec(obj).get("containers") or ())


def images(obj: Json, _: datetime) -> str:
    """Images of the template's containers."""
    return ",".join(each.get("image", "") for each in _pod_spec(obj).get("containers") or ())


def template_labels(obj: Json, _: datetime) -> str:
    """Labels of the template."""
    return labels(dig(obj, "template", "metadata", "labels"))


def node_selector(obj: Json, _: datetime) -> str:
    """Labels of the nodes the template's pods go to."""
    return labels(_pod_spec(obj).get("nodeSelector"))


def selector(obj: Json, _: datetime) -> str:
    """Which pods it selects."""
    return selector_text(dig(obj, "spec", "selector"))


def job_template_selector(obj: Json, _: datetime) -> str:
    """Which pods the jobs of a cron job select."""
    return selector_text(dig(obj, "spec", "jobTemplate", "spec", "selector"))


def controller(obj: Json, _: datetime) -> str:
    """Which object manages it."""
    owners = obj["metadata"].get("ownerReferences") or ()
    owner = next((each for each in owners if each.get("controller")), None)
    if owner is None:
        return "<none>"
    group = owner["apiVersion"].rpartition("/")[0]
    return f"{owner['kind'].lower()}{'.' if group else ''}{group}/{owner['name']}"


def _pod_spec(obj: Json) -> Json:
    for path in (("spec", "template"), ("spec", "jobTemplate", "spec", "template"), ("template",)):
        spec = dig(obj, *path, "spec")
        if spec:
            return dict(spec)
    return {}


def job_status(obj: Json, _: datetime) -> str:
    """What became of a job."""
    true = {each["type"] for each in dig(obj, "status", "conditions") or () if each.get("status") == "True"}
    if "Complete" in true or "Failed" in true:
        return "Complete" if "Complete" in true else "Failed"
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return next((each for each in ("Suspended", "FailureTarget", "SuccessCriteriaMet") if each in true), "Running")


def job_completions(obj: Json, _: datetime) -> str:
    """Completed of wanted."""
    done, wanted = dig(obj, "status", "succeeded") or 0, dig(obj, "spec", "completions")
    if wanted is not None:
        return f"{done}/{wanted}"
    parallel = dig(obj, "spec", "parallelism") or 0
    return f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"


def job_duration(obj: Json, now: datetime) -> str:
    """How long a job took, or runs."""
    start, end = dig(obj, "status", "startTime"), dig(obj, "status", "completionTime")
    if not start:
        return ""
    return durations.since(start, datetime.fromisoformat(end) if end else now)


def suspend(obj: Json, _: datetime) -> str:
    """Whether a cron job rests."""
    value = dig(obj, "spec", "suspend")
    return "<unset>" if value is None else str(value)


def active_jobs(obj: Json, _: datetime) -> int:
    """How many jobs of a cron job run."""
    return len(dig(obj, "status", "active") or ())


def last_schedule(obj: Json, now: datetime) -> str:
    """How long ago a cron job made a job."""
    last = dig(obj, "status", "lastScheduleTime")
    return durations.since(last, now) if last else "<none>"


def scale_target(obj: Json, _: datetime) -> str:
    """What is scaled."""
    target = dig(obj, "spec", "scaleTargetRef") or {}
    return f"{target.get('kind', '')}/{target.get('name', '')}"


def metric_targets(obj: Json, _: datetime) -> str:
    """Current and wanted value of each metric."""
    if "targetCPUUtilizationPercentage" in obj.get("spec", {}):
        current = dig(obj, "status", "currentCPUUtilizationPercentage")
        wanted = obj["spec"]["targetCPUUtilizationPercentage"]
        return f"cpu: {'<unknown>' if current is None else f'{current}%'}/{wanted}%"
    wanted, seen = dig(obj, "spec", "metrics") or [], dig(obj, "status", "currentMetrics") or []
    if not wanted:
        return "<none>"
    shown = [_metric(each, seen[i] if i < len(seen) else {}) for i, each in enumerate(wanted)]
    more = f" + {len(shown) - 2} more..." if len(shown) > 2 else ""  # noqa: PLR2004 - two metrics are shown
    return ", ".join(shown[:2]) + more


def _metric(wanted: Json, seen: Json) -> str:
    key = wanted["type"][0].lower() + wanted["type"][1:]
    source, current = wanted.get(key, {}), dig(seen, key, "current") or {}
    target = source.get("target", {})
    name = f"{source['name']}: " if key in ("resource", "containerResource") else ""
    for field in ("averageValue", "value"):
        if field in target:
            average = " (avg)" if key == "external" and field == "averageValue" else ""
            return f"{name}{current.get(field, '<unknown>')}/{target[field]}{average}"
    used, aim = current.get("averageUtilization"), target.get("averageUtilization")
    return f"{name}{'<unknown>' if used is None else f'{used}%'}/{'<auto>' if aim is None else f'{aim}%'}"
