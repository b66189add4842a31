"""ClickHouse's disk is as fast as the reference asks, all the way down, and it is still the same disk."""

import pytest

from hallmark.errors import Miss
from hallmark.views.volumes import EBS_DRIVER, SSD, Claim, Disk, Volumes, mibps
from hallmark.views.workloads import APPLICATION, Workload, Workloads

IOPS, MIBPS = 6300, 900
"""7000 and 1000 less the tenth that is allowed."""
MBPS = 944
"""900 MiB/s in the unit of EC2's figures: millions of bytes."""
GP3_IOPS, GP3_MIBPS = 3000, 125
"""What a gp3 volume has unless its class says more (EBS User Guide, "General Purpose SSD volumes")."""


def _clickhouse(workloads: Workloads) -> Workload:
    if workloads.clickhouse is None:
        raise Miss(
            expected="the ClickHouse of the release",
            observed="none",
            where=workloads.scope("namespace"),
            next=f"kubectl -n {workloads.scope('namespace')} get statefulsets",
        )
    return workloads.clickhouse


def _claims(workloads: Workloads, volumes: Volumes) -> tuple[Claim, ...]:
    one = _clickhouse(workloads)
    if not volumes.claims:
        raise Miss(expected="a claim mounted where the data is", observed="none", where=one.where, next=one.look)
    return volumes.claims


def _disks(workloads: Workloads, volumes: Volumes) -> tuple[Disk, ...]:
    claims = _claims(workloads, volumes)
    if not volumes.disks:
        where = f"PersistentVolumeClaim {claims[0].name}"
        raise Miss(expected="an EBS volume behind the claim", observed="none", where=where, next=claims[0].look)
    return volumes.disks


def _kept(workloads: Workloads, volumes: Volumes) -> frozenset[str]:
    """Return ids of the volumes that were modified: one of a new claim counts if it was slow before."""
    old = {claim.handle for claim in _claims(workloads, volumes) if volumes.came_with_the_release(claim)}
    return frozenset(
        one.volume for one in volumes.modifications if one.volume in old or one.iops < IOPS or one.mibps < MIBPS
    )


def _look(disk: Disk) -> str:
    return f"aws ec2 describe-volumes --volume-ids {disk.id}"


@pytest.mark.check(
    "CH-4",
    points=4,
    why="At 3000 operations a second, merges and queries wait for each other.",
)
def test_volume_operations(workloads: Workloads, volumes: Volumes) -> None:
    """ClickHouse's volume has about 7000 operations a second."""
    for disk in _disks(workloads, volumes):
        if disk.iops < IOPS:
            raise Miss(
                expected=f"{IOPS} operations a second or more",
                observed=str(disk.iops),
                where=f"EBS volume {disk.id}",
                next=_look(disk),
            )


@pytest.mark.check(
    "CH-5",
    points=4,
    why="At 125 MiB/s, reading back one day of traces takes minutes.",
)
def test_volume_throughput(workloads: Workloads, volumes: Volumes) -> None:
    """ClickHouse's volume moves about 1000 MiB/s."""
    for disk in _disks(workloads, volumes):
        if disk.mibps < MIBPS:
            raise Miss(
                expected=f"{MIBPS} MiB/s or more",
                observed=f"{disk.mibps:g} MiB/s",
                where=f"EBS volume {disk.id}",
                next=_look(disk),
            )


@pytest.mark.check(
    "CH-4",
    "CH-5",
    points=2,
    requires=["volume_operations", "volume_throughput"],
    why="Data moves at the speed of the slower of the two: volume or instance.",
)
def test_node_keeps_up(workloads: Workloads, volumes: Volumes) -> None:
    """The node ClickHouse runs on sustains what its volume delivers."""
    one = _clickhouse(workloads)
    if not volumes.instance_types:
        raise Miss(expected="a node of this account", observed="none", where=one.where, next=one.look)
    for kind in volumes.instance_types:
        if kind.ebs_iops < IOPS or kind.ebs_mbps < MBPS:
            raise Miss(
                expected=f"{IOPS} operations a second and {MBPS} MB/s or more",
                observed=f"{kind.name} sustains {kind.ebs_iops} and {kind.ebs_mbps:g} MB/s",
                where=one.where,
                next=f"aws ec2 describe-instance-types --instance-types {kind.name}",
            )


@pytest.mark.check(
    "CH-3",
    "MODE-4",
    points=4,
    requires=["volume_operations", "volume_throughput"],
    why="A new volume is fast, and empty.",
)
def test_data_is_kept(workloads: Workloads, volumes: Volumes) -> str:
    """The data is where it was: the volume was modified in place, is encrypted, and its claim is bound."""
    for claim in _claims(workloads, volumes):
        if claim.phase != "Bound" or claim.driver != EBS_DRIVER:
            raise Miss(
                expected=f"a claim bound to a volume of {EBS_DRIVER}",
                observed=f"{claim.phase or 'no phase'}, driver {claim.driver or 'none'}",
                where=f"PersistentVolumeClaim {claim.name}",
                next=claim.look,
            )
    disks, kept = _disks(workloads, volumes), _kept(workloads, volumes)
    for disk in disks:
        faults = {
            f"a volume of type {disk.kind}": disk.kind not in SSD,
            "a volume that is not encrypted": not disk.is_encrypted,
            "a new volume": disk.id not in kept and not disk.snapshot,
        }
        if found := [name for name, is_so in faults.items() if is_so]:
            raise Miss(
                expected="the volume ClickHouse had, modified in place",
                observed=", ".join(found),
                where=f"EBS volume {disk.id}",
                next=f"aws ec2 describe-volumes-modifications --volume-ids {disk.id}",
            )
    copies = [disk.id for disk in disks if disk.id not in kept]
    return f"A copy from a snapshot: see that it is the newest ({', '.join(copies)})." if copies else ""


@pytest.mark.check(
    "CH-4",
    "CH-5",
    points=2,
    requires=["volume_operations", "volume_throughput"],
    why="The next volume is made by the class: after a restore, or in the next environment.",
)
def test_class_promises_the_same(workloads: Workloads, volumes: Volumes) -> None:
    """The storage class of the claim makes volumes that are fast enough, and lets them grow."""
    sizes = {disk.id: disk.gib for disk in _disks(workloads, volumes)}
    for claim in _claims(workloads, volumes):
        iops, moves = _promise(claim, sizes.get(claim.handle, 0))
        if iops < IOPS or moves < MIBPS or not claim.can_grow:
            raise Miss(
                expected=f"a class with {IOPS} operations a second, {MIBPS} MiB/s and allowVolumeExpansion",
                observed=f"{iops}, {moves:g} MiB/s" + ("" if claim.can_grow else ", cannot grow"),
                where=f"StorageClass {claim.storage_class or 'of no name'}",
                next=f"kubectl describe storageclass {claim.storage_class}",
            )


@pytest.mark.check(
    "CH-9",
    "ARCH-9",
    points=2,
    requires=["volume_operations", "volume_throughput"],
    why="A disk without a database is fast, too.",
)
def test_clickhouse_serves(workloads: Workloads) -> None:
    """ClickHouse is one pod and ready, and so is every workload that needs it."""
    one = _clickhouse(workloads)
    if one.wanted != 1 or not one.is_ready:
        raise Miss(
            expected="one pod, ready", observed=f"{one.ready} of {one.wanted} ready", where=one.where, next=one.look
        )
    for name in APPLICATION:
        other = workloads.application.get(name)
        if other is None or not other.is_ready:
            raise Miss(
                expected="every pod ready, one or more",
                observed=f"{other.ready} of {other.wanted} ready" if other else "no workload",
                where=other.where if other else f"{name} of release {workloads.scope('release')}",
                next=other.look if other else f"kubectl -n {workloads.scope('namespace')} get deployments",
            )


def _promise(claim: Claim, gib: int) -> tuple[int, float]:
    """Return operations a second and MiB/s that a claim's class gives a volume of *gib* GiB.

    Source: aws-ebs-csi-driver, docs/parameters.md. What is no number is taken as not given: the driver refuses it.
    """
    given = claim.parameters
    numbers = {name: int(value) for name, value in given.items() if value.isdigit()}
    iops = numbers.get("iops", numbers.get("iopspergb", 0) * gib) or GP3_IOPS
    return iops, mibps(given.get("type", "gp3"), iops, numbers.get("throughput", GP3_MIBPS))
