"""Whose child an object is: adoption of orphans, release of strays, and the way from a child to its parent."""

from collections.abc import Iterable, Mapping
from typing import Any

from hallmark.twin.controllers.workloads.pods import is_leaving, labels
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.kinds import Key, Kind, Object, controller_of, key_of, matches, owned_by
from hallmark.twin.kube.reconcile import Mapper


async def claim(caches: Caches, kind: Kind, owner: Object, selector: Mapping[str, Any] | None) -> list[Object]:
    """Adopt matching orphans, release children that no longer match, and return the children.

    Source: "Owners and dependents" in the Kubernetes documentation, ``ControllerRefManager`` in its code.

    Args:
        caches: The cluster.
        kind: Kind of the children.
        owner: The workload; one that is being deleted adopts nothing.
        selector: Its label selector; without one nothing is adopted and nothing released.
    """
    if selector is None:
        return caches[kind].controlled_by(owner["metadata"]["uid"])
    children = []
    for child in caches[kind].controlled_by(owner["metadata"]["uid"]):
        if matches(selector, labels(child)):
            children.append(child)
        elif not is_leaving(child):
            others = [each for each in child["metadata"]["ownerReferences"] if not each.get("controller")]
            await _own(caches, kind, child, others)
    if not is_leaving(owner):
        for orphan in _orphans(caches, kind, owner, selector):
            others = orphan["metadata"].get("ownerReferences") or []
            children.append(await _own(caches, kind, orphan, [*others, *owned_by(owner)]))
    return children


def to_controller(kind: Kind) -> Mapper:
    """Map a child to the parent of this kind that controls it."""

    def mapper(child: Object) -> Iterable[Key]:
        parent = controller_of(child)
        if parent and parent["kind"] == kind.kind:
            yield child["metadata"].get("namespace", ""), parent["name"]

    return mapper


def to_parents(caches: Caches, kind: Kind) -> Mapper:
    """Map a child to the parent that controls it; an orphan to those who may adopt it."""
    to_parent = to_controller(kind)

    def mapper(child: Object) -> Iterable[Key]:
        if controller_of(child):
            return to_parent(child)
        candidates = caches[kind].all(child["metadata"].get("namespace", ""))
        return [key_of(each) for each in candidates if matches(each["spec"].get("selector"), labels(child))]

    return mapper


def to_itself(thing: Object) -> Iterable[Key]:
    """Map an object to its own key."""
    yield key_of(thing)


def _orphans(caches: Caches, kind: Kind, owner: Object, selector: Mapping[str, Any] | None) -> list[Object]:
    return [
        each
        for each in caches[kind].all(owner["metadata"]["namespace"])
        if controller_of(each) is None and not is_leaving(each) and matches(selector, labels(each))
    ]


async def _own(caches: Caches, kind: Kind, child: Object, references: list[Object]) -> Object:
    metadata = {"uid": child["metadata"]["uid"], "ownerReferences": references}
    return await caches.patch(kind, child, {"metadata": metadata})
