"""External Secrets switched off for one Secret: the writes, the symptom, and the way back."""

from datetime import timedelta
from typing import Any

import pytest

from hallmark.errors import UsageError
from hallmark.faults.definition import Fault
from hallmark.model import Call
from hallmark.targets.cluster_writer import ClusterWriter
from hallmark.targets.writer import NotWritten, Outcome

SECRET = "v1/secrets/langsmith-config"
EXTERNAL = "external-secrets.io/v1/externalsecrets/langsmith-config"


def fault(secret: str) -> Fault:
    """A fault that would last five minutes."""
    return Fault("lab", "external-secret-switched-off", timedelta(minutes=5), "symptom", params={"secret": secret})


def write(system: Any, operation: str, **params: Any) -> Outcome:
    """Make a write by a writer of its own."""
    call = Call.of("kubernetes", operation, **{"namespace": system.profile.namespace, **params})
    return ClusterWriter(system.profile).write(call)


def test_a_secret_nobody_owns_keeps_what_it_holds_and_gets_its_owner_back(system: Any) -> None:
    """The operator makes nothing any more; the Secret stays as it is, without the operator's marks."""
    before = system.state()
    held = system.stage.get(SECRET)["data"]
    system.runner().inject(fault("langsmith-config"))
    system.stage.settle()
    secret = system.stage.get(SECRET)
    assert secret["data"] == held
    assert "ownerReferences" not in secret["metadata"]
    assert secret["metadata"].get("labels", {}) == {}
    assert system.stage.get(EXTERNAL)["spec"]["target"]["creationPolicy"] == "None"
    assert system.stage.state()["owned"] == ["langsmith-postgres", "langsmith-stores"]
    system.revert()
    assert system.state() == before


def test_a_secret_that_nothing_makes_cannot_be_switched_off(system: Any) -> None:
    """Made by hand from the beginning."""
    system.stage.create("v1/secrets", {"metadata": {"name": "by-hand"}, "stringData": {"key": "value"}})
    with pytest.raises(UsageError, match="no ExternalSecret makes a Secret by-hand"):
        system.runner().inject(fault("by-hand"))


def test_a_policy_is_set_once(system: Any) -> None:
    """The first write changes it, the second finds it so; without an ExternalSecret there is nothing to set."""
    params = {"version": "v1", "name": "langsmith-config", "policy": "Orphan"}
    assert [write(system, "set_creation_policy", **params) for _ in range(2)] == [Outcome.DONE, Outcome.ALREADY]
    target = system.stage.get(EXTERNAL)["spec"]["target"]
    assert (target["name"], target["creationPolicy"]) == ("langsmith-config", "Orphan")
    assert write(system, "set_creation_policy", **{**params, "name": "nobody"}) is Outcome.GONE


def test_only_the_operators_marks_are_taken_from_a_secret(system: Any) -> None:
    """Labels and annotations of one's own stay; a second time, and without a Secret, there is nothing to take."""
    annotations = {"reconcile.external-secrets.io/data-hash": "1", "mine": "kept"}
    system.stage.patch(SECRET, {"metadata": {"labels": {"mine": "kept"}, "annotations": annotations}})
    assert [write(system, "disown_secret", name="langsmith-config") for _ in range(2)] == [
        Outcome.DONE, Outcome.ALREADY,
    ]  # fmt: skip
    found = system.stage.get(SECRET)["metadata"]
    assert (found["labels"], found["annotations"]) == ({"mine": "kept"}, {"mine": "kept"})
    assert write(system, "disown_secret", name="nobody") is Outcome.GONE


def test_a_secret_of_another_owner_is_left_alone(system: Any) -> None:
    """Only what an ExternalSecret makes is taken from it."""
    account = system.stage.get("v1/serviceaccounts/langsmith-backend")["metadata"]
    owner = {"apiVersion": "v1", "kind": "ServiceAccount", "name": account["name"], "uid": account["uid"]}
    system.stage.create("v1/secrets", {"metadata": {"name": "anothers", "ownerReferences": [owner]}})
    with pytest.raises(NotWritten, match="NotDerived") as refusal:
        write(system, "disown_secret", name="anothers")
    assert refusal.value.certain
    assert system.stage.get("v1/secrets/anothers")["metadata"]["ownerReferences"][0]["uid"] == account["uid"]
