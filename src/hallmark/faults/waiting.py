"""Waiting for a condition: the one place of the engine that sleeps."""

import time
from collections.abc import Callable


def eventually(condition: Callable[[], bool], seconds: float, pause: float = 0.5) -> bool:
    """Ask *condition* until it holds.

    Args:
        condition: Cheap, and safe to ask often.
        seconds: Give up after this long.
        pause: Seconds between two tries.

    Returns:
        Whether it came to hold in time.
    """
    until = time.monotonic() + seconds
    while not condition():
        left = until - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(pause, left))
    return True
