"""Sets of fields in the form ``managedFields`` has (FieldsV1).

A set is a tree. ``f:<name>`` is a field or a key of a map, ``k:{...}`` an item of a list by its keys, ``v:<value>`` an
item of a list that is a set. A node without children is a member; one with children is a member when it has ``.``.
Source: sigs.k8s.io/structured-merge-diff, package fieldpath.
"""

import json
from collections.abc import Iterator
from typing import Any

FieldSet = dict[str, Any]

MEMBER = "."


def union(one: FieldSet, other: FieldSet) -> FieldSet:
    """Fields in one or the other."""
    result = dict(one)
    for key, theirs in other.items():
        mine = one.get(key)
        if mine is None:
            result[key] = theirs
        elif key != MEMBER:
            result[key] = node(union(_children(mine), _children(theirs)), is_member(mine) or is_member(theirs))
    return result


def difference(one: FieldSet, other: FieldSet) -> FieldSet:
    """Fields in the first that are not in the second."""
    result: FieldSet = {}
    for key, mine in one.items():
        theirs = other.get(key)
        if theirs is None:
            result[key] = mine
        elif key != MEMBER:
            children = difference(_children(mine), _children(theirs))
            member = is_member(mine) and not is_member(theirs)
            if member or children:
                result[key] = node(children, member)
    return result


def intersection(one: FieldSet, other: FieldSet) -> FieldSet:
    """Fields in both."""
    result: FieldSet = {}
    for key in one.keys() & other.keys() - {MEMBER}:
        children = intersection(_children(one[key]), _children(other[key]))
        member = is_member(one[key]) and is_member(other[key])
        if member or children:
            result[key] = node(children, member)
    return result


def is_member(one: FieldSet) -> bool:
    """Whether a node itself is in the set, beside what is below it."""
    return not one or MEMBER in one


def _children(one: FieldSet) -> FieldSet:
    return {key: each for key, each in one.items() if key != MEMBER} if MEMBER in one else one


def node(children: FieldSet, member: bool) -> FieldSet:  # noqa: FBT001 - a pair of facts, not an option
    """A node with children, which is in the set itself or is not."""
    return {MEMBER: {}, **children} if member and children else children


def paths(fields: FieldSet, before: str = "") -> Iterator[str]:
    """Members in the words of conflicts, such as ``.spec.containers[name="web"].image``."""
    for key in sorted(fields, key=lambda key: (bool(fields[key]), key)):
        if key != MEMBER:
            path = before + words(key)
            if is_member(fields[key]):
                yield path
            yield from paths(fields[key], path)


def words(key: str) -> str:
    """One step of a path in the words of conflicts."""
    kind, _, rest = key.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "k":
        return "[" + ",".join(f"{name}={json.dumps(value)}" for name, value in json.loads(rest).items()) + "]"
    return f"[={rest}]"
