"""What the learner wrote down: evidence from the incident, and the one cause that it proves."""

from typing import Any

import pytest

from hallmark.errors import Absent, Miss
from hallmark.views.data import Data

FILE = "work/failure-database-unreachable/diagnosis.toml"
ANSWER = {"component": "database", "cause": "security-group", "fact": "no-ingress-rule-for-the-nodes"}
QUESTIONS = {
    "component": "the component that everything else is waiting for",
    "cause": "the cause that leads to a time-out while RDS says available",
    "fact": "the fact that proves the cause, and would be different for every other cause",
}


def _table(data: Data, name: str) -> dict[str, Any]:
    try:
        table = data.ask("files", "table", path=FILE).get(name, {})
    except Absent as absent:
        hint = "hallmark lab start failure-database-unreachable"
        raise Miss(expected=f"the file {FILE}", observed="none", where=FILE, next=hint) from absent
    return table if isinstance(table, dict) else {}


@pytest.mark.check("ART-4", points=2, why="Who repairs before looking cannot say afterwards what was broken.")
def test_evidence_is_collected(data: Data) -> None:
    """The evidence written down is what the incident showed."""
    written, ports = _table(data, "evidence"), {database.port for database in data.databases}
    if len(ports) != 1:
        raise Miss(
            expected="one PostgreSQL database", observed=f"{len(ports)} ports", where=data.scope("cluster"),
            next="aws rds describe-db-instances",
        )  # fmt: skip
    shown = {"database_status": "available", "database_port": ports.pop(), "rules_for_the_nodes": 0, "route": "local"}
    for name, value in shown.items():
        if written.get(name) != value or isinstance(written[name], bool):
            raise Miss(
                expected=f"{name} as AWS showed it during the incident",
                observed=repr(written.get(name, "nothing")),
                where=f"{FILE} [evidence]",
                next="hallmark lab hint failure-database-unreachable",
            )


@pytest.mark.check("ART-4", points=4, why="The same symptom has eight causes; a repair for the wrong one helps nobody.")
def test_diagnosis_is_right(data: Data) -> None:
    """Component, cause and proving fact are named."""
    written = _table(data, "diagnosis")
    for name, value in ANSWER.items():
        if written.get(name) != value:
            raise Miss(
                expected=QUESTIONS[name],
                observed=repr(written.get(name, "nothing")),
                where=f"{FILE} [diagnosis]",
                next="hallmark lab hint failure-database-unreachable",
            )
