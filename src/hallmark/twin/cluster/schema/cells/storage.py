"""Cells of ConfigMaps, Secrets, volumes, claims and their classes.

Source: pkg/printers/internalversion/printers.go of Kubernetes.
"""

from collections.abc import Iterable
from datetime import datetime

from hallmark.twin.cluster.schema.values import Json, dig

_DEFAULT_CLASS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def data_size(obj: Json, _: datetime) -> int:
    """How many keys there are."""
    return len(obj.get("data") or ()) + len(obj.get("binaryData") or ())


def drivers_size(obj: Json, _: datetime) -> int:
    """How many drivers a node has."""
    return len(dig(obj, "spec", "drivers") or ())


def access_modes(obj: Json, _: datetime) -> str:
    """How a volume may be used."""
    return _modes(dig(obj, "spec", "accessModes"))


def claim_access_modes(obj: Json, _: datetime) -> str:
    """How the volume of a claim may be used."""
    return _modes(dig(obj, "status", "accessModes")) if dig(obj, "spec", "volumeName") else ""


def claim_capacity(obj: Json, _: datetime) -> str:
    """How large the volume of a claim is."""
    return str(dig(obj, "status", "capacity", "storage") or "0") if dig(obj, "spec", "volumeName") else ""


def volume_status(obj: Json, _: datetime) -> str:
    """Phase of a volume or a claim."""
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else str(dig(obj, "status", "phase") or "")


def volume_claim(obj: Json, _: datetime) -> str:
    """Which claim has the volume."""
    ref = dig(obj, "spec", "claimRef")
    return f"{ref.get('namespace', '')}/{ref.get('name', '')}" if ref else ""


def storage_class(obj: Json, _: datetime) -> str:
    """Storage class; the annotation is its old place."""
    old = (obj["metadata"].get("annotations") or {}).get("volume.beta.kubernetes.io/storage-class")
    return str(old or dig(obj, "spec", "storageClassName") or "")


def class_name(obj: Json, _: datetime) -> str:
    """Name of a storage class, and whether it is the default one."""
    annotations = obj["metadata"].get("annotations") or {}
    default = any(annotations.get(key) == "true" for key in _DEFAULT_CLASS)
    return str(obj["metadata"]["name"]) + (" (default)" if default else "")


def driver_modes(obj: Json, _: datetime) -> str:
    """How a storage driver's volumes live."""
    return ",".join(dig(obj, "spec", "volumeLifecycleModes") or ()) or "<none>"


def _modes(modes: Iterable[str] | None) -> str:
    given = set(modes or ())
    return ",".join(short for mode, short in _MODES.items() if mode in given)
