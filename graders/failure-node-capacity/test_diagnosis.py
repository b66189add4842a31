"""What the learner wrote down: evidence from the incident, and the one cause that it proves."""

from typing import Any

import pytest

from hallmark.errors import Absent, Miss
from hallmark.views.workloads import Workloads

FILE = "work/failure-node-capacity/diagnosis.toml"
SHOWN = {"reason": "Unschedulable", "autoscaler_health": "Healthy"}
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


def _table(workloads: Workloads, name: str) -> dict[str, Any]:
    try:
        table = workloads.ask("files", "table", path=FILE).get(name, {})
    except Absent as absent:
        hint = "hallmark lab start failure-node-capacity"
        raise Miss(expected=f"the file {FILE}", observed="none", where=FILE, next=hint) from absent
    return table if isinstance(table, dict) else {}


@pytest.mark.check("ART-4", points=2, why="Who repairs before looking cannot say afterwards what was broken.")
def test_evidence_is_collected(workloads: Workloads) -> None:
    """The evidence written down is what the incident showed."""
    written = _table(workloads, "evidence")
    for name, value in SHOWN.items():
        if written.get(name) != value or isinstance(written[name], bool):
            raise Miss(
                expected=f"{name} as the cluster showed it during the incident",
                observed=repr(written.get(name, "nothing")),
                where=f"{FILE} [evidence]",
                next="hallmark lab hint failure-node-capacity",
            )
    nodes, maximum = written.get("general_nodes"), written.get("general_maximum")
    if type(nodes) is not int or type(maximum) is not int or not nodes == maximum > 0:
        raise Miss(
            expected="general_nodes and general_maximum as they were during the incident, and what they have in common",
            observed=f"{nodes!r} and {maximum!r}",
            where=f"{FILE} [evidence]",
            next="hallmark lab hint failure-node-capacity",
        )


@pytest.mark.check("ART-4", points=4, why="The same symptom has eight causes; a repair for the wrong one helps nobody.")
def test_diagnosis_is_right(workloads: Workloads) -> None:
    """Component, cause and proving fact are named."""
    written = _table(workloads, "diagnosis")
    for name, value in ANSWER.items():
        if written.get(name) != value:
            raise Miss(
                expected=QUESTIONS[name],
                observed=repr(written.get(name, "nothing")),
                where=f"{FILE} [diagnosis]",
                next="hallmark lab hint failure-node-capacity",
            )
