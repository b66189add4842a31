"""Volumes, claims and their classes, ConfigMaps and Secrets.

Source: pkg/apis/core/validation and pkg/apis/storage/validation of Kubernetes.
"""

from collections.abc import Iterator

from hallmark.twin.cluster.schema import quantities, words
from hallmark.twin.cluster.schema.rules import names
from hallmark.twin.cluster.schema.values import Json, dig

_CLAIM = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
_FROZEN = "field is immutable when `immutable` is set"
_LARGEST = 1024 * 1024
"""Bytes a ConfigMap's or a Secret's data may have."""
_NEEDS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
"""Keys that Secrets of a type have."""
_NO_SOURCE = frozenset(
    {
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    }
)


def claim(obj: Json, old: Json | None) -> Iterator[str]:
    """A claim; it can only grow."""
    spec = obj.get("spec") or {}
    if not spec.get("accessModes"):
        yield words.required("spec.accessModes", "at least 1 access mode is required")
    storage = dig(spec, "resources", "requests", "storage")
    if storage is None:
        yield words.required("spec.resources[storage]")
    elif quantities.of(storage) <= 0:
        yield words.invalid("spec.resources[storage]", storage, "must be greater than zero")
    if old is not None:
        yield from _claim_update(spec, old)


def _claim_update(spec: Json, old: Json) -> Iterator[str]:
    before = old.get("spec") or {}
    # A binder names the volume, and a claim that waited for a default class gets one.
    free = {field for field in ("volumeName", "storageClassName") if not before.get(field)}
    if dig(old, "status", "phase") == "Bound":
        free |= {"resources", "volumeAttributesClassName"}
    if any(spec.get(field) != before.get(field) for field in (spec.keys() | before.keys()) - free):
        yield words.forbidden("spec", _CLAIM)
        return
    wanted, had, has = (
        quantities.of(dig(*path, "storage"))
        for path in (
            (spec, "resources", "requests"),
            (before, "resources", "requests"),
            (old, "status", "capacity"),
        )
    )
    if wanted < had and wanted < has:
        yield words.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")


def volume(obj: Json, old: Json | None) -> Iterator[str]:
    """A volume; where it is stays."""
    spec = obj.get("spec") or {}
    if not spec.get("accessModes"):
        yield words.required("spec.accessModes")
    if not spec.get("capacity"):
        yield words.required("spec.capacity")
    elif "storage" not in spec["capacity"]:
        yield words.unsupported("spec.capacity", spec["capacity"], ["storage"])
    sources = spec.keys() - _NO_SOURCE
    if not sources:
        yield words.required("spec", "must specify a volume type")
    before = (old or {}).get("spec") or {}
    if old is not None and any(spec.get(each) != before.get(each) for each in sources | (before.keys() - _NO_SOURCE)):
        yield words.forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation")


def storage_class(obj: Json, old: Json | None) -> Iterator[str]:
    """A storage class; nothing that volumes are made from changes."""
    if old is None:
        return
    for field in ("parameters", "provisioner", "reclaimPolicy"):
        if obj.get(field) != old.get(field):
            yield words.forbidden(field, f"updates to {field} are forbidden.")
    yield from words.unchanged("volumeBindingMode", obj.get("volumeBindingMode"), old.get("volumeBindingMode"))


def config_map(obj: Json, old: Json | None) -> Iterator[str]:
    """A ConfigMap."""
    yield from _data(obj, old, ("data", "binaryData"))


def secret(obj: Json, old: Json | None) -> Iterator[str]:
    """A Secret, with the keys its type asks for."""
    yield from _data(obj, old, ("data",))
    data = obj.get("data") or {}
    yield from (words.required(f"data[{key}]") for key in _NEEDS.get(obj.get("type", ""), ()) if key not in data)
    if old is not None:
        yield from words.unchanged("type", obj.get("type"), old.get("type"))


def _data(obj: Json, old: Json | None, fields: tuple[str, ...]) -> Iterator[str]:
    for field in fields:
        for key in obj.get(field) or ():
            yield from (words.invalid(f"{field}[{key}]", key, why) for why in names.config_key(key))
    size = sum(len(value or "") for field in fields for value in (obj.get(field) or {}).values())
    if size > _LARGEST:
        yield f"{'' if len(fields) > 1 else 'data'}: Too long: may not be more than {_LARGEST} bytes"
    if old is not None and old.get("immutable"):
        if not obj.get("immutable"):
            yield words.forbidden("immutable", _FROZEN)
        changed = (field for field in fields if (obj.get(field) or {}) != (old.get(field) or {}))
        yield from (words.forbidden(field, _FROZEN) for field in changed)
