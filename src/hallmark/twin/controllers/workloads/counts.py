"""Numbers that may be written as a percentage, and how a rolling update reads them."""

import math
from collections.abc import Mapping
from typing import Any

IntOrPercent = int | str


def share(value: IntOrPercent, of: int, *, up: bool) -> int:
    """A number, or a percentage of *of* rounded up or down.

    Args:
        value: For example ``1`` or ``25%``.
        of: What 100 % is.
        up: Round up instead of down.
    """
    if isinstance(value, int):
        return value
    exact = int(value.rstrip("%")) * of
    return math.ceil(exact / 100) if up else exact // 100


def fenceposts(strategy: Mapping[str, Any], replicas: int) -> tuple[int, int]:
    """Read maxSurge and maxUnavailable of a rolling update as numbers. Both 0 would never move: one may be missing.

    Source: ``ResolveFenceposts`` in Kubernetes' deployment controller.
    """
    update = strategy.get("rollingUpdate") or {}
    surge = share(update.get("maxSurge", "25%"), replicas, up=True)
    unavailable = share(update.get("maxUnavailable", "25%"), replicas, up=False)
    return surge, max(unavailable, 0 if surge else 1)
