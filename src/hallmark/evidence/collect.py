"""Collecting: ask the target what the checks need, each distinct call once, all at once where they allow it.

There is no list of what to collect. The questions a grade will ask *are* the plan: each is tried on the
evidence so far, and where an answer is missing it says so (:class:`Pending`). Missing calls are asked
concurrently, first what most questions wait for, and a question is tried again as soon as an answer arrives. So a
collection takes as long as its longest chain of dependent calls, and asks nothing that no check reads.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Protocol

from hallmark.errors import AuthorError
from hallmark.evidence.redact import Redactor
from hallmark.evidence.snapshot import CLUSTER, LOCAL, Snapshot
from hallmark.evidence.workers import Pace, Workers, nimble
from hallmark.model import Answer, Call, Status

Question = Callable[[], object]
"""A function without arguments that asks evidence for what it needs; what it returns is not used."""
Waiting = tuple[Question, tuple[Call, ...]]
"""A question, and the calls it cannot go on without."""


class Source(Protocol):
    """What can answer a call: an AWS account, the workstation, files."""

    def answer(self, call: Call) -> Answer:
        """Ask the target once."""


class Pending(Exception):
    """The evidence so far does not answer these calls."""

    def __init__(self, calls: Iterable[Call]) -> None:
        super().__init__()
        self.calls = tuple(calls)


@dataclass(frozen=True)
class Progress:
    """Where a collection stands: calls answered, calls known to be needed."""

    answered: int
    asked: int


class Growing:
    """Evidence that is being taken. Views ask it as they ask a :class:`Snapshot`.

    Args:
        scope: Which system it is about.
        collected_at: ISO 8601 UTC.
    """

    def __init__(self, scope: Mapping[str, str], collected_at: str) -> None:
        self.answers: dict[str, Answer] = {}
        self.snapshot = Snapshot(self.answers, scope, collected_at)

    @property
    def scope(self) -> Mapping[str, str]:
        """See :class:`hallmark.evidence.snapshot.Evidence`."""
        return self.snapshot.scope

    @property
    def collected_at(self) -> str:
        """See :class:`hallmark.evidence.snapshot.Evidence`."""
        return self.snapshot.collected_at

    def ask(self, call: Call) -> Any:
        """Answer from what is there, else say that it is pending."""
        self.need([call])
        return self.snapshot.ask(call)

    def need(self, calls: Iterable[Call]) -> None:
        """Raise :class:`Pending` with all calls that are not answered yet."""
        if missing := [call for call in calls if call.key not in self.answers]:
            raise Pending(missing)


class Collection:
    """One run of collecting.

    Args:
        sources: Source by service name; ``aws`` serves every service that is not local.
        deadline: Seconds after which what is still unanswered counts as timed out.
        progress: Called after each answer.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        deadline: float,
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self._sources = sources
        self._deadline = deadline
        self._progress = progress
        self._redactor = Redactor(os.environ)
        self._workers = Workers()

    def run(self, evidence: Growing, questions: Sequence[Question]) -> Snapshot:
        """Try all *questions* until each has either ended or cannot go on.

        Returns:
            The evidence as it stands: complete for these questions.
        """
        try:
            with nimble():
                self._loop(evidence, [(question, ()) for question in questions], time.monotonic() + self._deadline)
        finally:
            self._workers.dismiss()
        return replace(evidence.snapshot, answers=dict(evidence.answers), versions=_versions())

    def _loop(self, evidence: Growing, waiting: list[Waiting], until: float) -> None:
        asked: set[str] = set()
        pace = Pace()
        waiting = _try(waiting, evidence.answers)
        unsent = _by_urgency(waiting, asked)
        while unsent or len(asked) > len(evidence.answers):
            while unsent and (unsent[-1].service in LOCAL or pace.take()):
                call = unsent.pop()
                asked.add(call.key)
                self._workers.ask(call, self._source(call).answer)
            left = until - time.monotonic()
            if arrived := self._workers.answers(min(left, pace.wait) if unsent else left):
                evidence.answers.update({call.key: self._clean(call, answer) for call, answer in arrived})
                waiting = _try(waiting, evidence.answers)
                unsent = _by_urgency(waiting, asked)
                self._progress(Progress(len(evidence.answers), len(asked) + len(unsent)))
            elif time.monotonic() >= until:
                self._give_up(evidence, waiting)
                return

    def _source(self, call: Call) -> Source:
        name = call.service if call.service in {*LOCAL, CLUSTER} else "aws"
        if name not in self._sources:
            raise AuthorError(f"nothing here answers {call.service}.{call.operation}.")
        return self._sources[name]

    def _clean(self, call: Call, answer: Answer) -> Answer:
        # The source masks what a cluster holds, by its place; to rules about names `secretKeyRef` looks like a secret.
        redact = self._redactor.texts if call.service == CLUSTER else self._redactor.redact
        return replace(answer, value=redact(answer.value), message=self._redactor.text(answer.message))

    def _give_up(self, evidence: Growing, waiting: list[Waiting]) -> None:
        """After the deadline nothing more is asked: every call that is still missing, now or next, is late."""
        while waiting:
            late = [call for _, calls in waiting for call in calls if call.key not in evidence.answers]
            evidence.answers.update({call.key: self._late(call) for call in late})
            waiting = _try(waiting, evidence.answers)

    def _late(self, call: Call) -> Answer:
        message = f"{call.service}.{call.operation}: no answer within {self._deadline:g} s"
        return Answer(Status.FAILED, None, "timeout", message, round(self._deadline * 1000))


def collect(
    sources: Mapping[str, Source],
    scope: Mapping[str, str],
    questions: Callable[[Growing], Sequence[Question]],
    deadline: float,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Snapshot:
    """Take the evidence that *questions* need.

    Args:
        sources: See :class:`Collection`.
        scope: Which system the evidence is about.
        questions: Given the growing evidence, returns what will be asked of it.
        deadline: Seconds.
        progress: Called after each answer.
    """
    evidence = Growing(scope, datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"))
    return Collection(sources, deadline, progress).run(evidence, questions(evidence))


def _try(waiting: list[Waiting], answers: Mapping[str, Answer]) -> list[Waiting]:
    """Try each question whose missing calls are answered by now; return what still waits, and for what."""
    still: list[Waiting] = []
    for question, calls in waiting:
        if any(call.key not in answers for call in calls):
            still.append((question, calls))
            continue
        try:
            question()
        except Pending as pending:
            still.append((question, pending.calls))
        except Exception:  # noqa: BLE001, S112  (whatever it concludes, it concludes again, and reports, when graded)
            continue
    return still


def _by_urgency(waiting: Iterable[Waiting], asked: set[str]) -> list[Call]:
    """Return the calls that were not asked yet, the most urgent last: the one that most questions wait for.

    Before all others goes what costs the processor of this machine: at first that has nothing to do but wait for AWS.
    """
    calls = {call.key: call for _, missing in waiting for call in missing if call.key not in asked}
    questions = Counter(call.key for _, missing in waiting for call in missing)
    return sorted(calls.values(), key=lambda call: (call.service in LOCAL, questions[call.key]))


def _versions() -> dict[str, str]:
    return {"hallmark": version("hallmark"), "boto3": version("boto3")}
