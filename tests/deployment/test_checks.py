"""The checks of the release are right about a deployment that meets the reference, and about every way to miss it.

The catalogue's tests prove the same on the twin, with a real API server and real controllers. These take seconds.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hallmark.evidence.snapshot import Snapshot
from hallmark.grading import mutation
from hallmark.grading.judge import Check, judge_all
from hallmark.model import Answer, Status, Verdict

New = Callable[[], Any]


@pytest.fixture(scope="session")
def solution(request: pytest.FixtureRequest) -> Snapshot:
    """Evidence of a deployment that meets the reference."""
    new: New = request.getfixturevalue("session_deployment")
    taken: Snapshot = new().evidence()
    return taken


def _not_passed(checks: list[Check], evidence: Snapshot) -> dict[str, str]:
    results = judge_all(checks, evidence)
    return {i: f"{r.verdict} {r.observed} {r.cause}" for i, r in results.items() if r.verdict is not Verdict.PASS}


def test_a_deployment_that_meets_the_reference_passes(checks: list[Check], solution: Snapshot) -> None:
    """Every check, on objects as the chart and the controllers leave them."""
    assert _not_passed(checks, solution) == {}


def test_evidence_holds_no_secret_of_the_deployment(solution: Snapshot) -> None:
    """Neither what is in Secrets nor what is in URLs."""
    text = solution.to_json()

    assert [s for s in ("pw-of-postgres", "token-of-redis", "chosen-with-care", "Passw0rd!Passw0rd") if s in text] == []


def test_every_mutant_is_killed_by_the_right_checks(checks: list[Check], solution: Snapshot, grader: Any) -> None:
    """Each breaks what it says and nothing else; valid variants break nothing."""
    outcomes = [mutation.try_mutant(mutant, checks, solution) for mutant in mutation.load(grader)]

    assert {o.mutant.name: (o.missed, o.hurt) for o in outcomes if not o.killed} == {}


def test_every_check_is_broken_by_a_mutant(checks: list[Check], grader: Any) -> None:
    """A check nothing breaks may be one that cannot fail."""
    broken = {name for mutant in mutation.load(grader) for name in mutant.breaks}

    assert {check.spec.id.partition("/")[2] for check in checks} - broken == set()


def test_nothing_passes_on_an_empty_snapshot(checks: list[Check]) -> None:
    """No evidence, no pass."""
    verdicts = {result.verdict for result in judge_all(checks, Snapshot()).values()}

    assert verdicts == {Verdict.ERROR, Verdict.BLOCKED}


def test_no_claim_about_a_list_passes_on_empty_lists(checks: list[Check], solution: Snapshot) -> None:
    """A claim about all of nothing is not a pass; events are the one thing that may be none."""
    emptied = {key: replace(answer, value=_emptied(answer.value)) for key, answer in solution.answers.items()}
    passing = {check.spec.id for check in checks} - set(_not_passed(checks, replace(solution, answers=emptied)))

    assert passing == {
        "deploy-langsmith/cluster_is_eks",
        "deploy-langsmith/chart_recent",
        "deploy-langsmith/release_deployed",
        "deploy-langsmith/events_visible",
    }


@pytest.mark.parametrize(
    ("server", "status", "command"),
    [
        ("awselb/2.0", 403, "aws wafv2 get-web-acl-for-resource"),
        ("awselb/2.0", 503, "kubectl -n langsmith logs deployment/langsmith-backend"),
        ("nginx", 403, "kubectl -n langsmith logs deployment/langsmith-backend"),
    ],
)
def test_whoever_refused_is_to_be_asked(
    checks: list[Check], solution: Snapshot, server: str, status: int, command: str
) -> None:
    """A log of a pod says nothing of what the firewall stopped."""
    key = next(each for each in solution.answers if each.startswith("platform.round_trip{"))
    told = solution.answers[key]
    steps = [
        each | ({"outcome": "refused", "status": status, "server": server} if each["step"] == "query" else {})
        for each in told.value["steps"]
    ]
    broken = replace(told, value=told.value | {"steps": steps, "complete": False})
    results = judge_all(checks, replace(solution, answers={**solution.answers, key: broken}))

    missed = results["deploy-langsmith/trace_found_and_judged"]
    assert (missed.verdict, missed.next.startswith(command)) == (Verdict.FAIL, True), missed.next


@pytest.mark.parametrize("answer", [
    Answer(Status.DENIED, None, "denied", "x"),
    Answer(Status.FAILED, None, "throttled", "x"),
], ids=["denied", "throttled"])  # fmt: skip
def test_an_answer_that_could_not_be_had_never_passes(checks: list[Check], solution: Snapshot, answer: Answer) -> None:
    """Each answer in turn: no check that reads it passes without it, and the verdict says why."""
    wrong = []
    for check in checks:
        alone = Check(replace(check.spec, requires=()), check.function)
        for key in _reads(alone, solution):
            without = replace(solution, answers={**solution.answers, key: answer})
            result = judge_all([alone], without)[check.spec.id]
            if (result.verdict, result.code) != (Verdict.ERROR, answer.code):
                wrong.append(f"{check.spec.id} without {key}: {result.verdict} {result.code}")

    assert wrong == []


class _Recording:
    """Evidence that remembers what was asked of it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.scope, self.collected_at = snapshot.scope, snapshot.collected_at
        self.asked: set[str] = set()

    def ask(self, call: Any) -> object:
        self.asked.add(call.key)
        return self._snapshot.ask(call)

    def need(self, calls: Any) -> None:
        """Asked one by one later; nothing to remember yet."""


def _reads(check: Check, evidence: Snapshot) -> set[str]:
    recording = _Recording(evidence)
    judge_all([check], recording)
    return recording.asked


def _emptied(value: object) -> object:
    match value:
        case list():
            return []
        case dict():
            return {name: _emptied(item) for name, item in value.items()}
        case _:
            return value
