"""Schemas of the API's kinds: those Kubernetes publishes and those a CustomResourceDefinition brings.

A schema is resolved node by node when something asks for it, and each node once: an object's own few fields are
looked at, not the whole of what its kind could have.
"""

import gzip
import json
import re
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data"

Json = dict[str, Any]

_OPAQUE = {
    "apimachinery.pkg.runtime.RawExtension",
    "apimachinery.pkg.apis.meta.v1.FieldsV1",
    "apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON",
}
"""Types that take any JSON, whatever their definition says."""
_COMMON: dict[str, Json] = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"$ref": "apimachinery.pkg.apis.meta.v1.ObjectMeta"},
}


class Schema:
    """One node of a schema: what is known about the value at one place of an object.

    Args:
        raw: The node as published. ``$ref`` names a definition of Kubernetes; keys beside it win over its own.
        custom: It comes from a CustomResourceDefinition.

    Attributes:
        raw: The node, without ``$ref``.
        name: Name of the definition it refers to, without its package; empty for a node of its own.
        type: ``object``, ``array``, ``string``, ``integer``, ``number``, ``boolean``, ``quantity``, ``int-or-string``
            or ``any``.
        list_type: ``atomic``, ``set`` or ``map``.
        map_keys: Fields that identify an item of a list of type ``map``.
        atomic: A map that belongs to one manager as a whole.
        zero: What Go does with an empty value: ``drop`` it, ``keep`` it even when nobody set it, empty for neither.
    """

    def __init__(self, raw: Mapping[str, Any], *, custom: bool = False) -> None:
        self.custom = custom
        self.definition = str(raw.get("$ref", ""))
        own = {key: value for key, value in raw.items() if key != "$ref"}
        self.raw: Mapping[str, Any] = {**_definitions()[self.definition], **own} if self.definition else own
        self.name = self.definition.rpartition(".")[2]
        self.type = _type(self.raw, self.definition)
        self.zero = str(self.raw.get("x-zero", ""))
        self.list_type = str(self.raw.get("x-kubernetes-list-type", "atomic"))
        self.map_keys = tuple(self.raw.get("x-kubernetes-list-map-keys", ()))
        self.atomic = self.raw.get("x-kubernetes-map-type") == "atomic"
        self.preserves = bool(self.raw.get("x-kubernetes-preserve-unknown-fields"))
        self.patch_strategy = frozenset(str(self.raw.get("x-kubernetes-patch-strategy", "")).split(","))
        self.merge_key = str(self.raw.get("x-kubernetes-patch-merge-key", ""))
        self.required = tuple(self.raw.get("required", ()))
        self.enum = tuple(self.raw.get("enum", ()))

    def __repr__(self) -> str:
        return f"Schema({self.name or self.type})"

    @cached_property
    def fields(self) -> Mapping[str, "Schema"]:
        """Named fields of an object; empty when it has none, or when only its values' type is known."""
        if self.definition:
            return _fields(self.definition)
        return _properties(self.raw, custom=self.custom)

    @cached_property
    def items(self) -> "Schema":
        """What each item of an array is."""
        raw = self.raw.get("items")
        return Schema(raw, custom=self.custom) if isinstance(raw, Mapping) else ANY

    @cached_property
    def values(self) -> "Schema | None":
        """What each value of a map is; None when it is no map."""
        raw = self.raw.get("additionalProperties")
        if isinstance(raw, Mapping):
            return Schema(raw, custom=self.custom)
        return ANY if raw is True else None

    @cached_property
    def is_open(self) -> bool:
        """Whether fields beside the named ones are welcome."""
        if self.preserves or self.type == "any":
            return True
        return not self.custom and not self.fields and self.values is None

    def at(self, key: str) -> "Schema":
        """What is below a field or a key of a map; a node that takes anything when nothing is known."""
        return self.fields.get(key) or self.values or ANY


def builtin(group: str, version: str, kind: str) -> Schema | None:
    """Schema of a kind that Kubernetes serves by itself.

    Args:
        group: API group, empty for the core group.
        version: Version of the group.
        kind: Kind, lists included (``PodList``).

    Returns:
        The schema; None when Kubernetes has no such kind.
    """
    name = _kinds().get((group, version, kind))
    return _node(name) if name else None


def custom(open_api_v3_schema: Mapping[str, Any]) -> Schema:
    """Schema of a custom resource; metadata, kind and version are as in every object.

    Args:
        open_api_v3_schema: ``spec.versions[].schema.openAPIV3Schema`` of the CustomResourceDefinition.
    """
    properties = {**open_api_v3_schema.get("properties", {}), **_COMMON}
    return Schema({"type": "object", **open_api_v3_schema, "properties": properties}, custom=True)


@cache
def discovery() -> list[Json]:
    """Resources Kubernetes serves by itself.

    Returns:
        Per resource: group, version, resource (its plural), singular, kind, namespaced, verbs, shortNames, categories
        and subresources, each with name, kind, group, version and verbs. The list is shared: do not change it.
    """
    resources: list[Json] = load("discovery")
    return resources


def definition(name: str) -> Mapping[str, Any]:
    """A definition as it is stored, with ``$ref`` to others by their full names."""
    return _definitions()[name]


def load(name: str) -> Any:
    """Read one of the data files."""
    return json.loads(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()))


@cache
def _definitions() -> dict[str, Json]:
    definitions: dict[str, Json] = load("definitions")
    return definitions


@cache
def _kinds() -> dict[tuple[str, str, str], str]:
    return {
        (each["group"], each["version"], each["kind"]): name
        for name, body in _definitions().items()
        for each in body.get("x-kubernetes-group-version-kind", ())
    }


@cache
def _node(name: str) -> Schema:
    return Schema({"$ref": name})


@cache
def _fields(name: str) -> Mapping[str, Schema]:
    # Shared by every place that refers to the definition, so that each of its fields is resolved once.
    return _properties(_definitions()[name], custom=False)


def _properties(raw: Mapping[str, Any], *, custom: bool) -> Mapping[str, Schema]:
    found = {name: Schema(each, custom=custom) for name, each in raw.get("properties", {}).items()}
    return {**found, **_common()} if raw.get("x-kubernetes-embedded-resource") else found


@cache
def _common() -> Mapping[str, Schema]:
    """Fields of every object."""
    return {name: Schema(raw) for name, raw in _COMMON.items()}


def _type(raw: Mapping[str, Any], definition: str) -> str:
    if definition.endswith(".Quantity"):
        return "quantity"
    if definition in _OPAQUE:
        return "any"
    if definition.endswith(".IntOrString") or raw.get("x-kubernetes-int-or-string"):
        return "int-or-string"
    declared = str(raw.get("type", ""))
    if declared:
        return declared
    return "object" if re.search("properties", " ".join(raw), re.IGNORECASE) else "any"


ANY = Schema({}, custom=True)
"""A node about which nothing is known: it takes everything, as a whole."""
