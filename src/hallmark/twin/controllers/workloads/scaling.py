"""How many replicas a metric asks for; pure functions.

Source: "Horizontal Pod Autoscaling" in the Kubernetes documentation, ``replica_calculator.go`` in its code. Resource
metrics are served; custom and external metrics are what a cluster without their adapters says they are: missing.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from hallmark.twin.cluster.schema import quantities
from hallmark.twin.controllers import conditions
from hallmark.twin.controllers.clock import seconds_since
from hallmark.twin.controllers.workloads.pods import is_leaving, phase, status
from hallmark.twin.kube.kinds import Object

TOLERANCE = 0.1
"""A ratio this close to 1 changes nothing."""
STARTING, SETTLING = 300.0, 30.0
"""Seconds during which the CPU of a pod that just started is not believed, and of one that just became ready."""


class NoMetric(Exception):
    """A metric cannot be had.

    Attributes:
        reason: Reason of the condition and event, for example ``FailedGetResourceMetric``.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Proposal:
    """What one metric asks for.

    Attributes:
        replicas: How many.
        subject: The metric in words, for example ``cpu resource utilization (percentage of request)``.
        current: Its entry in ``status.currentMetrics``.
    """

    replicas: int
    subject: str
    current: Object


@dataclass(frozen=True)
class Usage:
    """Pods and what they use of one resource.

    Attributes:
        pods: Pods that the target selects.
        used: What each uses, by name; absent where metrics know nothing of it.
    """

    pods: Sequence[Object]
    used: Mapping[str, Decimal]


def resource_of(metric: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The resource part of a metric and the container it is about, if it is about one.

    Raises:
        NoMetric: It is no resource metric.
    """
    type_ = metric["type"]
    if type_ == "Resource":
        return metric["resource"], ""
    if type_ == "ContainerResource":
        return metric["containerResource"], metric["containerResource"]["container"]
    name = (metric.get(type_.lower()) or {}).get("metric", {}).get("name", "")
    api = "external" if type_ == "External" else "custom"
    lacking = f"unable to fetch metrics from {api} metrics API: no {api} metrics API ({api}.metrics.k8s.io) registered"
    raise NoMetric(f"FailedGet{type_}Metric", f"unable to get metric {name}: {lacking}")


def used_by(pod_metrics: Iterable[Object], resource: str, container: str = "") -> dict[str, Decimal]:
    """What pods use of a resource, by name, from the answer of the metrics API."""
    result: dict[str, Decimal] = {}
    for each in pod_metrics:
        shares = [
            quantities.of(one["usage"][resource])
            for one in each.get("containers") or []
            if resource in one.get("usage", {}) and container in {"", one["name"]}
        ]
        if shares:
            result[each["metadata"]["name"]] = sum(shares, Decimal(0))
    return result


def propose(metric: Mapping[str, Any], usage: Usage, replicas: int, moment: datetime) -> Proposal:
    """Replicas that a resource metric asks for.

    Args:
        metric: A metric of the autoscaler's spec.
        usage: The pods and what they use.
        replicas: How many there are.
        moment: The present moment.

    Raises:
        NoMetric: Nothing is known of the pods, or a container lacks a request.
    """
    wanted, container = resource_of(metric)
    name, target = wanted["name"], wanted["target"]
    pods = [each for each in usage.pods if not is_leaving(each) and phase(each) != "Failed"]
    if not pods:
        raise NoMetric("FailedGetResourceMetric", "no pods returned by selector while calculating replica count")
    proportional = target["type"] == "Utilization"
    full = {}
    for each in pods:
        key = each["metadata"]["name"]
        full[key] = _request(each, name, container) if proportional else quantities.of(target["averageValue"])
    goal = Decimal(target["averageUtilization"]) / 100 if proportional else Decimal(1)
    young = {each["metadata"]["name"] for each in pods if _is_young(each, name, moment)}
    known = {key: used for key, used in usage.used.items() if key in full and key not in young}
    if not known:
        kind = "utilization" if proportional else "usage"
        lacking = f"failed to get {name} {kind}: did not receive metrics for targeted pods (pods might be unready)"
        raise NoMetric("FailedGetResourceMetric", lacking)
    count = _replicas(known, full, young, goal, replicas)
    return Proposal(count, _subject(name, container, proportional=proportional), _current(metric, known, full))


def _replicas(
    known: Mapping[str, Decimal], full: Mapping[str, Decimal], young: set[str], goal: Decimal, replicas: int
) -> int:
    ratio = _ratio(known, full, goal)
    missing = set(full) - set(known) - young
    if not missing and not (young and ratio > 1):
        return replicas if abs(1 - ratio) <= TOLERANCE else math.ceil(ratio * len(known))
    # What is not known is taken against the change: as idle when growing, as fully busy when shrinking.
    assumed = dict(known)
    for key in missing:
        assumed[key] = full[key] * max(goal, Decimal(1)) if ratio < 1 else Decimal(0)
    if ratio > 1:
        assumed |= dict.fromkeys(young, Decimal(0))
    careful = _ratio(assumed, full, goal)
    if abs(1 - careful) <= TOLERANCE or (ratio < 1) != (careful < 1):
        return replicas
    count = math.ceil(careful * len(assumed))
    return max(count, replicas) if careful > 1 else min(count, replicas)


def _ratio(used: Mapping[str, Decimal], full: Mapping[str, Decimal], goal: Decimal) -> float:
    whole = sum((full[key] for key in used), Decimal(0)) * goal
    return float(sum(used.values(), Decimal(0)) / whole) if whole else 0.0


def _request(pod: Object, resource: str, container: str) -> Decimal:
    total = Decimal(0)
    for each in pod["spec"]["containers"]:
        if container not in {"", each["name"]}:
            continue
        request = ((each.get("resources") or {}).get("requests") or {}).get(resource)
        if request is None:
            where = f"container {each['name']} of Pod {pod['metadata']['name']}"
            lacking = f"failed to get {resource} utilization: missing request for {resource} in {where}"
            raise NoMetric("FailedGetResourceMetric", lacking)
        total += quantities.of(request)
    return total


def _is_young(pod: Object, resource: str, moment: datetime) -> bool:
    started = status(pod).get("startTime")
    if phase(pod) == "Pending":
        return True
    if resource != "cpu":
        return False
    ready = conditions.find(pod, "Ready")
    if not ready or not started:
        return True
    if seconds_since(started, moment) < STARTING:
        return str(ready["status"]) != "True"
    never = seconds_since(started, moment) - seconds_since(ready["lastTransitionTime"], moment) < SETTLING
    return str(ready["status"]) != "True" and never


def _subject(name: str, container: str, *, proportional: bool) -> str:
    subject = f"{name} container resource" if container else f"{name} resource"
    return f"{subject} utilization (percentage of request)" if proportional else subject


def _current(metric: Mapping[str, Any], known: Mapping[str, Decimal], full: Mapping[str, Decimal]) -> Object:
    wanted, container = resource_of(metric)
    total = sum(known.values(), Decimal(0))
    average = math.ceil(total * 1000 / len(known))
    value: Object = {"averageValue": quantities.canonical(f"{average}m")}
    if wanted["target"]["type"] == "Utilization":
        whole = sum((full[key] for key in known), Decimal(0))
        value["averageUtilization"] = int(total * 100 / whole) if whole else 0
    part = {"name": wanted["name"], "current": value, **({"container": container} if container else {})}
    return {"type": metric["type"], "containerResource" if container else "resource": part}
