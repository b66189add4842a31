"""When the emulated AWS was changed last: a file's time tells it, so whoever follows it asks seldom while it rests."""

import time
from pathlib import Path

FILE = "changed"
"""Name of the file, in the state directory of the emulated AWS."""
RESTLESS = 60.0
"""Seconds after a change in which an account still moves by itself: instances start, databases stop."""
SELDOM = 10.0
"""Seconds between two looks while it rests."""


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

    def is_due(self) -> bool:
        """Whether to look now: always while it is restless, or while nothing tells; else now and then."""
        now = time.monotonic()
        due = self._is_restless() or now - self._looked >= self._seldom
        if due:
            self._looked = now
        return due

    def _is_restless(self) -> bool:
        try:
            changed = self._file.stat().st_mtime
        except OSError:
            return True
        return abs(time.time() - changed) < RESTLESS


def beat(state: Path) -> None:
    """Take down that something has changed; a disk that is full costs no call, see :meth:`Pulse.is_due`.

    Args:
        state: State directory of the emulated AWS.
    """
    try:
        (state / FILE).touch()
    except OSError:
        (state / FILE).unlink(missing_ok=True)
