"""A whole cluster as one document, and back: how snapshots are taken and restored while the server runs.

A restore is a batch of ordinary changes: watchers hear of what differs and of nothing else, revisions go on growing,
and an object that is already as it was is left alone. So clients need not know that it happened.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hallmark.twin.cluster.changes import Entry
from hallmark.twin.cluster.crds import STORAGE as DEFINITIONS
from hallmark.twin.cluster.registry import VOLATILE
from hallmark.twin.cluster.statuses import Refusal
from hallmark.twin.cluster.store import Store, encode, key_of

PASSING = frozenset({
    "events", "leases.coordination.k8s.io", "mutatingwebhookconfigurations.admissionregistration.k8s.io", *VOLATILE,
})  # fmt: skip
"""Storages of the moment: what happened, who is alive, where a webhook listens just now."""
OWN = frozenset({"kube-root-ca.crt", "kubernetes"})
"""Names of what every server makes for itself: its authority, its own address."""
FIRST = ("namespaces", DEFINITIONS)
"""What other objects stand on."""


def dump(store: Store) -> bytes:
    """Every lasting object by storage, as JSON."""
    return encode({storage: [each.object for each in _lasting(store, storage)] for storage in _storages(store)})


def load(store: Store, document: bytes) -> None:
    """Make the lasting objects those of a dump; an empty one leaves what a new cluster has.

    Raises:
        Refusal: The document is not a dump; nothing was changed.
    """
    wanted, before = _wanted(document), _places(store)
    for storage in reversed(_ordered({*_storages(store), *wanted})):
        kept = {key_of(each): each for each in wanted.get(storage, ())}
        for entry in _lasting(store, storage):
            if _stays(storage, entry, kept.get(key_of(entry.object))):
                continue
            if not _is_basic(storage, entry):
                store.remove(storage, entry.copy())
            elif entry.object["metadata"].get("annotations"):
                store.put(storage, _unmarked(entry))
    for entry in store.all("events"):
        store.remove("events", entry.copy())
    _sweep(store, before - _places(store))
    for storage in _ordered(set(wanted)):
        for thing in wanted[storage]:
            present = store.get(storage, *key_of(thing))
            if present is None or _content(present.object) != _content(thing):
                store.put(storage, thing)


def _places(store: Store) -> set[str]:
    return {each.object["metadata"]["name"] for each in store.all("namespaces")}


def _sweep(store: Store, gone: set[str]) -> None:
    """Remove what is left of namespaces that are gone: a server fills each of its own accord, to the last moment."""
    for storage in list(store.storages()):
        for entry in list(store.all(storage)):
            if entry.object["metadata"].get("namespace") in gone:
                store.remove(storage, entry.copy())


def _wanted(document: bytes) -> dict[str, list[dict[str, Any]]]:
    try:
        content = json.loads(document or b"{}")
        return {storage: [thing for thing in things if key_of(thing)] for storage, things in content.items()}
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise Refusal(400, f"this is not a dump of a cluster: {error}") from error


def _storages(store: Store) -> list[str]:
    return [each for each in store.storages() if each not in PASSING]


def _ordered(storages: set[str]) -> list[str]:
    return [each for each in FIRST if each in storages] + sorted(storages - set(FIRST) - PASSING)


def _lasting(store: Store, storage: str) -> Iterator[Entry]:
    return (each for each in list(store.all(storage)) if each.object["metadata"]["name"] not in OWN)


def _is_basic(storage: str, entry: Entry) -> bool:
    """Whether a cluster has it from the first moment and cannot be without."""
    name: str = entry.object["metadata"]["name"]
    if storage == "namespaces":
        return name == "default" or name.startswith("kube-")
    if storage == "serviceaccounts":
        return name == "default"
    return storage.startswith("apiservices.") or name == "cluster-admin" or name.startswith(("system:", "system-"))


def _stays(storage: str, entry: Entry, wanted: Mapping[str, Any] | None) -> bool:
    """Whether an object becomes the wanted one by changes, if at all.

    What was deleted and made again since has another uid: it is another object, and no change leads from one to the
    other. Watchers hear that it is gone and that the first one is there.
    """
    if wanted is None:
        return False
    is_same = wanted["metadata"].get("uid") == entry.object["metadata"].get("uid")
    return is_same or storage in FIRST or _is_basic(storage, entry)


def _unmarked(entry: Entry) -> dict[str, Any]:
    """Without what others noted on it."""
    thing = entry.copy()
    del thing["metadata"]["annotations"]
    return thing


def _content(thing: Mapping[str, Any]) -> dict[str, Any]:
    """An object without its revision, which says when it was written, not what it is."""
    metadata = {name: value for name, value in thing["metadata"].items() if name != "resourceVersion"}
    return {**thing, "metadata": metadata}
