"""What the learner wrote down while one component had no role, and which one it was."""

from typing import Any

import pytest

from hallmark.errors import Absent, Miss
from hallmark.views.workloads import Workloads

FILE = "work/edge-irsa-one-component/diagnosis.toml"
SHOWN = {"accounts": 4, "without_role": 1, "variables": 0}
ANSWER = {
    "component": "ingest-queue",
    "cause": "account-without-role",
    "fact": "no-annotation-on-its-service-account",
}
QUESTIONS = {
    "component": "the component whose pods have no role",
    "cause": "the cause that leaves its pods without a role while the others have theirs",
    "fact": "the fact that proves the cause, and would be different for every other cause",
}


def _table(workloads: Workloads, name: str) -> dict[str, Any]:
    try:
        table = workloads.ask("files", "table", path=FILE).get(name, {})
    except Absent as absent:
        hint = "hallmark lab start edge-irsa-one-component"
        raise Miss(expected=f"the file {FILE}", observed="none", where=FILE, next=hint) from absent
    return table if isinstance(table, dict) else {}


def _require(written: dict[str, Any], name: str, value: object, expected: str, where: str) -> None:
    if written.get(name) != value or isinstance(written[name], bool):
        raise Miss(
            expected=expected,
            observed=repr(written.get(name, "nothing")),
            where=f"{FILE} [{where}]",
            next="hallmark lab hint edge-irsa-one-component",
        )


@pytest.mark.check("ART-4", points=2, why="Who repairs before looking cannot say afterwards what was broken.")
def test_evidence_is_collected(workloads: Workloads) -> None:
    """The evidence written down is what the incident showed."""
    written = _table(workloads, "evidence")
    for name, value in SHOWN.items():
        _require(written, name, value, f"{name} as the cluster showed it during the incident", "evidence")


@pytest.mark.check("ART-4", points=4, why="Access denied has four causes, and each is mended in another place.")
def test_diagnosis_is_right(workloads: Workloads) -> None:
    """Component, cause and proving fact are named."""
    written = _table(workloads, "diagnosis")
    for name, value in ANSWER.items():
        _require(written, name, value, QUESTIONS[name], "diagnosis")
