"""What is a root cause, what it holds up, and how the result reads in words."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import combinations_with_replacement, product

import pytest

from hallmark.errors import Exit
from hallmark.evidence.snapshot import Snapshot
from hallmark.grading import scoring
from hallmark.model import Lab, Level, Result, Scorecard, Verdict
from hallmark.reference import Reference, load
from hallmark.reporting.outline import UNPLACED, Outcome, clean, outline, place, tally

Make = Callable[..., Result]
MakeCard = Callable[[Iterable[Result]], Scorecard]
EXITS = {Outcome.PASSED: Exit.PASSED, Outcome.NOT_PASSED: Exit.NOT_PASSED, Outcome.UNKNOWN: Exit.UNKNOWN}


def every_mix(a_result: Make) -> Iterable[list[Result]]:
    """Yield every mix of up to three verdicts on required and recommended checks."""
    kinds = list(product(Verdict, (Level.P0, Level.REC)))
    for size in range(4):
        for mix in combinations_with_replacement(kinds, size):
            yield [a_result(f"c{number}", verdict, level=level) for number, (verdict, level) in enumerate(mix)]


def test_the_word_says_what_the_exit_code_says(a_result: Make, a_card: MakeCard, reference: Reference) -> None:
    """The result in words and the exit code of the grade never disagree."""
    for results in every_mix(a_result):
        card = a_card(results)
        assert EXITS[outline(card, reference).outcome] == scoring.exit_code(card)


def test_the_counts_are_those_of_the_score(a_result: Make) -> None:
    """A report counts as the score does."""
    lab = Lab("lab-one", "t", "preflight", "s", 1, 1, ("twin",), "current")
    for results in every_mix(a_result):
        card, total = scoring.score(lab, results, Snapshot()), tally("Total", results)
        assert (total.earned, total.possible) == (card.earned, card.possible)
        assert (total.recommended_met, total.recommended) == (card.recommended_met, card.recommended)


def test_every_result_is_shown_once(any_card: Scorecard, reference: Reference) -> None:
    """Nothing is lost between root causes, blocked, recommendations, undecided and passed; nothing is shown twice."""
    plan = outline(any_card, reference)
    blocked = [result for group in plan.blocked for result in group.results]
    shown = Counter(r.check.id for r in [*plan.causes, *blocked, *plan.recommendations, *plan.undecided, *plan.passed])
    assert shown == Counter(result.check.id for result in any_card.results)


def test_what_holds_up_most_comes_first(a_result: Make, a_card: MakeCard, reference: Reference) -> None:
    """A cause that blocks two checks stands above earlier ones that block none; otherwise the order is kept."""
    card = a_card(
        [
            a_result("first", Verdict.FAIL),
            a_result("second", Verdict.ERROR),
            a_result("third", Verdict.FAIL),
            a_result("x", Verdict.BLOCKED, cause="lab-one/third"),
            a_result("y", Verdict.BLOCKED, cause="lab-one/third"),
        ]
    )
    plan = outline(card, reference)
    assert [result.check.id for result in plan.causes] == ["lab-one/third", "lab-one/first", "lab-one/second"]
    assert plan.blocks(plan.causes[0]) == 2
    assert [(group.cause, len(group.results)) for group in plan.blocked] == [("third holds.", 2)]


@pytest.mark.parametrize(("blocked", "urgent"), [(Level.P0, ["lab-one/miss"]), (Level.REC, [])])
def test_a_recommendation_that_blocks_a_requirement_is_a_root_cause(
    blocked: Level, urgent: list[str], a_result: Make, a_card: MakeCard, reference: Reference
) -> None:
    """A missed recommendation is urgent exactly when a requirement waits for it."""
    miss = a_result("miss", Verdict.FAIL, level=Level.REC)
    plan = outline(a_card([miss, a_result("x", Verdict.BLOCKED, level=blocked, cause="lab-one/miss")]), reference)
    assert [result.check.id for result in plan.causes] == urgent
    assert plan.recommendations == (() if urgent else (miss,))


def test_an_error_is_never_only_a_recommendation(a_result: Make, a_card: MakeCard, reference: Reference) -> None:
    """What could not be observed stands on top, whatever its level."""
    error = a_result("e", Verdict.ERROR, level=Level.P1)
    plan = outline(a_card([a_result("fine", Verdict.PASS), error]), reference)
    assert (plan.causes, plan.outcome) == ((error,), Outcome.UNKNOWN)
    assert plan.sentence == "1 of 1 required check passed, 1 check could not be observed."


def test_a_requirement_that_is_not_applicable_is_not_a_pass(
    a_result: Make, a_card: MakeCard, reference: Reference
) -> None:
    """It decides nothing, so the result is unknown; what is missed for sure is said first."""
    undecided = a_result("n", Verdict.NOT_APPLICABLE, observed="cannot have it")
    plan = outline(a_card([a_result("fine", Verdict.PASS), undecided]), reference)
    assert (plan.outcome, plan.undecided, plan.causes) == (Outcome.UNKNOWN, (undecided,), ())
    assert plan.sentence == "1 of 2 required checks passed, 1 not applicable."
    assert plan.commands == ("nox -s grade -- lab-one",)
    assert outline(a_card([a_result("miss", Verdict.FAIL), undecided]), reference).outcome is Outcome.NOT_PASSED


def test_a_recommendation_that_is_not_applicable_changes_nothing(
    a_result: Make, a_card: MakeCard, reference: Reference
) -> None:
    """It is counted as not met, and the result stays."""
    plan = outline(
        a_card([a_result("fine", Verdict.PASS), a_result("n", Verdict.NOT_APPLICABLE, level=Level.REC)]), reference
    )
    assert (plan.outcome, plan.total.recommended_met, plan.total.recommended) == (Outcome.PASSED, 0, 1)


def test_nothing_graded_is_not_a_pass(a_result: Make, a_card: MakeCard, reference: Reference) -> None:
    """Without a required check nothing is proven."""
    for results in ([], [a_result("rec", Verdict.PASS, level=Level.REC)]):
        plan = outline(a_card(results), reference)
        assert (plan.outcome, plan.sentence) == (Outcome.NOT_PASSED, "no required check was graded.")


def test_only_full_marks_read_100_percent(a_result: Make) -> None:
    """The share of points is rounded down."""
    one_short = [a_result("a", Verdict.PASS, points=999), a_result("b", Verdict.FAIL, points=1)]
    assert tally("", one_short).percent == 99
    assert tally("", one_short[:1]).percent == 100
    assert tally("", []).percent == 0


def test_domains_follow_the_reference(a_result: Make, a_card: MakeCard, reference: Reference) -> None:
    """A check belongs to the domain of its first clause; domains have the order of the reference."""
    card = a_card(
        [
            a_result("later", Verdict.FAIL, clauses=("GONE-1", "NET-1")),
            a_result("data", Verdict.PASS, clauses=("PG-1", "NET-5")),
            a_result("net", Verdict.PASS, clauses=("NET-5", "PG-1")),
        ]
    )
    domains = outline(card, reference).domains
    assert [(tally.name, tally.verdict) for tally in domains] == [
        ("Network and ingress", Verdict.PASS),
        ("Data stores", Verdict.PASS),
        (UNPLACED, Verdict.FAIL),
    ]


@pytest.mark.parametrize(
    ("verdict", "command", "expected"),
    [
        (Verdict.PASS, "", ["nox -s lab -- finish lab-one"]),
        (Verdict.FAIL, "aws sts get-caller-identity", ["aws sts get-caller-identity", "nox -s grade -- lab-one"]),
        (Verdict.FAIL, "", ["hallmark lab hint lab-one", "nox -s grade -- lab-one"]),
        (Verdict.ERROR, "nox -s grade", ["nox -s grade -- lab-one"]),
    ],
)
def test_there_is_always_a_next_command(
    verdict: Verdict, command: str, expected: list[str], a_result: Make, a_card: MakeCard
) -> None:
    """The first root cause says how to go on, else a hint does; after a repair the lab is graded again."""
    card = a_card([a_result("one", verdict, next=command)])
    assert list(outline(card, load()).commands) == expected


def test_the_account_stays_out_of_reports(mixed: Scorecard) -> None:
    """Reports are passed around: they name the system, not the account."""
    assert place(mixed) == {
        "target": "aws",
        "region": "us-east-1",
        "cluster": "a-cluster",
        "host": "langsmith.hallmark.example",
    }
    assert place(replace(mixed, target={"account": "1"})) == {}


def test_clean_text_keeps_what_a_person_reads() -> None:
    """Control characters, direction marks and half characters go; text in any script, lines and tabs stay."""
    assert clean("a\x1b[31m\x00\x9b\u202eb\ud800\uffff") == "a\ufffd[31m\ufffd\ufffd\ufffdb\ufffd\ufffd"
    assert clean("Größe\t日本 🙂\r\nok\n") == "Größe\t日本 🙂\nok\n"


def test_the_target_reads_the_same_in_any_order(mixed: Scorecard) -> None:
    """Stored evidence has sorted names, a live target has its own order: the report is one."""
    names = {**mixed.target, "release": "langsmith", "namespace": "langsmith"}
    backwards = dict(sorted(names.items(), reverse=True))

    assert list(place(replace(mixed, target=names)).items()) == list(place(replace(mixed, target=backwards)).items())
    assert list(place(replace(mixed, target=backwards)))[:2] == ["target", "region"]
