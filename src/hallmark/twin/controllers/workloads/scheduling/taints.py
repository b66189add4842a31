"""Taints of nodes and tolerations of pods; source: "Taints and Tolerations" in the Kubernetes documentation."""

from collections.abc import Iterable, Mapping
from typing import Any

from hallmark.twin.controllers import conditions
from hallmark.twin.kube.kinds import Object

Taint = Mapping[str, Any]
NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
KEEPS_OUT = frozenset({"NoSchedule", "NoExecute"})
"""Effects that keep a new pod away."""
PRESSURES = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
}
"""Conditions that are taints while they are True."""


def implied(node: Object) -> list[Taint]:
    """Taints that a node's conditions and ``unschedulable`` call for, whether it carries them yet or not."""
    ready = conditions.find(node, "Ready")
    keys = [key for type_, key in PRESSURES.items() if conditions.holds(node, type_)]
    if not ready or ready["status"] == "False":
        keys.append(NOT_READY)
    elif ready["status"] == "Unknown":
        keys.append(UNREACHABLE)
    if node["spec"].get("unschedulable"):
        keys.append(UNSCHEDULABLE)
    return [{"key": key, "effect": "NoSchedule"} for key in keys]


def of(node: Object) -> list[Taint]:
    """All taints of a node, those included that it is about to get."""
    own = node["spec"].get("taints") or []
    known = {(each["key"], each["effect"]) for each in own}
    return [*own, *(each for each in implied(node) if (each["key"], each["effect"]) not in known)]


def untolerated(pod_spec: Mapping[str, Any], taints: Iterable[Taint], effects: Iterable[str]) -> Taint | None:
    """The first taint with one of these effects that a pod does not tolerate."""
    tolerations = pod_spec.get("tolerations") or []
    for taint in taints:
        if taint["effect"] in effects and not any(tolerates(each, taint) for each in tolerations):
            return taint
    return None


def tolerates(toleration: Mapping[str, Any], taint: Taint) -> bool:
    """Whether a toleration covers a taint."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and (toleration.get("value") or "") == (taint.get("value") or "")
