"""What can be wrong with cluster and nodes, and what only looks wrong."""

from collections.abc import Iterator
from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Status

SMALL, LARGE = "m6i.2xlarge", "m6in.4xlarge"
"""Types of the solution's nodes: two for everything, one for ClickHouse."""


def _type(edit: Edit, name: str) -> dict[str, Any]:
    types = edit.each("ec2", "describe_instance_types", "InstanceTypes")
    return next(one for one in types if one["InstanceType"] == name)


def _instances(edit: Edit) -> Iterator[dict[str, Any]]:
    return edit.each("ec2", "describe_instances", "Reservations.Instances")


def _groups(edit: Edit) -> Iterator[dict[str, Any]]:
    return edit.each("eks", "describe_nodegroup", "nodegroup")


def _scaling(edit: Edit) -> Iterator[dict[str, Any]]:
    return edit.each("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups")


def _access(edit: Edit) -> Iterator[dict[str, Any]]:
    return edit.each("eks", "describe_cluster", "cluster.resourcesVpcConfig")


@mutant(breaks=["cluster_active"])
def cluster_is_missing(edit: Edit) -> None:
    """There is no cluster of that name."""
    edit.status("eks", "describe_cluster", Status.ABSENT, "ResourceNotFoundException")


@mutant(breaks=["cluster_active"])
def cluster_is_failing(edit: Edit) -> None:
    """The cluster exists and is broken."""
    for cluster in edit.each("eks", "describe_cluster", "cluster"):
        cluster["status"] = "FAILED"


@mutant(breaks=["cluster_version_standard"])
def version_in_extended_support(edit: Edit) -> None:
    """The cluster's version is supported for an extra charge."""
    for version in edit.each("eks", "describe_cluster_versions", "clusterVersions"):
        version["versionStatus"] = "EXTENDED_SUPPORT"


@mutant(breaks=["cluster_version_supported"])
def cluster_version_is_unknown(edit: Edit) -> None:
    """AWS no longer lists the cluster's version."""
    for answer in edit.answers("eks", "describe_cluster_versions"):
        version = next(edit.each("eks", "describe_cluster", "cluster"))["version"]
        answer["clusterVersions"] = [one for one in answer["clusterVersions"] if one["clusterVersion"] != version]


@mutant(breaks=["cluster_version_supported"])
def cluster_version_has_no_support(edit: Edit) -> None:
    """Support of the cluster's version has ended."""
    for version in edit.each("eks", "describe_cluster_versions", "clusterVersions"):
        version["versionStatus"] = "UNSUPPORTED"


@mutant(
    breaks=[
        "node_groups_healthy",
        "nodes_managed",
        "node_image_recent",
        "node_role_is_a_worker",
        "node_role_without_s3",
    ]
)
def no_managed_node_group(edit: Edit) -> None:
    """All workers belong to self-made Auto Scaling groups."""
    for answer in edit.answers("eks", "list_nodegroups"):
        answer["nodegroups"] = []


@mutant(breaks=["node_groups_healthy"])
def one_node_group_is_degraded(edit: Edit) -> None:
    """One of the node groups is degraded."""
    next(_groups(edit))["status"] = "DEGRADED"


@mutant(breaks=["node_groups_healthy"])
def one_node_group_has_an_issue(edit: Edit) -> None:
    """EKS reports that one node group cannot start instances."""
    next(_groups(edit))["health"] = {"issues": [{"code": "AsgInstanceLaunchFailures", "resourceIds": []}]}


@mutant(breaks=["nodes_managed", "capacity_cpu", "capacity_memory"])
def no_worker_runs(edit: Edit) -> None:
    """The node groups exist, but all their instances are terminated."""
    for instance in _instances(edit):
        instance["State"] = {"Code": 48, "Name": "terminated"}


@mutant(breaks=["nodes_managed", "capacity_cpu", "capacity_memory"])
def no_worker_exists(edit: Edit) -> None:
    """The node groups exist, but have no instance."""
    for answer in edit.answers("ec2", "describe_instances"):
        answer["Reservations"] = []


@mutant(breaks=["nodes_managed"])
def one_worker_is_self_managed(edit: Edit) -> None:
    """One worker was started by hand and joined the cluster."""
    worker = next(_instances(edit))["InstanceId"]
    for instance in _instances(edit):
        if instance["InstanceId"] == worker:
            instance["Tags"] = [tag for tag in instance["Tags"] if not tag["Key"].startswith("eks:")]


@mutant(breaks=["nodes_managed"])
def one_worker_names_an_unknown_group(edit: Edit) -> None:
    """One worker belongs to a node group that is not of this cluster."""
    worker = next(_instances(edit))["InstanceId"]
    for instance in _instances(edit):
        for tag in instance["Tags"]:
            if instance["InstanceId"] == worker and tag["Key"] == "eks:nodegroup-name":
                tag["Value"] = "of-another-cluster"


@mutant(breaks=["nodes_can_grow"])
def nodes_are_at_their_maximum(edit: Edit) -> None:
    """The maximum is the present size."""
    for group in _scaling(edit):
        group["MaxSize"] = group["DesiredCapacity"]


@mutant(breaks=["nodes_can_grow"])
def autoscaler_cannot_discover(edit: Edit) -> None:
    """One of the two discovery tags is missing."""
    for group in _scaling(edit):
        group["Tags"] = [tag for tag in group["Tags"] if tag["Key"] != "k8s.io/cluster-autoscaler/enabled"]


@mutant(breaks=["nodes_can_grow"])
def autoscaler_discovers_another_cluster(edit: Edit) -> None:
    """The second discovery tag names another cluster."""
    for group in _scaling(edit):
        for tag in group["Tags"]:
            if tag["Key"] == f"k8s.io/cluster-autoscaler/{edit.scope['cluster']}":
                tag["Key"] = "k8s.io/cluster-autoscaler/another"


@mutant(breaks=["nodes_can_grow"])
def launching_is_suspended(edit: Edit) -> None:
    """Somebody suspended the launch of instances and forgot."""
    for group in _scaling(edit):
        group["SuspendedProcesses"] = [{"ProcessName": "Launch", "SuspensionReason": ""}]


@mutant(breaks=["nodes_can_grow"])
def only_dedicated_nodes_can_grow(edit: Edit) -> None:
    """Every node group has a taint that keeps ordinary pods away."""
    for group in _groups(edit):
        group["taints"] = [{"key": "dedicated", "value": "x", "effect": "NO_EXECUTE"}]


@mutant(breaks=())
def one_node_of_room(edit: Edit) -> None:
    """The cluster may grow by a single node."""
    for group in _scaling(edit):
        group["MaxSize"] = group["DesiredCapacity"] + 1


@mutant(breaks=())
def taint_that_only_discourages(edit: Edit) -> None:
    """Ordinary pods rather go elsewhere, but may use the nodes."""
    for group in _groups(edit):
        group["taints"] = [{"key": "dedicated", "effect": "PREFER_NO_SCHEDULE"}, *group.get("taints", [])]


@mutant(breaks=["capacity_cpu"])
def one_vcpu_short(edit: Edit) -> None:
    """The workers have 15 vCPU together."""
    _type(edit, SMALL)["VCpuInfo"]["DefaultVCpus"] = 0
    _type(edit, LARGE)["VCpuInfo"]["DefaultVCpus"] = 15


@mutant(breaks=())
def just_enough_vcpu(edit: Edit) -> None:
    """The workers have 16 vCPU together."""
    _type(edit, SMALL)["VCpuInfo"]["DefaultVCpus"] = 0
    _type(edit, LARGE)["VCpuInfo"]["DefaultVCpus"] = 16


@mutant(breaks=["capacity_memory"])
def one_mebibyte_short(edit: Edit) -> None:
    """The workers have 65535 MiB together."""
    _type(edit, SMALL)["MemoryInfo"]["SizeInMiB"] = 0
    _type(edit, LARGE)["MemoryInfo"]["SizeInMiB"] = 65535


@mutant(breaks=())
def just_enough_memory(edit: Edit) -> None:
    """The workers have 65536 MiB together."""
    _type(edit, SMALL)["MemoryInfo"]["SizeInMiB"] = 0
    _type(edit, LARGE)["MemoryInfo"]["SizeInMiB"] = 65536


@mutant(breaks=["clickhouse_node_size"])
def clickhouse_node_has_seven_vcpu(edit: Edit) -> None:
    """The largest node has 7 vCPU."""
    _type(edit, LARGE)["VCpuInfo"]["DefaultVCpus"] = 7


@mutant(breaks=["clickhouse_node_size"])
def clickhouse_node_leaves_nothing_for_itself(edit: Edit) -> None:
    """The largest node has exactly the 32 GiB ClickHouse may take."""
    _type(edit, LARGE)["MemoryInfo"]["SizeInMiB"] = 32768


@mutant(breaks=["clickhouse_node_size"])
def no_single_node_has_both(edit: Edit) -> None:
    """One type has the vCPU, the other the memory."""
    _type(edit, LARGE)["MemoryInfo"]["SizeInMiB"] = 32768
    _type(edit, SMALL)["VCpuInfo"]["DefaultVCpus"] = 4
    _type(edit, SMALL)["MemoryInfo"]["SizeInMiB"] = 65536


@mutant(breaks=())
def clickhouse_node_is_just_large_enough(edit: Edit) -> None:
    """The largest node has 8 vCPU and a little more than 32 GiB."""
    _type(edit, LARGE)["VCpuInfo"]["DefaultVCpus"] = 8
    _type(edit, LARGE)["MemoryInfo"]["SizeInMiB"] = 32769


@mutant(breaks=["clickhouse_node_disk"])
def clickhouse_node_is_slow(edit: Edit) -> None:
    """The large node sustains 6299 disk operations a second; the fast one is too small."""
    _type(edit, LARGE)["EbsInfo"]["EbsOptimizedInfo"]["BaselineIops"] = 6299
    _type(edit, SMALL)["EbsInfo"]["EbsOptimizedInfo"]["BaselineIops"] = 40000


@mutant(breaks=["clickhouse_node_disk"])
def clickhouse_node_promises_nothing(edit: Edit) -> None:
    """The large node is of a type without EBS optimisation."""
    del _type(edit, LARGE)["EbsInfo"]["EbsOptimizedInfo"]


@mutant(breaks=["clickhouse_node_disk"])
def clickhouse_node_is_fast_in_bursts_only(edit: Edit) -> None:
    """What counts is the baseline: bursts end after half an hour."""
    disk = _type(edit, LARGE)["EbsInfo"]["EbsOptimizedInfo"]
    disk["BaselineIops"], disk["MaximumIops"] = 6000, 40000


@mutant(breaks=())
def clickhouse_node_is_within_tolerance(edit: Edit) -> None:
    """6300 operations are near enough to 7000; little throughput is a remark (D9)."""
    disk = _type(edit, LARGE)["EbsInfo"]["EbsOptimizedInfo"]
    disk["BaselineIops"], disk["BaselineThroughputInMBps"] = 6300, 594.0


@mutant(breaks=["api_restricted"])
def api_is_open(edit: Edit) -> None:
    """The Kubernetes API is open to everybody."""
    for access in _access(edit):
        access["endpointPublicAccess"], access["publicAccessCidrs"] = True, ["192.0.2.0/24", "0.0.0.0/0"]


@mutant(breaks=["api_restricted"])
def api_is_open_in_two_halves(edit: Edit) -> None:
    """Everybody, written so that a search for 0.0.0.0/0 finds nothing."""
    for access in _access(edit):
        access["endpointPublicAccess"], access["publicAccessCidrs"] = True, ["0.0.0.0/1", "128.0.0.0/1"]


@mutant(breaks=["api_restricted"])
def api_is_open_by_default(edit: Edit) -> None:
    """Public access without ranges means everybody."""
    for access in _access(edit):
        access["endpointPublicAccess"], access["publicAccessCidrs"] = True, []


@mutant(breaks=())
def api_is_private(edit: Edit) -> None:
    """Without public access, the ranges left from before mean nothing."""
    for access in _access(edit):
        access["endpointPublicAccess"], access["publicAccessCidrs"] = False, ["0.0.0.0/0"]
