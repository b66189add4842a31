"""A whole cluster is dumped and put back while it serves: namespaces, definitions, custom objects, and nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hallmark.twin.cluster.bench import running
from hallmark.twin.cluster.client import Client

SNAPSHOT = "/snapshot"
NAMESPACES = "/api/v1/namespaces"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
THINGS = "/apis/example.com/v1/namespaces/kept/things"
THING = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": {"size": 3}}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
        "versions": [
            {
                "name": "v1", "served": True, "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a server that nobody else uses: a restore takes everything."""
    with running(tmp_path_factory.mktemp("restored")) as server, Client.of(server.state / "kubeconfig") as client:
        yield client


@pytest.fixture
def client(own: Client) -> Client:
    """The same, with a cluster as it is handed out."""
    assert own.ask("PUT", SNAPSHOT, b"").code == 200
    return own


def _dump(client: Client) -> bytes:
    return json.dumps(client.get(SNAPSHOT).body).encode()


def _contents(client: Client) -> dict[str, list[str]]:
    """Names of all lasting objects by where they are stored."""
    everything = client.get(SNAPSHOT).body.items()
    return {storage: sorted(each["metadata"]["name"] for each in objects) for storage, objects in everything if objects}


def _load(client: Client, document: bytes) -> int:
    return client.ask("PUT", SNAPSHOT, document).code


def _furnish(client: Client) -> None:
    assert client.post(NAMESPACES, {"metadata": {"name": "kept"}}).code == 201
    assert client.post(DEFINITIONS, DEFINITION).code == 201
    assert client.post(THINGS, THING).code == 201


def _names(client: Client, path: str) -> set[str]:
    return {each["metadata"]["name"] for each in client.get(path).body["items"]}


def test_an_empty_load_is_a_new_cluster(client: Client) -> None:
    """What was made is gone, its kind too; what every cluster has from the first moment is there."""
    new = _contents(client)
    _furnish(client)
    client.post("/apis/rbac.authorization.k8s.io/v1/clusterroles", {"metadata": {"name": "mine"}, "rules": []})

    assert _load(client, b"") == 200

    assert _names(client, NAMESPACES) == {"default", "kube-node-lease", "kube-public", "kube-system"}
    assert client.get(THINGS).code == 404
    assert _contents(client) == new


def test_definitions_and_their_objects_come_back(client: Client) -> None:
    """With namespace and kind at once: the objects are served by what was loaded before them."""
    _furnish(client)
    before = client.get(f"{THINGS}/one").body
    dump = _dump(client)
    _load(client, b"")
    assert client.get(THINGS).code == 404

    assert _load(client, dump) == 200

    after = client.get(f"{THINGS}/one").body
    assert after["spec"] == {"size": 3}
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert int(after["metadata"]["resourceVersion"]) > int(before["metadata"]["resourceVersion"])


def test_objects_in_a_namespace_that_is_gone_go_with_it(client: Client) -> None:
    """The load has the last word: nothing that the namespace's end would still remove stays behind."""
    dump = _dump(client)
    client.post(NAMESPACES, {"metadata": {"name": "more"}})
    client.post(f"{NAMESPACES}/more/configmaps", {"metadata": {"name": "left"}, "data": {"a": "b"}})

    _load(client, dump)

    assert client.get(f"{NAMESPACES}/more").code == 404
    assert {each["metadata"]["namespace"] for each in client.get("/api/v1/configmaps").body["items"]} == {
        "default",
        "kube-node-lease",
        "kube-public",
        "kube-system",
    }


def test_a_watcher_hears_of_differences_only(client: Client) -> None:
    """What is as it was keeps its revision and is not told of; a change and a removal are."""
    _furnish(client)
    path = f"{NAMESPACES}/kept/configmaps"
    for name in ("same", "changed"):
        client.post(path, {"metadata": {"name": name}, "data": {"value": "old"}})
    dump, same = _dump(client), client.get(f"{path}/same").body
    client.patch(f"{path}/changed", {"data": {"value": "new"}})
    client.post(path, {"metadata": {"name": "added"}})
    version = client.get(path).body["metadata"]["resourceVersion"]

    _load(client, dump)
    client.post(path, {"metadata": {"name": "end"}})

    heard = []
    for event in client.watch(f"{path}?watch=true&resourceVersion={version}"):
        heard.append((event["type"], event["object"]["metadata"]["name"]))
        if event["object"]["metadata"]["name"] == "end":
            break
    assert heard == [("DELETED", "added"), ("MODIFIED", "changed"), ("ADDED", "end")]
    assert client.get(f"{path}/same").body == same
    assert client.get(f"{path}/changed").body["data"] == {"value": "old"}


@pytest.mark.parametrize("garbage", [b"[]", b"{", b'{"secrets": 3}', b'{"secrets": [{"kind": "Secret"}]}', b'"x"'])
def test_garbage_is_refused_and_changes_nothing(client: Client, garbage: bytes) -> None:
    """No object is touched before the whole document was read."""
    _furnish(client)
    before: Any = client.get(SNAPSHOT).body

    assert _load(client, garbage) == 400

    assert client.get(SNAPSHOT).body == before
