"""What the learner wrote down while one component had no role, and which one it was."""

import pytest

from hallmark.views.diagnosis import Diagnosis

LAB = "edge-irsa-one-component"
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


@pytest.mark.check("ART-4", points=2, why="Who repairs before looking cannot say afterwards what was broken.")
def test_evidence_is_collected(diagnosis: Diagnosis) -> None:
    """The evidence written down is what the incident showed."""
    diagnosis.require(LAB, "evidence", SHOWN, {})


@pytest.mark.check("ART-4", points=4, why="Access denied has four causes, and each is mended in another place.")
def test_diagnosis_is_right(diagnosis: Diagnosis) -> None:
    """Component, cause and proving fact are named."""
    diagnosis.require(LAB, "diagnosis", ANSWER, QUESTIONS)
