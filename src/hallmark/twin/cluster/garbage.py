"""The garbage collector: what is owned goes with its owner.

Kubernetes documentation, "Garbage Collection" and "Use Cascading Deletion"; ``pkg/controller/garbagecollector``.
It lives in the server's own process and works off places noted by the changes it hears of.
"""

from typing import Any

from hallmark.twin.cluster.changes import DELETED, Entry, Event
from hallmark.twin.cluster.deletion import FOREGROUND, ORPHAN, Deleter, Options
from hallmark.twin.cluster.owners import Owners, Place, references
from hallmark.twin.cluster.registry import Registry
from hallmark.twin.cluster.store import key_of
from hallmark.twin.cluster.work import Work
from hallmark.twin.cluster.writing import Writer

Json = dict[str, Any]


class GarbageCollector:
    """Deletes dependents, and lets owners go.

    Args:
        registry: What is served.
        owners: Index of owners and dependents.
        deleter: Deletes.
        writer: Takes references and finalizers away.
    """

    def __init__(self, registry: Registry, owners: Owners, deleter: Deleter, writer: Writer) -> None:
        self._registry = registry
        self._owners = owners
        self._deleter = deleter
        self._writer = writer
        self.work: Work[Place] = Work(self._look_at)
        for place in owners.owned():
            self.work.add(place)

    def follow(self, event: Event) -> None:
        """Note what a change may have set free; to be called with every change."""
        obj, before = event.entry.object, event.previous.object if event.previous else None
        place = (event.storage, *key_of(obj))
        if event.type == DELETED:
            for dependent in self._owners.dependents(obj["metadata"]["uid"]):
                self.work.add(dependent)
            self._wake_owners(obj)
        elif before is None or references(before) != references(obj):
            if references(obj):
                self.work.add(place)
            if before:
                self._wake_owners(before)
        if _is_waiting(obj):
            self.work.add(place)

    def _wake_owners(self, obj: Json) -> None:
        # An owner that is deleted in the foreground waits for this.
        for reference in references(obj):
            place = self._owners.place(reference["uid"])
            if place:
                self.work.add(place)

    def _look_at(self, place: Place) -> None:
        entry = self._owners.at(place)
        if entry is None:
            return
        if _is_waiting(entry.object):
            self._release_owner(place, entry)
        elif references(entry.object):
            self._examine_dependent(place, entry)

    def _examine_dependent(self, place: Place, entry: Entry) -> None:
        kept, waiting, gone = [], [], []
        for reference in references(entry.object):
            owner = self._owners.entry(reference["uid"])
            if owner is None:
                gone.append(reference)
            elif _is_in_foreground(owner.object) and reference.get("blockOwnerDeletion"):
                waiting.append(reference)
            else:
                kept.append(reference)
        if kept and (gone or waiting):
            self._keep_references(place, entry, kept)
        elif not kept:
            self._delete(place, entry, "Foreground" if waiting and self._owners.dependents(_uid(entry)) else "")

    def _delete(self, place: Place, entry: Entry, policy: str) -> None:
        resource = self._registry.of_storage(place[0])
        if resource and "deletionTimestamp" not in entry.object["metadata"]:
            self._deleter.delete(resource, entry, Options(policy=policy or "Background"))

    def _keep_references(self, place: Place, entry: Entry, kept: list[Json]) -> None:
        obj = entry.copy()
        if kept:
            obj["metadata"]["ownerReferences"] = kept
        else:
            del obj["metadata"]["ownerReferences"]
        self._writer.settle(place[0], obj)

    def _release_owner(self, place: Place, entry: Entry) -> None:
        uid = _uid(entry)
        dependents = [(one, found) for one in self._owners.dependents(uid) if (found := self._owners.at(one))]
        if ORPHAN in entry.object["metadata"]["finalizers"]:
            for one, dependent in dependents:
                others = [ref for ref in references(dependent.object) if ref["uid"] != uid]
                self._keep_references(one, dependent, others)
            self._drop_finalizer(place, ORPHAN)
            return
        blocking = [pair for pair in dependents if _blocks(pair[1].object, uid)]
        for one, dependent in blocking:
            self._examine_dependent(one, dependent)
        if not [one for one, _ in blocking if self._owners.at(one)]:
            self._drop_finalizer(place, FOREGROUND)

    def _drop_finalizer(self, place: Place, finalizer: str) -> None:
        entry = self._owners.at(place)
        if entry is None:
            return
        obj = entry.copy()
        obj["metadata"]["finalizers"] = [one for one in obj["metadata"].get("finalizers", ()) if one != finalizer]
        if not obj["metadata"]["finalizers"]:
            del obj["metadata"]["finalizers"]
        self._writer.settle(place[0], obj)


def _uid(entry: Entry) -> str:
    uid: str = entry.object["metadata"]["uid"]
    return uid


def _is_waiting(obj: Json) -> bool:
    metadata = obj["metadata"]
    return "deletionTimestamp" in metadata and bool({FOREGROUND, ORPHAN} & set(metadata.get("finalizers") or ()))


def _is_in_foreground(obj: Json) -> bool:
    return _is_waiting(obj) and FOREGROUND in obj["metadata"]["finalizers"]


def _blocks(dependent: Json, uid: str) -> bool:
    return any(one["uid"] == uid and one.get("blockOwnerDeletion") for one in references(dependent))
