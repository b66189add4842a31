"""A soak: constant load while faults come and go. At the end every accepted run has to be there that was promised.

*Accepted* means that the platform answered 202. Not promised is what the architecture gives no guarantee for: queued
runs that Redis evicts (SE-40) or forgets at a restart, runs that wait for more than six hours (SE-41), and rows that
ClickHouse had just acknowledged when it was killed hard (SE-33). Each run that is lost is counted and explained.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Protocol

from hallmark.errors import HallmarkError
from hallmark.twin.load import Load, Run
from hallmark.twin.witness import Event
from hallmark.waiting import until

EXPIRES_AFTER = 6 * 3600.0
"""Seconds that a queued run lives, by default of the chart."""
EXPIRED = "waited for more than six hours (SE-41)"
BEFORE_EVENT = 300.0
"""Seconds for which a run may have been on its way when something happened to it."""
READABLE_WITHIN = 300.0
"""Seconds after the last fault in which everything has to be readable; pods start anew, and a backlog is worked off."""
GONE_AFTER = 30.0
"""Seconds without another one arriving after which all that are left are gone, if something explains each of them."""
LOOKS_EVERY = 2.0
LEAST_LEFT = 0.5
"""Share of a period below which no other fault is begun."""

Say = Callable[[str], None]


class Breaker(Protocol):
    """Breaks things and mends them."""

    @property
    def names(self) -> Sequence[str]:
        """Faults there are."""

    def inject(self, name: str) -> None:
        """Break; raises HallmarkError if that cannot be done, and then nothing of it is left."""

    def revert(self) -> None:
        """Mend what is broken."""


class Witness(Protocol):
    """Knows what may have cost runs."""

    events: list[Event]

    def look(self) -> None:
        """See what happened since the last look."""


@dataclass(frozen=True)
class Plan:
    """How long, and how often.

    Attributes:
        seconds: How long the load lasts.
        period: Seconds from one fault to the next; each is there for half of that, from its symptom on.
        seed: Decides in which order faults come, so that short soaks are not always about the same ones.
    """

    seconds: float
    period: float = 60.0
    seed: int = 0

    def order(self, names: Sequence[str]) -> list[str]:
        """All of these faults, in the order of this plan."""
        return random.Random(self.seed).sample(sorted(names), len(names))  # noqa: S311  (an order, no secret)


@dataclass(frozen=True)
class Row:
    """What became of the runs that were sent during one fault.

    Attributes:
        during: The fault; empty for the time between faults.
        sent: How many.
        accepted: How many of them were accepted.
        refused: What became of the others: how many by outcome.
        excused: Accepted and lost, and not promised: how many by reason.
        broken: Accepted, promised and lost.
    """

    during: str
    sent: int
    accepted: int
    refused: dict[str, int]
    excused: dict[str, int]
    broken: int


@dataclass(frozen=True)
class Report:
    """The result of a soak.

    Attributes:
        rows: One for each fault, and one for the time between.
        skipped: Faults that could not be injected, and why.
        stuck: Why something could not be reverted; empty if nothing.
    """

    rows: Sequence[Row]
    skipped: dict[str, str]
    stuck: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether runs were accepted, and every promise was kept."""
        accepted = sum(row.accepted for row in self.rows)
        return accepted > 0 and not self.stuck and not any(row.broken for row in self.rows)


class Soak:
    """Loads, breaks, mends.

    Args:
        load: The load.
        breaker: Breaks and mends.
        witness: Knows what may have cost runs.
        say: Is told one line for each step.
    """

    def __init__(self, load: Load, breaker: Breaker, witness: Witness, say: Say) -> None:
        self._load, self._breaker, self._witness, self._say = load, breaker, witness, say
        self._skipped: dict[str, str] = {}
        self._stuck = ""

    def run(self, plan: Plan, readable: Callable[[Collection[str]], set[str]]) -> Report:
        """Soak, then look for every accepted run.

        Args:
            plan: How long.
            readable: Which of these runs can be read now.
        """
        self._witness.look()
        begun = time.monotonic()
        with self._load:
            try:
                self._break(plan)
            except KeyboardInterrupt:
                accepted = sum(run.is_accepted for run in self._load.runs)
                self._say(
                    f"Somebody interrupted this after {time.monotonic() - begun:.0f} s; {accepted} accepted so far."
                )
                raise
            finally:
                self._mend()
        lost = self._missing(readable)
        return Report(rows(self._load.runs, lost, self._witness.events), self._skipped, self._stuck)

    def _break(self, plan: Plan) -> None:
        end = time.monotonic() + plan.seconds
        for name in cycle(plan.order(self._breaker.names)):
            next_one = min(time.monotonic() + plan.period, end)
            if next_one - time.monotonic() < LEAST_LEFT * plan.period:
                break
            if self._one(name, plan.period / 2):
                self._rest(next_one - time.monotonic())
        self._rest(end - time.monotonic())

    def _one(self, name: str, seconds: float) -> bool:
        if name in self._skipped:
            return len(self._skipped) >= len(self._breaker.names)  # nothing can be broken: time goes on all the same
        self._load.during = name
        try:
            self._breaker.inject(name)
        except HallmarkError as error:
            self._skipped[name] = error.message
            self._say(f"{name}: skipped. {error.message}")
        else:
            self._say(f"{name}: there.")
            self._rest(seconds)
        self._mend()
        return True

    def _mend(self) -> None:
        try:
            self._breaker.revert()
        except HallmarkError as error:
            self._stuck = error.message
            self._say(f"Not reverted: {error.message}")
        self._load.during = ""

    def _rest(self, seconds: float) -> None:
        def look() -> bool:
            self._witness.look()
            return False

        if seconds > 0:
            until(look, seconds, pause=LOOKS_EVERY)

    def _missing(self, readable: Callable[[Collection[str]], set[str]]) -> set[str]:
        left = {run.identity: run for run in self._load.runs if run.is_accepted}
        self._say(f"{len(self._load.runs)} runs sent, {len(left)} accepted. Reading them.")
        arrived = time.monotonic()

        def is_settled() -> bool:
            nonlocal arrived
            for found in readable(left.keys()):
                del left[found]
                arrived = time.monotonic()
            self._witness.look()
            return not left or (time.monotonic() - arrived > GONE_AFTER and self._explains(left.values()))

        until(is_settled, READABLE_WITHIN, pause=1.0)
        return set(left)

    def _explains(self, lost: Iterable[Run]) -> bool:
        return all(_reason(run, self._witness.events, time.monotonic()) for run in lost)


def rows(runs: Sequence[Run], lost: Collection[str], events: Sequence[Event], now: float | None = None) -> list[Row]:
    """Count by fault what became of runs.

    Args:
        runs: All that were sent.
        lost: Ids of the accepted ones that cannot be read.
        events: What may have cost them.
        now: When they were looked for, by the monotonic clock.
    """
    faults = sorted({run.during for run in runs})
    return [_row(each, [run for run in runs if run.during == each], lost, events, now) for each in faults]


def _row(during: str, runs: Sequence[Run], lost: Collection[str], events: Sequence[Event], now: float | None) -> Row:
    moment = time.monotonic() if now is None else now
    reasons = [_reason(run, events, moment) for run in runs if run.identity in lost]
    return Row(
        during=during,
        sent=len(runs),
        accepted=sum(run.is_accepted for run in runs),
        refused=dict(Counter(run.outcome for run in runs if not run.is_accepted)),
        excused=dict(Counter(filter(None, reasons))),
        broken=reasons.count(""),
    )


def _reason(run: Run, events: Iterable[Event], now: float) -> str:
    """Why a lost run was not promised; empty: it was."""
    for event in events:
        if 0 <= event.at - run.at < BEFORE_EVENT:
            return event.words
    return EXPIRED if now - run.at > EXPIRES_AFTER else ""
