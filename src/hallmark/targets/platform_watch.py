"""Watching the platform for a while: one trace that goes round may be luck, several over some time are not.

It stands in front of whatever answers questions about the platform, and passes on all that it does not answer itself.
"""

import time
from dataclasses import replace
from typing import Any, Protocol

from hallmark.model import Answer, Call, Status
from hallmark.waiting import until

ROUND_TRIP = Call.of("platform", "round_trip")
WATCHED = "round_trips"


class Platform(Protocol):
    """What answers questions about the platform."""

    def answer(self, call: Call) -> Answer:
        """Ask once and say what became of it."""


class Watch:
    """Answers ``platform.round_trips``: *times* ways there and back, begun evenly over *seconds*.

    Each is told as ``platform.round_trip`` tells it, with ``after``: seconds from the first's beginning to its own
    beginning. All are made, also after one that failed. If one gets no answer at all, there is none to this question.

    Args:
        source: Answers everything else.
    """

    def __init__(self, source: Platform) -> None:
        self._source = source

    def answer(self, call: Call) -> Answer:
        """Ask once and say what became of it."""
        if call.operation != WATCHED:
            return self._source.answer(call)
        return self._watch(int(call.arguments["times"]), float(call.arguments["seconds"]))

    def _watch(self, times: int, seconds: float) -> Answer:
        started = time.monotonic()
        trips: list[dict[str, Any]] = []
        for turn in range(times):
            wait = seconds * turn / max(times - 1, 1) - (time.monotonic() - started)
            until(lambda: False, max(wait, 0.0), max(wait, 0.0))
            after = round(time.monotonic() - started, 1)
            found = self._source.answer(ROUND_TRIP)
            if found.status is not Status.OBSERVED:
                return replace(found, milliseconds=_since(started))
            trips.append({**found.value, "after": after})
        return Answer(Status.OBSERVED, {"trips": trips}, milliseconds=_since(started))


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
