"""Where Secrets come from, and what may be known of them."""

from typing import Any

import pytest

from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views.all import Views
from hallmark.views.secrets import Secrets
from hallmark.views.workloads import Variable

ESO = "external-secrets.io"


def secrets(
    facts: list[dict[str, Any]] | None = None,
    external: list[dict[str, Any]] | None = None,
    **stores: list[dict[str, Any]],
) -> Secrets:
    """A view over facts, ExternalSecrets and stores."""
    served = {"v1": ["secrets"], f"{ESO}/v1": ["externalsecrets", "secretstores", "clustersecretstores"]}
    answers = {
        Call.of("kubernetes", "discovery"): {"resources": served},
        Call.of("kubernetes", "secrets", namespace="n"): {"items": facts or []},
        _list("externalsecrets", "n"): {"items": external or []},
        _list("secretstores", "n"): {"items": stores.get("own", [])},
        _list("clustersecretstores"): {"items": stores.get("cluster", [])},
    }
    observed = {call.key: Answer(Status.OBSERVED, value) for call, value in answers.items()}
    return Views(Snapshot(observed, {"namespace": "n", "release": "r"}, "2026-01-01T12:00:00Z")).secrets


def _list(resource: str, namespace: str = "") -> Call:
    place = {"namespace": namespace} if namespace else {}
    return Call.of("kubernetes", "list", group=ESO, version="v1", resource=resource, **place)


@pytest.mark.parametrize(
    ("spec", "refreshed", "ready"),
    [
        ({}, "2026-01-01T10:00:01Z", True),
        ({}, "2026-01-01T09:59:59Z", False),
        ({"refreshInterval": "30m"}, "2026-01-01T10:59:59Z", False),
        ({"refreshInterval": "1h30m"}, "2026-01-01T09:00:01Z", True),
        ({"refreshInterval": "500ms"}, "2026-01-01T11:58:01Z", True),
        ({"refreshInterval": "0"}, "2025-01-01T00:00:00Z", True),
        ({"refreshPolicy": "OnChange"}, "2025-01-01T00:00:00Z", True),
    ],
)
def test_an_external_secret_that_missed_its_turn_has_nobody_behind_it(
    spec: dict[str, Any],
    refreshed: str,
    ready: bool,  # noqa: FBT001  (what is expected)
) -> None:
    """An operator that is gone leaves everything as it was, Ready for ever."""
    external = _external(target={"name": "s"}, **spec)
    external["status"]["refreshTime"] = refreshed
    supply = secrets(_owned(), [external]).supply("s")

    assert supply is not None
    assert (supply.is_ready, supply.reason) == (ready, "" if ready else f"not refreshed since {refreshed}")


def _external(status: str = "True", **spec: Any) -> dict[str, Any]:
    ready = [{"type": "Ready", "status": status, "reason": "SecretSynced" if status == "True" else "SecretSyncedError"}]
    return {"metadata": {"name": "e"}, "spec": spec, "status": {"conditions": ready}}


def _owned(by: str = "e") -> list[dict[str, Any]]:
    owners = [{"kind": "ExternalSecret", "name": by}]
    return [{"metadata": {"name": "s", "ownerReferences": owners}, "keys": {}}]


@pytest.mark.parametrize(
    ("facts", "external", "ready", "reason"),
    [
        (_owned(), _external(target={"name": "s"}), True, ""),
        (_owned(), _external("False", target={"name": "s"}), False, "SecretSyncedError"),
        (_owned("other"), _external(target={"name": "s"}), False, "it does not own the Secret"),
        (_owned("other"), _external(target={"name": "s", "creationPolicy": "Merge"}), True, ""),
        ([], _external(target={"name": "s"}), False, "it does not own the Secret"),
        (_owned(), {"metadata": {"name": "e"}, "spec": {"target": {"name": "s"}}}, False, "never synced"),
    ],
    ids=["owns", "fails", "owned by another", "merges", "no Secret", "new"],
)
def test_an_external_secret_feeds_a_secret_when_it_is_ready_and_owns_it(
    facts: list[dict[str, Any]],
    external: dict[str, Any],
    ready: bool,  # noqa: FBT001  (what is expected)
    reason: str,
) -> None:
    """Otherwise somebody else made it."""
    supply = secrets(facts, [external]).supply("s")

    assert supply is not None
    assert (supply.is_ready, supply.reason) == (ready, reason)


def test_a_target_without_a_name_has_that_of_the_external_secret() -> None:
    """The operator's default; names asked for come from data and dataFrom, each once."""
    data = [{"secretKey": "a", "remoteRef": {"key": "x"}}, {"secretKey": "b", "remoteRef": {"key": "x"}}]
    view = secrets(external=[_external(data=data, dataFrom=[{"extract": {"key": "y"}}, {"find": {}}])])
    supply = view.supply("e")

    assert supply is not None
    assert (supply.secret, supply.remote) == ("e", ("x", "y"))
    assert supply.store == ("SecretStore", "")


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ({"secretStoreRef": {"name": "all"}}, "all"),
        ({"dataFrom": [{"sourceRef": {"storeRef": {"name": "own"}}}]}, "own"),
        ({"secretStoreRef": {"name": "all"}, "dataFrom": [{}, {"sourceRef": {"storeRef": {"name": "own"}}}]}, "own"),
        ({"secretStoreRef": {"name": "all"}, "dataFrom": [{"sourceRef": {}}]}, "all"),
    ],
    ids=["of all", "of an entry", "both", "a generator"],
)
def test_an_entry_may_name_a_store_of_its_own(spec: dict[str, Any], name: str) -> None:
    """It goes before the one of the whole; a generator is no store."""
    supply = secrets(external=[_external(**spec)]).supply("e")

    assert supply is not None
    assert supply.store == ("SecretStore", name)


@pytest.mark.parametrize(
    ("spec", "once"),
    [
        ({}, False),
        ({"refreshInterval": "15m"}, False),
        ({"refreshInterval": "0"}, True),
        ({"refreshInterval": "0h0m0s"}, True),
        ({"refreshPolicy": "Periodic", "refreshInterval": "1h"}, False),
        ({"refreshPolicy": "CreatedOnce", "refreshInterval": "1h"}, True),
        ({"refreshPolicy": "OnChange"}, True),
    ],
    ids=["default", "interval", "zero", "zero in units", "policy", "created once", "on change"],
)
def test_who_never_looks_again_by_itself_looks_once(spec: dict[str, str], once: bool) -> None:  # noqa: FBT001  (what is expected)
    """An interval of zero, or a policy that is not periodic."""
    supply = secrets(external=[_external(**spec)]).supply("e")

    assert supply is not None
    assert supply.is_once is once


def test_a_ready_supply_comes_before_one_that_is_not() -> None:
    """Two ExternalSecrets for one Secret: what feeds it counts."""
    broken = _external("False", target={"name": "s"}) | {"metadata": {"name": "broken"}}
    supply = secrets(_owned(), [broken, _external(target={"name": "s"})]).supply("s")

    assert supply is not None
    assert supply.name == "e"


def test_stores_of_both_kinds_are_told_apart() -> None:
    """A namespaced store and one of the cluster may share a name; a store of another provider has no AWS part."""
    own = [{"metadata": {"name": "a"}, "spec": {"provider": {"aws": {"service": "ParameterStore"}}}}]
    cluster = [{"metadata": {"name": "a"}, "spec": {"provider": {"aws": {"service": "SecretsManager"}}}}]
    other = [{"metadata": {"name": "b"}}]
    found = secrets(own=own, cluster=[*cluster, *other]).stores

    assert found[("SecretStore", "a")]["service"] == "ParameterStore"
    assert found[("ClusterSecretStore", "a")]["service"] == "SecretsManager"
    assert found[("ClusterSecretStore", "b")] == {}


def test_a_key_is_there_when_it_holds_something() -> None:
    """A missing Secret, a missing key and an empty value are all nothing."""
    view = secrets([{"metadata": {"name": "s"}, "keys": {"k": {"empty": False}, "blank": {"empty": True}}}])

    assert [
        view.holds(Variable("X", {}, *where)) for where in (("s", "k"), ("s", "blank"), ("s", "no"), ("t", "k"))
    ] == [*(True, False, False, False)]
