"""Cells of nodes, quotas and extensions of the API.

Source: pkg/printers/internalversion/printers.go of Kubernetes.
"""

from datetime import datetime

from hallmark.twin.cluster.schema.values import Json, dig

_ROLE = "node-role.kubernetes.io/"


def node_status(obj: Json, _: datetime) -> str:
    """Whether a node is ready, and takes pods."""
    conditions = dig(obj, "status", "conditions") or ()
    ready = next((each["status"] for each in conditions if each["type"] == "Ready"), None)
    status = "Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"
    return status + (",SchedulingDisabled" if dig(obj, "spec", "unschedulable") else "")


def node_roles(obj: Json, _: datetime) -> str:
    """Roles of a node, from its labels."""
    found = obj["metadata"].get("labels") or {}
    roles = {key.removeprefix(_ROLE) for key in found if key.startswith(_ROLE)} | {found.get("kubernetes.io/role", "")}
    return ",".join(sorted(roles - {""})) or "<none>"


def quota_requests(obj: Json, _: datetime) -> str:
    """Used of allowed, but for limits."""
    return _quota(obj, limits=False)


def quota_limits(obj: Json, _: datetime) -> str:
    """Used of allowed limits."""
    return _quota(obj, limits=True)


def _quota(obj: Json, *, limits: bool) -> str:
    hard, used = dig(obj, "status", "hard") or {}, dig(obj, "status", "used") or {}
    names = [name for name in sorted(hard) if name.startswith("limits") == limits]
    return ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in names)


def api_service(obj: Json, _: datetime) -> str:
    """Which service answers."""
    ref = dig(obj, "spec", "service")
    return f"{ref.get('namespace', '')}/{ref.get('name', '')}" if ref else "Local"


def api_available(obj: Json, _: datetime) -> str:
    """Whether it answers, and why not."""
    conditions = dig(obj, "status", "conditions") or ()
    found = next((each for each in conditions if each["type"] == "Available"), None)
    if found is None:
        return "Unknown"
    return "True" if found["status"] == "True" else f"{found['status']} ({found.get('reason', '')})"


def webhooks_size(obj: Json, _: datetime) -> int:
    """How many webhooks are configured."""
    return len(obj.get("webhooks") or ())
