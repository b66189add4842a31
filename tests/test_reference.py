"""The machine-readable reference is complete, says what it means, and refuses what its author got wrong."""

import re
from collections import Counter
from itertools import pairwise

import pytest

from hallmark.errors import AuthorError
from hallmark.model import CheckSpec, Lab, Level
from hallmark.reference import SOURCES, TRACKS, Coverage, Row, load, matrix, parse

CLAUSE = """
[[clause]]
id = "NET-5"
level = "P0"
section = "4"
domain = "Network"
text = "The database is private."
observed = "No subnet is public."
needs = ["aws"]
"""
DECISION = """
[[decision]]
id = "D1"
question = "Which?"
answer = "This."
"""


def check(lab: str, *clauses: str) -> CheckSpec:
    """Return a check of a lab that proves the clauses."""
    return CheckSpec(id=f"{lab}/{clauses[0]}", title="It holds.", clauses=clauses, level=Level.P0, points=1)


def lab(name: str, track: str, *clauses: str) -> Lab:
    """Return a lab of a track that teaches the clauses."""
    return Lab(
        id=name,
        title=name,
        track=track,
        summary="s",
        minutes=5,
        order=1,
        targets=("twin",),
        start="current",
        clauses=clauses,
    )


def rows(checks: tuple[CheckSpec, ...] = (), labs: tuple[Lab, ...] = ()) -> dict[str, Row]:
    """Return the coverage matrix of the real reference by clause id."""
    return {row.clause.id: row for row in matrix(load(), checks, labs)}


def test_the_reference_has_all_96_clauses_at_their_levels() -> None:
    """59 P0, 15 REC, 6 P1, 9 OUT, 7 ATT."""
    levels = Counter(clause.level for clause in load().clauses.values())
    assert levels == {Level.P0: 59, Level.REC: 15, Level.P1: 6, Level.OUT: 9, Level.ATT: 7}
    assert sum(levels.values()) == 96


def test_the_clauses_of_a_family_are_numbered_without_gaps_in_order() -> None:
    """NET-1, NET-2, … as the reference lists them."""
    families: dict[str, list[int]] = {}
    for clause in load().clauses:
        family, number = clause.rsplit("-", 1)
        families.setdefault(family, []).append(int(number))
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in families.values())


def test_a_domain_is_one_run_of_clauses_so_that_a_scorecard_can_use_it_as_heading() -> None:
    """No domain stops and starts again."""
    domains = [clause.domain for clause in load().clauses.values()]
    changes = sum(before != after for before, after in pairwise(domains))
    assert changes + 1 == len(set(domains)) == 10


def test_every_decision_is_numbered_and_used_by_a_clause() -> None:
    """A decision no clause rests on would be decided for nothing."""
    reference = load()
    assert list(reference.decisions) == [f"D{number}" for number in range(1, 12)]
    assert {clause.decision for clause in reference.clauses.values()} - {""} == set(reference.decisions)


def test_texts_are_whole_sentences_that_name_existing_clauses() -> None:
    """A learner reads them in the scorecard; a clause they are sent to has to exist."""
    reference = load()
    for clause in reference.clauses.values():
        for text in (clause.text, clause.observed):
            assert text[0].isupper(), clause.id
            assert text.endswith("."), clause.id
        named = re.findall(r"\b(?:NET|CMP|PG|RD|CH|S3|SEC|AUTH|OBS|SB|ARCH)-\d+\b", clause.observed)
        assert set(named) <= set(reference.clauses), clause.id


def test_what_can_be_graded_says_what_it_needs() -> None:
    """Only clauses about Hallmark itself and plain exclusions need nothing of a target."""
    silent = {clause.id.rsplit("-", 1)[0] for clause in load().clauses.values() if not clause.needs}
    assert silent == {"SCOPE", "EXC", "ART"}


def test_aws_decides_the_clauses_that_need_nothing_else() -> None:
    """Spot checks on both sides of the line, and no clause that is out of scope."""
    decidable = load().aws_decidable()
    ids = {clause.id for clause in decidable}
    assert {"ARCH-2", "NET-2", "NET-6", "CMP-5", "PG-4", "RD-4", "S3-3", "SB-3", "OBS-3"} <= ids
    assert ids.isdisjoint({"ARCH-5", "NET-7", "NET-9", "SB-5", "CMP-3", "CH-4", "S3-4", "SB-1", "SB-2", "PG-3", "RD-2"})
    assert all(clause.level not in {Level.OUT, Level.ATT} for clause in decidable)
    assert sum(clause.level is Level.P0 for clause in decidable) == 20


def test_aws_and_cluster_decide_more_than_aws_alone() -> None:
    """What needs a request from outside, a file or a person stays out."""
    decidable = load().cluster_decidable()
    ids = {clause.id for clause in decidable}
    assert {clause.id for clause in load().aws_decidable()} < ids
    assert {"ARCH-5", "NET-7", "CMP-3", "CH-4", "S3-4", "SEC-2", "OBS-1"} <= ids
    assert ids.isdisjoint({"ARCH-11", "CH-1", "S3-1", "S3-5", "AUTH-1", "SB-1", "SB-2", "MODE-6", "EXC-2"})
    assert sum(clause.level is Level.P0 for clause in decidable) == 42


def test_requests_from_outside_decide_the_rest_but_for_files_and_persons() -> None:
    """The way in, who is let in, and whether traces come back."""
    decidable = load().http_decidable()
    ids = {clause.id for clause in decidable}
    assert {clause.id for clause in load().cluster_decidable()} < ids
    assert {"ARCH-11", "NET-9", "EGR-1", "S3-1", "AUTH-1", "AUTH-2", "SB-1", "SB-5", "SB-7"} <= ids
    assert ids.isdisjoint({"CH-1", "S3-5", "MODE-6", "EXC-2"})
    assert sum(clause.level is Level.P0 for clause in decidable) == 51


def test_the_reference_is_read_once() -> None:
    """Loading is cached, so views, graders and reports may all ask for it."""
    assert load() is load()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[clause", "not TOML"),
        ("[[clauses]]\nid = 'X-1'", "unknown table 'clauses'"),
        (CLAUSE.replace('"P0"', '"P9"'), "clause NET-5: 'P9' is not a valid Level"),
        (CLAUSE.replace('"NET-5"', '"net5"'), "is not a clause id like NET-5"),
        (CLAUSE.replace('["aws"]', '["cloud"]'), f"has to be a list of {', '.join(SOURCES)}"),
        (CLAUSE.replace('["aws"]', '"aws"'), "'needs' has to be a list"),
        (CLAUSE.replace('["aws"]', '["aws", "aws"]'), "names something twice"),
        (CLAUSE + 'labs = ["L5"]', f"has to be a list of {', '.join(TRACKS)}"),
        (CLAUSE + 'points = "5"', "unknown entry 'points'"),
        (CLAUSE + 'decision = "D9"', "clause NET-5: there is no decision 'D9'"),
        (CLAUSE.replace('text = "The database is private."', ""), "'text' has to be a text"),
        (CLAUSE.replace('id = "NET-5"', ""), "clause number 1: 'id' has to be a text"),
        (CLAUSE.replace('"4"', "4"), "'section' has to be a text"),
        (CLAUSE + CLAUSE, "clause NET-5: the id is used twice"),
        (DECISION.replace('"D1"', '"one"'), "is not a decision id like D1"),
        (DECISION.replace('"This."', '" "'), "'answer' has to be a text"),
    ],
)
def test_a_mistake_of_the_author_is_named(text: str, message: str) -> None:
    """The error says which record and which entry to mend."""
    with pytest.raises(AuthorError) as caught:
        parse(text)
    assert message in caught.value.message


def test_a_reference_is_read_as_it_is_written() -> None:
    """Every entry arrives in its field."""
    clause = parse(CLAUSE + 'labs = ["L2", "L3"]\ndecision = "D1"' + DECISION).clauses["NET-5"]
    assert (clause.level, clause.section, clause.needs, clause.labs) == (
        Level.P0,
        "4",
        ("aws",),
        ("L2", "L3"),
    )
    assert clause.decision == "D1"


def test_without_checks_everything_gradable_is_planned() -> None:
    """And what is out of scope or attested is never counted as a gap."""
    states = Counter(row.state for row in rows().values())
    assert states == {Coverage.PLANNED: 80, Coverage.NOT_GRADED: 16}


def test_a_clause_is_covered_only_when_everything_it_needs_can_be_read() -> None:
    """CH-4 needs AWS and the cluster; CH-1 a person, too; a check on an excluded clause changes nothing."""
    found = rows((check("deploy", "NET-5", "CH-4", "SB-1", "CH-1", "PG-3"),))
    assert found["NET-5"].state is Coverage.COVERED
    assert found["CH-4"].state is Coverage.COVERED
    assert found["SB-1"].state is Coverage.COVERED
    assert found["CH-1"].state is Coverage.PARTLY
    assert found["PG-3"].state is Coverage.NOT_GRADED
    assert found["NET-6"].state is Coverage.PLANNED


def test_a_row_names_its_checks_and_the_labs_that_grade_or_teach_it() -> None:
    """A lab counts by what it teaches and by what its grader proves."""
    grading, teaching = lab("deploy", "deployment"), lab("edge", "sharp-edges", "NET-5")
    row = rows((check("deploy", "NET-5"), check("deploy", "NET-6")), (grading, teaching))["NET-5"]
    assert [spec.id for spec in row.checks] == ["deploy/NET-5"]
    assert row.labs == (grading, teaching)


def test_a_promise_of_hallmark_is_kept_by_the_labs_of_its_tracks() -> None:
    """ART-1 needs a preflight lab, ART-5 a lab in every track."""
    found = rows(labs=(lab("account", "preflight"),))
    assert found["ART-1"].state is Coverage.COVERED
    assert found["ART-2"].state is Coverage.PLANNED
    assert found["ART-5"].state is Coverage.PARTLY
    every = rows(labs=tuple(lab(track, track) for track in TRACKS.values()))
    assert every["ART-5"].state is Coverage.COVERED


def test_a_check_or_lab_that_names_an_unknown_clause_is_its_authors_mistake() -> None:
    """A typing error must not look like missing coverage."""
    with pytest.raises(AuthorError, match=r"deploy/NET-99: there is no clause 'NET-99'"):
        rows((check("deploy", "NET-99"),))
    with pytest.raises(AuthorError, match=r"edge: there is no clause 'SB-55'"):
        rows(labs=(lab("edge", "sharp-edges", "SB-55"),))
