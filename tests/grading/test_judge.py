"""Four verdicts, and nothing turns into a pass."""

from collections.abc import Callable

import pytest

from hallmark.errors import Absent, AuthorError, Miss, NotApplicable, Unobservable
from hallmark.evidence.snapshot import Snapshot
from hallmark.grading.judge import Check, judge_all, ordered
from hallmark.model import CheckSpec, Level, Verdict


def _check(name: str, function: Callable[[], object], *requires: str) -> Check:
    spec = CheckSpec(f"lab/{name}", name, ("NET-1",), Level.P0, 1, tuple(f"lab/{other}" for other in requires))
    return Check(spec, function)


def _raising(error: BaseException) -> Callable[[], object]:
    def function() -> object:
        raise error

    return function


MISS = Miss(expected="a", observed="b", where="arn", next="aws …")


WAYS: dict[str, tuple[Callable[[], object], Verdict, str]] = {
    "returns": (lambda: None, Verdict.PASS, ""),
    "returns a note": (lambda: "a note", Verdict.PASS, ""),
    "misses": (_raising(MISS), Verdict.FAIL, ""),
    "does not apply": (_raising(NotApplicable("x")), Verdict.NOT_APPLICABLE, ""),
    "cannot observe": (_raising(Unobservable("denied", "x")), Verdict.ERROR, "denied"),
    "stumbles over a missing key": (_raising(KeyError("VpcId")), Verdict.ERROR, "grader"),
    "asserts plainly": (_raising(AssertionError("a plain assert")), Verdict.ERROR, "grader"),
    "forgets about absence": (_raising(Absent("nobody caught it")), Verdict.ERROR, "grader"),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_a_check_does_decides_its_verdict(way: str) -> None:
    """Only a return passes; only a miss fails; everything else could not tell."""
    function, verdict, code = WAYS[way]
    result = judge_all([_check("one", function)], Snapshot())["lab/one"]

    assert (result.verdict, result.code) == (verdict, code)


def test_a_check_is_blocked_by_its_root_cause() -> None:
    """A chain of requirements names the first that did not pass."""
    checks = ordered(
        [
            _check("third", lambda: None, "second"),
            _check("second", lambda: None, "first"),
            _check("first", _raising(MISS)),
        ]
    )

    results = judge_all(checks, Snapshot())

    assert [result.verdict for result in results.values()] == [Verdict.FAIL, Verdict.BLOCKED, Verdict.BLOCKED]
    assert results["lab/third"].cause == "lab/first"


def test_what_does_not_apply_blocks_nothing() -> None:
    """What stands behind it is judged on its own."""
    checks = ordered([_check("first", _raising(NotApplicable("why"))), _check("second", lambda: None, "first")])

    results = judge_all(checks, Snapshot())

    assert [result.verdict for result in results.values()] == [Verdict.NOT_APPLICABLE, Verdict.PASS]
    assert results["lab/first"].observed == "why"


def test_an_unknown_or_circular_requirement_is_the_authors_fault() -> None:
    """It is said before anything is graded."""
    with pytest.raises(AuthorError, match="not a check of this lab"):
        ordered([_check("one", lambda: None, "two")])
    with pytest.raises(AuthorError, match="circle"):
        ordered([_check("one", lambda: None, "two"), _check("two", lambda: None, "one")])
