"""The Node object of an instance: labels, taints, addresses and sizes as on EKS.

Sources: EKS user guide, "Managed node groups" (labels and taints); Kubernetes documentation, "Well-Known Labels,
Annotations and Taints"; aws-cloud-provider (addresses, provider ID).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hallmark.twin.cluster.schema import quantities
from hallmark.twin.controllers.aws.nodes import addresses, sizes
from hallmark.twin.kube.kinds import Object

KUBELET = "hallmark.dev/kubelet"
"""Annotation of a node whose kubelet is the twin's."""
GROUP = "eks.amazonaws.com/nodegroup"
EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}
SHUTDOWN = {"key": "node.cloudprovider.kubernetes.io/shutdown", "effect": "NoSchedule"}
DEFAULT_DISK_GIB = 20
ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}


@dataclass(frozen=True)
class Machine:
    """An instance with all that AWS says of it.

    Attributes:
        instance: One entry of DescribeInstances.
        type_: Its entry of DescribeInstanceTypes.
        group: Its node group, as DescribeNodegroup gives it.
        subnet: Its subnet, as DescribeSubnets gives it.
        region: AWS region.
    """

    instance: Mapping[str, Any]
    type_: Mapping[str, Any]
    group: Mapping[str, Any]
    subnet: Mapping[str, Any]
    region: str

    @property
    def name(self) -> str:
        """Name of its Node."""
        return str(self.instance["PrivateDnsName"])

    @property
    def runs(self) -> bool:
        """Whether it is switched on."""
        return self.instance["State"]["Name"] in {"pending", "running"}

    @property
    def disk_gib(self) -> int:
        """Size of its root volume."""
        return int(self.group.get("diskSize") or self.group.get("rootGib") or DEFAULT_DISK_GIB)


def labels(machine: Machine) -> dict[str, str]:
    """Labels of a node: the well-known ones, EKS's, and those of the node group."""
    instance, group, zone = machine.instance, machine.group, machine.subnet["AvailabilityZone"]
    architecture = ARCHITECTURES.get(instance.get("Architecture", "x86_64"), "amd64")
    template = group.get("launchTemplate") or {}
    own = {
        "beta.kubernetes.io/arch": architecture,
        "beta.kubernetes.io/instance-type": instance["InstanceType"],
        "beta.kubernetes.io/os": "linux",
        "eks.amazonaws.com/capacityType": group.get("capacityType") or "ON_DEMAND",
        GROUP: group["nodegroupName"],
        "eks.amazonaws.com/nodegroup-image": instance["ImageId"],
        "eks.amazonaws.com/sourceLaunchTemplateId": template.get("id", ""),
        "eks.amazonaws.com/sourceLaunchTemplateVersion": str(template.get("version", "")),
        "failure-domain.beta.kubernetes.io/region": machine.region,
        "failure-domain.beta.kubernetes.io/zone": zone,
        "kubernetes.io/arch": architecture,
        "kubernetes.io/hostname": machine.name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": instance["InstanceType"],
        "topology.ebs.csi.aws.com/zone": zone,
        "topology.k8s.aws/zone-id": machine.subnet.get("AvailabilityZoneId", ""),
        "topology.kubernetes.io/region": machine.region,
        "topology.kubernetes.io/zone": zone,
    }
    return {key: value for key, value in own.items() if value} | dict(group.get("labels") or {})


def taints(machine: Machine) -> list[dict[str, str]]:
    """Taints of the node group, and the one of an instance that is switched off."""
    found = [
        {key: value for key, value in (("key", each["key"]), ("value", each.get("value"))) if value}
        | {"effect": EFFECTS[each["effect"]]}
        for each in machine.group.get("taints") or []
    ]
    return found if machine.runs else [*found, SHUTDOWN]


def node(machine: Machine, taken: Sequence[str]) -> Object:
    """Make the Node of an instance.

    Args:
        machine: The instance.
        taken: Blocks of pod addresses that other nodes have.
    """
    zone, instance = machine.subnet["AvailabilityZone"], machine.instance
    block = addresses.block(machine.subnet["CidrBlock"], taken, sizes.pods(machine.type_))
    annotations = {
        "alpha.kubernetes.io/provided-node-ip": instance["PrivateIpAddress"],
        **({addresses.ANNOTATION: block} if block else {}),
        **({KUBELET: "twin"} if machine.runs else {}),
    }
    own = taints(machine)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": machine.name, "labels": labels(machine), "annotations": annotations},
        "spec": {
            "providerID": f"aws:///{zone}/{instance['InstanceId']}",
            **({"taints": own} if own else {}),
        },
    }


def status(machine: Machine) -> Object:
    """What of a node's status the instance decides, as the API writes it; the rest is the kubelet's."""
    return {
        "addresses": _addresses(machine.instance),
        "capacity": _canonical(sizes.capacity(machine.type_, machine.disk_gib)),
        "allocatable": _canonical(sizes.allocatable(machine.type_, machine.disk_gib)),
    }


def _canonical(amounts: Mapping[str, str]) -> dict[str, str]:
    return {name: quantities.canonical(amount) for name, amount in amounts.items()}


def _addresses(instance: Mapping[str, Any]) -> list[dict[str, str]]:
    pairs = [
        ("InternalIP", instance["PrivateIpAddress"]),
        ("ExternalIP", instance.get("PublicIpAddress")),
        ("InternalDNS", instance["PrivateDnsName"]),
        ("Hostname", instance["PrivateDnsName"]),
        ("ExternalDNS", instance.get("PublicDnsName")),
    ]
    return [{"type": type_, "address": address} for type_, address in pairs if address]


def changes(known: Object, machine: Machine) -> Object:
    """Patch that brings an existing Node in line with its instance; empty if it is.

    What a person added stays: labels and taints of others, a cordon, annotations.
    """
    patch: Object = {}
    wanted = labels(machine)
    missing = {key: value for key, value in wanted.items() if known["metadata"].get("labels", {}).get(key) != value}
    marked = (known["metadata"].get("annotations") or {}).get(KUBELET) == "twin"
    metadata: Object = {"labels": missing} if missing else {}
    if marked != machine.runs:
        metadata["annotations"] = {KUBELET: "twin" if machine.runs else None}
    if metadata:
        patch["metadata"] = metadata
    present = list(known["spec"].get("taints") or [])
    off = [each for each in present if each["key"] == SHUTDOWN["key"]]
    if machine.runs and off:
        patch["spec"] = {"taints": [each for each in present if each not in off]}
    elif not machine.runs and not off:
        patch["spec"] = {"taints": [*present, SHUTDOWN]}
    return patch
