"""Moments as the Kubernetes API writes them; controllers are given the clock, so that tests decide the time."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Tells the present moment, in UTC."""


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def written(moment: datetime) -> str:
    """Write a moment: RFC 3339, whole seconds, UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def read(text: str) -> datetime:
    """Read a moment, with or without a fraction of a second."""
    return datetime.fromisoformat(text)


def seconds_since(text: str | None, moment: datetime) -> float:
    """Seconds from a written moment to *moment*; an absent one counts as now."""
    return (moment - read(text)).total_seconds() if text else 0.0
