"""Errors of fields, worded as the real server words them.

Source: k8s.io/apimachinery/pkg/util/validation/field. Texts are quoted, everything else is shown as JSON.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

IMMUTABLE = "field is immutable"
NOT_NEGATIVE = "must be greater than or equal to 0"


def invalid(path: str, value: Any, why: str) -> str:
    """The value is wrong."""
    return f"{path}: Invalid value: {json.dumps(value, separators=(',', ':'), sort_keys=True)}: {why}"


def required(path: str, why: str = "") -> str:
    """There is no value, and there has to be one."""
    return f"{path}: Required value" + (f": {why}" if why else "")


def forbidden(path: str, why: str) -> str:
    """There must be no value, or no other one."""
    return f"{path}: Forbidden: {why}"


def duplicate(path: str, value: Any) -> str:
    """The value is there already."""
    return f"{path}: Duplicate value: {json.dumps(value, separators=(',', ':'))}"


def not_found(path: str, value: str) -> str:
    """The value refers to something that does not exist."""
    return f"{path}: Not found: {json.dumps(value)}"


def unsupported(path: str, value: Any, allowed: Iterable[Any]) -> str:
    """The value is none of the allowed ones."""
    return f"{path}: Unsupported value: {json.dumps(value)}: supported values: {', '.join(map(json.dumps, allowed))}"


def unchanged(path: str, new: Any, old: Any, why: str = IMMUTABLE) -> Iterator[str]:
    """The value must stay what it was."""
    if new != old:
        yield invalid(path, new, why)


def not_negative(path: str, value: Any) -> Iterator[str]:
    """A number must not be below zero; no number is none of our business."""
    if isinstance(value, int) and value < 0:
        yield invalid(path, value, NOT_NEGATIVE)


def repeated(paths: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """Each value but the first of its kind, with its place."""
    seen: set[Any] = set()
    for path, value in paths:
        if value in seen:
            yield duplicate(path, value)
        seen.add(value)
