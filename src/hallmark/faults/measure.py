"""How long each kind of fault takes: until its symptom is seen, and from its revert until traces go round again.

Figures are of the machine they were taken on. They say what to wait for, and that every way back leads all the way.
"""

import time
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hallmark.errors import Absent, EnvironmentFault, HallmarkError, Unobservable
from hallmark.evidence.collect import Source
from hallmark.faults import definition, kinds, runner
from hallmark.faults.definition import Fault
from hallmark.faults.reader import Reader
from hallmark.faults.runner import Runner
from hallmark.faults.sight import Sight, look
from hallmark.faults.target import Target, Writer
from hallmark.targets.profile import Profile
from hallmark.waiting import until

BY_HAND = "by-hand"
"""Stands for a lab in the journal of a fault that belongs to none."""
TTL = timedelta(minutes=30)
RECOVERS_WITHIN = 600.0
IN_A_ROW = 2
"""Looks that have to be whole, one after the other: while pods are replaced, some still fail."""
FILE = Path(__file__).with_name("measured.toml")


@dataclass(frozen=True)
class Measured:
    """One kind, measured once.

    Attributes:
        kind: Its name.
        seen: What people saw while the fault was there.
        symptom: Seconds from its first call until the symptom was proved; 0: it could not be injected.
        recovery: Seconds from the first inverse until the symptom was gone and traces went round.
        problem: Why there are no figures; empty: there are.
    """

    kind: str
    seen: str = ""
    symptom: float = 0.0
    recovery: float = 0.0
    problem: str = ""


def by_hand(kind: str, params: Mapping[str, Any]) -> Fault:
    """Return a fault of no lab; its symptom is the kind's."""
    symptom = kinds.load(kind, params).symptom.splitlines()[0]
    return Fault(BY_HAND, kind, TTL, symptom, params=params)


def usual(root: Path) -> dict[str, Mapping[str, Any]]:
    """Return parameters with which each kind bites into the reference: those of the first lab that has it."""
    labs = [definition.read(file) for file in sorted(root.glob("graders/*/fault.toml"), reverse=True)]
    return {each.kind: each.params for each in labs}


class Stopwatch:
    """Injects, looks, reverts, and looks again.

    Args:
        profile: The target.
        home: The state directory.
        people: Answers calls of the service ``platform``.
        say: Tells how far it is.
        target: What reads and writes; default: made from the profile.
    """

    def __init__(
        self,
        profile: Profile,
        home: Path,
        people: Source,
        say: Callable[[str], None],
        target: Writer | None = None,
    ) -> None:
        self._profile = profile
        self._home = home
        self._people = people
        self._say = say
        self._target = target or Target(profile)

    def measure(self, fault: Fault) -> Measured:
        """Measure one kind. Whatever happens, Ctrl-C included, the fault is reverted.

        Raises:
            EnvironmentFault: It was reverted, and still traces do not go round.
        """
        kind = kinds.load(fault.kind, fault.params)
        self._require_recovered(kind)
        self._say(f"{fault.kind}: injecting")
        try:
            injected = Runner(self._profile, self._home, self._target, self._people).inject(fault)
        except HallmarkError as failure:
            self._require_recovered(kind)
            return Measured(fault.kind, problem=failure.message)
        try:
            symptom = _since(injected.planned_at)
            seen = kind.seen or self._look()
            self._say(f"{fault.kind}: seen after {symptom:.1f} s ({seen.words}); reverting")
        finally:
            started = time.monotonic()
            runner.revert(self._home, self._profile, only=injected.id)
        self._require_recovered(kind)
        recovery = time.monotonic() - started
        self._say(f"{fault.kind}: recovered after {recovery:.1f} s")
        return Measured(fault.kind, seen.words, round(symptom, 1), round(recovery, 1))

    def _require_recovered(self, kind: kinds.Kind) -> None:
        read, in_a_row = Reader(self._target, self._profile.scope()), 0

        def is_recovered() -> bool:
            nonlocal in_a_row
            in_a_row = in_a_row + 1 if self._look().is_whole and not _shows(kind, read) else 0
            return in_a_row == IN_A_ROW

        if not until(is_recovered, RECOVERS_WITHIN, pause=0.5):
            hint = "hallmark twin reset"
            raise EnvironmentFault(f"traces do not go round: {self._look().words} ({kind.name}).", hint)

    def _look(self) -> Sight:
        return look(Reader(self._people, self._profile.scope()))


def write(file: Path, found: list[Measured], now: datetime) -> None:
    """Write figures, each kind with its day; those of kinds that were not measured stay."""
    table = {**read(file), **{each.kind: {**asdict(each), "day": f"{now:%Y-%m-%d}"} for each in found}}
    lines = ["# Written by `hallmark fault measure --keep`: seconds on a twin.", ""]
    for kind, row in sorted(table.items()):
        values = [f"{name} = {_toml(value)}" for name, value in row.items() if name != "kind"]
        lines += [f"[{kind}]", *values, ""]
    file.write_text("\n".join(lines), encoding="utf-8")


def read(file: Path = FILE) -> dict[str, dict[str, Any]]:
    """Return the figures that were kept, by kind."""
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _shows(kind: kinds.Kind, read: Reader) -> bool:
    with suppress(HallmarkError, Absent, Unobservable):  # then it cannot be injected either, which is said elsewhere
        return kind.observe(read).symptom
    return False


def _since(planned_at: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(planned_at)).total_seconds()


def _toml(value: object) -> str:
    return repr(value) if isinstance(value, float) else '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
