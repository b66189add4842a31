"""Strategic merge patches, after k8s.io/apimachinery/pkg/util/strategicpatch.

Functions change the first argument and may keep parts of the second: callers hand in copies.
"""

import json
from collections.abc import Callable
from typing import Any

from hallmark.twin.cluster.schema.definitions import Schema
from hallmark.twin.cluster.schema.errors import BadPatch
from hallmark.twin.cluster.schema.values import Json

DIRECTIVE = "$patch"
RETAIN = "$retainKeys"
ORDER = "$setElementOrder/"
DELETE = "$deleteFromPrimitiveList/"


def merge_maps(original: Json, patch: Json, schema: Schema) -> Json:
    """Merge a patch into an object.

    Args:
        original: The object; it is changed.
        patch: The patch, directives included.
        schema: Schema of the object.

    Raises:
        BadPatch: A directive is malformed.
    """
    directive = patch.pop(DIRECTIVE, "merge")
    if directive == "replace":
        replaced: Json = without_directives(patch)
        return replaced
    if directive == "delete":
        return {}
    if directive != "merge":
        raise BadPatch(f"Unknown patch type found: {directive}")
    _retain(original, patch)
    orders = {key.removeprefix(ORDER): patch.pop(key) for key in [*patch] if key.startswith(ORDER)}
    server = {key: list(original.get(key) or ()) for key in orders}
    for key in [key for key in patch if key.startswith(DELETE)]:
        _delete(original, key.removeprefix(DELETE), patch.pop(key))
    for key, value in patch.items():
        _merge_field(original, key, value, schema.at(key))
    for key, order in orders.items():
        if isinstance(original.get(key), list):
            original[key] = _in_order(original[key], order, server[key], schema.at(key).merge_key)
    return original


def without_directives(value: Any) -> Any:
    """What of a patch is left where there was nothing to merge it with."""
    if isinstance(value, dict):
        return {k: without_directives(v) for k, v in value.items() if v is not None and not k.startswith("$")}
    if isinstance(value, list):
        return [without_directives(each) for each in value if not _is_deletion(each)]
    return value


def _is_deletion(item: Any) -> bool:
    return isinstance(item, dict) and DIRECTIVE in item and item[DIRECTIVE] != "merge"


def _retain(original: Json, patch: Json) -> None:
    if RETAIN not in patch:
        return
    kept = patch.pop(RETAIN)
    if not isinstance(kept, list) or not {key for key in patch if not key.startswith("$")} <= {*map(str, kept)}:
        raise BadPatch(f"{RETAIN} does not list the fields of the patch: {kept}")
    for key in [key for key in original if key not in kept]:
        del original[key]


def _delete(original: Json, key: str, gone: Any) -> None:
    if not isinstance(gone, list):
        raise BadPatch(f"{DELETE}{key} is not a list")
    if isinstance(original.get(key), list):
        original[key] = [each for each in original[key] if each not in gone]


def _merge_field(original: Json, key: str, value: Any, schema: Schema) -> None:
    if value is None:
        original.pop(key, None)
        return
    present = original.get(key)
    if isinstance(value, dict) and isinstance(present, dict) and "replace" not in schema.patch_strategy:
        original[key] = merge_maps(present, value, schema)
    elif isinstance(value, list) and isinstance(present, list) and "merge" in schema.patch_strategy:
        original[key] = _merge_lists(present, value, schema)
    else:
        original[key] = without_directives(value)


def _merge_lists(original: list[Any], patch: list[Any], schema: Schema) -> list[Any]:
    if not any(isinstance(each, dict) for each in [*original, *patch]):
        merged = list(dict.fromkeys([*original, *patch]))
        return _in_order(merged, patch, original, "")
    key = schema.merge_key
    if not key or not all(isinstance(each, dict) for each in [*original, *patch]):
        raise BadPatch("Cannot merge lists of different kinds of items, or without a merge key")
    if any(each.get(DIRECTIVE) == "replace" for each in patch):
        return [without_directives(each) for each in patch if DIRECTIVE not in each]
    for each in patch:
        if key not in each:
            raise BadPatch(f"map: {_go_map(each)} does not contain declared merge key: {key}")
    gone = [each[key] for each in patch if each.get(DIRECTIVE) == "delete"]
    kept = [each for each in original if each.get(key) not in gone]
    changes = [each for each in patch if each.get(DIRECTIVE) != "delete"]
    return _in_order(_merge_items(kept, changes, key, schema.items), changes, original, key)


def _merge_items(items: list[Json], changes: list[Json], key: str, schema: Schema) -> list[Json]:
    merged = list(items)
    for change in changes:
        found = next((i for i, each in enumerate(merged) if each.get(key) == change[key]), None)
        if found is None:
            merged.append(without_directives(change))
        else:
            merged[found] = merge_maps(merged[found], change, schema)
    return merged


def _in_order(merged: list[Any], wanted: list[Any], server: list[Any], key: str) -> list[Any]:
    """Items the patch names in its order, the others in the server's, interleaved as the server had them.

    What is new to the server comes before the others.

    Source: normalizeElementOrder and mergeSortedSlice of the real implementation.
    """
    identity: Callable[[Any], Any] = (lambda each: each.get(key)) if key else (lambda each: each)
    wishes = [identity(each) for each in wanted]
    positions = {json.dumps(identity(each)): i for i, each in reversed([*enumerate(server)])}
    named = sorted((e for e in merged if identity(e) in wishes), key=lambda each: wishes.index(identity(each)))
    others = [each for each in merged if identity(each) not in wishes]
    result: list[Any] = []
    while named and others:
        first, second = (positions.get(json.dumps(identity(side[0]))) for side in (named, others))
        after = first is not None and second is not None and second < first
        result.append((others if after else named).pop(0))
    return result + named + others


def _go_map(value: Json) -> str:
    return "map[" + " ".join(f"{key}:{value[key]}" for key in sorted(value)) + "]"
