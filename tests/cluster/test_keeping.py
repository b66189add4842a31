"""A restore: watchers hear of what differs, in words that an API server uses."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.cluster import keeping
from hallmark.twin.cluster.changes import ADDED, DELETED, MODIFIED
from hallmark.twin.cluster.persistence import Persistence
from hallmark.twin.cluster.statuses import Refusal
from hallmark.twin.cluster.store import Store


def _secret(uid: str, **content: Any) -> dict[str, Any]:
    return {"metadata": {"name": "config", "namespace": "a", "uid": uid}, **content}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with one Secret."""
    one = Store(Persistence(tmp_path / "objects.sqlite"), frozenset())
    one.put("secrets", _secret("first", data={"key": "b25l"}))
    yield one
    one.close()


def _heard(store: Store, since: int) -> list[tuple[str, str]]:
    return [(event.type, event.entry.object["metadata"]["uid"]) for event in store.since("secrets", since) or []]


def test_what_is_as_it_was_is_left_alone(store: Store) -> None:
    """No watcher hears of it, and no revision is spent."""
    keeping.load(store, keeping.dump(store))

    assert store.revision == 1


def test_a_changed_object_is_changed_back(store: Store) -> None:
    """It is the same object, so this is a change."""
    dump = keeping.dump(store)
    store.put("secrets", _secret("first", data={"key": "dHdv"}))

    keeping.load(store, dump)

    assert _heard(store, 2) == [(MODIFIED, "first")]


def test_an_object_that_was_made_anew_goes_and_the_first_one_comes_back(store: Store) -> None:
    """A change never gives an object another uid: a cache that remembers the first one as gone would not take it."""
    dump = keeping.dump(store)
    store.remove("secrets", _secret("first"))
    store.put("secrets", _secret("second", data={"key": "b25l"}))

    keeping.load(store, dump)

    assert _heard(store, 3) == [(DELETED, "second"), (ADDED, "first")]


def test_a_namespace_that_was_made_anew_is_changed_back(store: Store) -> None:
    """Its end would take everything in it along."""
    store.put("namespaces", {"metadata": {"name": "a", "uid": "first"}})
    dump = keeping.dump(store)
    store.put("namespaces", {"metadata": {"name": "a", "uid": "second"}})
    revision = store.revision

    keeping.load(store, dump)

    assert [event.type for event in store.since("namespaces", revision) or []] == [MODIFIED]


def test_what_is_no_dump_changes_nothing(store: Store) -> None:
    """It is refused before anything is written."""
    with pytest.raises(Refusal):
        keeping.load(store, json.dumps([1]).encode())

    assert store.revision == 1
