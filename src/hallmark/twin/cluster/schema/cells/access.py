"""Cells of roles, bindings, service accounts and certificates.

Source: pkg/printers/internalversion/printers.go of Kubernetes.
"""

from datetime import datetime, timedelta

from hallmark.twin.cluster.schema import durations
from hallmark.twin.cluster.schema.values import Json, dig


def role(obj: Json, _: datetime) -> str:
    """Which role is bound."""
    ref = obj.get("roleRef") or {}
    return f"{ref.get('kind', '')}/{ref.get('name', '')}"


def users(obj: Json, _: datetime) -> str:
    """Users it is bound to."""
    return ", ".join(each["name"] for each in obj.get("subjects") or () if each.get("kind") == "User")


def groups(obj: Json, _: datetime) -> str:
    """Groups it is bound to."""
    return ", ".join(each["name"] for each in obj.get("subjects") or () if each.get("kind") == "Group")


def service_accounts(obj: Json, _: datetime) -> str:
    """Service accounts it is bound to."""
    found = (each for each in obj.get("subjects") or () if each.get("kind") == "ServiceAccount")
    return ", ".join(f"{each['namespace']}/{each['name']}" if each.get("namespace") else each["name"] for each in found)


def requested_duration(obj: Json, _: datetime) -> str:
    """How long a certificate is asked for."""
    seconds = dig(obj, "spec", "expirationSeconds")
    return "<none>" if seconds is None else durations.human(timedelta(seconds=seconds))


def request_condition(obj: Json, _: datetime) -> str:
    """What became of a request for a certificate."""
    types = {each["type"] for each in dig(obj, "status", "conditions") or ()}
    status = "Denied" if "Denied" in types else "Approved" if "Approved" in types else "Pending"
    failed = ",Failed" if "Failed" in types else ""
    return status + failed + (",Issued" if dig(obj, "status", "certificate") else "")


def secrets_size(obj: Json, _: datetime) -> int:
    """How many secrets a service account has."""
    return len(obj.get("secrets") or ())
