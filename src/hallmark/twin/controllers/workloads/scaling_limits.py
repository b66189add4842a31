"""How far an autoscaler may go at once: bounds, stabilization and rates; pure functions.

Source: "Configurable scaling behavior" in the Kubernetes documentation of the HorizontalPodAutoscaler.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Pods", "value": 4, "periodSeconds": 15},
            {"type": "Percent", "value": 100, "periodSeconds": 15},
        ],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 300,
        "selectPolicy": "Max",
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    },
}


@dataclass
class Past:
    """What an autoscaler remembers; lost when the process ends, as in Kubernetes.

    Attributes:
        wishes: Moments and how many replicas the metrics asked for.
        changes: Moments and by how many replicas the target was changed.
    """

    wishes: list[tuple[datetime, int]] = field(default_factory=list)
    changes: list[tuple[datetime, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Limited:
    """What is left of a wish.

    Attributes:
        replicas: How many there should be.
        able: Reason and message of the condition ``AbleToScale``.
        limited: Status, reason and message of the condition ``ScalingLimited``.
    """

    replicas: int
    able: tuple[str, str]
    limited: tuple[str, str, str]


def limit(spec: Mapping[str, Any], replicas: int, wish: int, past: Past, moment: datetime) -> Limited:
    """Apply stabilization, rates and bounds to a wish, and remember it.

    Args:
        spec: Spec of the autoscaler.
        replicas: How many there are.
        wish: How many the metrics ask for.
        past: What happened before; gets the wish added.
        moment: The present moment.
    """
    # What was there before the first look counts as a wish: an autoscaler that begins does not shrink at once.
    past.wishes = [each for each in past.wishes if moment - each[0] < timedelta(hours=1)] or [(moment, replicas)]
    past.wishes.append((moment, wish))
    calm = _stabilized(spec, replicas, past, moment)
    able = ("ReadyForNewScale", "recommended size matches current size")
    if calm != wish:
        word = "ScaleDownStabilized" if calm > wish else "ScaleUpStabilized"
        which = ("higher", "highest") if calm > wish else ("lower", "lowest")
        able = (
            word,
            f"recent recommendations were {which[0]} than current one, applying the {which[1]} recent recommendation",
        )
    allowed, limited = _bounded(spec, replicas, calm, past, moment)
    return Limited(allowed, able, limited)


def _stabilized(spec: Mapping[str, Any], replicas: int, past: Past, moment: datetime) -> int:
    up = _recent(past.wishes, _rules(spec, "scaleUp")["stabilizationWindowSeconds"], moment)
    down = _recent(past.wishes, _rules(spec, "scaleDown")["stabilizationWindowSeconds"], moment)
    return min(max(replicas, min(up)), max(down))


def _bounded(
    spec: Mapping[str, Any], replicas: int, wish: int, past: Past, moment: datetime
) -> tuple[int, tuple[str, str, str]]:
    least, most = spec.get("minReplicas", 1), spec["maxReplicas"]
    fastest = _up_to(spec, replicas, past, moment) if wish > replicas else most
    slowest = _down_to(spec, replicas, past, moment) if wish < replicas else least
    if wish > min(fastest, most):
        if most <= fastest:
            return most, ("True", "TooManyReplicas", "the desired replica count is more than the maximum replica count")
        message = "the desired replica count is increasing faster than the maximum scale rate"
        return max(fastest, replicas), ("True", "ScaleUpLimit", message)
    if wish < max(slowest, least):
        if least >= slowest:
            return least, ("True", "TooFewReplicas", "the desired replica count is less than the minimum replica count")
        message = "the desired replica count is decreasing faster than the maximum scale rate"
        return min(slowest, replicas), ("True", "ScaleDownLimit", message)
    return wish, ("False", "DesiredWithinRange", "the desired count is within the acceptable range")


def _up_to(spec: Mapping[str, Any], replicas: int, past: Past, moment: datetime) -> int:
    def reach(policy: Mapping[str, Any]) -> int:
        added = sum(change for _, change in _within(past.changes, policy, moment) if change > 0)
        start: int = replicas - added
        return (
            start + int(policy["value"]) if policy["type"] == "Pods" else math.ceil(start * (1 + policy["value"] / 100))
        )

    return _selected(_rules(spec, "scaleUp"), reach, replicas, farthest=max, nearest=min)


def _down_to(spec: Mapping[str, Any], replicas: int, past: Past, moment: datetime) -> int:
    def reach(policy: Mapping[str, Any]) -> int:
        removed = -sum(change for _, change in _within(past.changes, policy, moment) if change < 0)
        start = replicas + removed
        return start - policy["value"] if policy["type"] == "Pods" else int(start * (1 - policy["value"] / 100))

    return _selected(_rules(spec, "scaleDown"), reach, replicas, farthest=min, nearest=max)


def _selected(
    rules: Mapping[str, Any],
    reach: Callable[[Mapping[str, Any]], int],
    replicas: int,
    *,
    farthest: Callable[[Iterable[int]], int],
    nearest: Callable[[Iterable[int]], int],
) -> int:
    if rules["selectPolicy"] == "Disabled":
        return replicas
    choose = nearest if rules["selectPolicy"] == "Min" else farthest
    return choose([reach(each) for each in rules["policies"]])


def _rules(spec: Mapping[str, Any], way: str) -> Mapping[str, Any]:
    given = {name: value for name, value in ((spec.get("behavior") or {}).get(way) or {}).items() if value is not None}
    return {**DEFAULTS[way], **given}


def _recent(wishes: Sequence[tuple[datetime, int]], seconds: int, moment: datetime) -> list[int]:
    return [wish for when, wish in wishes[:-1] if (moment - when).total_seconds() < seconds] + [wishes[-1][1]]


def _within(
    changes: Iterable[tuple[datetime, int]], policy: Mapping[str, Any], moment: datetime
) -> list[tuple[datetime, int]]:
    return [each for each in changes if (moment - each[0]).total_seconds() < policy["periodSeconds"]]
