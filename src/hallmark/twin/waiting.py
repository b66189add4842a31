"""The one place where the twin waits."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], seconds: float, pause: float = 0.05) -> T:
    """Ask again and again until the answer is true, or time is up; return the last answer.

    Args:
        condition: What to ask; its answer counts as a truth value.
        seconds: When to give up.
        pause: Seconds between two questions.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()) and time.monotonic() < deadline:
        time.sleep(pause)
    return answer
