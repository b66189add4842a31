"""From a StorageClass and a size to the parameters of an EBS volume; what the driver refuses before it asks AWS.

Source: aws-ebs-csi-driver, docs/parameters.md and docs/tagging.md.
"""

from collections.abc import Mapping
from decimal import ROUND_CEILING
from typing import Any

from hallmark.twin.cluster.schema import quantities
from hallmark.twin.kube.kinds import Object

DRIVER, IN_TREE = "ebs.csi.aws.com", "kubernetes.io/aws-ebs"
"""The driver, and the name of the provisioner it took over."""
DEFAULT_TYPE = "gp3"
GIB = 2**30
TAGS = "tagSpecification_"
KNOWN = frozenset(
    {
        *("type", "iopspergb", "allowautoiopspergbincrease", "iops", "throughput", "encrypted", "kmskeyid"),
        *("fstype", "csi.storage.k8s.io/fstype", "blockexpress", "blocksize", "inodesize", "bytesperinode"),
        *("numberofinodes", "ext4bigalloc", "ext4clustersize", "blockattachuntilinitialized", "zone", "zones"),
    }
)


class Refused(Exception):
    """The driver refuses; the message is gRPC's, as events show it."""


def is_ours(class_: Mapping[str, Any]) -> bool:
    """Whether the EBS driver makes the volumes of a class."""
    return class_.get("provisioner") in {DRIVER, IN_TREE}


def gib(size: str) -> int:
    """A size in whole GiB, rounded up, as EBS sells it."""
    return int((quantities.of(size) / GIB).to_integral_value(ROUND_CEILING))


def volume_name(claim: Object) -> str:
    """Name of the PersistentVolume that is made for a claim."""
    return f"pvc-{claim['metadata']['uid']}"


def filesystem(class_: Mapping[str, Any]) -> str:
    """File system of the class's volumes."""
    given = {key.lower(): value for key, value in (class_.get("parameters") or {}).items()}
    return str(given.get("csi.storage.k8s.io/fstype") or given.get("fstype") or "ext4")


def volume(class_: Mapping[str, Any], size: str, zone: str) -> dict[str, Any]:
    """Parameters of CreateVolume, tags left aside.

    Args:
        class_: The StorageClass.
        size: As the claim asks for it.
        zone: Availability zone.

    Raises:
        Refused: The class says something that the driver does not take.
    """
    given = {key.lower(): str(value) for key, value in (class_.get("parameters") or {}).items()}
    for key in given:
        if key not in KNOWN and not key.startswith((TAGS.lower(), "csi.storage.k8s.io/")):
            raise Refused(f"rpc error: code = InvalidArgument desc = Invalid parameter key {key} for CreateVolume")
    wanted: dict[str, Any] = {
        "AvailabilityZone": zone,
        "Size": gib(size),
        "VolumeType": given.get("type", DEFAULT_TYPE),
    }
    if given.get("encrypted", "").lower() == "true":
        wanted["Encrypted"] = True
        if given.get("kmskeyid"):
            wanted["KmsKeyId"] = given["kmskeyid"]
    elif given.get("encrypted", "false").lower() != "false":
        raise Refused(f"rpc error: code = InvalidArgument desc = Could not parse encrypted: {given['encrypted']}")
    if iops := _iops(given, wanted["Size"]):
        wanted["Iops"] = iops
    if "throughput" in given:
        wanted["Throughput"] = _number(given, "throughput")
    return wanted


def _iops(given: Mapping[str, str], size: int) -> int:
    if "iops" in given:
        return _number(given, "iops")
    return _number(given, "iopspergb") * size if "iopspergb" in given else 0


def _number(given: Mapping[str, str], name: str) -> int:
    try:
        return int(given[name])
    except ValueError as error:
        words = f"Could not parse invalid {name}: {given[name]}"
        raise Refused(f"rpc error: code = InvalidArgument desc = {words}") from error


def tags(class_: Mapping[str, Any], claim: Object, cluster: str, extra: Mapping[str, str]) -> dict[str, str]:
    """Tags the driver puts on a volume.

    Args:
        class_: The StorageClass; it may name tags of its own.
        claim: The claim.
        cluster: Name of the cluster (the driver's ``--k8s-tag-cluster-id``).
        extra: The driver's ``--extra-tags``.
    """
    name = volume_name(claim)
    own = [value for key, value in (class_.get("parameters") or {}).items() if key.startswith(TAGS)]
    return {
        "CSIVolumeName": name,
        "ebs.csi.aws.com/cluster": "true",
        "kubernetes.io/created-for/pvc/name": claim["metadata"]["name"],
        "kubernetes.io/created-for/pvc/namespace": claim["metadata"]["namespace"],
        "kubernetes.io/created-for/pv/name": name,
        **({} if not cluster else _of_cluster(cluster, name)),
        **extra,
        **dict(one.split("=", 1) for one in own if "=" in one),
    }


def _of_cluster(cluster: str, name: str) -> dict[str, str]:
    return {
        f"kubernetes.io/cluster/{cluster}": "owned",
        "Name": f"{cluster}-dynamic-{name}",
        "KubernetesCluster": cluster,
    }


def extra_tags(arguments: list[str]) -> dict[str, str]:
    """Tags of the driver's ``--extra-tags`` or ``--extra-volume-tags``, read from its command line."""
    found: dict[str, str] = {}
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name in {"--extra-tags", "--extra-volume-tags"}:
            found |= dict(one.split("=", 1) for one in value.split(",") if "=" in one)
    return found
