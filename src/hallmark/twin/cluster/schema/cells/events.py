"""Cells of events, in either of their two forms.

Source: pkg/printers/internalversion/printers.go of Kubernetes.
"""

from datetime import datetime
from typing import Any

from hallmark.twin.cluster.schema import durations
from hallmark.twin.cluster.schema.values import Json, dig


def first_seen(obj: Json, now: datetime) -> str:
    """When it happened first."""
    return durations.since(_first(obj, "firstTimestamp", "deprecatedFirstTimestamp", "eventTime"), now)


def last_seen(obj: Json, now: datetime) -> str:
    """When it happened last."""
    series = dig(obj, "series", "lastObservedTime")
    last = series or _first(obj, "lastTimestamp", "deprecatedLastTimestamp")
    return durations.since(last, now) if last else first_seen(obj, now)


def count(obj: Json, _: datetime) -> int:
    """How often it happened."""
    return int(dig(obj, "series", "count") or _first(obj, "count", "deprecatedCount") or 1)


def subject(obj: Json, _: datetime) -> str:
    """What it happened to."""
    ref = _first(obj, "involvedObject", "regarding") or {}
    kind = ref.get("kind", "").lower()
    return f"{kind}/{ref['name']}" if ref.get("name") else kind


def source(obj: Json, _: datetime) -> str:
    """Who tells of it."""
    source = _first(obj, "source", "deprecatedSource") or {}
    component = source.get("component") or _first(obj, "reportingComponent", "reportingController") or ""
    host = source.get("host") or obj.get("reportingInstance") or ""
    return f"{component}, {host}" if host else component


def message(obj: Json, _: datetime) -> str:
    """What happened."""
    return str(_first(obj, "message", "note") or "").strip()


def _first(obj: Json, *names: str) -> Any:
    return next((obj[name] for name in names if obj.get(name)), None)
