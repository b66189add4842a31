"""Healthy, broken as documented, healthy again, several times in a row: the script of every kind, and its figures.

Figures are of the machine they were taken on. They say what to wait for, and that every way back leads all the way.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from hallmark.errors import Absent, EnvironmentFault, HallmarkError, Unobservable
from hallmark.evidence.collect import Source
from hallmark.faults import figures, kinds, runner, state
from hallmark.faults.definition import Fault
from hallmark.faults.figures import Measured
from hallmark.faults.reader import Reader
from hallmark.faults.runner import PROOF_SECONDS, Runner
from hallmark.faults.sight import Sight, look
from hallmark.faults.target import Target, Writer
from hallmark.targets.profile import Profile
from hallmark.waiting import until

RECOVERS_WITHIN = 600.0
"""R2 alone wants five minutes without a restart."""
IN_A_ROW = 2
"""Looks that have to be whole, one after the other: while pods are replaced, some still fail."""
Signs = Callable[[kinds.Kind], Sequence[str]]
"""Says which signs of recovery from a kind do not hold now, in words."""


@dataclass(frozen=True)
class Onlookers:
    """Who looks from outside.

    Attributes:
        people: Answers calls of the service ``platform``.
        signs: See :data:`Signs`.
    """

    people: Source
    signs: Signs


class Stopwatch:
    """Injects, looks, reverts, and looks again.

    Args:
        profile: The target.
        home: The state directory.
        onlookers: Who looks from outside.
        say: Tells how far it is.
        target: What reads and writes; default: made from the profile.
    """

    def __init__(
        self,
        profile: Profile,
        home: Path,
        onlookers: Onlookers,
        say: Callable[[str], None],
        target: Writer | None = None,
    ) -> None:
        self._profile = profile
        self._home = home
        self._onlookers = onlookers
        self._say = say
        self._target = target or Target(profile)
        self._read = Reader(self._target, profile.scope())
        self._is_healthy = False

    def measure(self, fault: Fault, times: int = 1) -> Measured:
        """Measure one kind so many times in a row, up to the first problem; Ctrl-C reverts, too.

        Raises:
            EnvironmentFault: The target is not healthy before, or does not become so within :data:`RECOVERS_WITHIN`.
        """
        kind = kinds.load(fault.kind, fault.params)
        self._require_healthy(kind)
        try:
            before = state.take(kind, self._read)
        except (Absent, HallmarkError, Unobservable) as cause:
            return Measured(fault.kind, problem=str(cause))
        turns: list[Measured] = []
        while len(turns) < times and not (turns and turns[-1].problem):
            turns.append(self._turn(fault, kind, before))
        return figures.worst(turns)

    def _turn(self, fault: Fault, kind: kinds.Kind, before: state.State) -> Measured:
        self._say(f"{fault.kind}: injecting")
        try:
            injected = Runner(self._profile, self._home, self._target, self._onlookers.people).inject(fault)
        except HallmarkError as failure:
            self._is_healthy = False
            self._require_round(kind)
            return Measured(fault.kind, problem=failure.message)
        try:
            symptom = _since(injected.planned_at)
            seen = kind.seen or self._look()
            self._say(f"{fault.kind}: seen after {symptom:.1f} s ({seen.words}); reverting")
        finally:
            started = time.monotonic()
            runner.revert(self._home, self._profile, only=injected.id)
        self._require_round(kind)
        recovery = time.monotonic() - started
        self._say(f"{fault.kind}: traces go round after {recovery:.1f} s")
        found = Measured(fault.kind, seen.words, round(symptom, 1), round(recovery, 1), problem=_late(kind, symptom))
        return self._recovered(found, kind, before, started)

    def _recovered(self, found: Measured, kind: kinds.Kind, before: state.State, started: float) -> Measured:
        left = self._left(kind, before)
        seconds = time.monotonic() - started
        self._is_healthy = not left
        if left:
            return replace(found, problem=f"after {seconds:.0f} s: {'; '.join(left)}")
        self._say(f"{kind.name}: recovered after {seconds:.1f} s")
        return replace(found, recovered=round(seconds, 1))

    def _left(self, kind: kinds.Kind, before: state.State | None = None) -> Sequence[str]:
        """Wait until the state is the one before and all signs hold; return what is not so in the end."""
        left: Sequence[str] = ()

        def is_nothing() -> bool:
            nonlocal left
            missed = (before and state.differing(kind, self._read, before)) or self._onlookers.signs(kind)
            if missed and missed != left:
                self._say(f"{kind.name}: not yet: {missed[0]}")
            left = missed
            return not left

        until(is_nothing, RECOVERS_WITHIN, pause=1)
        return left

    def _require_healthy(self, kind: kinds.Kind) -> None:
        self._require_round(kind)
        if not self._is_healthy and (left := self._left(kind)):
            raise EnvironmentFault(f"not healthy before {kind.name}: {'; '.join(left)}.", "hallmark twin reset")
        self._is_healthy = True

    def _require_round(self, kind: kinds.Kind) -> None:
        in_a_row = 0

        def is_recovered() -> bool:
            nonlocal in_a_row
            in_a_row = in_a_row + 1 if self._look().is_whole and not _shows(kind, self._read) else 0
            return in_a_row == IN_A_ROW

        if not until(is_recovered, RECOVERS_WITHIN, pause=0.5):
            hint = "hallmark twin reset"
            raise EnvironmentFault(f"traces do not go round: {self._look().words} ({kind.name}).", hint)

    def _look(self) -> Sight:
        return look(Reader(self._onlookers.people, self._profile.scope()))


def _shows(kind: kinds.Kind, read: Reader) -> bool:
    with suppress(HallmarkError, Absent, Unobservable):  # then it cannot be injected either, which is said elsewhere
        return kind.observe(read).symptom
    return False


def _late(kind: kinds.Kind, symptom: float) -> str:
    documented = max(PROOF_SECONDS, kind.shows_within)
    return f"seen after {symptom:.0f} s, not within {documented:.0f} s" if symptom > documented else ""


def _since(planned_at: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(planned_at)).total_seconds()
