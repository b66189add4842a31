"""What every rendering of a scorecard says, and in which order: root causes before their consequences.

Terminal, HTML and JUnit differ in form only. What is a root cause, what it blocks and how the result reads in
words is decided here, once, from the scorecard and the reference alone.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hallmark.model import Level, Result, Scorecard, Verdict
from hallmark.reference import Reference

UNPLACED = "Not in this reference"
"""Domain of a check whose first clause this version's reference does not have."""
_PLACE_FIRST = ("target", "region", "cluster", "host")
_WORST_FIRST = (Verdict.ERROR, Verdict.FAIL, Verdict.BLOCKED, Verdict.NOT_APPLICABLE)
_MISSED = {Verdict.FAIL: "failed", Verdict.BLOCKED: "blocked", Verdict.NOT_APPLICABLE: "not applicable"}
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters: they steer a terminal, and XML forbids them
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction marks: they make text read otherwise than it is
    "\ud800-\udfff\ufffe\uffff]"  # no characters at all: they cannot be written to a file
)


class Outcome(StrEnum):
    """The result of an attempt in words; the exit code says the same."""

    PASSED = "PASSED"
    NOT_PASSED = "NOT PASSED"
    UNKNOWN = "COULD NOT TELL"


@dataclass(frozen=True)
class Tally:
    """The counts of one domain, or of all.

    Attributes:
        name: Domain of the reference.
        verdict: PASS when all required checks passed, else the worst verdict; None when none is required.
        met: Required checks that passed.
        required: All required checks: those of level P0.
        earned: Points of required checks that passed.
        possible: Points of all required checks.
        recommended_met: Checks below P0 that passed.
        recommended: All checks below P0.
    """

    name: str
    verdict: Verdict | None
    met: int
    required: int
    earned: int
    possible: int
    recommended_met: int
    recommended: int

    @property
    def percent(self) -> int:
        """Share of points, rounded down, so that only full marks read 100."""
        return self.earned * 100 // self.possible if self.possible else 0


@dataclass(frozen=True)
class Group:
    """Checks that were not judged, under the one that has to pass first.

    Attributes:
        cause: Requirement of the root cause, or its id when the scorecard does not hold it.
        results: What it blocks.
    """

    cause: str
    results: tuple[Result, ...]


@dataclass(frozen=True)
class Outline:
    """A scorecard in the order a person reads it.

    Attributes:
        outcome: The result.
        sentence: What it rests on, in counts.
        commands: What to run next, in order.
        causes: What to repair first: each ERROR, each missed requirement, and each missed recommendation that
            blocks a requirement. What blocks most comes first.
        blocked: What is not judged until its cause is repaired.
        recommendations: Missed recommendations that block no requirement.
        undecided: Checks whose question this kind of cluster cannot answer.
        notes: Passed checks with a remark.
        passed: All passed checks.
        domains: Counts by domain, in the order of the reference.
        total: Counts of all checks.
    """

    outcome: Outcome
    sentence: str
    commands: tuple[str, ...]
    causes: tuple[Result, ...]
    blocked: tuple[Group, ...]
    recommendations: tuple[Result, ...]
    undecided: tuple[Result, ...]
    notes: tuple[Result, ...]
    passed: tuple[Result, ...]
    domains: tuple[Tally, ...]
    total: Tally

    def blocks(self, result: Result) -> int:
        """How many checks wait for *result*."""
        return sum(blocked.cause == result.check.id for group in self.blocked for blocked in group.results)


def outline(card: Scorecard, reference: Reference) -> Outline:
    """Put the results of *card* in the order a person reads them; *reference* names the domains."""
    passed = _of(card.results, Verdict.PASS)
    failed = _of(card.results, Verdict.FAIL)
    blocking = _blocked_by_cause(card.results)
    urgent = {result.check.id for result in failed if _holds_up_a_requirement(result, blocking)}
    causes = [r for r in card.results if r.verdict is Verdict.ERROR or r.check.id in urgent]
    causes.sort(key=lambda result: -len(blocking.get(result.check.id, ())))
    total = tally("Total", card.results)
    outcome = _outcome(card.results)
    return Outline(
        outcome=outcome,
        sentence=_sentence(card.results),
        commands=_commands(outcome, card.lab, causes),
        causes=tuple(causes),
        blocked=_groups(card.results, causes, blocking),
        recommendations=tuple(r for r in failed if r.check.id not in urgent),
        undecided=_of(card.results, Verdict.NOT_APPLICABLE),
        notes=tuple(r for r in passed if r.note),
        passed=passed,
        domains=_domains(card.results, reference),
        total=total,
    )


def tally(name: str, results: Iterable[Result]) -> Tally:
    """Count *results* under *name*."""
    results = tuple(results)
    required = [result for result in results if result.check.level is Level.P0]
    other = [result for result in results if result.check.level is not Level.P0]
    return Tally(
        name=name,
        verdict=_worst(results),
        met=len(_of(required, Verdict.PASS)),
        required=len(required),
        earned=sum(result.check.points for result in _of(required, Verdict.PASS)),
        possible=sum(result.check.points for result in required),
        recommended_met=len(_of(other, Verdict.PASS)),
        recommended=len(other),
    )


def domain(result: Result, reference: Reference) -> str:
    """Return the domain of the check's first clause."""
    clause = reference.clauses.get(result.check.clauses[0]) if result.check.clauses else None
    return clause.domain if clause else UNPLACED


def disclaimer(reference: Reference) -> str:
    """Return the sentence every report has to repeat (clause SB-9)."""
    return reference.clauses["SB-9"].text


def place(card: Scorecard) -> dict[str, str]:
    """Return what a report says about the target, in one order whatever the evidence came from.

    The account is left out: reports are passed around.
    """
    names = [*_PLACE_FIRST, *sorted(set(card.target) - {*_PLACE_FIRST, "account"})]
    return {name: value for name in names if (value := card.target.get(name))}


def count(number: int, noun: str) -> str:
    """Return ``1 check`` or ``2 checks``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def word(verdict: Verdict) -> str:
    """Return a verdict as a person reads it."""
    return verdict.replace("_", " ")


def clean(text: str) -> str:
    """Replace what could steer a terminal, break a file or disguise what is written."""
    return _UNSAFE.sub("\ufffd", text.replace("\r\n", "\n"))


def _of(results: Iterable[Result], verdict: Verdict) -> tuple[Result, ...]:
    return tuple(result for result in results if result.verdict is verdict)


def _blocked_by_cause(results: Iterable[Result]) -> dict[str, list[Result]]:
    groups: dict[str, list[Result]] = {}
    for result in _of(results, Verdict.BLOCKED):
        groups.setdefault(result.cause, []).append(result)
    return groups


def _holds_up_a_requirement(result: Result, blocking: Mapping[str, Sequence[Result]]) -> bool:
    involved = [result, *blocking.get(result.check.id, ())]
    return any(one.check.level is Level.P0 for one in involved)


def _groups(
    results: Sequence[Result], causes: Sequence[Result], blocking: Mapping[str, Sequence[Result]]
) -> tuple[Group, ...]:
    """Follow the order of the root causes; what a recommendation blocks comes after."""
    titles = {result.check.id: result.check.title for result in results}
    order = [result.check.id for result in causes if result.check.id in blocking]
    return tuple(Group(titles.get(i, i), tuple(blocking[i])) for i in dict.fromkeys([*order, *blocking]))


def _domains(results: Sequence[Result], reference: Reference) -> tuple[Tally, ...]:
    members: dict[str, list[Result]] = {clause.domain: [] for clause in reference.clauses.values()}
    for result in results:
        members.setdefault(domain(result, reference), []).append(result)
    return tuple(tally(name, group) for name, group in members.items() if group)


def _worst(results: Sequence[Result]) -> Verdict | None:
    """Return the verdict that counts: of required checks, and an ERROR wherever it is."""
    found = {r.verdict for r in results if r.check.level is Level.P0 or r.verdict is Verdict.ERROR}
    return next((verdict for verdict in _WORST_FIRST if verdict in found), Verdict.PASS if found else None)


def _outcome(results: Sequence[Result]) -> Outcome:
    match _worst(results):
        case Verdict.PASS:
            return Outcome.PASSED
        case Verdict.ERROR | Verdict.NOT_APPLICABLE:
            return Outcome.UNKNOWN
        case _:  # also when nothing is required: that proves nothing
            return Outcome.NOT_PASSED


def _sentence(results: Sequence[Result]) -> str:
    required = [result for result in results if result.check.level is Level.P0]
    missed = [f"{len(found)} {word}" for verdict, word in _MISSED.items() if (found := _of(required, verdict))]
    unseen = len(_of(results, Verdict.ERROR))
    if unseen:
        missed.append(f"{count(unseen, 'check')} could not be observed")
    met = len(_of(required, Verdict.PASS))
    passed = f"{met} of {count(len(required), 'required check')} passed" if required else "no required check was graded"
    return f"{', '.join([passed, *missed])}."


def _commands(outcome: Outcome, lab: str, causes: Sequence[Result]) -> tuple[str, ...]:
    if outcome is Outcome.PASSED:
        return (f"nox -s lab -- finish {lab}",)
    again = f"nox -s grade -- {lab}"
    if outcome is Outcome.UNKNOWN and not causes:
        return (again,)
    first = causes[0].next if causes else ""
    return (again,) if first.startswith("nox -s grade") else (first or f"hallmark lab hint {lab}", again)
