"""What sets of fields say about objects: which fields there are, what changed, what an apply makes of them.

Source: sigs.k8s.io/structured-merge-diff, package typed.
"""

import json
from collections.abc import Iterator
from typing import Any

from hallmark.twin.cluster.schema import defaults
from hallmark.twin.cluster.schema.definitions import ANY, Schema
from hallmark.twin.cluster.schema.fieldsets import MEMBER, FieldSet, is_member, node, words


def with_parents(fields: FieldSet, schema: Schema) -> FieldSet:
    """The set with each named field on the way to a member, too; keys of maps and items of lists are as they were."""
    result: FieldSet = {}
    for key, each in fields.items():
        if key != MEMBER:
            named = key.startswith("f:") and key[2:] in schema.fields
            result[key] = node(with_parents(each, _below(schema, key)), named or is_member(each))
    return result


def _below(schema: Schema, key: str) -> Schema:
    return schema.at(key[2:]) if key.startswith("f:") else schema.items


def of(value: Any, schema: Schema) -> FieldSet:
    """All fields of a value; what an apply of it would own."""
    if isinstance(value, dict) and not schema.atomic:
        result = {}
        for name, each in value.items():
            below = schema.at(name)
            children = of(each, below)
            member = _is_leaf(each, below) or name not in schema.fields
            if member or children:
                result[f"f:{name}"] = node(children, member)
        return result
    if isinstance(value, list) and not is_atomic_list(schema):
        return {item_key(each, schema): node(of(each, schema.items), member=True) for each in value}
    return {}


def _is_leaf(value: Any, schema: Schema) -> bool:
    if isinstance(value, dict):
        return schema.atomic or not value
    return not isinstance(value, list) or is_atomic_list(schema)


def is_atomic_list(schema: Schema) -> bool:
    """Whether a list belongs to one manager as a whole."""
    return schema.list_type not in ("map", "set")


def item_key(item: Any, schema: Schema) -> str:
    """How an item of a list is called in a set; a key that is missing has its default."""
    if schema.list_type == "set" or not isinstance(item, dict):
        return f"v:{json.dumps(item, separators=(',', ':'))}"
    found = {name: item.get(name, defaults.of(schema.items, name)) for name in sorted(schema.map_keys)}
    return "k:" + json.dumps({k: v for k, v in found.items() if v is not None}, separators=(",", ":"))


def compare(old: Any, new: Any, schema: Schema) -> tuple[FieldSet, FieldSet]:
    """What a write changed.

    Args:
        old: The value before; None when there was none.
        new: The value after; None when there is none.
        schema: What both are.

    Returns:
        Fields added or modified, and fields removed; the root is in neither.
    """
    changed: FieldSet = {}
    removed: FieldSet = {}
    if isinstance(old, dict) or isinstance(new, dict):
        pairs = _map_pairs(old, new, schema)
    else:
        pairs = _list_pairs(old, new, schema)
    for key, before, after, below in pairs:
        if before is after or (before == after and type(before) is type(after)):
            continue
        more, less = _compare_one(before, after, below)
        if more is not None:
            changed[key] = more
        if less is not None:
            removed[key] = less
    return changed, removed


def _compare_one(before: Any, after: Any, schema: Schema) -> tuple[FieldSet | None, FieldSet | None]:
    """Nodes for a pair of values that differ; None where there is nothing to tell."""
    if _both_leaves(before, after, schema):
        return (None, {}) if after is None else ({}, None)
    more, less = compare(before, after, schema)
    added, gone = before is None, after is None
    return node(more, added) if added or more else None, node(less, gone) if gone or less else None


Pair = tuple[str, Any, Any, Schema]


def _map_pairs(old: Any, new: Any, schema: Schema) -> Iterator[Pair]:
    before, after = (each if isinstance(each, dict) else {} for each in (old, new))
    present = isinstance(old, dict)
    for name in after.keys() | before.keys():
        below = schema.at(name)
        value = before.get(name)
        if value is None and present and name in after:
            value = _never_set(below)
        yield f"f:{name}", value, after.get(name), below


def _never_set(schema: Schema) -> Any:
    """What Go encodes for a field that was never set, so that filling it does not add it; None for nothing."""
    if schema.custom or schema.zero == "drop":
        return None
    if schema.type == "array" and not schema.zero:
        return []
    return defaults.zero(schema) if schema.zero == "keep" else None


def _list_pairs(old: Any, new: Any, schema: Schema) -> Iterator[Pair]:
    before, after = ({item_key(each, schema): each for each in side or ()} for side in (old, new))
    for key in [*after, *(key for key in before if key not in after)]:
        yield key, before.get(key), after.get(key), schema.items


def _both_leaves(before: Any, after: Any, schema: Schema) -> bool:
    """Whether the pair is compared as a whole: scalars, atomic values, and what is empty on both sides."""
    for each in (before, after):
        if isinstance(each, dict):
            return schema.atomic or not (before or after)
        if isinstance(each, list):
            return is_atomic_list(schema)
    return True


def remove(value: Any, fields: FieldSet, schema: Schema) -> Any:
    """Take the members of a set out of a value; it may be changed, and is returned."""
    if isinstance(value, dict):
        for key, each in fields.items():
            name = key[2:]
            if key != MEMBER and name in value:
                if is_member(each):
                    del value[name]
                else:
                    value[name] = remove(value[name], each, _below(schema, key))
        return value
    if isinstance(value, list) and not is_atomic_list(schema):
        pairs = [(each, fields.get(item_key(each, schema))) for each in value]
        kept = [(each, gone) for each, gone in pairs if gone is None or not is_member(gone)]
        return [remove(each, gone, schema.items) if gone else each for each, gone in kept]
    return value


def merge(live: Any, config: Any, schema: Schema = ANY) -> Any:
    """What an apply makes of the live value: the config's fields win, everything else stays."""
    if isinstance(live, dict) and isinstance(config, dict) and not schema.atomic:
        merged = {k: merge(live[k], v, schema.at(k)) if k in live else v for k, v in config.items()}
        return {**live, **merged}
    if isinstance(live, list) and isinstance(config, list) and not is_atomic_list(schema):
        return _merge_lists(live, config, schema)
    return config


def _merge_lists(live: list[Any], config: list[Any], schema: Schema) -> list[Any]:
    """Items of both: shared ones in the order of the config, others where they were.

    A live list may have an item twice, as variables of a container often are; the config replaces both.
    """
    ours = {item_key(each, schema): each for each in config}
    keys = [item_key(each, schema) for each in live]
    theirs = dict(zip(keys, live, strict=True))
    todo = list(ours)
    result = []
    for key, item in zip(keys, live, strict=True):
        if key not in ours:
            result.append(item)
        elif key in todo:
            upto = todo.index(key) + 1
            shared = ((theirs.get(each), ours[each]) for each in todo[:upto])
            result += [mine if other is None else merge(other, mine, schema.items) for other, mine in shared]
            del todo[:upto]
    return result + [ours[each] for each in todo]


def duplicates(value: Any, schema: Schema, path: str = "") -> Iterator[str]:
    """Items that a list names twice although their keys tell them apart, in the words of the real server."""
    if isinstance(value, dict) and not schema.atomic:
        for name, each in value.items():
            yield from duplicates(each, schema.at(name), f"{path}.{name}")
    elif isinstance(value, list) and not is_atomic_list(schema):
        seen = set()
        for each in value:
            key = item_key(each, schema)
            if key in seen:
                yield f"{path}: duplicate entries for key {words(key)}"
            seen.add(key)
            yield from duplicates(each, schema.items, path + words(key))
