"""One check on one piece of evidence: what verdict it deserves. Pure; the only place that decides."""

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from hallmark.errors import AuthorError, Miss, NotApplicable, Unobservable
from hallmark.evidence.collect import Pending
from hallmark.evidence.snapshot import Evidence
from hallmark.model import CheckSpec, Result, Verdict
from hallmark.views.all import Views

RETRY = {
    "credentials": "aws sts get-caller-identity",
    "no-key": "read -rs HALLMARK_API_KEY && export HALLMARK_API_KEY",
    "not-collected": "hallmark collect {lab} -o evidence.json",
}
"""Next command by cause of an ERROR; other causes are worth a second try."""
_OPEN = frozenset({Verdict.PASS, Verdict.NOT_APPLICABLE})
"""Verdicts of a required check that let those behind it be judged."""


@dataclass(frozen=True)
class Check:
    """A check, ready to run.

    Attributes:
        spec: What it declares.
        function: The pytest test; its parameters name the views it reads.
    """

    spec: CheckSpec
    function: Callable[..., object]

    def run(self, views: Views) -> object:
        """Call the test with the views it names."""
        return self.function(*(getattr(views, name) for name in _views(self.function)))


@functools.cache
def _views(function: Callable[..., object]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


def judge(check: Check, views: Views, earlier: Mapping[str, Result]) -> Result:
    """Run *check* and say what it concluded.

    Args:
        check: What to run.
        views: Views over the evidence.
        earlier: Results so far; a required check that did not pass blocks this one.

    Returns:
        PASS only when the test returned. A miss is FAIL. Anything else that is raised is ERROR: a grader that
        cannot conclude never passes, and a fault in a grader is not the learner's failure.
    """
    spec = check.spec
    if blocker := next((name for name in spec.requires if earlier[name].verdict not in _OPEN), ""):
        return Result(spec, Verdict.BLOCKED, cause=earlier[blocker].cause or blocker)
    try:
        note = check.run(views)
    except Pending:
        raise
    except Miss as miss:
        found = {"expected": miss.expected, "observed": miss.observed, "where": miss.where, "next": miss.next}
        return Result(spec, Verdict.FAIL, **found)
    except NotApplicable as reason:
        return Result(spec, Verdict.NOT_APPLICABLE, observed=str(reason))
    except Unobservable as cause:
        return _error(spec, cause.code, cause.message)
    except Exception as error:  # noqa: BLE001  (the verdict ERROR is the report of it)
        return Result(
            spec,
            Verdict.ERROR,
            observed=f"{type(error).__name__}: {error}",
            code="grader",
            next="nox -s grade",
        )
    return Result(spec, Verdict.PASS, note=note if isinstance(note, str) else "")


def _error(spec: CheckSpec, code: str, message: str) -> Result:
    command = RETRY.get(code, "nox -s grade -- {lab}").format(lab=spec.id.split("/")[0])
    return Result(spec, Verdict.ERROR, observed=message, code=code, next=command)


def judge_all(checks: Iterable[Check], evidence: Evidence) -> dict[str, Result]:
    """Judge *checks* in their order (prerequisites first, see :func:`ordered`); results by check id."""
    views = Views(evidence)
    results: dict[str, Result] = {}
    for check in checks:
        results[check.spec.id] = judge(check, views, results)
    return results


def ordered(checks: Iterable[Check]) -> list[Check]:
    """Put prerequisites before what requires them, otherwise keep the order of the files.

    Raises:
        AuthorError: A check requires one that does not exist, or requirements go in a circle.
    """
    by_id = {check.spec.id: check for check in checks}
    for check in by_id.values():
        if unknown := set(check.spec.requires) - set(by_id):
            raise AuthorError(f"{check.spec.id} requires {min(unknown)}, which is not a check of this lab.")
    try:
        order = TopologicalSorter({i: c.spec.requires for i, c in by_id.items()}).static_order()
        rank = {name: position for position, name in enumerate(order)}
    except CycleError as error:
        raise AuthorError(f"checks require each other in a circle: {' -> '.join(error.args[1])}.") from error
    placed: dict[str, Check] = {}

    def place(check: Check) -> None:
        for name in sorted(check.spec.requires, key=rank.__getitem__):
            place(by_id[name])
        placed.setdefault(check.spec.id, check)

    for check in by_id.values():
        place(check)
    return list(placed.values())
