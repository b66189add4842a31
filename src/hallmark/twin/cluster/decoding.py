"""From an object as it was sent to one that can be stored: what it may not say, what it leaves open, what is wrong."""

from typing import Any

from hallmark.twin.cluster import statuses
from hallmark.twin.cluster.calls import Call
from hallmark.twin.cluster.registry import Resource
from hallmark.twin.cluster.schema import defaults, definitions, validation
from hallmark.twin.cluster.statuses import Refusal

Json = dict[str, Any]


def decoded(call: Call, obj: Json) -> Json:
    """An object as sent, without what its schema does not know.

    Raises:
        Refusal: It is of another kind or version, a value is of the wrong type, or, if validation is strict, a field
            is unknown.
    """
    resource = call.resource
    _check_kind(resource, obj)
    found = validation.check(obj, resource.schema, custom=resource.custom)
    call.errors = found.errors
    what = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'
    if found.type_errors:
        raise Refusal(400, f"{what}: {found.type_errors[0]}")
    if not found.unknown:
        return obj
    if call.field_validation == "Strict":
        raise Refusal(400, f"{what}: strict decoding error: {', '.join(found.unknown)}")
    if call.field_validation == "Warn":
        call.warnings.extend(found.unknown)
    pruned: Json = validation.prune(obj, resource.schema)
    return pruned


def check_types(group: str, version: str, kind: str, obj: Json) -> Json:
    """An object that is not stored, such as options of a deletion, if each value in it is of the right type.

    Raises:
        Refusal: One is not.
    """
    schema = definitions.builtin(group, version, kind)
    found = validation.check(obj, schema, custom=False) if schema else validation.Findings()
    if found.type_errors:
        raise Refusal(400, f'{kind} in version "{version}" cannot be handled as a {kind}: {found.type_errors[0]}')
    return obj


def complete(resource: Resource, obj: Json) -> None:
    """Give an object its defaults, and the form in which it is stored, in place."""
    if not resource.custom:
        defaults.apply(obj["apiVersion"].rpartition("/")[0], resource.kind, obj)
    else:
        defaults.normalise(obj, resource.schema)
        defaults.fill(obj, resource.schema)


def check(call: Call, obj: Json, old: Json | None) -> None:
    """Refuse an object that is about to be stored if it is invalid.

    Args:
        call: The request, with what was found wrong while its object was decoded.
        obj: The object, complete.
        old: The object before, None for a new one.

    Raises:
        Refusal: It is invalid.
    """
    resource = call.resource
    errors = [*call.errors, *validation.semantic(resource.group, resource.kind, obj, old)]
    if errors:
        raise statuses.invalid(resource.group, resource.kind, obj["metadata"].get("name", ""), errors)
    call.warnings.extend(validation.warnings(resource.group, resource.kind, obj))


def _check_kind(resource: Resource, obj: Json) -> None:
    kind, version = obj.setdefault("kind", resource.kind), obj.setdefault("apiVersion", resource.api_version)
    if version != resource.api_version:
        message = (
            f"the API version in the data ({version}) does not match the expected API version ({resource.api_version})"
        )
        raise Refusal(400, message)
    if kind != resource.kind:
        raise Refusal(400, f"the kind in the data ({kind}) does not match the expected kind ({resource.kind})")
    metadata = obj.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        raise Refusal(400, f"{kind}.metadata of type ObjectMeta cannot be read from {type(metadata).__name__}")
    for name in ("name", "namespace", "generateName"):
        if not isinstance(metadata.get(name) or "", str):
            raise Refusal(400, f"json: cannot unmarshal into Go struct field ObjectMeta.metadata.{name} of type string")
