"""Cells that many resources have, and how values are written in them.

Source: pkg/printers/internalversion/printers.go of Kubernetes.
"""

import json
from datetime import datetime
from typing import Any

from hallmark.twin.cluster.schema import durations
from hallmark.twin.cluster.schema.values import Json

_SHOWN = 3
"""How many of several hosts or addresses are shown."""


def text(value: Any) -> str:
    """A value in a cell; lists and objects as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))


def age(obj: Json, now: datetime) -> str:
    """How long ago it was created."""
    return durations.since(obj["metadata"].get("creationTimestamp"), now)


def created(obj: Json, _: datetime) -> str | None:
    """When it was created."""
    when: str | None = obj["metadata"].get("creationTimestamp")
    return when


def few(values: list[str], total: int) -> str:
    """Some of several hosts or addresses, and how many more there are."""
    more = f" + {total - _SHOWN} more..." if total > _SHOWN and len(values) >= _SHOWN else ""
    return ",".join(values[:_SHOWN]) + more


def labels(found: Json | None) -> str:
    """Labels as ``a=b,c=d``."""
    return ",".join(f"{key}={value}" for key, value in sorted((found or {}).items())) or "<none>"


def selector_text(found: Json | None) -> str:
    """A selector in the words of ``kubectl -l``; a plain map of labels is one, too."""
    if not found:
        return "<none>"
    if not found.keys() & {"matchLabels", "matchExpressions"}:
        return labels(found)
    parts = [(key, f"{key}={value}") for key, value in (found.get("matchLabels") or {}).items()]
    parts += [(each["key"], _expression(each)) for each in found.get("matchExpressions") or ()]
    return ",".join(words for _, words in sorted(parts)) or "<none>"


def _expression(each: Json) -> str:
    key, values = each["key"], ",".join(sorted(each.get("values") or ()))
    words = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "DoesNotExist": f"!{key}"}
    return words.get(each.get("operator", ""), str(key))
