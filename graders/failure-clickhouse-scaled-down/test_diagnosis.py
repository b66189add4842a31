"""What the learner wrote down: evidence from the incident, and the one cause that it proves."""

import pytest

from hallmark.views.diagnosis import Diagnosis

LAB = "failure-clickhouse-scaled-down"
SHOWN = {"log_says": "refused", "replicas_wanted": 0, "endpoints": 0, "claim_status": "Bound"}
ANSWER = {"component": "clickhouse", "cause": "scaled-to-zero", "fact": "no-replicas-are-wanted"}
QUESTIONS = {
    "component": "the component that accepting traces does not need and reading them does",
    "cause": "the cause that leaves no pod, no failure and no event of one",
    "fact": "the fact that proves the cause, and would be different for every other cause",
}


@pytest.mark.check("ART-4", points=2, why="Who repairs before looking cannot say afterwards what was broken.")
def test_evidence_is_collected(diagnosis: Diagnosis) -> None:
    """The evidence written down is what the incident showed."""
    diagnosis.require(LAB, "evidence", SHOWN, {})


@pytest.mark.check("ART-4", points=4, why="The same symptom has eight causes; a repair for the wrong one helps nobody.")
def test_diagnosis_is_right(diagnosis: Diagnosis) -> None:
    """Component, cause and proving fact are named."""
    diagnosis.require(LAB, "diagnosis", ANSWER, QUESTIONS)
