"""The cluster: a supported EKS, managed nodes, room to grow, and enough of everything."""

import pytest

from hallmark.errors import Miss
from hallmark.views.compute import Compute

CPU = 16
MEMORY_MIB = 64 * 1024
CLICKHOUSE_CPU = 8
CLICKHOUSE_MEMORY_MIB = 32 * 1024
CLICKHOUSE_IOPS = 6300
"""7000 less the tenth that decision D9 allows."""
CLICKHOUSE_MBPS = 1049
"""1000 MiB/s in the unit of EC2's figures: millions of bytes."""


@pytest.mark.check("CMP-1", points=5, why="Without a running cluster there is nowhere to install the platform.")
def test_cluster_active(compute: Compute) -> None:
    """The EKS cluster exists and is active."""
    name = compute.scope("cluster")
    status = compute.cluster.get("status", "no cluster of this name")
    if status != "ACTIVE":
        raise Miss(
            expected="an EKS cluster in state ACTIVE",
            observed=status,
            where=name,
            next=f"aws eks describe-cluster --name {name}",
        )


@pytest.mark.check(
    "CMP-1",
    points=3,
    requires=["cluster_active"],
    why="A version without support gets no security patches, and AWS upgrades it when it chooses to.",
)
def test_cluster_version_supported(compute: Compute) -> str:
    """AWS supports the cluster's Kubernetes version."""
    version, support = compute.cluster["version"], compute.version_support
    if support not in {"STANDARD_SUPPORT", "EXTENDED_SUPPORT"}:
        raise Miss(
            expected="a Kubernetes version that AWS supports",
            observed=f"{version}, which AWS no longer supports",
            where=compute.cluster["arn"],
            next="aws eks describe-cluster-versions",
        )
    return f"Kubernetes {version} is in paid extended support." if support == "EXTENDED_SUPPORT" else ""


@pytest.mark.check(
    "SB-8",
    points=1,
    requires=["cluster_version_supported"],
    why="Extended support costs six times as much per hour, and ends with an upgrade nobody planned.",
)
def test_cluster_version_standard(compute: Compute) -> None:
    """The cluster's Kubernetes version is in standard support."""
    if compute.version_support != "STANDARD_SUPPORT":
        raise Miss(
            expected="a Kubernetes version in standard support",
            observed=f"{compute.cluster['version']}: {compute.version_support}",
            where=compute.cluster["arn"],
            next="aws eks describe-cluster-versions --version-status STANDARD_SUPPORT",
        )


@pytest.mark.check(
    "CMP-2",
    points=3,
    requires=["cluster_active"],
    why="AWS replaces and updates the nodes of a managed group; others are yours to patch.",
)
def test_node_groups_healthy(compute: Compute) -> None:
    """The cluster has managed node groups, all of them active and without health issues."""
    name = compute.scope("cluster")
    if not compute.node_groups:
        look = f"aws eks list-nodegroups --cluster-name {name}"
        raise Miss(expected="at least one managed node group", observed="none", where=name, next=look)
    for group in compute.node_groups:
        if group.status != "ACTIVE" or group.issues:
            raise Miss(
                expected="status ACTIVE and no health issue",
                observed=" ".join([group.status, *group.issues]),
                where=f"node group {group.name}",
                next=f"aws eks describe-nodegroup --cluster-name {name} --nodegroup-name {group.name}",
            )


@pytest.mark.check(
    "CMP-2",
    points=2,
    requires=["cluster_active"],
    why="A worker outside the managed groups is patched by nobody.",
)
def test_nodes_managed(compute: Compute) -> None:
    """Worker instances run, and each belongs to a managed node group."""
    name = compute.scope("cluster")
    if not compute.nodes:
        look = f"aws ec2 describe-instances --filters Name=tag:eks:cluster-name,Values={name}"
        raise Miss(expected="running worker instances", observed="none", where=name, next=look)
    managed = {group.name for group in compute.node_groups}
    for node in compute.nodes:
        if node.node_group not in managed:
            raise Miss(
                expected="workers that belong to a managed node group",
                observed=node.node_group or "a worker of no managed group",
                where=node.id,
                next=f"aws ec2 describe-tags --filters Name=resource-id,Values={node.id}",
            )


@pytest.mark.check(
    "CMP-3",
    points=2,
    requires=["node_groups_healthy"],
    why="At its maximum, or unseen by the autoscaler, the cluster leaves pods pending when load grows.",
)
def test_nodes_can_grow(compute: Compute) -> None:
    """Cluster Autoscaler finds a node group for ordinary pods that has room to grow."""
    if any(g.is_discoverable and g.may_launch and g.maximum > g.desired for g in compute.scaling_groups):
        return
    seen = [
        f"{g.name}: {g.desired} of {g.maximum}"
        + ("" if g.is_discoverable else ", discovery tags missing")
        + ("" if g.may_launch else ", launching suspended")
        for g in compute.scaling_groups
    ]
    raise Miss(
        expected="an Auto Scaling group with the autoscaler's discovery tags and a maximum above its size",
        observed="; ".join(seen) or "no group without a taint",
        where=compute.scope("cluster"),
        next="aws autoscaling describe-auto-scaling-groups",
    )


@pytest.mark.check(
    "CMP-5",
    points=3,
    requires=["cluster_active"],
    why="The services ask for 14.5 vCPU before anything of the cluster's own is counted.",
)
def test_capacity_cpu(compute: Compute) -> None:
    """The worker instances have at least 16 vCPU together."""
    if compute.vcpus < CPU:
        raise Miss(
            expected=f"{CPU} vCPU or more",
            observed=f"{compute.vcpus} vCPU on {len(compute.nodes)} nodes",
            where=compute.scope("cluster"),
            next=f"aws eks list-nodegroups --cluster-name {compute.scope('cluster')}",
        )


@pytest.mark.check(
    "CMP-6",
    points=3,
    requires=["cluster_active"],
    why="The services ask for about 34 GiB, and ClickHouse may grow to 32 GiB alone.",
)
def test_capacity_memory(compute: Compute) -> None:
    """The worker instances have at least 64 GB of memory together."""
    if compute.memory_mib < MEMORY_MIB:
        raise Miss(
            expected=f"{MEMORY_MIB} MiB or more",
            observed=f"{compute.memory_mib} MiB on {len(compute.nodes)} nodes",
            where=compute.scope("cluster"),
            next=f"aws eks list-nodegroups --cluster-name {compute.scope('cluster')}",
        )


@pytest.mark.check(
    "CH-1",
    "CH-2",
    points=2,
    requires=["nodes_managed"],
    why="A pod never gets more than its node has: on a smaller one ClickHouse is killed or starved.",
)
def test_clickhouse_node_size(compute: Compute) -> None:
    """One worker is large enough for ClickHouse: 8 vCPU, and more than 32 GiB of memory."""
    types = compute.instance_types.values()
    if not any(t.vcpus >= CLICKHOUSE_CPU and t.memory_mib > CLICKHOUSE_MEMORY_MIB for t in types):
        raise Miss(
            expected=f"a node with {CLICKHOUSE_CPU} vCPU or more and above {CLICKHOUSE_MEMORY_MIB} MiB",
            observed=", ".join(f"{t.name}: {t.vcpus} vCPU, {t.memory_mib} MiB" for t in types),
            where=compute.scope("cluster"),
            next=f"aws ec2 describe-instance-types --instance-types {' '.join(compute.instance_types)}",
        )


@pytest.mark.check(
    "CH-4",
    "CH-5",
    points=2,
    requires=["clickhouse_node_size"],
    why="A fast volume behind a slow instance is a slow volume.",
)
def test_clickhouse_node_disk(compute: Compute) -> str:
    """A worker large enough for ClickHouse sustains about 7000 disk operations a second."""
    types = [
        t for t in compute.instance_types.values() if t.vcpus >= CLICKHOUSE_CPU and t.memory_mib > CLICKHOUSE_MEMORY_MIB
    ]
    quick = [t for t in types if t.ebs_iops >= CLICKHOUSE_IOPS]
    if not quick:
        raise Miss(
            expected=f"an EBS baseline of {CLICKHOUSE_IOPS} operations a second or more",
            observed=", ".join(f"{t.name}: {t.ebs_iops}" for t in types),
            where=compute.scope("cluster"),
            next=f"aws ec2 describe-instance-types --instance-types {' '.join(t.name for t in types)}",
        )
    best = max(quick, key=lambda t: t.ebs_mbps)
    slow = f"{best.name} sustains {best.ebs_mbps:g} MB/s to EBS; CH-5 recommends {CLICKHOUSE_MBPS} (1000 MiB/s)."
    return slow if best.ebs_mbps < CLICKHOUSE_MBPS else ""


@pytest.mark.check(
    "SB-6",
    points=1,
    requires=["cluster_active"],
    why="An open API endpoint can be tried by everybody, and one flaw in it is enough.",
)
def test_api_restricted(compute: Compute) -> None:
    """The Kubernetes API is not open to the whole internet."""
    if wide := compute.api_openings:
        name = compute.scope("cluster")
        raise Miss(
            expected="an API endpoint that is private, or open to given networks only",
            observed=", ".join(wide),
            where=compute.cluster["arn"],
            next=f"aws eks describe-cluster --name {name} --query cluster.resourcesVpcConfig",
        )
