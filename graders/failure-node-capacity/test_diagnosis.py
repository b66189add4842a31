"""What the learner wrote down: evidence from the incident, and the one cause that it proves."""

import pytest

from hallmark.errors import Miss
from hallmark.views.diagnosis import Diagnosis, file_of

LAB = "failure-node-capacity"
SHOWN = {"scheduler_says": "Unschedulable", "autoscaler_health": "Healthy"}
ANSWER = {
    "component": "nodes",
    "cause": "node-group-at-its-maximum",
    "fact": "event-says-max-node-group-size-reached",
}
QUESTIONS = {
    "component": "the component that everything else is waiting for",
    "cause": "the cause that keeps a healthy autoscaler from adding a node",
    "fact": "the fact that proves the cause, and would be different for every other cause",
}


@pytest.mark.check("ART-4", points=2, why="Who repairs before looking cannot say afterwards what was broken.")
def test_evidence_is_collected(diagnosis: Diagnosis) -> None:
    """The evidence written down is what the incident showed."""
    diagnosis.require(LAB, "evidence", SHOWN, {})
    written = diagnosis.table(LAB, "evidence")
    nodes, maximum = written.get("general_nodes"), written.get("general_maximum")
    if type(nodes) is not int or type(maximum) is not int or not nodes == maximum > 0:
        raise Miss(
            expected="general_nodes and general_maximum as they were during the incident, and what they have in common",
            observed=f"{nodes!r} and {maximum!r}",
            where=f"{file_of(LAB)} [evidence]",
            next=f"hallmark lab hint {LAB}",
        )


@pytest.mark.check("ART-4", points=4, why="The same symptom has eight causes; a repair for the wrong one helps nobody.")
def test_diagnosis_is_right(diagnosis: Diagnosis) -> None:
    """Component, cause and proving fact are named."""
    diagnosis.require(LAB, "diagnosis", ANSWER, QUESTIONS)
