"""The part of JSONPath that printer columns use: ``.status.conditions[?(@.type=="Ready")].status``.

Source: Kubernetes documentation, "JSONPath Support". Scripts, slices and unions are not known.
"""

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

_STEP = re.compile(
    r"""\.?(?:
        \[\?\(@(?P<field>(?:\.[\w\-/]+|\['[^']+'\])+)\s*(?:(?P<operator>==|!=)\s*(?P<value>"[^"]*"|'[^']*'|[\w.\-]+))?\)\]
      | \[(?P<index>-?\d+)\]
      | \[(?P<all>\*)\]
      | \[(?P<quote>['"])(?P<quoted>(?:\\.|(?!(?P=quote)).)+)(?P=quote)\]
      | (?P<star>\*)
      | (?P<name>(?:\\.|[^.\[\]\\])+)
    )""",
    re.VERBOSE,
)

Step = Callable[[Any], list[Any]]


def find(path: str, obj: Any) -> list[Any]:
    """All values at a path; none when it leads nowhere.

    Raises:
        ValueError: The path is not understood.
    """
    values = [obj]
    for step in _steps(path):
        values = [found for value in values for found in step(value)]
    return values


@lru_cache(1024)
def _steps(path: str) -> tuple[Step, ...]:
    text = path.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    at, steps = 0, []
    while at < len(text) and text != ".":
        found = _STEP.match(text, at)
        if not found:
            raise ValueError(f"{path}: unrecognized at {text[at:]!r}")
        steps.append(_step(found))
        at = found.end()
    return tuple(steps)


def _step(found: re.Match[str]) -> Step:
    if found["field"]:
        return _filter(found["field"], found["operator"], found["value"])
    if found["all"] or found["star"]:
        return lambda value: list(value.values()) if isinstance(value, dict) else list(value or ())
    if found["index"]:
        return _item(int(found["index"]))
    name = re.sub(r"\\(.)", r"\1", found["quoted"] or found["name"])
    return lambda value: [value[name]] if isinstance(value, dict) and name in value else []


def _item(index: int) -> Step:
    def step(value: Any) -> list[Any]:
        return [value[index]] if isinstance(value, list) and -len(value) <= index < len(value) else []

    return step


def _filter(field: str, operator: str | None, literal: str | None) -> Step:
    wanted: Any = literal
    if literal is not None:
        quoted = literal[0] in "\"'"
        try:
            wanted = literal[1:-1] if quoted else json.loads(literal)
        except ValueError:
            wanted = literal

    def holds(item: Any) -> bool:
        values = find(field, item)
        if operator is None:
            return bool(values)
        return bool(values) and (values[0] == wanted) == (operator == "==")

    return lambda value: [item for item in value if holds(item)] if isinstance(value, list) else []
