"""What the learner wrote down: evidence from the incident, and the one cause that it proves."""

import pytest

from hallmark.errors import Miss
from hallmark.views.data import Data
from hallmark.views.diagnosis import Diagnosis

LAB = "failure-database-unreachable"
ANSWER = {"component": "database", "cause": "security-group", "fact": "no-ingress-rule-for-the-nodes"}
QUESTIONS = {
    "component": "the component that everything else is waiting for",
    "cause": "the cause that leads to a time-out while RDS says available",
    "fact": "the fact that proves the cause, and would be different for every other cause",
}


@pytest.mark.check("ART-4", points=2, why="Who repairs before looking cannot say afterwards what was broken.")
def test_evidence_is_collected(diagnosis: Diagnosis, data: Data) -> None:
    """The evidence written down is what the incident showed."""
    ports = {database.port for database in data.databases}
    if len(ports) != 1:
        raise Miss(
            expected="one PostgreSQL database", observed=f"{len(ports)} ports", where=data.scope("cluster"),
            next="aws rds describe-db-instances",
        )  # fmt: skip
    shown = {"database_status": "available", "database_port": ports.pop(), "rules_for_the_nodes": 0, "route": "local"}
    diagnosis.require(LAB, "evidence", shown, {name: f"{name} as AWS showed it during the incident" for name in shown})


@pytest.mark.check("ART-4", points=4, why="The same symptom has eight causes; a repair for the wrong one helps nobody.")
def test_diagnosis_is_right(diagnosis: Diagnosis) -> None:
    """Component, cause and proving fact are named."""
    diagnosis.require(LAB, "diagnosis", ANSWER, QUESTIONS)
