"""The store: one counter for everything, a history that knows its own beginning, watchers that are told in order."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.cluster import changes
from hallmark.twin.cluster import store as module
from hallmark.twin.cluster.changes import ADDED, DELETED, MODIFIED, Event
from hallmark.twin.cluster.persistence import Persistence
from hallmark.twin.cluster.store import Store


def _object(name: str, namespace: str = "a", **content: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}"}, **content}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store with one volatile storage."""
    one = Store(Persistence(tmp_path / "objects.sqlite"), frozenset({"metrics"}))
    yield one
    one.close()


def test_every_write_has_the_next_revision(store: Store) -> None:
    """Of whatever kind, removals included."""
    first = store.put("pods", _object("x"))
    second = store.put("secrets", _object("x"))
    third = store.remove("pods", first.copy())

    assert [one.revision for one in (first, second, third)] == [1, 2, 3]
    assert third.object["metadata"]["resourceVersion"] == "3"
    assert store.revision == 3


def test_objects_are_in_order(store: Store) -> None:
    """By namespace, then name; a namespace alone if it is asked for."""
    for namespace, name in (("b", "x"), ("a", "y"), ("a", "x")):
        store.put("pods", _object(name, namespace))

    assert [module.key_of(one.object) for one in store.all("pods")] == [("a", "x"), ("a", "y"), ("b", "x")]
    assert [module.key_of(one.object) for one in store.all("pods", "b")] == [("b", "x")]
    assert store.all("nothing") == []


def test_a_stored_object_is_not_changed_by_its_copy(store: Store) -> None:
    """Readers share it."""
    entry = store.put("pods", _object("x", spec={"a": [1]}))

    entry.copy()["spec"]["a"].append(2)

    assert entry.object["spec"] == {"a": [1]}


def test_history_tells_what_happened_since(store: Store) -> None:
    """In order, each change with what was before."""
    first = store.put("pods", _object("x"))
    second = store.put("pods", _object("x", spec={}))
    store.put("secrets", _object("x"))
    third = store.remove("pods", second.copy())

    events = store.since("pods", first.revision)

    assert events is not None
    assert [(one.type, one.entry.revision) for one in events] == [(MODIFIED, 2), (DELETED, 4)]
    assert events[0].previous is first
    assert store.since("pods", third.revision) == []


def test_history_says_when_it_has_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A revision is known as long as all that followed is."""
    monkeypatch.setattr(module, "HISTORY", 3)
    for number in range(5):
        store.put("pods", _object(f"x{number}"))

    assert store.since("pods", 1) is None
    known = store.since("pods", 2)
    assert known is not None
    assert [one.entry.revision for one in known] == [3, 4, 5]
    assert store.oldest("pods") == 2


def test_history_does_not_reach_behind_a_restart(tmp_path: Path) -> None:
    """Objects are there again; what happened to them before is not."""
    file = tmp_path / "objects.sqlite"
    before = Store(Persistence(file))
    old = before.put("pods", _object("x"))
    before.put("pods", _object("y"))
    before.close()

    after = Store(Persistence(file))

    assert [one.object["metadata"]["name"] for one in after.all("pods")] == ["x", "y"]
    assert after.since("pods", old.revision) is None
    assert after.since("pods", after.revision) == []
    assert after.put("pods", _object("z")).revision == 3
    after.close()


def test_no_revision_is_used_twice(tmp_path: Path) -> None:
    """Not even those of objects that are not kept, and of a process that was killed."""
    file = tmp_path / "objects.sqlite"
    killed = Store(Persistence(file), frozenset({"metrics"}))
    killed.put("pods", _object("x"))
    used = killed.put("metrics", _object("x")).revision

    after = Store(Persistence(file), frozenset({"metrics"}))

    assert after.put("pods", _object("y")).revision > used
    assert after.all("metrics") == []
    after.close()
    killed.close()


def test_a_watcher_hears_of_its_storage_in_order(store: Store) -> None:
    """And of nothing else."""

    async def listen() -> list[tuple[str, str]]:
        subscription = store.subscribe("pods")
        entry = store.put("pods", _object("x"))
        store.put("secrets", _object("s"))
        store.remove("pods", entry.copy())
        events = await subscription.take(1)
        store.unsubscribe("pods", subscription)
        store.put("pods", _object("y"))
        assert await subscription.take(0.01) == []
        return [(one.type, one.entry.object["metadata"]["name"]) for one in events]

    assert asyncio.run(listen()) == [(ADDED, "x"), (DELETED, "x")]


def test_a_watcher_that_lags_is_cut_off(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than to fill the memory."""
    monkeypatch.setattr(changes, "BACKLOG", 2)

    async def listen() -> list[bool]:
        subscription = store.subscribe("pods")
        ended = []
        for number in range(3):
            store.put("pods", _object(f"x{number}"))
            ended.append(subscription.ended)
        return ended

    assert asyncio.run(listen()) == [False, False, True]


def test_observers_are_told_at_once(store: Store) -> None:
    """Before the write returns."""
    seen: list[Event] = []
    store.observers.append(seen.append)

    entry = store.put("pods", _object("x"))

    assert [(one.type, one.entry) for one in seen] == [(ADDED, entry)]
