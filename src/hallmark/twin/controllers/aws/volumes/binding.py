"""Which volume a claim gets, and how both are written down; pure functions over objects.

Source: Kubernetes documentation, "Persistent Volumes"; kube-controller-manager's persistentvolume controller.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hallmark.twin.cluster.schema import quantities
from hallmark.twin.controllers.aws.volumes.parameters import DRIVER, filesystem, gib, volume_name
from hallmark.twin.controllers.workloads.pods import annotations, is_leaving, labels, status
from hallmark.twin.kube.kinds import Object, matches

ZONE, DRIVER_ZONE = "topology.kubernetes.io/zone", "topology.ebs.csi.aws.com/zone"
SELECTED = "volume.kubernetes.io/selected-node"
PROVISIONER = "volume.kubernetes.io/storage-provisioner"
OLD_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
BIND_COMPLETED, BOUND_BY_CONTROLLER = "pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller"
CLAIM_PROTECTION, VOLUME_PROTECTION = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"
DELETION_FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer"


def is_bound(claim: Object) -> bool:
    """Whether a claim has its volume."""
    return status(claim).get("phase") == "Bound"


def requested(claim: Object) -> str:
    """Size a claim asks for."""
    return str(((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", "0"))


def belongs_to(volume: Object, claim: Object) -> bool:
    """Whether a volume is kept for this claim: by its uid, or by name where nobody has noted one."""
    reference = volume["spec"].get("claimRef")
    if not reference:
        return False
    metadata = claim["metadata"]
    same = (reference.get("namespace"), reference.get("name")) == (metadata["namespace"], metadata["name"])
    return same and reference.get("uid", metadata["uid"]) == metadata["uid"]


def choose(claim: Object, volumes: Iterable[Object]) -> Object | None:
    """The volume for a claim among those that exist: its own, the one it names, or the smallest that fits."""
    candidates = [each for each in volumes if not is_leaving(each)]
    own = next((each for each in candidates if belongs_to(each, claim)), None)
    if own:
        return own
    free = [each for each in candidates if not each["spec"].get("claimRef")]
    if name := claim["spec"].get("volumeName"):
        return next((each for each in free if each["metadata"]["name"] == name), None)
    fitting = [each for each in free if _fits(each, claim)]
    return min(fitting, key=lambda each: quantities.of(each["spec"]["capacity"]["storage"]), default=None)


def _fits(volume: Object, claim: Object) -> bool:
    spec, asked = volume["spec"], claim["spec"]
    selector = asked.get("selector")
    return (
        spec.get("storageClassName", "") == asked.get("storageClassName", "")
        and spec.get("volumeMode", "Filesystem") == asked.get("volumeMode", "Filesystem")
        and set(asked.get("accessModes") or ()) <= set(spec.get("accessModes") or ())
        and quantities.of(spec["capacity"]["storage"]) >= quantities.of(requested(claim))
        and (selector is None or matches(selector, labels(volume)))
    )


def zone(class_: Mapping[str, Any], claim: Object, nodes: Sequence[Object]) -> str:
    """Availability zone for a new volume: of the node the scheduler chose, else spread by the claim's name.

    Returns:
        The zone; empty if there is no node to go by.
    """
    allowed = _allowed_zones(class_)
    if chosen := annotations(claim).get(SELECTED):
        return next((labels(node).get(ZONE, "") for node in nodes if node["metadata"]["name"] == chosen), "")
    zones = sorted({labels(node)[ZONE] for node in nodes if ZONE in labels(node)})
    zones = [each for each in zones if not allowed or each in allowed]
    return zones[zlib.crc32(claim["metadata"]["name"].encode()) % len(zones)] if zones else ""


def _allowed_zones(class_: Mapping[str, Any]) -> set[str]:
    return {
        value
        for term in class_.get("allowedTopologies") or []
        for expression in term.get("matchLabelExpressions") or []
        if expression["key"] in {ZONE, DRIVER_ZONE}
        for value in expression["values"]
    }


def new_volume(class_: Mapping[str, Any], claim: Object, handle: str, zone_: str) -> Object:
    """The PersistentVolume of a new EBS volume.

    Args:
        class_: The StorageClass.
        claim: The claim it is for.
        handle: Id of the EBS volume.
        zone_: Its availability zone.
    """
    terms = [{"key": key, "operator": "In", "values": [zone_]} for key in (DRIVER_ZONE, ZONE)]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": volume_name(claim),
            "annotations": {
                PROVISIONED_BY: DRIVER,
                "volume.kubernetes.io/provisioner-deletion-secret-name": "",
                "volume.kubernetes.io/provisioner-deletion-secret-namespace": "",
            },
            "finalizers": [VOLUME_PROTECTION, DELETION_FINALIZER],
        },
        "spec": {
            "capacity": {"storage": f"{gib(requested(claim))}Gi"},
            "accessModes": claim["spec"].get("accessModes") or ["ReadWriteOnce"],
            "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
            "persistentVolumeReclaimPolicy": class_.get("reclaimPolicy", "Delete"),
            "storageClassName": class_["metadata"]["name"],
            **({"mountOptions": class_["mountOptions"]} if class_.get("mountOptions") else {}),
            "claimRef": reference(claim),
            "csi": {"driver": DRIVER, "volumeHandle": handle, "fsType": filesystem(class_)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": terms}]}},
        },
    }


def reference(claim: Object) -> Object:
    """How a volume names its claim."""
    metadata = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "resourceVersion": metadata["resourceVersion"],
    }


def bound_claim(claim: Object, volume: Object) -> tuple[Object, Object]:
    """The two patches that bind a claim: of the object, and of its status."""
    notes = {BIND_COMPLETED: "yes", BOUND_BY_CONTROLLER: "yes"}
    spec = {} if claim["spec"].get("volumeName") else {"spec": {"volumeName": volume["metadata"]["name"]}}
    told = {
        "phase": "Bound",
        "accessModes": volume["spec"].get("accessModes"),
        "capacity": volume["spec"].get("capacity"),
    }
    return {"metadata": {"annotations": notes}, **spec}, {"status": told}
