"""The one place that sleeps: asking until a condition holds."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], seconds: float, pause: float = 0.05, growth: float = 1.0) -> T:
    """Ask again and again until the answer is true, or time is up; return the last answer.

    Args:
        condition: Cheap, and safe to ask often; its answer counts as a truth value.
        seconds: When to give up.
        pause: Seconds between two questions.
        growth: How many times as long each pause is as the one before: asking others, be patient with them.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()) and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(pause, left))
        pause *= growth
    return answer
