"""The signs that do not hold are told; a sign that holds is not, and R9 asks the kind itself."""

import runpy
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hallmark.cli import recovered
from hallmark.evidence.collect import Source
from hallmark.faults.kinds import Kind, Observation
from hallmark.faults.reader import Reader
from hallmark.model import Answer, Call, Status
from hallmark.targets.profile import Profile

evidence = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "views" / "test_recovery.py")))
PROFILE = Profile(cluster="c", namespace="n", release="langsmith", host="langsmith.hallmark.example")


class Stored:
    """Answers from what is given; everything else fails."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers

    def answer(self, call: Call) -> Answer:
        """What is given for the call."""
        return self._answers.get(call.key, Answer(Status.FAILED, None, "unreachable", "nobody answers"))


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window is in the answers: nobody watches for twenty seconds."""
    monkeypatch.setattr(recovered, "Watch", lambda source: source)


def kind(read: Call | None = None, *, is_there: bool = False) -> Kind:
    """A kind that asks for something, and whose change is there or not."""

    def observe(reader: Reader) -> Observation:
        if read:
            reader.ask(read.service, read.operation, **read.arguments)
        return Observation(is_there, {})

    return Kind("any", "a symptom", lambda _: [], observe)


def sources(answers: Mapping[str, Answer]) -> dict[str, Source]:
    """One for all services."""
    return dict.fromkeys(("aws", "kubernetes", "platform"), Stored(answers))


def missing(answers: Mapping[str, Answer], of: Kind) -> list[str]:
    """Names of the signs that do not hold."""
    return [line.partition(":")[0] for line in recovered.missing(of, sources(answers), PROFILE)]


def test_nothing_is_missing_of_a_platform_that_has_recovered() -> None:
    """All nine hold."""
    assert recovered.missing(kind(), sources(evidence.healthy()), PROFILE) == []


def broken() -> dict[str, Any]:
    """What is different where a sign does not hold."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "R1": evidence.lists("deployments", evidence.workload(ready=1), group="apps"),
        "R2": evidence.lists("pods", evidence.pod(now)),
        "R3": {evidence.HEALTH.key: evidence.targets("healthy", "unhealthy")},
        "R6": {evidence.ROUND.key: evidence.trips(evidence.step("small_run", "refused", 502))},
        "R7": {evidence.QUEUES.key: evidence.readings(1, 2, 3, 4)},
    }


@pytest.mark.parametrize("name", broken())
def test_a_sign_that_does_not_hold_is_told(name: str) -> None:
    """That one, and no other but the large payload of a trace that was not taken at all."""
    given = {**evidence.healthy(), **broken()[name]}
    assert missing(given, kind()) == (["R6", "R8"] if name == "R6" else [name])


def test_a_change_that_is_still_there_is_told() -> None:
    """The kind looks at the same evidence as all other signs."""
    assert missing(evidence.healthy(), kind(evidence.HEALTH, is_there=True)) == ["R9"]


def test_what_cannot_be_told_does_not_hold() -> None:
    """Nobody answers: none of the nine is taken for good."""
    assert missing({}, kind()) == [f"R{number}" for number in range(1, 10)]
