"""Volumes and scheduling: where a pod's volumes are, and which still have to be made.

Source: ``volumebinding`` of the Kubernetes scheduler; "Volume Binding Mode" in the Kubernetes documentation.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hallmark.twin.controllers.workloads.pods import annotations, is_leaving, labels, status
from hallmark.twin.controllers.workloads.scheduling import affinity
from hallmark.twin.controllers.workloads.scheduling.places import Place, Refusal
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.kinds import CLAIMS, STORAGE_CLASSES, VOLUMES, Object

SELECTED = "volume.kubernetes.io/selected-node"
"""Annotation of a claim: the node for which its volume is to be made."""
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
"""Annotation of a claim that has its volume, whether its status says so already or not."""
NO_PROVISIONER = "kubernetes.io/no-provisioner"
Look = Callable[[str], Object | None]
"""Finds an object by name."""


class NotYet(Exception):
    """No node can be right while a pod's claims are as they are; the message is the scheduler's."""


@dataclass(frozen=True)
class Volumes:
    """The volumes a pod needs.

    Attributes:
        bound: Volumes of its bound claims.
        delayed: Claims that wait for a node, each with its storage class.
    """

    bound: tuple[Object, ...] = ()
    delayed: tuple[tuple[Object, Object], ...] = ()

    @property
    def chosen(self) -> str:
        """The node for which volumes are being made already, or empty."""
        return next((name for claim, _ in self.delayed if (name := annotations(claim).get(SELECTED, ""))), "")


def look_up(caches: Caches, pod: Object) -> Volumes:
    """Find the volumes of a pod of the cluster.

    Raises:
        NotYet: As :func:`needed` says.
    """
    namespace = pod["metadata"]["namespace"]
    return needed(
        pod,
        lambda name: caches[CLAIMS].get((namespace, name)),
        lambda name: caches[VOLUMES].get(("", name)),
        lambda name: caches[STORAGE_CLASSES].get(("", name)),
    )


def needed(pod: Object, claims: Look, volumes: Look, classes: Look) -> Volumes:
    """Find the volumes of a pod.

    Args:
        pod: The pod.
        claims: Finds a claim of the pod's namespace.
        volumes: Finds a PersistentVolume.
        classes: Finds a StorageClass.

    Raises:
        NotYet: A claim is missing, lost, being deleted or not bound although it should be.
    """
    bound: list[Object] = []
    delayed: list[tuple[Object, Object]] = []
    for name in claim_names(pod):
        claim = _usable(claims(name), name)
        if _is_bound(claim):
            bound.append(_volume(claim, volumes))
            continue
        class_ = classes(claim["spec"].get("storageClassName") or "")
        if claim["spec"].get("volumeName") or not class_ or class_.get("volumeBindingMode") != "WaitForFirstConsumer":
            raise NotYet("pod has unbound immediate PersistentVolumeClaims")
        delayed.append((claim, class_))
    return Volumes(tuple(bound), tuple(delayed))


def claim_names(pod: Object) -> list[str]:
    """Names of the claims a pod mounts."""
    names = []
    for volume in pod["spec"].get("volumes") or []:
        if claim := volume.get("persistentVolumeClaim"):
            names.append(claim["claimName"])
        elif volume.get("ephemeral"):
            names.append(f"{pod['metadata']['name']}-{volume['name']}")
    return names


def refusal(needs: Volumes, place: Place) -> Refusal | None:
    """Why a pod's volumes keep it from a node, if they do."""
    for volume in needs.bound:
        required = (volume["spec"].get("nodeAffinity") or {}).get("required")
        if required and not affinity.selects(required, place.node):
            return Refusal(("node(s) didn't match PersistentVolume's node affinity",))
    for _, class_ in needs.delayed:
        if class_.get("provisioner") == NO_PROVISIONER or not _allowed(class_, place.node):
            return Refusal(("node(s) didn't find available persistent volumes to bind",))
    return None


def _usable(claim: Object | None, name: str) -> Object:
    if claim is None:
        raise NotYet(f'persistentvolumeclaim "{name}" not found')
    if status(claim).get("phase") == "Lost":
        volume = claim["spec"].get("volumeName", "")
        raise NotYet(f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume}"')
    if is_leaving(claim):
        raise NotYet(f'persistentvolumeclaim "{name}" is being deleted')
    return claim


def _is_bound(claim: Object) -> bool:
    # The scheduler does not wait for the status, which is written after the binding.
    known = BIND_COMPLETED in annotations(claim) or status(claim).get("phase") == "Bound"
    return known and bool(claim["spec"].get("volumeName"))


def _volume(claim: Object, volumes: Look) -> Object:
    volume = volumes(claim["spec"].get("volumeName", ""))
    if volume is None:
        raise NotYet("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)")
    return volume


def _allowed(class_: Mapping[str, Any], node: Object) -> bool:
    topologies = class_.get("allowedTopologies") or []
    return not topologies or any(_topology_holds(each, node) for each in topologies)


def _topology_holds(topology: Mapping[str, Any], node: Object) -> bool:
    expressions = topology.get("matchLabelExpressions") or []
    return all(labels(node).get(each["key"]) in each["values"] for each in expressions)
