"""ClickHouse inside the cluster: large enough, fast enough, private, and run with care.

An external ClickHouse is as good. Its size cannot be seen from here: then each check passes with a remark.
"""

from decimal import Decimal

import pytest

from hallmark.errors import Miss
from hallmark.views.cluster import name_of
from hallmark.views.ingresses import Ingresses
from hallmark.views.network import Network
from hallmark.views.nodes import Nodes
from hallmark.views.quantities import gibibytes, number
from hallmark.views.secrets import Secrets
from hallmark.views.volumes import EBS_DRIVER, SSD, Disk, Volumes, limit
from hallmark.views.workloads import Workload, Workloads

CPU = 8
MEMORY = 32 * 10**9
"""32 GB: 32G and 32Gi both pass."""
NODE_MEMORY_MIB = 32 * 1024
IOPS, MIBPS = 6300, 900
"""7000 and 1000 less the tenth that decision D9 allows."""
MBPS = 1049
"""1000 MiB/s in the unit of EC2's figures: millions of bytes."""
EXTERNAL = "ClickHouse is outside the cluster: its plan has to be attested (CH-1)."


def _miss(one: Workload, expected: str, observed: str) -> None:
    raise Miss(expected=expected, observed=observed, where=one.where, next=one.look)


def _disks(one: Workload, volumes: Volumes) -> tuple[Disk, ...]:
    if not volumes.disks:
        _miss(one, "an EBS volume that can be read", "none")
    return volumes.disks


@pytest.mark.check(
    "CH-1",
    "CH-6",
    points=3,
    requires=["clickhouse_told"],
    why="With 4 vCPU, the development size, queries time out as soon as traces come in earnest.",
)
def test_clickhouse_cpu(workloads: Workloads, volumes: Volumes) -> str:
    """ClickHouse may use 8 vCPU, and its node has them."""
    one = workloads.clickhouse
    if one is None:
        return EXTERNAL
    if number(limit(one, "cpu") or 0) < CPU:
        _miss(one, f"a CPU limit of {CPU} or more", limit(one, "cpu") or "no limit and no request")
    small = [kind.name for kind in volumes.instance_types if kind.vcpus < CPU]
    if small or not volumes.instance_types:
        _miss(one, f"a node with {CPU} vCPU or more", ", ".join(small) or "no pod on a node of this account")
    return ""


@pytest.mark.check(
    "CH-2",
    "CH-6",
    points=3,
    requires=["clickhouse_told"],
    why="With 16 GB, the development size, one large query ends in MEMORY_LIMIT_EXCEEDED or a killed pod.",
)
def test_clickhouse_memory(workloads: Workloads, volumes: Volumes) -> str:
    """ClickHouse may use 32 GB of memory, and its node has more than that."""
    one = workloads.clickhouse
    if one is None:
        return EXTERNAL
    found = limit(one, "memory")
    if number(found or 0) < Decimal(MEMORY):
        _miss(one, "a memory limit of 32 GB or more", gibibytes(number(found)) if found else "no limit and no request")
    small = [kind.name for kind in volumes.instance_types if kind.memory_mib <= NODE_MEMORY_MIB]
    if small or not volumes.instance_types:
        _miss(
            one, f"a node with more than {NODE_MEMORY_MIB} MiB", ", ".join(small) or "no pod on a node of this account"
        )
    return ""


@pytest.mark.check(
    "CH-3",
    points=3,
    requires=["clickhouse_told"],
    why="An emptyDir is gone with the pod, and every trace with it.",
)
def test_clickhouse_disk(workloads: Workloads, volumes: Volumes) -> str:
    """ClickHouse keeps its data on an EBS volume with SSD."""
    one = workloads.clickhouse
    if one is None:
        return EXTERNAL
    if not volumes.claims:
        _miss(one, "a claim mounted where the data is", "no claim")
    for claim in volumes.claims:
        if claim.phase != "Bound" or claim.driver != EBS_DRIVER:
            raise Miss(
                expected=f"a claim bound to a volume of {EBS_DRIVER}",
                observed=f"{claim.phase}, driver {claim.driver or 'none'}",
                where=f"PersistentVolumeClaim {claim.name}",
                next=claim.look,
            )
    kinds = {disk.kind for disk in _disks(one, volumes)}
    if wrong := kinds - SSD - {"gp2"}:
        _miss(one, f"a volume of type {', '.join(sorted(SSD))}", ", ".join(sorted(wrong)))
    return "gp2 cannot be given operations and throughput: gp3 can, for less." if "gp2" in kinds else ""


@pytest.mark.check(
    "CH-4",
    points=3,
    requires=["clickhouse_disk"],
    why="A gp3 volume has 3000 operations a second unless the storage class says more.",
)
def test_clickhouse_iops(workloads: Workloads, volumes: Volumes) -> str:
    """ClickHouse's volume has about 7000 operations a second, and its node sustains them."""
    one = workloads.clickhouse
    if one is None:
        return EXTERNAL
    for disk in _disks(one, volumes):
        if disk.iops < IOPS:
            _miss_disk(disk, f"{IOPS} operations a second or more", str(disk.iops))
    slow = [f"{kind.name}: {kind.ebs_iops}" for kind in volumes.instance_types if kind.ebs_iops < IOPS]
    if slow or not volumes.instance_types:
        _miss(one, f"a node that sustains {IOPS} operations a second", ", ".join(slow) or "no node")
    return ""


@pytest.mark.check(
    "CH-5",
    points=3,
    requires=["clickhouse_disk"],
    why="A gp3 volume has 125 MiB/s unless the storage class says more: merges fall behind, then queries do.",
)
def test_clickhouse_throughput(workloads: Workloads, volumes: Volumes) -> str:
    """ClickHouse's volume has a throughput of about 1000 MiB/s."""
    one = workloads.clickhouse
    if one is None:
        return EXTERNAL
    for disk in _disks(one, volumes):
        if disk.mibps < MIBPS:
            _miss_disk(disk, f"{MIBPS} MiB/s or more", f"{disk.mibps:g} MiB/s")
    slow = [f"{kind.name} sustains {kind.ebs_mbps:g} MB/s" for kind in volumes.instance_types if kind.ebs_mbps < MBPS]
    return f"The node is slower than the volume: {', '.join(slow)}, the volume moves {MBPS}." if slow else ""


@pytest.mark.check(
    "CH-9",
    points=1,
    requires=["clickhouse_told"],
    why="Two ClickHouse pods of this chart do not know of each other: each would have half of the traces.",
)
def test_clickhouse_single(workloads: Workloads) -> str:
    """ClickHouse in the cluster is exactly one pod, and it is ready."""
    one = workloads.clickhouse
    if one is None:
        return EXTERNAL
    if one.wanted != 1 or not one.is_ready:
        _miss(one, "one replica, ready", f"{one.ready} of {one.wanted} ready")
    return ""


@pytest.mark.check(
    "CH-9",
    points=2,
    requires=["clickhouse_told"],
    why="The chart's password is known to everybody, and every pod of the cluster reaches the port.",
)
def test_clickhouse_password(workloads: Workloads, secrets: Secrets) -> str:
    """ClickHouse's password is not the one the chart ships with."""
    if workloads.clickhouse is None:
        return EXTERNAL
    readers = [(one, v) for one, v in secrets.references if v.name == "CLICKHOUSE_PASSWORD"]
    if not readers:
        _miss(workloads.clickhouse, "a password that comes from a Secret", "none")
    for one, variable in readers:
        facts = secrets.keys(variable.secret).get(variable.key, {})
        if facts.get("default", True) or facts["empty"]:
            raise Miss(
                expected="a password of your own, by clickhouse.external.existingSecretName",
                observed="the chart's default" if facts.get("default") else "no password",
                where=f"Secret {variable.secret}, read by {one.where}",
                next=f"kubectl -n {one.namespace} describe secret {variable.secret}",
            )
    return ""


@pytest.mark.check(
    "CH-9",
    points=1,
    requires=["clickhouse_disk"],
    why="50 GiB fill up; a volume that cannot grow has to be copied while ingestion stands still.",
)
def test_clickhouse_can_grow(workloads: Workloads, volumes: Volumes) -> str:
    """The storage class of ClickHouse's volume lets it grow."""
    if workloads.clickhouse is None:
        return EXTERNAL
    for claim in volumes.claims:
        if not claim.can_grow:
            raise Miss(
                expected="a storage class with allowVolumeExpansion",
                observed=claim.storage_class or "no storage class",
                where=f"PersistentVolumeClaim {claim.name}",
                next=f"kubectl describe storageclass {claim.storage_class}",
            )
    return ""


@pytest.mark.check(
    "NET-7",
    points=3,
    requires=["clickhouse_told"],
    why="Whoever reaches ClickHouse reads every prompt and every answer.",
)
def test_clickhouse_private(
    workloads: Workloads, volumes: Volumes, nodes: Nodes, network: Network, ingresses: Ingresses
) -> str:
    """ClickHouse runs on a private node, and its Services are for the cluster only."""
    one = workloads.clickhouse
    if one is None:
        return EXTERNAL
    services = ingresses.services_of(one)
    for service in services:
        kind = service["spec"].get("type", "ClusterIP")
        if kind != "ClusterIP" or service["spec"].get("externalIPs"):
            where = f"Service {name_of(service)}"
            raise Miss(expected="type ClusterIP, no external address", observed=kind, where=where, next=one.look)
    names = {name_of(service) for service in services}
    for entry in ingresses.all:
        if any(route.service in names for route in entry.routes):
            where = f"Ingress {entry.name}"
            raise Miss(expected="no Ingress that leads to it", observed="one", where=where, next=entry.look)
    if not volumes.nodes or not services:
        _miss(one, "a pod on a node, behind a Service", "no node" if services else "no Service")
    for node in volumes.nodes:
        instance = nodes.instance(node)
        if instance is None or instance.public_address or not network.subnets[instance.subnet].is_private:
            found = (
                f"{instance.subnet}, address {instance.public_address or 'none'}" if instance else "no such instance"
            )
            raise Miss(expected="a node in a private subnet", observed=found, where=f"node {node.name}", next=node.look)
    return ""


def _miss_disk(disk: Disk, expected: str, observed: str) -> None:
    look = f"aws ec2 describe-volumes --volume-ids {disk.id}"
    raise Miss(expected=expected, observed=observed, where=f"EBS volume {disk.id}", next=look)
