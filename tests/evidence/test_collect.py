"""Collecting asks each distinct call once, at once, and never waits for ever."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from hallmark.errors import Unobservable
from hallmark.evidence.collect import Growing, Question, collect
from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status

VPCS = Call.of("ec2", "describe_vpcs")
SUBNETS = Call.of("ec2", "describe_subnets")

FILES = Call.of("files", "inventory", path="work")


def _dependent(number: int) -> Call:
    return Call.of("ec2", "describe_route_tables", Filters=[{"Name": "vpc-id", "Values": [str(number)]}])


@dataclass
class _Source:
    """Answers with a number, counts, and can hold calls back until two have come together."""

    together: threading.Barrier | None = None
    hang: threading.Event | None = None
    asked: list[str] = field(default_factory=list)

    def answer(self, call: Call) -> Answer:
        self.asked.append(call.key)
        if self.together:
            self.together.wait(5)
        if self.hang:
            self.hang.wait(30)
        return Answer(Status.OBSERVED, {"number": len(self.asked), "password": "planted-secret"})


def _collect(source: _Source, questions: Callable[[Growing], list[Question]], deadline: float = 20) -> Snapshot:
    return collect({"aws": source}, {}, questions, deadline)


def test_a_call_many_questions_share_is_asked_once() -> None:
    """Ten questions, one call."""
    source = _Source()

    _collect(source, lambda evidence: [lambda: evidence.ask(VPCS)] * 10)

    assert source.asked == [VPCS.key]


def test_independent_calls_run_at_the_same_time() -> None:
    """Neither call returns before both have been asked: one after the other would break the barrier."""
    source = _Source(together=threading.Barrier(2))

    taken = _collect(source, lambda evidence: [lambda: evidence.need([VPCS, SUBNETS])])

    assert {answer.status for answer in taken.answers.values()} == {Status.OBSERVED}


def test_a_dependent_call_is_asked_when_its_answer_is_there() -> None:
    """A chain is followed to its end."""
    source = _Source()

    def chain(evidence: Growing) -> list[Question]:
        return [lambda: evidence.ask(_dependent(evidence.ask(VPCS)["number"]))]

    assert len(_collect(source, chain).answers) == 2


def test_what_most_questions_wait_for_is_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """One call at a time: the one that two questions wait for goes before the one that only the first waits for."""
    monkeypatch.setattr("hallmark.evidence.workers.AT_ONCE", 1)
    source = _Source()

    _collect(source, lambda evidence: [lambda: evidence.ask(SUBNETS), *[lambda: evidence.ask(VPCS)] * 2])

    assert source.asked == [VPCS.key, SUBNETS.key]


def test_files_are_read_without_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace is for AWS: there is one turn and never another here, and both calls are made."""
    monkeypatch.setattr("hallmark.evidence.workers.AT_ONCE", 1)
    monkeypatch.setattr("hallmark.evidence.workers.PACE", 1e9)
    source = _Source()

    found = collect({"aws": source, "files": source}, {}, lambda evidence: [lambda: evidence.need([VPCS, FILES])], 5)

    assert {answer.status for answer in found.answers.values()} == {Status.OBSERVED}
    assert set(source.asked) == {VPCS.key, FILES.key}


def test_what_a_source_raises_is_raised_where_the_evidence_is_wanted() -> None:
    """A fault in a view or in a source is not an answer."""

    class Broken(_Source):
        def answer(self, _: Call) -> Answer:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _collect(Broken(), lambda evidence: [lambda: evidence.ask(VPCS)])


def test_a_target_that_hangs_ends_at_the_deadline() -> None:
    """What did not come in time is a failure with its own code, also what was never asked."""
    release = threading.Event()
    source = _Source(hang=release)

    def chain(evidence: Growing) -> list[Question]:
        return [lambda: evidence.ask(VPCS), lambda: evidence.ask(SUBNETS)]

    taken = _collect(source, chain, deadline=0.2)
    release.set()

    assert [answer.code for answer in taken.answers.values()] == ["timeout", "timeout"]


def test_what_is_stored_is_redacted() -> None:
    """Redaction happens before anything else sees the answer."""
    taken = _collect(_Source(), lambda evidence: [lambda: evidence.ask(VPCS)])

    assert "planted-secret" not in taken.to_json()


def test_what_was_not_collected_cannot_be_observed() -> None:
    """An empty snapshot answers nothing, and says so with its own code."""
    with pytest.raises(Unobservable) as caught:
        Snapshot().ask(VPCS)

    assert caught.value.code == "not-collected"
