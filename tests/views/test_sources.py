"""What stands behind a Secret in AWS, and since when: dates and versions, never values."""

from datetime import UTC, datetime
from typing import Any

import pytest

from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views.all import Views
from hallmark.views.secrets import Source, Supply

ESO = "external-secrets.io"
DAYS = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 5)]
NAMES = ("deployments", "statefulsets", "daemonsets")


def views(service: str = "SecretsManager", **workloads: list[dict[str, Any]]) -> Views:
    """Views over one store, what its service lists, and workloads."""
    store = {"metadata": {"name": "store"}, "spec": {"provider": {"aws": {"service": service}}}}
    secret = {"Name": "a", "ARN": "arn:a", "CreatedDate": DAYS[0].isoformat(), "LastChangedDate": DAYS[2].isoformat(),
              "SecretVersionsToStages": {"one": ["AWSPREVIOUS"], "two": ["AWSCURRENT"]}}  # fmt: skip
    never = {"Name": "b", "CreatedDate": DAYS[0].isoformat()}
    parameters = [{"Name": "/a", "LastModifiedDate": DAYS[2].isoformat(), "Version": 3}]
    answers = {
        Call.of("kubernetes", "discovery"): {"resources": {f"{ESO}/v1": ["secretstores"]}},
        Call.of("kubernetes", "list", group=ESO, version="v1", resource="secretstores", namespace="n"):
            {"items": [store]},
        Call.of("secretsmanager", "list_secrets"): {"SecretList": [secret, never]},
        Call.of("ssm", "describe_parameters"): {"Parameters": parameters},
        **{Call.of("kubernetes", "list", group="apps", version="v1", resource=name): {"items": workloads.get(name, [])}
           for name in NAMES},
    }  # fmt: skip
    observed = {call.key: Answer(Status.OBSERVED, value) for call, value in answers.items()}
    return Views(Snapshot(observed, {"namespace": "n", "release": "r"}))


def supply(store: str = "store") -> Supply:
    """An ExternalSecret that reads a store."""
    return Supply("ExternalSecret", "e", "s", is_ready=True, store=("SecretStore", store))


def test_a_secret_is_known_by_name_and_by_arn() -> None:
    """Both are names an ExternalSecret may ask for."""
    known = Source("a", DAYS[0], DAYS[2], has_older=True)
    assert views().secrets.sources(supply()) == {
        "a": known, "arn:a": known, "b": Source("b", DAYS[0], DAYS[0], has_older=False),
    }  # fmt: skip


def test_a_parameter_counts_its_versions() -> None:
    """When it was made is not told: the last change stands for it."""
    found = views("ParameterStore").secrets.sources(supply())
    assert found == {"/a": Source("/a", DAYS[2], DAYS[2], has_older=True)}


@pytest.mark.parametrize(("service", "store"), [("Vault", "store"), ("SecretsManager", "another")])
def test_what_another_store_holds_cannot_be_seen(service: str, store: str) -> None:
    """Neither that of another service nor one that is not there."""
    assert views(service).secrets.sources(supply(store)) == {}


@pytest.mark.parametrize(
    ("made", "changed", "has_older", "is_new"),
    [
        (0, 2, True, True),
        (2, 2, False, True),
        (0, 2, False, False),
        (0, 0, True, False),
        (0, 1, True, False),
    ],
    ids=["rotated", "made anew", "tagged", "rotated before", "rotated at that moment"],
)
def test_a_value_is_new_when_it_was_written_since(made: int, changed: int, *, has_older: bool, is_new: bool) -> None:
    """A tag that was changed moves the date, and makes no version."""
    assert Source("a", DAYS[made], DAYS[changed], has_older).is_new_since(DAYS[1]) is is_new


def test_a_release_is_as_old_as_its_oldest_workload() -> None:
    """Workloads of others do not count; without one nobody can tell."""

    def one(name: str, day: int, release: str = "r", namespace: str = "n") -> dict[str, Any]:
        labels = {"app.kubernetes.io/instance": release}
        metadata = {"name": name, "namespace": namespace, "labels": labels, "creationTimestamp": DAYS[day].isoformat()}
        return {"metadata": metadata, "spec": {"selector": {}, "template": {"metadata": {}, "spec": {}}}}

    others = [one("x", 0, release="other"), one("y", 0, namespace="other")]
    assert views(deployments=[*others, one("a", 3)], statefulsets=[one("b", 2)]).workloads.installed == DAYS[2]
    assert views(deployments=others).workloads.installed is None
