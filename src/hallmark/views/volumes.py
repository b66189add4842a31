"""ClickHouse's disk, all the way down: claim, volume, EBS volume, and the instance it is attached to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hallmark.views.base import View, cached_property
from hallmark.views.cluster import Object, name_of, namespace_of
from hallmark.views.compute import InstanceType
from hallmark.views.nodes import KubeNode
from hallmark.views.workloads import Workload

EBS_DRIVER = "ebs.csi.aws.com"
SSD = frozenset({"gp3", "io1", "io2"})
DATA = "/var/lib/clickhouse"
"""Where ClickHouse keeps its data (its own default, and the chart's)."""
_WITH_THE_RELEASE = timedelta(seconds=30)
"""The claim is made in the moment its StatefulSet is, and Helm makes all workloads within seconds."""
_KIB = {"io1": 256, "io2": 256}
"""KiB that one operation moves at most."""
_MOST = {"io1": 500, "io2": 4000}
"""MiB/s that a volume moves at most, below 32000 operations for io1."""


@dataclass(frozen=True)
class Disk:
    """One EBS volume.

    Attributes:
        id: Its id.
        kind: ``gp3``, ``io2`` and others.
        iops: Operations a second it is provisioned for.
        mibps: Throughput in MiB/s it is provisioned for.
        gib: Size in GiB.
        is_encrypted: Whether it is.
        snapshot: Snapshot it was made from, or empty.
    """

    id: str
    kind: str
    iops: int
    mibps: float
    gib: int
    is_encrypted: bool
    snapshot: str


@dataclass(frozen=True)
class Modification:
    """A change of a volume in place.

    Attributes:
        volume: Id of the volume.
        iops: Operations a second it had before.
        mibps: Throughput in MiB/s it was provisioned for before.
    """

    volume: str
    iops: int
    mibps: float


@dataclass(frozen=True)
class Claim:
    """One PersistentVolumeClaim and what is behind it.

    Attributes:
        name: Its name.
        namespace: Its namespace.
        phase: ``Bound``, ``Pending`` or ``Lost``.
        storage_class: Name of its storage class, or empty.
        driver: CSI driver of its volume, or empty.
        handle: The driver's name of the volume, or empty.
        can_grow: Whether its storage class lets it.
        parameters: Parameters of its storage class by name in lower case, as the driver reads them.
        created: When it was made; None when it does not say so.
    """

    name: str
    namespace: str
    phase: str
    storage_class: str
    driver: str
    handle: str
    can_grow: bool
    parameters: Mapping[str, str]
    created: datetime | None

    @property
    def look(self) -> str:
        """The command that shows it."""
        return f"kubectl -n {self.namespace} describe pvc {self.name}"


class Volumes(View):
    """Where ClickHouse keeps its data."""

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """Claims that the pods of ClickHouse have mounted where the data is."""
        clickhouse = self.views.workloads.clickhouse
        if clickhouse is None:
            return ()
        cluster = self.views.cluster
        cluster.announce([("persistentvolumeclaims", "", cluster.namespace), ("persistentvolumes", "", ""),
                          ("storageclasses", "storage.k8s.io", "")])  # fmt: skip
        names = {name for pod in self.views.workloads.pods(clickhouse) for name in _mounted_claims(pod)}
        found = cluster.objects("persistentvolumeclaims", namespace=cluster.namespace)
        return tuple(self._claim(one) for one in found if name_of(one) in names)

    @cached_property
    def disks(self) -> tuple[Disk, ...]:
        """The EBS volumes behind those claims."""
        handles = sorted(claim.handle for claim in self.claims if claim.driver == EBS_DRIVER and claim.handle)
        if not handles:
            return ()
        # A volume that is gone is left out, where asking for it by id would be an error for all.
        filters = [{"Name": "volume-id", "Values": handles}]
        found = self.ask("ec2", "describe_volumes", Filters=filters)["Volumes"]
        return tuple(_disk(one) for one in found)

    @cached_property
    def modifications(self) -> tuple[Modification, ...]:
        """How those volumes were modified in place; AWS remembers it for 30 days."""
        if not self.disks:
            return ()
        filters = [{"Name": "volume-id", "Values": sorted(disk.id for disk in self.disks)}]
        found = self.ask("ec2", "describe_volumes_modifications", Filters=filters)["VolumesModifications"]
        return tuple(_modification(one) for one in found if one["ModificationState"] != "failed")

    def came_with_the_release(self, claim: Claim) -> bool:
        """Whether a claim is as old as the release: a younger one got another volume."""
        installed = self.views.workloads.installed
        return bool(installed and claim.created and claim.created <= installed + _WITH_THE_RELEASE)

    @cached_property
    def nodes(self) -> tuple[KubeNode, ...]:
        """The nodes that ClickHouse's pods run on."""
        clickhouse = self.views.workloads.clickhouse
        pods = self.views.workloads.pods(clickhouse) if clickhouse else []
        return tuple(node for pod in pods if (node := self.views.nodes.node_of(pod)))

    @cached_property
    def instance_types(self) -> tuple[InstanceType, ...]:
        """What the instances of those nodes can do; a node without an instance of the account offers nothing."""
        nodes = self.views.nodes
        return tuple(nodes.instance_type(node) for node in self.nodes if nodes.instance(node))

    def _claim(self, value: Object) -> Claim:
        spec, cluster = value["spec"], self.views.cluster
        volume = next((v for v in cluster.objects("persistentvolumes") if name_of(v) == spec.get("volumeName")), None)
        classes = cluster.objects("storageclasses", "storage.k8s.io")
        own = next((one for one in classes if name_of(one) == spec.get("storageClassName")), {})
        source = _source(volume)
        return Claim(
            name=name_of(value),
            namespace=namespace_of(value),
            phase=value.get("status", {}).get("phase", ""),
            storage_class=spec.get("storageClassName", ""),
            driver=source.get("driver", ""),
            handle=source.get("volumeHandle", ""),
            can_grow=bool(own.get("allowVolumeExpansion")),
            created=datetime.fromisoformat(made) if (made := value["metadata"].get("creationTimestamp")) else None,
            parameters={key.lower(): str(value) for key, value in (own.get("parameters") or {}).items()},
        )


def limit(workload: Workload, kind: str) -> str:
    """Return how much of ``cpu`` or ``memory`` the main container may use.

    Its limit; without one its request, which is then all that is promised; empty when it has neither.
    """
    resources = workload.containers[0].get("resources") or {}
    found = (resources.get("limits") or {}).get(kind) or (resources.get("requests") or {}).get(kind) or ""
    return str(found)


def mibps(kind: str, iops: int, provisioned: float) -> float:
    """Return the throughput of an EBS volume in MiB/s.

    That of io volumes follows from their operations (EBS User Guide, "Provisioned IOPS SSD volumes").
    """
    return min(iops * _KIB[kind] / 1024, _MOST[kind]) if kind in _KIB else provisioned


def _mounted_claims(pod: Object) -> list[str]:
    wanted = {_data_volume(container.get("volumeMounts", [])) for container in pod["spec"]["containers"]}
    volumes = pod["spec"].get("volumes", [])
    return [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in volumes
        if volume["name"] in wanted and "persistentVolumeClaim" in volume
    ]


def _data_volume(mounts: Iterable[Mapping[str, Any]]) -> str:
    """The volume that holds the data: of several mounts on the way there the innermost; empty for none."""
    paths = {mount["mountPath"].rstrip("/"): str(mount["name"]) for mount in mounts}
    above = [path for path in paths if f"{DATA}/".startswith(f"{path}/")]
    return paths[max(above, key=len)] if above else ""


def _source(volume: Object | None) -> Mapping[str, Any]:
    found: Mapping[str, Any] = volume["spec"].get("csi", {}) if volume else {}
    return found


def _disk(raw: Mapping[str, Any]) -> Disk:
    kind, iops = raw["VolumeType"], raw.get("Iops", 0)
    moves = mibps(kind, iops, raw.get("Throughput", 0))
    return Disk(raw["VolumeId"], kind, iops, moves, raw["Size"], raw["Encrypted"], raw.get("SnapshotId", ""))


def _modification(raw: Mapping[str, Any]) -> Modification:
    iops = raw.get("OriginalIops", 0)
    moved = mibps(raw.get("OriginalVolumeType", "gp3"), iops, raw.get("OriginalThroughput", 0))
    return Modification(raw["VolumeId"], iops, moved)
