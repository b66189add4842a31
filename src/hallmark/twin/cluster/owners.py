"""Who owns whom: an index over ``ownerReferences``, kept up to date with every change."""

from collections.abc import Iterator
from typing import Any

from hallmark.twin.cluster.changes import DELETED, Entry, Event
from hallmark.twin.cluster.store import Store, key_of

Json = dict[str, Any]
Place = tuple[str, str, str]
"""Storage, namespace and name."""


class Owners:
    """Finds objects by uid, and the dependents of a uid.

    Args:
        store: Whose objects are indexed.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._places: dict[str, Place] = {}
        self._dependents: dict[str, set[Place]] = {}
        for storage in store.storages():
            for entry in store.all(storage):
                self._add(storage, entry.object)
        store.observers.append(self._follow)

    def entry(self, uid: str) -> Entry | None:
        """The living object with a uid."""
        place = self._places.get(uid)
        return self._store.get(*place) if place else None

    def place(self, uid: str) -> Place | None:
        """Where the living object with a uid is."""
        return self._places.get(uid)

    def at(self, place: Place) -> Entry | None:
        """The object at a place."""
        return self._store.get(*place)

    def dependents(self, uid: str) -> list[Place]:
        """Objects that name a uid among their owners."""
        return sorted(self._dependents.get(uid, ()))

    def owned(self) -> Iterator[Place]:
        """Every object with an owner, living or not."""
        yield from {place for places in self._dependents.values() for place in places}

    def _follow(self, event: Event) -> None:
        if event.previous is not None:
            self._drop(event.storage, event.previous.object)
        if event.type != DELETED:
            self._add(event.storage, event.entry.object)

    def _add(self, storage: str, obj: Json) -> None:
        place = (storage, *key_of(obj))
        self._places[obj["metadata"]["uid"]] = place
        for reference in references(obj):
            self._dependents.setdefault(reference["uid"], set()).add(place)

    def _drop(self, storage: str, obj: Json) -> None:
        place = (storage, *key_of(obj))
        self._places.pop(obj["metadata"]["uid"], None)
        for reference in references(obj):
            places = self._dependents.get(reference["uid"], set())
            places.discard(place)
            if not places:
                self._dependents.pop(reference["uid"], None)


def references(obj: Json) -> list[Json]:
    """Owner references of an object."""
    return obj["metadata"].get("ownerReferences") or []
