"""Label and field selectors: text from a query becomes a predicate over an object.

Grammar: Kubernetes documentation, "Labels and Selectors" and "Field Selectors"; label selectors inside objects
(``matchLabels``, ``matchExpressions``) by the same rules.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from hallmark.twin.cluster.statuses import Refusal

Labels = Mapping[str, str]
Predicate = Callable[[dict[str, Any]], bool]

OUTSIDE_BRACKETS = re.compile(r",(?![^(]*\))")
KEY = r"[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?"
VALUE = r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
SET = re.compile(rf"(?P<key>{KEY})\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)")
COMPARED = re.compile(rf"(?P<key>{KEY})\s*(?P<operator>==|=|!=|>|<)\s*(?P<value>{VALUE})")
PRESENT = re.compile(rf"(?P<not>!?)\s*(?P<key>{KEY})")
UNESCAPED_COMMA = re.compile(r"(?<!\\),")
UNESCAPED = re.compile(r"(?<!\\)(==|!=|=)")


@lru_cache(maxsize=512)
def labels(text: str) -> Predicate | None:
    """The predicate of a label selector, None for one that selects everything.

    Raises:
        Refusal: It cannot be parsed.
    """
    if not text.strip():
        return None
    tests = [_label_test(part.strip(), text) for part in OUTSIDE_BRACKETS.split(text)]
    return lambda obj: _all(tests, obj["metadata"].get("labels") or {})


@lru_cache(maxsize=512)
def fields(text: str) -> Predicate | None:
    """The predicate of a field selector, None for one that selects everything.

    Any path of an object can be compared, not only those that the real server has an index for.

    Raises:
        Refusal: It cannot be parsed.
    """
    if not text.strip():
        return None
    return _both([_field_test(part, text) for part in UNESCAPED_COMMA.split(text)])


def both(one: Predicate | None, other: Predicate | None) -> Predicate | None:
    """Selected by one and by the other."""
    given = [predicate for predicate in (one, other) if predicate]
    return _both(given) if len(given) > 1 else next(iter(given), None)


def selects(selector: Mapping[str, Any] | None, of: Labels) -> bool:
    """Whether a label selector inside an object selects something with these labels; an absent one selects nothing."""
    if selector is None:
        return False
    matched = all(of.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return matched and all(_expression(one, of) for one in selector.get("matchExpressions") or ())


def text_of(selector: Mapping[str, Any]) -> str:
    """A label selector inside an object, as the text of a query."""
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for one in selector.get("matchExpressions") or ():
        key, values = one["key"], ",".join(sorted(one.get("values") or ()))
        written = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key}
        parts.append(written.get(one["operator"], f"!{key}"))
    return ",".join(parts)


def _both(predicates: list[Predicate]) -> Predicate:
    return lambda obj: all(predicate(obj) for predicate in predicates)


def _all(tests: list[Callable[[Labels], bool]], of: Labels) -> bool:
    return all(test(of) for test in tests)


def _label_test(part: str, text: str) -> Callable[[Labels], bool]:
    if found := SET.fullmatch(part):
        key, values = found["key"], frozenset(value.strip() for value in found["values"].split(","))
        if found["operator"] == "in":
            return lambda of: key in of and of[key] in values
        return lambda of: of.get(key) not in values
    if found := COMPARED.fullmatch(part):
        return _compared(found["key"], found["operator"], found["value"])
    if found := PRESENT.fullmatch(part):
        key, wanted = found["key"], not found["not"]
        return lambda of: (key in of) == wanted
    raise Refusal(400, f"unable to parse requirement: found '{part}' in '{text}'")


def _compared(key: str, operator: str, value: str) -> Callable[[Labels], bool]:
    if operator == "!=":
        return lambda of: of.get(key) != value
    if operator in {"=", "=="}:
        return lambda of: of.get(key) == value
    try:
        limit = int(value)
    except ValueError:
        raise Refusal(
            400, "unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer"
        ) from None
    return lambda of: _number_test(of.get(key, ""), operator, limit)


def _number_test(text: str, operator: str, limit: int) -> bool:
    if not re.fullmatch(r"-?\d+", text):
        return False
    return int(text) > limit if operator == ">" else int(text) < limit


def _expression(one: Mapping[str, Any], of: Labels) -> bool:
    key, values = one["key"], one.get("values") or ()
    match one["operator"]:
        case "In":
            return key in of and of[key] in values
        case "NotIn":
            return of.get(key) not in values
        case "Exists":
            return key in of
        case _:
            return key not in of


def _field_test(part: str, text: str) -> Predicate:
    pieces = UNESCAPED.split(part, maxsplit=1)
    if len(pieces) != 3:  # noqa: PLR2004 - path, operator, value
        raise Refusal(400, f"invalid selector: '{text}'; can't understand '{part}'")
    path, wanted = pieces[0].strip().split("."), re.sub(r"\\([\\,=])", r"\1", pieces[2])
    equal = pieces[1] != "!="
    return lambda obj: (_field_text(obj, path, wanted) == wanted) == equal


def _field_text(obj: Any, path: list[str], wanted: str) -> str:
    for step in path:
        obj = obj.get(step) if isinstance(obj, dict) else None
    if isinstance(obj, bool):
        return str(obj).lower()
    if obj is None:
        # What Go leaves out when it is false or zero is still compared as such.
        return wanted if wanted in {"false", "0"} else ""
    return str(obj)
