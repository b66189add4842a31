"""Filters and pages of runs: what is found, in which order, and what cannot be asked."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from hallmark.twin.platform.calls import Refusal
from hallmark.twin.platform.expressions import Name, Term, read
from hallmark.twin.platform.filters import Conditions
from hallmark.waiting import until

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def run(project: str, number: int, **more: Any) -> Mapping[str, Any]:
    """One run of a project, a second after the one before."""
    identity = str(uuid4())
    began = START + timedelta(seconds=number)
    ended = began + timedelta(seconds=number)
    facts = {"id": identity, "trace_id": identity, "name": f"r{number}", "run_type": "chain", "session_name": project}
    return {**facts, "start_time": began.isoformat(), "end_time": ended.isoformat(), **more}


@pytest.fixture(scope="module")
def project(platform: Any) -> str:
    """A project of five runs, the fourth a child of the third."""
    name = f"questions-{uuid4()}"
    runs = [run(name, 0, tags=["a", "b"]), run(name, 1, run_type="llm", error="it's \\ broken"), run(name, 2)]
    runs.append(run(name, 3, parent_run_id=runs[2]["id"], trace_id=runs[2]["id"], inputs={"text": "Needle in it"}))
    runs.append(run(name, 4, end_time=None, extra={"metadata": {"env": "prod", "n": 3}}, tags=["b"]))
    assert platform.call("POST", "/runs/batch", {"post": runs})[0] == 202
    opinion = {"run_id": runs[0]["id"], "key": "good", "score": 0.9}
    assert platform.call("POST", "/feedback", opinion)[0] == 200
    for each in runs:
        platform.readable(each["id"])
    found = platform.call("GET", f"/sessions?name={name}&include_stats=false")[1]
    assert until(lambda: platform.call("GET", f"/feedback?run={runs[0]['id']}")[1], 60)
    return str(found[0]["id"])


def names(platform: Any, project: str, **asked: Any) -> list[str]:
    """Names of the runs that are found, newest first."""
    status, answer = platform.call("POST", "/runs/query", {"session": [project], **asked})
    assert status == 200, answer
    return [each["name"] for each in answer["runs"]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('eq(name, "r1")', ["r1"]),
        ('neq(run_type, "chain")', ["r1"]),
        ("eq(is_root, false)", ["r3"]),
        ("gt(latency, 2)", ["r3"]),
        ("gte(latency, 2)", ["r3", "r2"]),
        ("lt(latency, 0.5)", ["r0"]),
        ('eq(status, "pending")', ["r4"]),
        ('eq(status, "error")', ["r1"]),
        ('eq(error, "it\'s \\\\ broken")', ["r1"]),
        ("neq(error, null)", ["r1"]),
        ("eq(error, true)", ["r1"]),
        ("eq(end_time, null)", ["r4"]),
        ('has(tags, "b")', ["r4", "r0"]),
        ('and(has(tags, "a"), has(tags, "b"))', ["r0"]),
        ('or(eq(name, "r0"), eq(name, "r2"))', ["r2", "r0"]),
        ('not(or(eq(run_type, "llm"), has(tags, "b")))', ["r3", "r2"]),
        ('in(name, ["r0", "r4"])', ["r4", "r0"]),
        ('search("needle")', ["r3"]),
        ('like(name, "R%")', ["r4", "r3", "r2", "r1", "r0"]),
        ('gte(start_time, "2026-01-02T03:04:08Z")', ["r4", "r3"]),
        ('eq(metadata_key, "env")', ["r4"]),
        ('and(eq(metadata_key, "env"), eq(metadata_value, "prod"))', ["r4"]),
        ('and(eq(metadata_key, "env"), eq(metadata_value, "test"))', []),
        ('and(eq(feedback_key, "good"), gt(feedback_score, 0.5))', ["r0"]),
        ('and(eq(feedback_key, "good"), gt(feedback_score, 0.95))', []),
        ("and()", ["r4", "r3", "r2", "r1", "r0"]),
    ],
)
def test_filters(platform: Any, project: str, text: str, found: list[str]) -> None:
    """Each kind of condition finds what it should, and nothing else."""
    assert names(platform, project, filter=text) == found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["r4", "r3", "r2", "r1", "r0"]),
        ({"order": "asc"}, ["r0", "r1", "r2", "r3", "r4"]),
        ({"is_root": True}, ["r4", "r2", "r1", "r0"]),
        ({"run_type": "llm"}, ["r1"]),
        ({"error": True}, ["r1"]),
        ({"error": False}, ["r4", "r3", "r2", "r0"]),
        ({"start_time": "2026-01-02T03:04:08Z"}, ["r4", "r3"]),
        ({"query": 'Needle "in'}, []),
        ({"query": "Needle in"}, ["r3"]),
        ({"trace_filter": 'eq(name, "r2")'}, ["r3", "r2"]),
        ({"session": [str(uuid4())]}, []),
    ],
)
def test_questions(platform: Any, project: str, asked: Any, found: list[str]) -> None:
    """The other fields of a query."""
    assert names(platform, project, **asked) == found


def test_pages(platform: Any, project: str) -> None:
    """A cursor leads from page to page, over each run once."""
    seen, cursor = [], None
    while True:
        asked = {"session": [project], "limit": 2, "select": ["name"], **({"cursor": cursor} if cursor else {})}
        answer = platform.call("POST", "/runs/query", asked)[1]
        seen += [each["name"] for each in answer["runs"]]
        assert all("inputs" not in each for each in answer["runs"])
        cursor = answer["cursors"]["next"]
        if not cursor:
            break
    assert seen == ["r4", "r3", "r2", "r1", "r0"]


def test_by_identity(platform: Any, project: str) -> None:
    """Runs by id, by trace, and by parent."""
    runs = platform.call("POST", "/runs/query", {"session": [project]})[1]["runs"]
    of = {each["name"]: each for each in runs}

    assert names(platform, project, id=[of["r1"]["id"]]) == ["r1"]
    assert names(platform, project, trace=of["r2"]["id"]) == ["r3", "r2"]
    assert names(platform, project, parent_run=of["r2"]["id"]) == ["r3"]
    assert of["r0"]["feedback_stats"] == {"good": {"n": 1, "avg": 0.9}}


def test_statistics(platform: Any, project: str) -> None:
    """Counts and times of a project, alone and in the list of projects."""
    stats = platform.call("POST", "/runs/stats", {"session": [project]})[1]
    listed = platform.call("GET", f"/sessions?id={project}")[1][0]

    assert (stats["run_count"], stats["error_rate"]) == (5, 0.2)
    assert listed["run_count"] == 5
    assert platform.call("POST", "/runs/stats", {"session": [str(uuid4())]})[1]["run_count"] == 0


@pytest.mark.parametrize(
    "text",
    [
        "", "name", "eq(name", "eq(name, )", 'eq(name, "x"', "eq(,)", "nope(name, 1)", 'eq(nope, "x")', "eq(name)",
        "1", "eq(name, [1])", 'has(name, "x")', "has(tags)", "not()", "and(1)", 'gt(latency, "x")',
        "eq(name, 'x')) or 1",
        "in(tags, [1])", 'eq(name, "x");', "(" * 30, "not(" * 30 + "1" + ")" * 30, "eq(latency, null)",
    ],
)  # fmt: skip
def test_filters_that_cannot_be_read(text: str) -> None:
    """What is no filter is refused with 400, and never reaches the database."""
    with pytest.raises(Refusal) as caught:
        Conditions().filter(text)
    assert caught.value.status == 400


def test_values_are_no_sql() -> None:
    """A value that looks like SQL is a parameter."""
    found = Conditions()
    found.filter("""eq(name, "x' OR 1=1 --")""")

    assert "OR" not in found.sql()
    assert list(found.parameters.values()) == ["x' OR 1=1 --"]


def test_how_filters_are_read() -> None:
    """Names, texts in both kinds of quotes, numbers, constants and lists."""
    assert read("""f(a, "b\\"c", 'd', -1.5, true, null, [1, 'e'])""") == Term(
        "f", (Name("a"), 'b"c', "d", -1.5, True, None, [1.0, "e"])
    )
