"""ControllerRevisions: templates a StatefulSet or DaemonSet had, which `kubectl rollout history` and `undo` read."""

from collections.abc import Collection, Sequence

from hallmark.twin.controllers.workloads import templates
from hallmark.twin.controllers.workloads.children import claim
from hallmark.twin.controllers.workloads.pods import annotations, is_leaving
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.kinds import CONTROLLER_REVISIONS, Object, owned_by

LABEL = "controller-revision-hash"
"""Label of pods and revisions that names the revision."""


def template_of(revision: Object) -> Object:
    """The pod template a revision keeps."""
    kept: Object = revision["data"]["spec"]["template"]
    return {name: value for name, value in kept.items() if name != "$patch"}


async def known(caches: Caches, owner: Object) -> list[Object]:
    """The revisions of a workload, oldest first."""
    found = await claim(caches, CONTROLLER_REVISIONS, owner, owner["spec"]["selector"])
    return sorted(found, key=lambda each: (each["revision"], each["metadata"]["name"]))


async def latest(caches: Caches, owner: Object, history: Sequence[Object]) -> Object:
    """The revision of a workload's template as it is now: found, made the newest again, or created.

    Args:
        caches: The cluster.
        owner: The workload.
        history: Its revisions, oldest first.
    """
    data = {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}
    following = max((each["revision"] for each in history), default=0) + 1
    same = [each for each in history if each["data"] == data]
    if not same:
        return await caches.create(CONTROLLER_REVISIONS, _revision(owner, data, following))
    if same[-1] is history[-1]:
        return same[-1]
    return await caches.patch(CONTROLLER_REVISIONS, same[-1], {"revision": following})


async def forget(caches: Caches, owner: Object, history: Sequence[Object], live: Collection[str]) -> None:
    """Delete the oldest revisions that nothing uses, beyond ``revisionHistoryLimit``."""
    unused = [each for each in history if each["metadata"]["name"] not in live and not is_leaving(each)]
    for each in unused[: max(0, len(unused) - owner["spec"].get("revisionHistoryLimit", 10))]:
        await caches.delete(CONTROLLER_REVISIONS, each)


def _revision(owner: Object, data: Object, number: int) -> Object:
    metadata = owner["metadata"]
    code = templates.short_hash(data)
    labels = (owner["spec"]["template"].get("metadata") or {}).get("labels") or {}
    own = "kubectl.kubernetes.io/last-applied-configuration"
    return {
        "metadata": {
            "name": f"{metadata['name']}-{code}",
            "namespace": metadata["namespace"],
            "labels": {**labels, "controller.kubernetes.io/hash": code},
            "annotations": {name: value for name, value in annotations(owner).items() if name != own},
            "ownerReferences": owned_by(owner),
        },
        "data": data,
        "revision": number,
    }
