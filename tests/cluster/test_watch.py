"""Watches: from which moment, of what, in which form, and when they end."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hallmark.twin.cluster.bench import running
from hallmark.twin.cluster.client import Client

Json = dict[str, Any]


def _seen(events: Iterator[Json]) -> list[tuple[str, str]]:
    return [(one["type"], one["object"].get("metadata", {}).get("name", "")) for one in events]


@pytest.fixture
def path(core: str) -> str:
    """ConfigMaps of the test, without those of the cluster; a watch of them ends after a second."""
    return f"{core}/configmaps?watch=true&timeoutSeconds=1&fieldSelector=metadata.name!=kube-root-ca.crt"


@pytest.fixture
def make(client: Client, core: str, configmap: Callable[..., Json]) -> Callable[..., Json]:
    """Makes a ConfigMap and returns it."""

    def one(name: str, **metadata: Any) -> Json:
        stored: Json = client.post(f"{core}/configmaps", configmap(name, **metadata)).body
        return stored

    return one


def test_a_watch_without_a_beginning_shows_what_is(client: Client, path: str, make: Callable[..., Json]) -> None:
    """Each object as added, then it waits until time is up."""
    make("b")
    make("a")

    assert _seen(client.watch(path)) == [("ADDED", "a"), ("ADDED", "b")]


def test_a_watch_goes_on_from_a_revision(client: Client, core: str, path: str, make: Callable[..., Json]) -> None:
    """Everything after it and nothing before."""
    revision = make("a")["metadata"]["resourceVersion"]
    make("b")
    client.patch(f"{core}/configmaps/a", {"data": {"x": "y"}})
    client.delete(f"{core}/configmaps/b")

    events = list(client.watch(f"{path}&resourceVersion={revision}"))

    assert _seen(iter(events)) == [("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b")]
    revisions = [int(one["object"]["metadata"]["resourceVersion"]) for one in events]
    assert revisions == sorted(revisions)


def test_a_watch_tells_what_happens(client: Client, core: str, path: str, make: Callable[..., Json]) -> None:
    """As soon as it happens."""
    revision = make("a")["metadata"]["resourceVersion"]
    events = client.watch(f"{path}&resourceVersion={revision}".replace("timeoutSeconds=1", "timeoutSeconds=10"))
    client.delete(f"{core}/configmaps/a")

    event = next(events)
    events.close()

    assert (event["type"], event["object"]["metadata"]["name"]) == ("DELETED", "a")
    assert event["object"]["data"] == {"key": "value"}


def test_a_selector_makes_things_come_and_go(client: Client, core: str, path: str, make: Callable[..., Json]) -> None:
    """What begins to be selected is added, what ends to be is deleted."""
    revision = make("a")["metadata"]["resourceVersion"]
    for value in ("yes", "yes ", "no", "yes"):
        client.patch(f"{core}/configmaps/a", {"metadata": {"labels": {"on": value.strip()}}, "data": {"x": value}})
    client.delete(f"{core}/configmaps/a")

    seen = _seen(client.watch(f"{path}&resourceVersion={revision}&labelSelector=on=yes"))

    assert [kind for kind, _ in seen] == ["ADDED", "MODIFIED", "DELETED", "ADDED", "DELETED"]


def test_initial_events_end_with_a_bookmark(client: Client, path: str, make: Callable[..., Json]) -> None:
    """It says that all was said, and until when."""
    stored = make("a")
    options = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"

    events = list(client.watch(f"{path}&{options}"))

    assert [one["type"] for one in events] == ["ADDED", "BOOKMARK"]
    metadata = events[1]["object"]["metadata"]
    assert metadata["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(metadata["resourceVersion"]) >= int(stored["metadata"]["resourceVersion"])
    assert (events[1]["object"]["kind"], events[1]["object"]["apiVersion"]) == ("ConfigMap", "v1")


def test_one_object_can_be_watched(client: Client, core: str, make: Callable[..., Json]) -> None:
    """By its own path."""
    make("a")
    make("b")

    assert _seen(client.watch(f"{core}/configmaps/b?watch=1&timeoutSeconds=1")) == [("ADDED", "b")]


def test_a_watch_from_before_a_restart_has_expired(
    tmp_path_factory: pytest.TempPathFactory, configmap: Callable[..., Json]
) -> None:
    """It is told in the stream, so that the client lists again."""
    state = tmp_path_factory.mktemp("restarted")
    path = "/api/v1/namespaces/default/configmaps"
    with running(state) as before, Client.of(before.state / "kubeconfig") as client:
        revision = client.post(path, configmap("a")).body["metadata"]["resourceVersion"]
        client.post(path, configmap("b"))
    with running(state) as after, Client.of(after.state / "kubeconfig") as client:
        events = list(client.watch(f"{path}?watch=1&resourceVersion={revision}&timeoutSeconds=5"))

    assert [one["type"] for one in events] == ["ERROR"]
    assert (events[0]["object"]["code"], events[0]["object"]["reason"]) == (410, "Expired")
    assert events[0]["object"]["message"].startswith(f"too old resource version: {revision} (")


def test_rows_come_as_tables(client: Client, path: str, make: Callable[..., Json]) -> None:
    """The columns with the first one only."""
    make("a")
    make("b")
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}

    events = list(client.watch(path, **accept))

    assert [one["object"]["kind"] for one in events] == ["Table", "Table"]
    assert [row["cells"][0] for one in events for row in one["object"]["rows"]] == ["a", "b"]
    assert [one["object"]["columnDefinitions"] is None for one in events] == [False, True]


def test_a_watch_from_nonsense_is_refused(client: Client, path: str) -> None:
    """As a bad request inside the stream."""
    events = list(itertools.islice(client.watch(f"{path}&resourceVersion=x"), 1))

    assert events[0]["object"]["code"] == 400
