"""Every lab proves itself: red on start, green on the solution, red on each mutant, never green on nothing.

The tests are made from the catalogue: a new lab is tested by being there. Evidence is taken on the twin the way
a learner gets there: start the lab, look; solve it, look again.
"""

import inspect
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pytest

from hallmark import catalog, reference
from hallmark.cli.app import App
from hallmark.cli.grade import grade_lab
from hallmark.cli.lab import apply_solution
from hallmark.cli.root import cli
from hallmark.evidence.snapshot import LOCAL, Snapshot
from hallmark.grading import mutation, plugin
from hallmark.grading.judge import Check, judge_all
from hallmark.model import Answer, Call, Lab, Status, Verdict
from hallmark.targets.cluster import BUILT_IN, masked
from hallmark.targets.masking import Mask

ROOT = Path(__file__).parents[2]
BUILDING = frozenset({"empty", "baseline"})
"""Labs that start with less than the whole build it: they have nearly all checks there are."""


def _marks(lab: Lab) -> list[pytest.MarkDecorator]:
    # All tests of a lab share the evidence that one worker took.
    return [pytest.mark.xdist_group(lab.id), *([] if lab.start in BUILDING else [pytest.mark.proof])]


LABS = [pytest.param(lab.id, marks=_marks(lab)) for lab in catalog.labs(ROOT)]


@dataclass(frozen=True)
class Bench:
    """One lab on the twin.

    Attributes:
        lab: The lab.
        app: What commands work with.
        begun: The lab whose start state the twin is in, as a list that all labs share; empty for any other state.
    """

    lab: Lab
    app: App
    begun: list[str]

    @cached_property
    def checks(self) -> list[Check]:
        """The lab's checks in running order."""
        return plugin.checks(self.app.root / "graders" / self.lab.id, reference.load())

    @cached_property
    def start(self) -> Snapshot:
        """Evidence of the start state."""
        self.begin()
        return self.look()

    @cached_property
    def solution(self) -> Snapshot:
        """Evidence of the solved state."""
        return self.after("solve")

    def after(self, script: str) -> Snapshot:
        """Evidence after one script of the solutions folder was applied to the start state."""
        if self.begun != [self.lab.id]:
            self.begin()
        self.begun.clear()
        apply_solution(self.app, self.lab, script)
        return self.look()

    def begin(self) -> None:
        """Bring the twin into the start state, by the learner's own command."""
        self.begun.clear()
        cli.main(["lab", "reset", self.lab.id], standalone_mode=False)
        self.begun.append(self.lab.id)

    def look(self) -> Snapshot:
        """Take evidence as a grade does."""
        return grade_lab(App.of({}), self.lab)[1]

    def scripts(self, prefix: str) -> list[str]:
        """Names of scripts in the solutions folder that begin with *prefix*."""
        return sorted(path.stem for path in (self.app.root / "solutions" / self.lab.id).glob(f"{prefix}*.py"))

    def not_passed(self, evidence: Snapshot) -> dict[str, str]:
        """Judge the evidence; verdict and reason of every check that does not pass."""
        results = judge_all(self.checks, evidence)
        return {i: f"{r.verdict} {r.observed} {r.cause}" for i, r in results.items() if r.verdict is not Verdict.PASS}


@pytest.fixture(scope="session")
def benches(environment: None) -> dict[str, Bench]:  # noqa: ARG001  (a fixture that sets up)
    """Every lab of the catalogue."""
    app, begun = App.of({}), list[str]()
    return {lab.id: Bench(lab, app, begun) for lab in catalog.labs(app.root)}


@pytest.fixture(params=LABS)
def bench(request: pytest.FixtureRequest, benches: dict[str, Bench]) -> Bench:
    """Each lab in turn."""
    return benches[request.param]


def test_no_check_passes_on_the_start_state(bench: Bench) -> None:
    """What is green before the learner did anything proves nothing.

    A check that looks at nothing but the learner's machine is exempt: no start state can take its tools away.
    Mutants prove it red.
    """
    settable = [check for check in bench.checks if set(inspect.signature(check.function).parameters) != {"workstation"}]
    passing = {check.spec.id for check in settable} - set(bench.not_passed(bench.start))

    assert settable
    assert passing == set()


def test_every_check_passes_on_the_solution(bench: Bench) -> None:
    """The author's way leads to 100 %."""
    assert bench.not_passed(bench.solution) == {}


def test_every_mutant_is_killed_by_the_right_checks(bench: Bench) -> None:
    """Each breaks what it says and nothing else; valid variants break nothing."""
    mutants = mutation.load(bench.app.root / "graders" / bench.lab.id)
    outcomes = [mutation.try_mutant(mutant, bench.checks, bench.solution) for mutant in mutants]

    assert {o.mutant.name: (o.missed, o.hurt) for o in outcomes if not o.killed} == {}


def test_no_mutant_changes_what_is_never_collected(bench: Bench) -> None:
    """Evidence holds a part of custom objects: a check of any other part is proven on mutants and blind in life."""
    invented = {}
    for mutant in mutation.load(bench.app.root / "graders" / bench.lab.id):
        edit = mutation.Edit(bench.solution)
        mutant.edit(edit)
        if lost := {path for key, answer in edit.snapshot.answers.items() for path in _lost(key, answer)}:
            invented[mutant.name] = lost

    assert invented == {}


def test_every_check_is_broken_by_a_mutant(bench: Bench) -> None:
    """A check nothing breaks may be one that cannot fail."""
    mutants = mutation.load(bench.app.root / "graders" / bench.lab.id)
    broken = {f"{bench.lab.id}/{name}" for mutant in mutants for name in mutant.breaks}

    assert {check.spec.id for check in bench.checks} - broken == set()


def test_nothing_passes_on_an_empty_snapshot(bench: Bench) -> None:
    """No evidence, no pass; and each verdict says that it could not tell, or is blocked by one that does."""
    verdicts = {result.verdict for result in judge_all(bench.checks, Snapshot()).values()}

    assert verdicts <= {Verdict.ERROR, Verdict.BLOCKED}
    assert Verdict.ERROR in verdicts


def test_no_claim_about_a_list_passes_on_empty_lists(bench: Bench) -> None:
    """Every list AWS sent is empty: a claim about all of nothing is not a pass."""
    emptied = {key: replace(a, value=_emptied(a.value)) for key, a in bench.solution.answers.items()}
    passing = {check.spec.id for check in bench.checks} - set(
        bench.not_passed(replace(bench.solution, answers=emptied))
    )

    assert {name for name in passing if _reads_a_list(_by_id(bench.checks)[name], bench.solution)} == set()


@pytest.mark.parametrize("answer", [
    Answer(Status.DENIED, None, "denied", "x"),
    Answer(Status.FAILED, None, "throttled", "x"),
], ids=["denied", "throttled"])  # fmt: skip
def test_an_answer_that_could_not_be_had_never_passes(bench: Bench, answer: Answer) -> None:
    """Each check, each answer it reads: without it the verdict is ERROR with the answer's own code."""
    wrong = []
    for check in bench.checks:
        alone = Check(replace(check.spec, requires=()), check.function)
        for key in _reads(alone, bench.solution):
            without = replace(bench.solution, answers={**bench.solution.answers, key: answer})
            result = judge_all([alone], without)[check.spec.id]
            if (result.verdict, result.code) != (Verdict.ERROR, answer.code):
                wrong.append(f"{check.spec.id} without {key}: {result.verdict} {result.code}")

    assert wrong == []


@pytest.mark.proof
def test_every_other_right_repair_passes(bench: Bench) -> None:
    """The grader asks for the result, not for the author's way."""
    refused = {name: bench.not_passed(bench.after(name)) for name in bench.scripts("alternative_")}

    assert {name: reasons for name, reasons in refused.items() if reasons} == {}


@pytest.mark.proof
def test_every_wrong_repair_is_refused(bench: Bench) -> None:
    """A way round the fault is not a repair."""
    accepted = [name for name in bench.scripts("wrong_") if not bench.not_passed(bench.after(name))]

    assert accepted == []


class _Recording:
    """Evidence that remembers what was asked of it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.scope, self.collected_at = snapshot.scope, snapshot.collected_at
        self.asked: set[str] = set()

    def ask(self, call: Call) -> object:
        self.asked.add(call.key)
        return self._snapshot.ask(call)

    def need(self, calls: Iterable[Call]) -> None:
        """Asked one by one later; nothing to remember yet."""


def _reads(check: Check, evidence: Snapshot) -> set[str]:
    recording = _Recording(evidence)
    judge_all([check], recording)
    return recording.asked


def _reads_a_list(check: Check, evidence: Snapshot) -> bool:
    """Whether an answer the check reads is a list AWS was asked for, not one thing described."""
    alone = Check(replace(check.spec, requires=()), check.function)
    aws = [key for key in _reads(alone, evidence) if key.split(".")[0] not in LOCAL]
    values = [evidence.answers[key].value for key in aws]
    return any(isinstance(item, list) for value in values if value for item in value.values())


def _lost(key: str, answer: Answer) -> set[str]:
    """Paths in the objects of a custom kind that the collector would not have kept."""
    operation, _, arguments = key.removeprefix("kubernetes.").partition("{")
    if operation not in {"list", "get"} or not answer.value or not key.startswith("kubernetes."):
        return set()
    asked = json.loads("{" + arguments)
    group = asked.get("group", "")
    if group in BUILT_IN:
        return set()
    objects = answer.value.get("items", [answer.value])
    kept = [masked(Mask(), group, asked["resource"], one) for one in objects]
    return set(_paths(objects)) - set(_paths(kept))


def _paths(value: object, above: str = "") -> Iterator[str]:
    match value:
        case list():
            for item in value:
                yield from _paths(item, above)
        case dict():
            for name, item in value.items():
                yield f"{above}.{name}"
                yield from _paths(item, f"{above}.{name}")


def _by_id(checks: list[Check]) -> dict[str, Check]:
    return {check.spec.id: check for check in checks}


def _emptied(value: object) -> object:
    match value:
        case list():
            return []
        case dict():
            return {name: _emptied(item) for name, item in value.items()}
        case _:
            return value
