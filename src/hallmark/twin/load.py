"""A constant load of traces, each of which is remembered with what became of it."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from hallmark.twin.tracing import ACCEPTED, new_id

ANSWERS_WITHIN = 5.0
"""Seconds after which a sender gives up; what became of the run is not known then, so nothing is promised of it."""


@dataclass(frozen=True)
class Run:
    """A run that was sent.

    Attributes:
        identity: Its id.
        at: When it was sent, by the monotonic clock.
        outcome: ``202``, another status, or the name of an error.
        during: The fault that was there, or empty.
    """

    identity: str
    at: float
    outcome: str
    during: str

    @property
    def is_accepted(self) -> bool:
        """Whether the platform said that it has it."""
        return self.outcome == ACCEPTED


class Load:
    """Sends at a constant rate for as long as the block runs, however long answers take.

    Args:
        send: Sends a run of this id within so many seconds, and says what became of it.
        rate: Runs a second.
    """

    def __init__(self, send: Callable[[str, float], str], rate: float) -> None:
        self._send = send
        self._pause = 1 / rate
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="load")
        self._senders = max(1, round(rate * ANSWERS_WITHIN))
        self.runs: list[Run] = []
        self.during = ""
        """The fault that is there now; whoever breaks things says so."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _work(self) -> None:
        due = time.monotonic()
        with ThreadPoolExecutor(self._senders, "sender") as pool:
            while not self._stopped.wait(max(0.0, due - time.monotonic())):
                pool.submit(self._one)
                due += self._pause

    def _one(self) -> None:
        identity, during, at = new_id(), self.during, time.monotonic()
        outcome = self._send(identity, ANSWERS_WITHIN)
        self.runs.append(Run(identity, at, outcome, during or self.during))
