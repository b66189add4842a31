"""When the emulated AWS was changed last: a file's time tells it, so whoever follows it asks seldom while it rests."""

import time
from pathlib import Path

FILE = "changed"
"""Name of the file, in the state directory of the emulated AWS."""
RESTLESS = 60.0
"""Seconds after a change in which an account still moves by itself: instances start, databases stop."""
SOON, SELDOM = 3.0, 10.0
"""Seconds between two looks while it is restless and nothing new has changed; while it rests."""


class Pulse:
    """Says when to look at the emulated AWS.

    Args:
        state: State directory of the emulated AWS.
        seldom: Seconds between two looks while it rests.
    """

    def __init__(self, state: Path, seldom: float = SELDOM) -> None:
        self._file = state / FILE
        self._seldom = seldom
        self._looked = float("-inf")
        self._looked_at = float("-inf")

    def is_due(self) -> bool:
        """Whether to look now: always after a change, or while nothing tells; else soon after one, and then seldom."""
        now, moment = time.monotonic(), time.time()
        changed = self._changed()
        pause = min(SOON, self._seldom) if abs(moment - changed) < RESTLESS else self._seldom
        due = changed >= self._looked_at or now - self._looked >= pause
        if due:
            self._looked, self._looked_at = now, moment
        return due

    def _changed(self) -> float:
        """When something has changed, as far as it is told; for ever just now where nobody tells."""
        try:
            return self._file.stat().st_mtime
        except OSError:
            return float("inf")


def beat(state: Path) -> None:
    """Take down that something has changed; a disk that is full costs no call, see :meth:`Pulse.is_due`.

    Args:
        state: State directory of the emulated AWS.
    """
    try:
        (state / FILE).touch()
    except OSError:
        (state / FILE).unlink(missing_ok=True)
