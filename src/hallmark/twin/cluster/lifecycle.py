"""The life of namespaces and of custom resource definitions: what belongs to them comes and goes with them.

Kubernetes ``pkg/controller/namespace`` (contents, conditions, finalizer), the service account and root CA publishers of
its controller manager, and the finalizer of ``apiextensions-apiserver``.
"""

from collections import Counter
from typing import Any

from hallmark.twin.cluster import crds
from hallmark.twin.cluster.changes import DELETED, Entry, Event
from hallmark.twin.cluster.deletion import Deleter, Options
from hallmark.twin.cluster.metadata import now
from hallmark.twin.cluster.registry import Registry
from hallmark.twin.cluster.store import Store
from hallmark.twin.cluster.work import Work
from hallmark.twin.cluster.writing import Writer

Json = dict[str, Any]

FINALIZER = "kubernetes"
"""Of namespaces, in their spec."""


SUCCEEDED = (
    ("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"),
    (
        "NamespaceDeletionGroupVersionParsingFailure",
        "False",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    (
        "NamespaceDeletionContentFailure",
        "False",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
)
"""Conditions that only a broken cluster has otherwise: type, status, reason, message."""


class Terminations:
    """Empties what is being deleted, then lets it go.

    Args:
        store: Where the objects are.
        registry: What is served.
        deleter: Deletes.
        writer: Takes finalizers away.
    """

    def __init__(self, store: Store, registry: Registry, deleter: Deleter, writer: Writer) -> None:
        self._store = store
        self._registry = registry
        self._deleter = deleter
        self._writer = writer
        self.work: Work[tuple[str, str]] = Work(self._look_at)
        for storage in ("namespaces", crds.STORAGE):
            for entry in store.all(storage):
                self._note(storage, entry.object)

    def follow(self, event: Event) -> None:
        """Note what a change may have emptied; to be called with every change."""
        if event.storage in {"namespaces", crds.STORAGE}:
            self._note(event.storage, event.entry.object)
        metadata = event.entry.object["metadata"]
        if event.type == DELETED or "deletionTimestamp" in metadata:
            if namespace := self._store.get("namespaces", "", metadata.get("namespace", "")):
                self._note("namespaces", namespace.object)
            if definition := self._store.get(crds.STORAGE, "", event.storage):
                self._note(crds.STORAGE, definition.object)

    def _note(self, storage: str, obj: Json) -> None:
        if "deletionTimestamp" in obj["metadata"]:
            self.work.add((storage, obj["metadata"]["name"]))

    def _look_at(self, place: tuple[str, str]) -> None:
        storage, name = place
        entry = self._store.get(storage, "", name)
        if entry is None or "deletionTimestamp" not in entry.object["metadata"]:
            return
        if storage == "namespaces":
            self._empty_namespace(entry)
        else:
            self._empty_definition(entry)

    def _empty_namespace(self, entry: Entry) -> None:
        name = entry.object["metadata"]["name"]
        left = [
            (storage, content)
            for storage in self._store.storages()
            for content in self._store.all(storage, name)
            if not self._delete(storage, content)
        ]
        obj = entry.copy()
        if not left:
            obj["spec"]["finalizers"] = [one for one in obj["spec"].get("finalizers", ()) if one != FINALIZER]
        obj["status"] = {"phase": "Terminating", "conditions": _conditions(left, obj["status"].get("conditions", []))}
        if obj != entry.object:
            self._writer.settle("namespaces", obj)

    def _empty_definition(self, entry: Entry) -> None:
        storage = entry.object["metadata"]["name"]
        left = [content for content in self._store.all(storage) if not self._delete(storage, content)]
        if not left:
            obj = entry.copy()
            kept = [one for one in obj["metadata"].get("finalizers", ()) if one != crds.CLEANUP]
            obj["metadata"]["finalizers"] = kept
            self._writer.settle(crds.STORAGE, obj)

    def _delete(self, storage: str, entry: Entry) -> bool:
        current = self._store.get(
            storage, entry.object["metadata"].get("namespace", ""), entry.object["metadata"]["name"]
        )
        resource = self._registry.of_storage(storage)
        if current is None or resource is None:
            return True
        if "deletionTimestamp" in current.object["metadata"]:
            return False
        return self._deleter.delete(resource, current, Options(policy="Background")).gone


def _conditions(left: list[tuple[str, Entry]], before: list[Json]) -> list[Json]:
    known = {(one["type"], one["status"]): one["lastTransitionTime"] for one in before}
    return [
        {
            "type": kind,
            "status": status,
            "lastTransitionTime": known.get((kind, status), now()),
            "reason": reason,
            "message": message,
        }
        for kind, status, reason, message in (*SUCCEEDED, _remaining(left), _holding(left))
    ]


def _remaining(left: list[tuple[str, Entry]]) -> tuple[str, str, str, str]:
    kind = "NamespaceContentRemaining"
    counts = sorted(Counter(_dotted(storage) for storage, _ in left).items())
    if not counts:
        return kind, "False", "ContentRemoved", "All content successfully removed"
    listed = ", ".join(f"{storage} has {count} resource instances" for storage, count in counts)
    return kind, "True", "SomeResourcesRemain", f"Some resources are remaining: {listed}"


def _holding(left: list[tuple[str, Entry]]) -> tuple[str, str, str, str]:
    kind = "NamespaceFinalizersRemaining"
    counts = sorted(
        Counter(one for _, entry in left for one in entry.object["metadata"].get("finalizers") or ()).items()
    )
    if not counts:
        return kind, "False", "ContentHasNoFinalizers", "All content-preserving finalizers finished"
    listed = ", ".join(f"{finalizer} in {count} resource instances" for finalizer, count in counts)
    return kind, "True", "SomeFinalizersRemain", f"Some content in the namespace has finalizers remaining: {listed}"


def _dotted(storage: str) -> str:
    return storage if "." in storage else f"{storage}."
