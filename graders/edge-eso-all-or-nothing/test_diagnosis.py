"""What the learner wrote down while the Secret was away, and the one name that kept it back."""

from typing import Any

import pytest

from hallmark.errors import Absent, Miss
from hallmark.views.secrets import Secrets

FILE = "work/edge-eso-all-or-nothing/diagnosis.toml"
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


def _table(secrets: Secrets, name: str) -> dict[str, Any]:
    try:
        table = secrets.ask("files", "table", path=FILE).get(name, {})
    except Absent as absent:
        hint = "hallmark lab start edge-eso-all-or-nothing"
        raise Miss(expected=f"the file {FILE}", observed="none", where=FILE, next=hint) from absent
    return table if isinstance(table, dict) else {}


def _require(written: dict[str, Any], name: str, value: object, expected: str, where: str) -> None:
    if written.get(name) != value or isinstance(written[name], bool):
        raise Miss(
            expected=expected,
            observed=repr(written.get(name, "nothing")),
            where=f"{FILE} [{where}]",
            next="hallmark lab hint edge-eso-all-or-nothing",
        )


@pytest.mark.check("ART-4", points=2, why="Who repairs before looking cannot say afterwards what was broken.")
def test_evidence_is_collected(secrets: Secrets) -> None:
    """The evidence written down is what the incident showed."""
    written = _table(secrets, "evidence")
    for name, value in SHOWN.items():
        _require(written, name, value, f"{name} as the cluster showed it during the incident", "evidence")


@pytest.mark.check(
    "ART-4", points=4, why="The condition looks the same for a store that is down and for a typing error."
)
def test_diagnosis_is_right(secrets: Secrets) -> None:
    """Key, cause and proving fact are named."""
    written = _table(secrets, "diagnosis")
    for name, value in ANSWER.items():
        _require(written, name, value, QUESTIONS[name], "diagnosis")
