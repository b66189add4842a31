"""The kinds of patches a client may send: JSON patch (RFC 6902), merge patch (RFC 7386), strategic merge patch.

Each takes the object as it is and returns a new one that shares nothing with it.
"""

from typing import Any

from hallmark.twin.cluster.schema.definitions import Schema
from hallmark.twin.cluster.schema.errors import BadPatch
from hallmark.twin.cluster.schema.pointers import Pointer
from hallmark.twin.cluster.schema.strategic import merge_maps
from hallmark.twin.cluster.schema.values import Json, clone

__all__ = ["BadPatch", "json_patch", "merge", "strategic"]

LIMIT = 10_000
"""Operations a JSON patch may have, as in the real server."""


def json_patch(obj: Json, ops: Any) -> Json:
    """Apply a JSON patch.

    Args:
        obj: The object as it is.
        ops: List of operations, each with ``op``, ``path`` and what the operation needs.

    Raises:
        BadPatch: The patch is malformed, or an operation does not apply (``invalid`` is set then).
    """
    if not isinstance(ops, list) or not all(isinstance(each, dict) for each in ops):
        raise BadPatch("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    if len(ops) > LIMIT:
        raise BadPatch(f"The allowed maximum operations in a JSON patch is {LIMIT}, got {len(ops)}")
    root = {"": clone(obj)}
    for each in ops:
        _operate(root, each)
    result = root[""]
    if not isinstance(result, dict):
        raise BadPatch("json: cannot unmarshal into an object", invalid=True)
    return result


def _operate(root: Json, op: Json) -> None:
    name = op.get("op")
    if name not in _OPERATIONS:
        raise BadPatch(f"Unexpected kind: {name}", invalid=True)
    for need in _OPERATIONS[name]:
        if need not in op:
            raise BadPatch(f"{name} operation does not apply: the operation has no {need}", invalid=True)
    target = Pointer(str(op["path"]))
    if name == "test":
        target.test(root, op.get("value"))
    elif name == "add":
        target.add(root, clone(op["value"]))
    elif name == "replace":
        target.replace(root, clone(op["value"]))
    elif name == "remove":
        target.remove(root)
    elif name == "copy":
        target.add(root, clone(Pointer(str(op["from"])).get(root, "copy")))
    else:
        target.add(root, Pointer(str(op["from"])).remove(root, "move"))


_OPERATIONS: dict[Any, tuple[str, ...]] = {
    "test": ("path",),
    "add": ("path", "value"),
    "replace": ("path", "value"),
    "remove": ("path",),
    "copy": ("path", "from"),
    "move": ("path", "from"),
}


def merge(obj: Json, patch: Any) -> Json:
    """Apply a JSON merge patch: null deletes, objects are merged, everything else replaces.

    Raises:
        BadPatch: The patch is no object.
    """
    if not isinstance(patch, dict):
        raise BadPatch("json: cannot unmarshal into Go value of type map[string]interface {}")
    merged: Json = _merge(clone(obj), patch)
    return merged


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return clone(patch)
    if not isinstance(target, dict):
        target = {}
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = _merge(target.get(key), value)
    return target


def strategic(obj: Json, patch: Any, schema: Schema) -> Json:
    """Apply a strategic merge patch: lists are merged by the key the schema names.

    Args:
        obj: The object as it is.
        patch: The patch, with the directives ``$patch``, ``$retainKeys``, ``$setElementOrder/<field>`` and
            ``$deleteFromPrimitiveList/<field>``.
        schema: Schema of the kind; custom resources have no strategic merge patch.

    Raises:
        BadPatch: The patch is no object, or a directive is malformed.
    """
    if not isinstance(patch, dict):
        raise BadPatch("json: cannot unmarshal into Go value of type map[string]interface {}")
    return merge_maps(clone(obj), clone(patch), schema)
