"""How an object gets stored: completed, defaulted, admitted, checked, its owners noted, its revision counted.

The order is the real server's: decoding with defaults, the strategy of the kind, admission, validation, storage
(``apiserver/pkg/registry/generic/registry/store.go`` and ``.../rest/create.go``).
"""

from typing import Any

from hallmark.twin.cluster import statuses, versions
from hallmark.twin.cluster.admission import Webhooks
from hallmark.twin.cluster.calls import Call
from hallmark.twin.cluster.changes import Entry
from hallmark.twin.cluster.decoding import check, complete, decoded
from hallmark.twin.cluster.metadata import now
from hallmark.twin.cluster.registry import Resource
from hallmark.twin.cluster.schema import definitions, ownership
from hallmark.twin.cluster.store import Store
from hallmark.twin.cluster.strategies import Strategies
from hallmark.twin.cluster.transitions import begin, check_preconditions, count_generation, keep

Json = dict[str, Any]


class Writer:
    """Creates and updates objects.

    Args:
        store: Where they go.
        strategies: What is particular to some kinds.
        webhooks: Mutating admission webhooks.
    """

    def __init__(self, store: Store, strategies: Strategies, webhooks: Webhooks) -> None:
        self._store = store
        self._strategies = strategies
        self._webhooks = webhooks

    async def create(self, call: Call, obj: Json, *, applied: bool = False) -> Entry:
        """Create an object.

        Args:
            call: The request; its warnings may grow.
            obj: The object as sent, decoded; it is used up.
            applied: Its ``managedFields`` are right already.

        Returns:
            The object as stored; of a dry run, as it would have been.

        Raises:
            Refusal: It cannot be created.
        """
        resource = call.resource
        begin(call, obj)
        self._check_namespace(call, obj)
        self._strategies.begin(resource, obj)
        obj = versions.stored(resource, obj)
        complete(resource, obj)
        self._strategies.admit(resource, obj)
        mutated = await self._webhooks.mutate(call, obj)
        if mutated is not obj:
            obj = decoded(call, mutated)
            complete(resource, obj)
        self._check_namespace(call, obj)  # once more: a webhook takes its time
        check(call, obj, None)
        metadata = obj["metadata"]
        if self._store.get(resource.storage, metadata.get("namespace", ""), metadata["name"]):
            raise statuses.already_exists(resource.group, resource.plural, metadata["name"])
        self._strategies.allocate(resource, obj)
        if not applied:
            track(call, None, obj)
        return self._put(call, obj)

    def update(self, call: Call, old: Entry, new: Json, *, applied: bool = False) -> Entry:
        """Put an object in place of its former self.

        Args:
            call: The request; its subresource says which part is meant.
            old: The stored object.
            new: The object as sent or patched; it is used up.
            applied: Its ``managedFields`` are right already.

        Returns:
            The object as stored: the old entry if nothing changed, the removed one if its last finalizer went.

        Raises:
            Refusal: It cannot be updated.
        """
        resource = call.resource
        new = versions.stored(resource, new, old.object)
        check_preconditions(call, old, new)
        keep(resource, old.copy(), new, call.subresource)
        if call.subresource != "status":
            self._strategies.update(resource, old.object, new)
        complete(resource, new)
        check(call, new, old.object)
        count_generation(resource, old.object, new)
        if not applied:
            track(call, old.object, new)
        new["metadata"]["resourceVersion"] = old.object["metadata"]["resourceVersion"]
        if new == old.object:
            return old
        return self._put(call, new)

    def settle(self, storage: str, obj: Json) -> Entry:
        """Store an object, or remove it if it only waited for its last finalizer."""
        if is_finished(obj):
            return self._store.remove(storage, obj)
        return self._store.put(storage, obj)

    def _put(self, call: Call, obj: Json) -> Entry:
        if call.dry_run:
            return Entry(obj, b"", 0)
        return self.settle(call.resource.storage, obj)

    def _check_namespace(self, call: Call, obj: Json) -> None:
        if not call.namespace:
            return
        entry = self._store.get("namespaces", "", call.namespace)
        if entry is None:
            raise statuses.not_found("", "namespaces", call.namespace)
        if "deletionTimestamp" in entry.object["metadata"]:
            resource, name = call.resource, obj["metadata"]["name"]
            why = f"unable to create new content in namespace {call.namespace} because it is being terminated"
            being = f"namespace {call.namespace} is being terminated"
            cause = {"reason": "NamespaceTerminating", "message": being, "field": "metadata.namespace"}
            raise statuses.forbidden(resource.group, resource.plural, name, why, [cause])


def track(call: Call, old: Json | None, new: Json) -> None:
    """Note in ``managedFields`` who wrote which fields."""
    ownership.track(
        old,
        new,
        stored_schema(call.resource, new),
        manager=call.manager,
        api_version=call.resource.api_version,
        subresource=call.subresource,
        time=now(),
    )


def stored_schema(resource: Resource, obj: Json) -> definitions.Schema:
    """The schema of an object in the version in which it is stored."""
    if obj["apiVersion"] == resource.api_version or resource.custom:
        return resource.schema
    group, _, version = obj["apiVersion"].rpartition("/")
    return definitions.builtin(group, version, resource.kind) or resource.schema


def is_finished(obj: Json) -> bool:
    """Whether nothing holds an object that is being deleted."""
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
        return False
    if obj["kind"] == "Namespace" and obj.get("spec", {}).get("finalizers"):
        return False
    return not metadata.get("deletionGracePeriodSeconds")
