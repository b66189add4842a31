"""What the learner wrote down while the Secret was away, and the one name that kept it back."""

import pytest

from hallmark.views.diagnosis import Diagnosis

LAB = "edge-eso-all-or-nothing"
SHOWN = {
    "failing": 1,
    "condition": "SecretSyncedError",
    "names_missing": 1,
    "pod_waits_for": "CreateContainerConfigError",
}
ANSWER = {"key": "initial_org_admin_password", "cause": "name-not-in-store", "fact": "one-name-is-not-listed"}
QUESTIONS = {
    "key": "the key whose name has no counterpart in the store",
    "cause": "the cause that fails one ExternalSecret while the others of the same store are ready",
    "fact": "the fact that proves the cause, and would be different for every other cause",
}


@pytest.mark.check("ART-4", points=2, why="Who repairs before looking cannot say afterwards what was broken.")
def test_evidence_is_collected(diagnosis: Diagnosis) -> None:
    """The evidence written down is what the incident showed."""
    diagnosis.require(LAB, "evidence", SHOWN, {})


@pytest.mark.check(
    "ART-4", points=4, why="The condition looks the same for a store that is down and for a typing error."
)
def test_diagnosis_is_right(diagnosis: Diagnosis) -> None:
    """Key, cause and proving fact are named."""
    diagnosis.require(LAB, "diagnosis", ANSWER, QUESTIONS)
