"""Writing to the cluster: each write says what became of it, may be repeated, and leaves everything else alone."""

from collections.abc import Callable
from typing import Any

import pytest

from hallmark.errors import AuthorError
from hallmark.model import Call
from hallmark.targets.cluster_writer import ClusterWriter
from hallmark.targets.profile import Profile
from hallmark.targets.writer import NotWritten, Outcome

BACKEND, CLICKHOUSE = "apps/v1/deployments/langsmith-backend", "apps/v1/statefulsets/langsmith-clickhouse"
EXTERNAL = "external-secrets.io/v1/externalsecrets/langsmith-config"
WRITES: dict[str, tuple[dict[str, Any], str, Any]] = {
    "scale": ({"resource": "statefulsets", "name": "langsmith-clickhouse", "replicas": 0}, CLICKHOUSE, 0),
    "restart": ({"resource": "deployments", "name": "langsmith-backend", "at": "2026-11-26T04:00:00Z"}, BACKEND,
                {"checksum/config": "1", "kubectl.kubernetes.io/restartedAt": "2026-11-26T04:00:00Z"}),
    "set_role": ({"name": "langsmith-backend", "role": None}, "v1/serviceaccounts/langsmith-backend", {"note": "kept"}),
    "set_service_type": ({"name": "langsmith-backend", "type": "LoadBalancer"}, "v1/services/langsmith-backend",
                         "LoadBalancer"),
    "set_remote_key": ({"version": "v1", "name": "langsmith-config", "secret_key": "langsmith_license_key",
                        "remote_key": "elsewhere"}, EXTERNAL, ["langsmith-config-other", "elsewhere"]),
    "set_creation_policy": ({"version": "v1", "name": "langsmith-config", "policy": "None"}, EXTERNAL, "None"),
    "disown_secret": ({"name": "langsmith-config"}, "v1/secrets/langsmith-config",
                      (None, ["langsmith_license_key", "other"])),
}  # fmt: skip
"""What is written, where to look afterwards, and what is there then."""
SEEN: dict[str, Callable[[dict[str, Any]], Any]] = {
    "scale": lambda found: found["spec"]["replicas"],
    "restart": lambda found: found["spec"]["template"]["metadata"]["annotations"],
    "set_role": lambda found: found["metadata"]["annotations"],
    "set_service_type": lambda found: found["spec"]["type"],
    "set_remote_key": lambda found: [each["remoteRef"]["key"] for each in found["spec"]["data"]],
    "set_creation_policy": lambda found: found["spec"]["target"]["creationPolicy"],
    "disown_secret": lambda found: (found["metadata"].get("ownerReferences"), sorted(found["data"])),
}
"""The part of an object that a write is about, with its neighbours."""


@pytest.fixture
def system(staged: Any) -> Any:
    """A fresh namespace is enough."""
    return staged


def write(system: Any, operation: str, **params: Any) -> Outcome:
    """Make a write by a writer of its own."""
    call = Call.of("kubernetes", operation, **{"namespace": system.profile.namespace, **params})
    return ClusterWriter(system.profile).write(call)


@pytest.mark.parametrize("operation", WRITES)
def test_a_write_is_done_once(system: Any, operation: str) -> None:
    """The first changes the one field, the second finds it so; what is beside it stays."""
    params, path, expected = WRITES[operation]
    assert [write(system, operation, **params) for _ in range(2)] == [Outcome.DONE, Outcome.ALREADY]
    assert SEEN[operation](system.stage.get(path)) == expected


@pytest.mark.parametrize("operation", [*WRITES, "anywhere"])
def test_what_is_gone_is_said_to_be_gone(system: Any, operation: str) -> None:
    """Neither an object nor a namespace that is not there is an error."""
    params = WRITES.get(operation, WRITES["scale"])[0]
    place = {"namespace": "nowhere"} if operation == "anywhere" else {"name": "nobody"}
    known = "scale" if operation == "anywhere" else operation
    assert write(system, known, **{**params, **place}) is Outcome.GONE


def test_an_entry_is_found_by_its_key_wherever_it_moved(system: Any) -> None:
    """Somebody turned the list round: the right entry is changed, a key that is gone is gone."""
    params = WRITES["set_remote_key"][0]
    data = system.stage.get(EXTERNAL)["spec"]["data"]
    system.stage.patch(EXTERNAL, {"spec": {"data": data[::-1]}})
    assert write(system, "set_remote_key", **params) is Outcome.DONE
    remote = [each["remoteRef"]["key"] for each in system.stage.get(EXTERNAL)["spec"]["data"]]
    assert remote == ["elsewhere", "langsmith-config-other"]
    assert write(system, "set_remote_key", **{**params, "secret_key": "another"}) is Outcome.GONE


def test_only_the_operators_marks_are_taken_from_a_secret(system: Any) -> None:
    """Labels of one's own stay; a Secret that something else owns is left alone."""
    labels = {"reconcile.external-secrets.io/managed": "true", "mine": "kept"}
    annotations = {"reconcile.external-secrets.io/data-hash": "1"}
    marked = {"metadata": {"labels": labels, "annotations": annotations}}
    system.stage.patch("v1/secrets/langsmith-config", marked)
    assert write(system, "disown_secret", name="langsmith-config") is Outcome.DONE
    found = system.stage.get("v1/secrets/langsmith-config")["metadata"]
    assert (found["labels"], found.get("annotations", {})) == ({"mine": "kept"}, {})
    # An owner that exists: otherwise the garbage collector takes the Secret away.
    account = system.stage.get("v1/serviceaccounts/langsmith-backend")["metadata"]
    owner = {"apiVersion": "v1", "kind": "ServiceAccount", "name": account["name"], "uid": account["uid"]}
    system.stage.create("v1/secrets", {"metadata": {"name": "anothers", "ownerReferences": [owner]}})
    with pytest.raises(NotWritten, match="NotDerived"):
        write(system, "disown_secret", name="anothers")


def test_only_a_secret_that_comes_back_is_deleted(system: Any) -> None:
    """One that an ExternalSecret owns goes; one that somebody made stays; one that is not there is no error."""
    system.stage.create("v1/secrets", {"metadata": {"name": "by-hand"}, "stringData": {"key": "value"}})
    assert write(system, "delete_derived_secret", name="langsmith-config") is Outcome.DONE
    assert write(system, "delete_derived_secret", name="langsmith-config") is Outcome.ALREADY
    with pytest.raises(NotWritten, match="NotDerived") as refusal:
        write(system, "delete_derived_secret", name="by-hand")
    assert refusal.value.certain
    assert system.stage.state()["secrets"] == ["by-hand", "langsmith-postgres", "langsmith-stores"]


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("delete", {"name": "langsmith-clickhouse"}),
        ("create", {"name": "langsmith-clickhouse"}),
        ("scale", {"resource": "replicasets", "name": "x", "replicas": 0}),
        ("restart", {"resource": "daemonsets", "name": "x", "at": None}),
    ],
)
def test_what_is_not_on_the_list_never_leaves_the_process(operation: str, params: dict[str, Any]) -> None:
    """No server is needed to refuse it."""
    writer = ClusterWriter(Profile(kubeconfig="/nonexistent"))
    with pytest.raises(AuthorError, match="not a write a fault may make"):
        writer.write(Call.of("kubernetes", operation, namespace="langsmith", **params))


def test_what_the_server_refuses_is_certain(system: Any) -> None:
    """A value the API does not take: nothing was changed, and the refusal is Kubernetes' own word."""
    with pytest.raises(NotWritten, match="Invalid") as refusal:
        write(system, "scale", resource="statefulsets", name="langsmith-clickhouse", replicas=-1)
    assert refusal.value.certain
    assert system.stage.get(CLICKHOUSE)["spec"]["replicas"] == 1


def test_a_server_that_cannot_be_reached_is_no_success(system: Any, tmp_path: Any) -> None:
    """The refusal says so, and that nothing was sent."""
    config = tmp_path / "config"
    text = (system.stage.kubeconfig).read_text()
    port = text.partition("https://127.0.0.1:")[2].partition("\n")[0].strip()
    config.write_text(text.replace(f":{port}", ":9"))
    profile = Profile(**{**vars(system.profile), "kubeconfig": str(config)})
    call = Call.of("kubernetes", "set_role", namespace=profile.namespace, name="langsmith-backend", role=None)
    with pytest.raises(NotWritten, match="unreachable") as refusal:
        ClusterWriter(profile, attempts=1).write(call)
    assert refusal.value.certain
