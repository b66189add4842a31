"""JSON values: what they are in Python, copies that are quick, and places inside them."""

from typing import Any, TypeVar

Json = dict[str, Any]
Value = TypeVar("Value")

TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}
"""What a schema calls a type. To Python a truth value is an integer, too: who asks looks for those first."""


def clone(value: Value) -> Value:
    """A copy that shares nothing with the original; for JSON values only, several times quicker than deepcopy."""
    return _clone(value)  # type: ignore[no-any-return]  # what comes in comes out


def _clone(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        return {key: _clone(each) if type(each) in _NESTED else each for key, each in value.items()}
    if kind is list:
        return [_clone(each) if type(each) in _NESTED else each for each in value]
    return value


_NESTED = frozenset((dict, list))


def dig(value: Any, *path: str) -> Any:
    """What is below the named keys, one after the other; None when a part of the way is missing."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
