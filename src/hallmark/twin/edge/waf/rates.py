"""How often somebody asked within a window of time.

WAF estimates, and notices within half a minute (developer guide, "Rate-based rule caveats"); here it is exact and at
once. What is counted begins anew when the rule is changed, there and here.
"""

import time
from collections import deque
from collections.abc import Callable, Hashable

TRACKED = 10_000
"""Keys that a rule keeps at most."""


class Count:
    """Requests of one key, by second."""

    def __init__(self) -> None:
        self._seconds: deque[list[int]] = deque()
        self.total = 0

    def add(self, now: int, window: int) -> int:
        """Count one, and tell how many there were within the window."""
        if self._seconds and self._seconds[-1][0] == now:
            self._seconds[-1][1] += 1
        else:
            self._seconds.append([now, 1])
        self.total += 1
        while self._seconds[0][0] <= now - window:
            self.total -= self._seconds.popleft()[1]
        return self.total


class Rates:
    """Counts of every rate-based rule.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rules: dict[Hashable, dict[Hashable, Count]] = {}

    def add(self, rule: Hashable, key: Hashable, window: int) -> int:
        """Count a request.

        Args:
            rule: The rule as it is written.
            key: Whose requests are counted together.
            window: Seconds.

        Returns:
            How many requests of that key there were within the window, this one included.
        """
        counts = self._rules.setdefault(rule, {})
        if key not in counts and len(counts) >= TRACKED:
            counts.pop(next(iter(counts)))
        return counts.setdefault(key, Count()).add(int(self._clock()), window)
