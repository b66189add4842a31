"""The garbage collector: what is owned goes with its owner, in the way that was asked for."""

from collections.abc import Callable
from typing import Any

import pytest

from hallmark.twin.cluster.client import Client
from hallmark.waiting import until

Json = dict[str, Any]
SECONDS = 5.0


@pytest.fixture
def path(core: str) -> str:
    """Path of the ConfigMaps that own each other here."""
    return f"{core}/configmaps"


@pytest.fixture
def make(client: Client, path: str, configmap: Callable[..., Json]) -> Callable[..., Json]:
    """Makes a ConfigMap with owners."""

    def one(name: str, *owners: Json, blocks: bool = False, **metadata: Any) -> Json:
        references = [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"],
                "blockOwnerDeletion": blocks,
            }
            for owner in owners
        ]
        stored: Json = client.post(path, configmap(name, ownerReferences=references, **metadata)).body
        return stored

    return one


def _gone(client: Client, path: str) -> bool:
    return until(lambda: client.get(path).code == 404, SECONDS)


def test_dependents_follow(client: Client, path: str, make: Callable[..., Json]) -> None:
    """Theirs, too."""
    owner = make("owner")
    child = make("child", owner)
    make("grandchild", child)

    assert client.delete(f"{path}/owner").body["status"] == "Success"

    assert _gone(client, f"{path}/child")
    assert _gone(client, f"{path}/grandchild")


def test_an_owner_in_the_foreground_goes_last(client: Client, path: str, make: Callable[..., Json]) -> None:
    """After every dependent that blocks it."""
    owner = make("owner")
    make("child", owner, blocks=True, finalizers=["example.com/hold"])

    answer = client.delete(f"{path}/owner", {"propagationPolicy": "Foreground"})

    assert answer.code == 202
    assert answer.body["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert until(lambda: "deletionTimestamp" in client.get(f"{path}/child").body["metadata"], SECONDS)
    assert client.get(f"{path}/owner").code == 200
    client.patch(f"{path}/child", {"metadata": {"finalizers": None}})
    assert _gone(client, f"{path}/owner")
    assert client.get(f"{path}/child").code == 404


def test_an_owner_in_the_foreground_without_dependents_goes(
    client: Client, path: str, make: Callable[..., Json]
) -> None:
    """There is nothing to wait for."""
    make("owner")

    client.delete(f"{path}/owner?propagationPolicy=Foreground")

    assert _gone(client, f"{path}/owner")


def test_orphans_stay_without_their_owner(client: Client, path: str, make: Callable[..., Json]) -> None:
    """They know it no more."""
    owner = make("owner")
    make("child", owner)

    client.delete(f"{path}/owner", {"propagationPolicy": "Orphan"})

    assert _gone(client, f"{path}/owner")
    assert "ownerReferences" not in client.get(f"{path}/child").body["metadata"]


def test_one_of_two_owners_is_enough(client: Client, path: str, make: Callable[..., Json]) -> None:
    """The dependent stays with the other."""
    one, two = make("one"), make("two")
    make("child", one, two)

    client.delete(f"{path}/one")

    def owners() -> list[str]:
        references = client.get(f"{path}/child").body["metadata"].get("ownerReferences", [])
        return [reference["name"] for reference in references]

    assert until(lambda: owners() == ["two"], SECONDS)
    client.delete(f"{path}/two")
    assert _gone(client, f"{path}/child")


def test_who_comes_too_late_goes(client: Client, path: str, make: Callable[..., Json]) -> None:
    """An owner that is gone already owns nothing."""
    owner = make("owner")
    client.delete(f"{path}/owner")

    make("late", owner)

    assert _gone(client, f"{path}/late")
