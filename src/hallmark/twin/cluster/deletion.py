"""How an object goes: at once, after its grace period, or after whoever holds it with a finalizer.

``apiserver/pkg/registry/generic/registry/store.go`` (BeforeDelete, finalizers) and the pod's strategy
(CheckGracefulDelete). Dependents are the garbage collector's work.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hallmark.twin.cluster import statuses
from hallmark.twin.cluster.changes import Entry
from hallmark.twin.cluster.metadata import now
from hallmark.twin.cluster.registry import Resource
from hallmark.twin.cluster.statuses import Refusal
from hallmark.twin.cluster.store import Store

Json = dict[str, Any]

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
POLICIES = {"Foreground": FOREGROUND, "Orphan": ORPHAN, "Background": ""}
"""Propagation policy, finalizer that carries it."""
SHOWN = frozenset(
    {"pods", "services", "serviceaccounts", "persistentvolumes", "persistentvolumeclaims", "podtemplates"}
)
"""Resources whose deletion answers with the object rather than with a Status."""
DEFAULT_GRACE_SECONDS = 30
ORPHANING_WARNING = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or "
    "set propagationPolicy=Orphan to suppress this warning"
)


@dataclass(frozen=True)
class Options:
    """How to delete.

    Attributes:
        grace: Seconds a pod gets to end; None for its own.
        policy: Propagation policy; empty for the resource's own.
        uid: The object must still have this one, unless empty.
        revision: The object must still have this resourceVersion, unless empty.
        dry_run: Nothing is to be deleted.
    """

    grace: int | None = None
    policy: str = ""
    uid: str = ""
    revision: str = ""
    dry_run: bool = False


@dataclass(frozen=True)
class Deleted:
    """What came of it.

    Attributes:
        entry: The object's last or present state.
        gone: Whether it is gone, or still held.
    """

    entry: Entry
    gone: bool


def options_of(query: Mapping[str, str], body: Json, resource: Resource) -> Options:
    """Options of a request: in its body, else in its query.

    Args:
        query: Query parameters.
        body: ``DeleteOptions``, may be empty; its types are right.
        resource: What is to be deleted.

    Raises:
        Refusal: An option is wrong.
    """
    preconditions = body.get("preconditions") or {}
    policy = body.get("propagationPolicy") or query.get("propagationPolicy") or ""
    orphans = body.get("orphanDependents", query.get("orphanDependents"))
    if not policy and orphans is not None:
        policy = "Orphan" if str(orphans).lower() in {"true", "1"} else "Background"
    if policy and policy not in POLICIES:
        supported = 'supported values: "Background", "Foreground", "Orphan"'
        error = f'propagationPolicy: Unsupported value: "{policy}": {supported}'
        raise statuses.invalid(resource.group, "DeleteOptions", "", [error])
    return Options(
        grace=body.get("gracePeriodSeconds"),
        policy=policy,
        uid=preconditions.get("uid", ""),
        revision=preconditions.get("resourceVersion", ""),
        dry_run=bool(body.get("dryRun") or query.get("dryRun")),
    )


class Deleter:
    """Deletes objects.

    Args:
        store: Where they are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def delete(self, resource: Resource, entry: Entry, options: Options) -> Deleted:
        """Delete an object, or note that it is to go.

        Raises:
            Refusal: A precondition does not hold, or the object must stay.
        """
        _check(resource, entry, options)
        grace = _grace(resource, entry.object, options)
        obj = entry.copy()
        metadata = obj["metadata"]
        finalizers = _finalizers(resource, metadata, options)
        held = grace or finalizers or (resource.kind == "Namespace" and obj.get("spec", {}).get("finalizers"))
        if options.dry_run:
            return Deleted(entry, gone=not held)
        if not held:
            return Deleted(self._store.remove(resource.storage, obj), gone=True)
        _mark(obj, grace)
        if finalizers:
            metadata["finalizers"] = finalizers
        else:
            metadata.pop("finalizers", None)
        if obj == entry.object:
            return Deleted(entry, gone=False)
        return Deleted(self._store.put(resource.storage, obj), gone=False)


def default_policy(resource: Resource) -> str:
    """What happens to dependents when nobody says: jobs of batch/v1 leave their pods, all others take them along."""
    return "Orphan" if (resource.group, resource.kind) == ("batch", "Job") else "Background"


def _check(resource: Resource, entry: Entry, options: Options) -> None:
    metadata = entry.object["metadata"]
    for what, wanted, found in (
        ("UID", options.uid, metadata["uid"]),
        ("ResourceVersion", options.revision, metadata["resourceVersion"]),
    ):
        if wanted and wanted != found:
            why = f"Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}"
            raise statuses.conflict(resource.group, resource.plural, metadata["name"], why)
    if resource.kind == "Namespace" and metadata["name"] in {"default", "kube-system", "kube-public"}:
        raise statuses.forbidden("", "namespaces", metadata["name"], "this namespace may not be deleted")


def _grace(resource: Resource, obj: Json, options: Options) -> int:
    # Only a pod that a kubelet has in hand is given time.
    if (resource.group, resource.kind) != ("", "Pod") or not obj["spec"].get("nodeName"):
        return 0
    if obj.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
        return 0
    own = obj["spec"].get("terminationGracePeriodSeconds", DEFAULT_GRACE_SECONDS)
    wanted = own if options.grace is None else options.grace
    if wanted < 0:
        wanted = 1
    if "deletionTimestamp" in obj["metadata"]:
        return int(min(wanted, obj["metadata"].get("deletionGracePeriodSeconds", wanted)))
    return int(wanted)


def _finalizers(resource: Resource, metadata: Json, options: Options) -> list[str]:
    present = [one for one in metadata.get("finalizers") or () if one not in {FOREGROUND, ORPHAN}]
    if not options.policy and len(present) < len(metadata.get("finalizers") or ()):
        return list(metadata["finalizers"])
    policy = POLICIES[options.policy or default_policy(resource)]
    return [*present, policy] if policy else present


def _mark(obj: Json, grace: int) -> None:
    metadata = obj["metadata"]
    before = metadata.get("deletionGracePeriodSeconds")
    if "deletionTimestamp" in metadata and (before is None or grace >= before):
        return
    if "deletionTimestamp" not in metadata and "generation" in metadata:
        metadata["generation"] += 1
    metadata["deletionTimestamp"] = _after(grace) if grace else now()
    metadata["deletionGracePeriodSeconds"] = grace
    if obj["kind"] == "Namespace":
        obj["status"] = {**obj.get("status", {}), "phase": "Terminating"}
        del metadata["deletionGracePeriodSeconds"]


def _after(seconds: int) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def refuse_method(resource: Resource) -> Refusal:
    """The resource cannot do that."""
    details = statuses.about(resource.group, resource.plural)
    return Refusal(405, "the server does not allow this method on the requested resource", details=details)
