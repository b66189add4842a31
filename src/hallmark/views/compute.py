"""The EKS cluster: its version, node groups, worker instances and what their types can do.

Capacity is counted from the instances that run, not from what a node group wishes for.
"""

from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from hallmark.model import Call
from hallmark.views.base import View, cached_property, tags
from hallmark.views.openings import EVERYBODY

WORKING = frozenset({"pending", "running"})
"""Instance states that count as a worker; AWS shows terminated ones for an hour."""
_LAUNCH = "Launch"
"""The Auto Scaling process without which a group cannot grow."""


@dataclass(frozen=True)
class Node:
    """One worker instance.

    Attributes:
        id: Instance id.
        type: Instance type.
        vpc: VPC it runs in.
        subnet: Subnet it runs in.
        public_address: Its public IPv4 address, or empty.
        groups: Security groups of all its interfaces.
        node_group: Managed node group it belongs to, or empty.
    """

    id: str
    type: str
    vpc: str
    subnet: str
    public_address: str
    groups: frozenset[str]
    node_group: str


@dataclass(frozen=True)
class NodeGroup:
    """One managed node group.

    Attributes:
        name: Its name.
        status: ``ACTIVE`` and others.
        issues: Codes of the health issues EKS reports.
        subnets: Where its next node may start.
        is_dedicated: Whether a taint keeps ordinary pods away.
        maximum: Largest size, as EKS has it recorded.
        scaling_groups: Names of the Auto Scaling groups behind it.
        role_arn: Role of its nodes.
    """

    name: str
    status: str
    issues: tuple[str, ...]
    subnets: tuple[str, ...]
    is_dedicated: bool
    maximum: int
    scaling_groups: tuple[str, ...]
    role_arn: str


@dataclass(frozen=True)
class ScalingGroup:
    """One Auto Scaling group.

    Attributes:
        name: Its name.
        desired: Present size.
        maximum: Largest size that lasts: its own, or that of its node group, which EKS puts back with the next update.
        is_discoverable: Whether it carries both tags by which Cluster Autoscaler finds it.
        may_launch: Whether launching instances is not suspended.
    """

    name: str
    desired: int
    maximum: int
    is_discoverable: bool
    may_launch: bool


@dataclass(frozen=True)
class InstanceType:
    """What one instance type offers.

    Attributes:
        name: For example ``m6in.4xlarge``.
        vcpus: vCPU.
        memory_mib: Memory in MiB.
        ebs_iops: EBS operations a second it sustains.
        ebs_mbps: EBS throughput it sustains, MB/s (millions of bytes).
    """

    name: str
    vcpus: int
    memory_mib: int
    ebs_iops: int
    ebs_mbps: float


class Compute(View):
    """The cluster and its nodes."""

    @cached_property
    def cluster(self) -> dict[str, Any]:
        """The cluster as EKS describes it; empty when there is none of that name."""
        found: dict[str, Any] = self.ask_or({"cluster": {}}, "eks", "describe_cluster", name=self.scope("cluster"))
        cluster: dict[str, Any] = found["cluster"]
        return cluster

    @cached_property
    def version_support(self) -> str:
        """``STANDARD_SUPPORT``, ``EXTENDED_SUPPORT`` or ``UNSUPPORTED``: what AWS says of the cluster's version."""
        known = self.ask("eks", "describe_cluster_versions")["clusterVersions"]
        # AWS leaves out versions whose support has ended, unless they are asked for.
        support = {version["clusterVersion"]: version["versionStatus"] for version in known}
        return str(support.get(self.cluster["version"], "UNSUPPORTED"))

    @cached_property
    def node_groups(self) -> tuple[NodeGroup, ...]:
        """Managed node groups of the cluster."""
        cluster = self.scope("cluster")
        names = self.ask_or({"nodegroups": []}, "eks", "list_nodegroups", clusterName=cluster)["nodegroups"]
        calls = [Call.of("eks", "describe_nodegroup", clusterName=cluster, nodegroupName=name) for name in names]
        return tuple(_node_group(answer["nodegroup"]) for answer in self.ask_all(calls))

    @cached_property
    def scaling_groups(self) -> tuple[ScalingGroup, ...]:
        """Auto Scaling groups behind the node groups that ordinary pods may use."""
        limits = {n: g.maximum for g in self.node_groups if not g.is_dedicated for n in g.scaling_groups}
        if not limits:
            return ()
        answer = self.ask("autoscaling", "describe_auto_scaling_groups", AutoScalingGroupNames=sorted(limits))
        found = answer["AutoScalingGroups"]
        return tuple(self._scaling_group(group, limits[group["AutoScalingGroupName"]]) for group in found)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Worker instances: managed ones by EKS's own tag, others by the tag a node needs to join."""
        cluster = self.scope("cluster")
        managed = {"Name": "tag:eks:cluster-name", "Values": [cluster]}
        joined = {"Name": "tag-key", "Values": [f"kubernetes.io/cluster/{cluster}"]}
        calls = [Call.of("ec2", "describe_instances", Filters=[one]) for one in (managed, joined)]
        reservations = [reservation for answer in self.ask_all(calls) for reservation in answer["Reservations"]]
        instances = {i["InstanceId"]: i for reservation in reservations for i in reservation["Instances"]}
        return tuple(_node(i) for i in instances.values() if i["State"]["Name"] in WORKING)

    @cached_property
    def instance_types(self) -> dict[str, InstanceType]:
        """The types of the worker instances, by name."""
        names = sorted({node.type for node in self.nodes})
        if not names:
            return {}
        found = self.ask("ec2", "describe_instance_types", InstanceTypes=names)["InstanceTypes"]
        return {one["InstanceType"]: _instance_type(one) for one in found}

    @cached_property
    def vcpus(self) -> int:
        """Sum of the vCPU of all worker instances."""
        return sum(self.instance_types[node.type].vcpus for node in self.nodes)

    @cached_property
    def memory_mib(self) -> int:
        """Sum of the memory of all worker instances, MiB."""
        return sum(self.instance_types[node.type].memory_mib for node in self.nodes)

    @cached_property
    def api_openings(self) -> tuple[str, ...]:
        """Ranges that let everybody reach the Kubernetes API; empty when it is private or restricted."""
        access = self.cluster["resourcesVpcConfig"]
        if not access["endpointPublicAccess"]:
            return ()
        # Without ranges, EKS admits everybody (EKS user guide, "Cluster API server endpoint").
        ranges = access.get("publicAccessCidrs") or ["0.0.0.0/0"]
        return tuple(one for one in ranges if ip_network(one).prefixlen < EVERYBODY)

    def _scaling_group(self, raw: dict[str, Any], limit: int) -> ScalingGroup:
        # The tags Cluster Autoscaler looks for; EKS sets them (EKS user guide, "Cluster Autoscaler").
        wanted = {"k8s.io/cluster-autoscaler/enabled", f"k8s.io/cluster-autoscaler/{self.scope('cluster')}"}
        suspended = {process["ProcessName"] for process in raw.get("SuspendedProcesses", [])}
        return ScalingGroup(
            name=raw["AutoScalingGroupName"],
            desired=raw["DesiredCapacity"],
            maximum=min(raw["MaxSize"], limit),
            is_discoverable=wanted <= set(tags(raw)),
            may_launch=_LAUNCH not in suspended,
        )


def _node_group(raw: dict[str, Any]) -> NodeGroup:
    # PREFER_NO_SCHEDULE only discourages pods.
    effects = {taint["effect"] for taint in raw.get("taints", [])}
    return NodeGroup(
        name=raw["nodegroupName"],
        status=raw["status"],
        issues=tuple(issue["code"] for issue in raw.get("health", {}).get("issues", [])),
        subnets=tuple(raw["subnets"]),
        is_dedicated=bool(effects & {"NO_SCHEDULE", "NO_EXECUTE"}),
        maximum=raw["scalingConfig"]["maxSize"],
        scaling_groups=tuple(group["name"] for group in raw.get("resources", {}).get("autoScalingGroups", [])),
        role_arn=raw["nodeRole"],
    )


def _node(raw: dict[str, Any]) -> Node:
    interfaces = raw.get("NetworkInterfaces", [])
    groups = [*raw.get("SecurityGroups", []), *(g for i in interfaces for g in i.get("Groups", []))]
    addresses = [raw.get("PublicIpAddress", ""), *(i.get("Association", {}).get("PublicIp", "") for i in interfaces)]
    return Node(
        id=raw["InstanceId"],
        type=raw["InstanceType"],
        vpc=raw["VpcId"],
        subnet=raw["SubnetId"],
        public_address=next((address for address in addresses if address), ""),
        groups=frozenset(group["GroupId"] for group in groups),
        node_group=tags(raw).get("eks:nodegroup-name", ""),
    )


def _instance_type(raw: dict[str, Any]) -> InstanceType:
    # Types without EBS optimisation have no figures of their own, and sustain nothing that is promised.
    disk = raw["EbsInfo"].get("EbsOptimizedInfo", {})
    return InstanceType(
        name=raw["InstanceType"],
        vcpus=raw["VCpuInfo"]["DefaultVCpus"],
        memory_mib=raw["MemoryInfo"]["SizeInMiB"],
        ebs_iops=disk.get("BaselineIops", 0),
        ebs_mbps=disk.get("BaselineThroughputInMBps", 0.0),
    )
