"""How long ago something was, as ``kubectl`` says it: ``45s``, ``2m30s``, ``5d4h``.

Source: k8s.io/apimachinery/pkg/util/duration.
"""

from datetime import datetime, timedelta

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400


def human(span: timedelta) -> str:
    """A duration for people: two units at most, and the second only while it matters."""
    seconds = int(span.total_seconds())
    if seconds < -1:
        return "<invalid>"
    if seconds < 2 * MINUTE:
        return f"{max(seconds, 0)}s"
    # Until when a pair of units is used, and until when the larger one alone.
    for unit, name, part, part_name, both, alone in _STEPS:
        if seconds < both:
            rest = seconds % unit // part
            return f"{seconds // unit}{name}" + (f"{rest}{part_name}" if rest else "")
        if seconds < alone:
            return f"{seconds // unit}{name}"
    return f"{seconds // YEAR}y"


_STEPS = (
    (MINUTE, "m", 1, "s", 10 * MINUTE, 3 * HOUR),
    (HOUR, "h", MINUTE, "m", 8 * HOUR, 48 * HOUR),
    (DAY, "d", HOUR, "h", 8 * DAY, 2 * YEAR),
    (YEAR, "y", DAY, "d", 8 * YEAR, 8 * YEAR),
)


def since(text: str | None, now: datetime) -> str:
    """How long ago a time of an object was; ``<unknown>`` when there is none, ``<invalid>`` when it is no time."""
    if not text:
        return "<unknown>"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return "<invalid>"
    return human(now - moment)
