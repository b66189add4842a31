"""What a grade costs: ours, the naive way, and the floor nobody can go below; measured side by side.

The platform is left out: it is asked once, and all three read the record of it. A trace that is written, awaited and
deleted is no read that a naive grader could repeat for every check, and its time is the platform's own.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hallmark.evidence.collect import Growing, Pending, Source, collect
from hallmark.evidence.snapshot import LOCAL, Snapshot
from hallmark.grading.judge import Check, judge_all
from hallmark.grading.plugin import questions
from hallmark.model import Answer, Call
from hallmark.views.all import Views

TIMES = 5
"""How often grade and floor are measured: a machine is noisy, and one ratio is off by a seventh."""
PATIENCE = 300
"""Seconds for one collection: on a slow target it is still measured."""
PLATFORM = "platform"
"""The service that is left out."""


@dataclass(frozen=True)
class Row:
    """One measurement.

    Attributes:
        what: What was measured.
        seconds: Wall clock.
        calls: Calls made.
        distinct: Distinct calls among them.
    """

    what: str
    seconds: float
    calls: int
    distinct: int


class Slow:
    """A source that answers later, as a distant region would, and counts.

    Args:
        source: What really answers.
        latency: Seconds added to each call.
    """

    def __init__(self, source: Source, latency: float) -> None:
        self._source = source
        self._latency = latency
        self._lock = threading.Lock()
        self.asked: list[str] = []

    def answer(self, call: Call) -> Answer:
        """Wait, count, ask."""
        with self._lock:
            self.asked.append(call.key)
        threading.Event().wait(self._latency)
        return self._source.answer(call)


@dataclass(frozen=True)
class _Record:
    """A source that answers at once with what was answered before."""

    answers: Mapping[str, Answer]

    def answer(self, call: Call) -> Answer:
        return self.answers[call.key]


class _Direct(Growing):
    """Evidence for one check that asks each call itself, one after the other: the naive grader."""

    def __init__(self, scope: Mapping[str, str], at: str, ask: Callable[[Call], Answer]) -> None:
        super().__init__(scope, at)
        self._ask = ask

    def need(self, calls: Iterable[Call]) -> None:
        for call in calls:
            if call.key not in self.answers:
                self.answers[call.key] = self._ask(call)


def measure(
    checks: Sequence[Check],
    sources: Callable[[], Mapping[str, Source]],
    scope: Mapping[str, str],
    latency: float,
) -> tuple[Row, Row, Row]:
    """Measure after a warm-up that pays for client creation: grade and floor in turn, each the median of several.

    Args:
        checks: The grader.
        sources: Makes the sources of the target.
        scope: Which system it is.
        latency: Seconds added to each call that leaves this machine, everywhere.

    Returns:
        Our grade; the same checks each calling for themselves; the floor. The floor is the longest chain of
        dependent calls that leave this machine, each as slow as the target answers a lone call, with *latency* added.
    """
    warm = sources()
    recorded = collect(warm, scope, questions(checks), PATIENCE)
    warm = {**warm, PLATFORM: _Record(recorded.answers)}
    pairs = [(_ours(checks, warm, scope, latency), _floor(checks, warm, recorded, latency)) for _ in range(TIMES)]
    ours, floor = map(_median, zip(*pairs, strict=True))
    return ours, _naive(checks, warm, scope, recorded.collected_at, latency), floor


def _median(rows: Sequence[Row]) -> Row:
    return sorted(rows, key=lambda row: row.seconds)[len(rows) // 2]


def _ours(checks: Sequence[Check], sources: Mapping[str, Source], scope: Mapping[str, str], latency: float) -> Row:
    slow = _slowed(sources, latency)
    started = time.monotonic()
    judge_all(checks, collect(slow, scope, questions(checks), PATIENCE))
    return _row("one grade", started, slow)


def _naive(
    checks: Sequence[Check], sources: Mapping[str, Source], scope: Mapping[str, str], at: str, latency: float
) -> Row:
    slow = _slowed(sources, latency)
    started = time.monotonic()
    for check in checks:
        own = _Direct(scope, at, lambda call: slow[_name(call, slow)].answer(call))
        judge_all([replace(check, spec=replace(check.spec, requires=()))], own)
    return _row("a call a check", started, slow)


def _floor(checks: Sequence[Check], sources: Mapping[str, Source], recorded: Snapshot, latency: float) -> Row:
    chain = _longest_chain(checks, recorded)
    slow = _slowed(sources, latency)
    started = time.monotonic()
    for call in chain:
        slow[_name(call, slow)].answer(call)
    row = _row(f"the floor: a chain of {len(chain)} calls", started, slow)
    return replace(row, distinct=sum(not key.startswith(f"{PLATFORM}.") for key in recorded.answers))


def _longest_chain(checks: Sequence[Check], recorded: Snapshot) -> list[Call]:
    """Answer in rounds from the record: a call of round n waits for one of round n - 1. One call a round remains.

    Files are no part of it: nothing is asked of AWS for what they say.
    """
    growing = Growing(recorded.scope, recorded.collected_at)
    views = Views(growing)
    chain: list[Call] = []
    while missing := _missing(checks, views):
        if timed := [call for call in missing if call.service not in LOCAL]:
            chain.append(max(timed, key=lambda call: recorded.answers[call.key].milliseconds))
        growing.answers.update({call.key: recorded.answers[call.key] for call in missing})
    return chain


def _missing(checks: Sequence[Check], views: Views) -> list[Call]:
    found: dict[str, Call] = {}
    for check in checks:
        try:
            check.run(views)
        except Pending as pending:
            found |= {call.key: call for call in pending.calls}
        except Exception:  # noqa: BLE001, S112  (its verdict does not matter here, only what it asks)
            continue
    return list(found.values())


def _slowed(sources: Mapping[str, Source], latency: float) -> dict[str, Source]:
    """Sources that count; only what is on the network answers later."""
    return {
        name: source if name == PLATFORM else Slow(source, 0.0 if name in LOCAL else latency)
        for name, source in sources.items()
    }


def _name(call: Call, sources: Mapping[str, Source]) -> str:
    return call.service if call.service in sources else "aws"


def _row(what: str, started: float, slow: Mapping[str, Source]) -> Row:
    asked = [key for source in slow.values() if isinstance(source, Slow) for key in source.asked]
    return Row(what, time.monotonic() - started, len(asked), len(set(asked)))
