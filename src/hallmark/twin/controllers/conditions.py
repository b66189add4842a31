"""Conditions in an object's status: found, and replaced without losing when they last changed."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from hallmark.twin.controllers.clock import written
from hallmark.twin.kube.kinds import Object

Condition = Mapping[str, Any]


def find(thing: Mapping[str, Any], type_: str) -> Condition | None:
    """The condition of this type, if the object has it."""
    return next((each for each in (thing.get("status") or {}).get("conditions") or [] if each["type"] == type_), None)


def holds(thing: Mapping[str, Any], type_: str) -> bool:
    """Whether a condition is there and True."""
    found = find(thing, type_)
    return found is not None and found["status"] == "True"


def make(type_: str, status: str, reason: str, message: str, now: datetime) -> Object:
    """A condition that begins now.

    Args:
        type_: For example ``Available``.
        status: ``True``, ``False`` or ``Unknown``.
        reason: One word in CamelCase.
        message: For people.
        now: The present moment.
    """
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": written(now),
    }


def put(conditions: Iterable[Condition], new: Condition) -> list[Condition]:
    """Put a condition among others, in its place; it keeps its transition time while its status stays."""
    others = list(conditions)
    for place, old in enumerate(others):
        if old["type"] == new["type"]:
            same = old["status"] == new["status"]
            others[place] = {**new, "lastTransitionTime": old["lastTransitionTime"]} if same else new
            return others
    return [*others, new]


def drop(conditions: Iterable[Condition], type_: str) -> list[Condition]:
    """Leave a condition out."""
    return [each for each in conditions if each["type"] != type_]
