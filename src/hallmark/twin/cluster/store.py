"""Objects in memory, their revisions, and everybody who wants to hear of changes.

An object that is stored is never changed again: a write makes a new one. So readers, watchers and the history share
it without copying. ``Entry.copy`` gives an object that may be changed.
"""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hallmark.twin.cluster.changes import ADDED, DELETED, MODIFIED, Entry, Event, Subscription
from hallmark.twin.cluster.persistence import Persistence

HISTORY = 1000
"""Events kept for each kind of object; a watch that starts before them is told to list again."""
RESERVED = 1000
"""Revisions that are claimed on disk at a time."""

Key = tuple[str, str]
"""Namespace (empty for objects without) and name."""


@dataclass(slots=True)
class Shelf:
    """Everything of one storage.

    Attributes:
        entries: By key.
        floor: Every change after this revision is in the history.
        history: The last changes.
        subscribers: Who listens.
        order: Keys in order, or None when that has to be found out again.
    """

    entries: dict[Key, Entry] = field(default_factory=dict)
    floor: int = 0
    history: deque[Event] = field(default_factory=deque)
    subscribers: set[Subscription] = field(default_factory=set)
    order: list[Key] | None = None


class Store:
    """All objects of one cluster, with one revision counter.

    Args:
        persistence: Where they survive the process.
        volatile: Storages that do not.
    """

    def __init__(self, persistence: Persistence, volatile: frozenset[str] = frozenset()) -> None:
        self._persistence = persistence
        self._volatile = volatile
        self._shelves: dict[str, Shelf] = {}
        self.observers: list[Callable[[Event], None]] = []
        """Called with every change, at once and in order."""
        self.revision = persistence.reserved()
        """Of the last write."""
        self._start = self._reserved = self.revision
        for storage, namespace, name, revision, body in persistence.load():
            self._shelf(storage).entries[namespace, name] = Entry(json.loads(body), body, revision)

    def get(self, storage: str, namespace: str, name: str) -> Entry | None:
        """The object of that name."""
        shelf = self._shelves.get(storage)
        return shelf.entries.get((namespace, name)) if shelf else None

    def all(self, storage: str, namespace: str = "") -> list[Entry]:
        """Objects in the order of namespace and name; of all namespaces by default."""
        shelf = self._shelf(storage)
        if shelf.order is None:
            shelf.order = sorted(shelf.entries)
        if not namespace:
            return [shelf.entries[key] for key in shelf.order]
        return [shelf.entries[key] for key in shelf.order if key[0] == namespace]

    def storages(self) -> tuple[str, ...]:
        """Names of all storages that were ever used."""
        return tuple(self._shelves)

    def put(self, storage: str, obj: dict[str, Any]) -> Entry:
        """Store an object in place of the one of that name; it belongs to the store from now on."""
        key = key_of(obj)
        shelf = self._shelf(storage)
        previous = shelf.entries.get(key)
        entry = self._seal(obj)
        if storage not in self._volatile:
            self._persistence.put(storage, *key, entry.revision, entry.body)
        shelf.entries[key] = entry
        if previous is None:
            shelf.order = None
        self._tell(shelf, Event(MODIFIED if previous else ADDED, storage, entry, previous))
        return entry

    def remove(self, storage: str, obj: dict[str, Any]) -> Entry:
        """Remove an object.

        Args:
            storage: Where it is.
            obj: Its last state; it belongs to the store from now on.
        """
        key = key_of(obj)
        shelf = self._shelf(storage)
        previous = shelf.entries[key]
        entry = self._seal(obj)
        if storage not in self._volatile:
            self._persistence.remove(storage, *key)
        del shelf.entries[key]
        shelf.order = None
        self._tell(shelf, Event(DELETED, storage, entry, previous))
        return entry

    def since(self, storage: str, revision: int) -> list[Event] | None:
        """Changes after a revision, or None when some of them are forgotten."""
        shelf = self._shelf(storage)
        if revision < shelf.floor:
            return None
        return [event for event in shelf.history if event.entry.revision > revision]

    def oldest(self, storage: str) -> int:
        """The oldest revision that ``since`` can answer."""
        return self._shelf(storage).floor

    def subscribe(self, storage: str) -> Subscription:
        """Hear of every change from now on."""
        subscription = Subscription()
        self._shelf(storage).subscribers.add(subscription)
        return subscription

    def unsubscribe(self, storage: str, subscription: Subscription) -> None:
        """Hear of nothing any more."""
        self._shelf(storage).subscribers.discard(subscription)

    def end_watches(self) -> None:
        """Tell all watchers to stop."""
        for shelf in self._shelves.values():
            for subscription in shelf.subscribers:
                subscription.end()

    def close(self) -> None:
        """Close the file."""
        self._persistence.reserve(self.revision)
        self._persistence.close()

    def _shelf(self, storage: str) -> Shelf:
        shelf = self._shelves.get(storage)
        if shelf is None:
            shelf = self._shelves[storage] = Shelf(floor=self._start)
        return shelf

    def _seal(self, obj: dict[str, Any]) -> Entry:
        self.revision += 1
        if self.revision > self._reserved:
            # Not every revision is on disk: those of volatile objects and of removals are not. None is used twice.
            self._reserved = self.revision + RESERVED
            self._persistence.reserve(self._reserved)
        obj["metadata"]["resourceVersion"] = str(self.revision)
        return Entry(obj, encode(obj), self.revision)

    def _tell(self, shelf: Shelf, event: Event) -> None:
        shelf.history.append(event)
        if len(shelf.history) > HISTORY:
            shelf.floor = shelf.history.popleft().entry.revision
        for subscription in shelf.subscribers:
            subscription.give(event)
        for observer in self.observers:
            observer(event)
        if event.previous:
            event.previous.release()
        if event.type == DELETED:
            event.entry.release()


def key_of(obj: dict[str, Any]) -> Key:
    """Namespace and name of an object."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def encode(value: Any) -> bytes:
    """JSON without blanks."""
    return json.dumps(value, separators=(",", ":")).encode()
