"""From one state of an object to the next: what a write must not change, and what it has to agree with.

``apiserver/pkg/registry/rest/create.go`` and ``update.go``.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from hallmark.twin.cluster import statuses
from hallmark.twin.cluster.calls import Call
from hallmark.twin.cluster.changes import Entry
from hallmark.twin.cluster.metadata import generated, now
from hallmark.twin.cluster.registry import Resource
from hallmark.twin.cluster.statuses import Refusal

Json = dict[str, Any]

IMMUTABLE = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "generateName",
)
"""Metadata that a client cannot change."""


def begin(call: Call, obj: Json) -> None:
    """Give a new object the metadata that only the server can give, in place.

    Raises:
        Refusal: It has no name, or belongs elsewhere.
    """
    resource, metadata = call.resource, obj["metadata"]
    if metadata.get("resourceVersion"):
        raise Refusal(500, "resourceVersion should not be set on objects to be created", "InternalError")
    _check_place(call, metadata)
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = generated(metadata["generateName"])
    for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion", "generation"):
        metadata.pop(name, None)
    metadata["uid"] = str(uuid.uuid4())
    metadata["creationTimestamp"] = now()
    if not metadata.get("name"):
        message = "metadata.name: Required value: name or generateName is required"
        raise statuses.invalid(resource.group, resource.kind, "", [message])


def check_preconditions(call: Call, old: Entry, new: Json) -> None:
    """Refuse a write that was meant for another object or another version of it.

    Raises:
        Refusal: Name, uid or resourceVersion are others, or a finalizer comes too late.
    """
    resource, before, after = call.resource, old.object["metadata"], new["metadata"]
    _check_place(call, after)
    sent = after.get("resourceVersion")
    if sent and sent != before["resourceVersion"]:
        raise statuses.conflict(resource.group, resource.plural, before["name"])
    if not sent and resource.custom and call.request.method == "PUT":
        message = "metadata.resourceVersion: Invalid value: 0: must be specified for an update"
        raise statuses.invalid(resource.group, resource.kind, before["name"], [message])
    if after.get("uid") and after["uid"] != before["uid"]:
        why = f"Precondition failed: UID in precondition: {after['uid']}, UID in object meta: {before['uid']}"
        raise statuses.conflict(resource.group, resource.plural, before["name"], why)
    _check_finalizers(resource, before, after)


def keep(resource: Resource, old: Json, new: Json, subresource: str) -> None:
    """Take from the old object what this write must not change.

    A write of the object keeps its status, and a write of the status keeps everything else.
    """
    before, after = old["metadata"], new["metadata"]
    if subresource == "status":
        _keep_all_but_status(resource, old, new)
        after = new["metadata"]
    elif "status" in resource.subresources:
        _copy("status", old, new)
    for name in (*IMMUTABLE, "namespace"):
        _copy(name, before, after)
    new["apiVersion"], new["kind"] = old["apiVersion"], old["kind"]


def count_generation(resource: Resource, old: Json, new: Json) -> None:
    """Raise the generation when what is wanted has changed, not only what is observed."""
    if "generation" not in old["metadata"]:
        return
    ignored = {"metadata", "status"} if "status" in resource.subresources else {"metadata"}
    changed = any(old.get(key) != new.get(key) for key in (old.keys() | new.keys()) - ignored)
    new["metadata"]["generation"] = old["metadata"]["generation"] + changed


def _check_place(call: Call, metadata: Json) -> None:
    if not call.resource.namespaced:
        metadata.pop("namespace", None)
    elif metadata.setdefault("namespace", call.namespace) != call.namespace:
        sent, place = metadata["namespace"], call.namespace
        raise Refusal(
            400,
            f"the namespace of the provided object does not match the namespace sent on the request: {sent} vs {place}",
        )
    if call.name and metadata.setdefault("name", call.name) != call.name:
        raise Refusal(
            400, f"the name of the object ({metadata['name']}) does not match the name on the URL ({call.name})"
        )


def _check_finalizers(resource: Resource, before: Json, after: Json) -> None:
    added = [one for one in after.get("finalizers") or () if one not in (before.get("finalizers") or ())]
    if "deletionTimestamp" in before and added:
        listed = ", ".join(f'"{one}"' for one in added)
        why = (
            f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{listed}}}"
        )
        raise statuses.invalid(
            resource.group, resource.kind, before["name"], [f"metadata.finalizers: Forbidden: {why}"]
        )


def _keep_all_but_status(resource: Resource, old: Json, new: Json) -> None:
    status, metadata = new.get("status"), new["metadata"]
    kept = {"managedFields"} if resource.custom else {"managedFields", "labels", "annotations", "finalizers"}
    new.clear()
    new.update(old)
    new["metadata"] = {key: value for key, value in old["metadata"].items() if key not in kept}
    new["metadata"] |= {key: value for key, value in metadata.items() if key in kept}
    new.pop("status", None)
    if status is not None:
        new["status"] = status


def _copy(name: str, old: Mapping[str, Any], new: Json) -> None:
    if name in old:
        new[name] = old[name]
    else:
        new.pop(name, None)
