"""ClickHouse's disk: what is promised, and where the data really is."""

from typing import Any

import pytest

from hallmark.views.volumes import _disk, _mounted_claims, limit
from hallmark.views.workloads import workload


@pytest.mark.parametrize(
    ("raw", "mibps"),
    [
        ({"VolumeType": "gp3", "Iops": 7000, "Throughput": 1000}, 1000),
        ({"VolumeType": "gp2", "Iops": 7000}, 0),
        ({"VolumeType": "io2", "Iops": 7000}, 1750),
        ({"VolumeType": "io2", "Iops": 64000}, 4000),
        ({"VolumeType": "io2", "Iops": 3000, "Throughput": 1000}, 750),
        ({"VolumeType": "io1", "Iops": 1000}, 250),
        ({"VolumeType": "io1", "Iops": 7000}, 500),
        ({"VolumeType": "st1"}, 0),
    ],
    ids=["stated", "gp2", "io2", "io2 at its most", "io2 that was gp3", "io1", "io1 at its most", "hard disk"],
)
def test_throughput_is_stated_or_follows_from_the_operations(raw: dict[str, Any], mibps: float) -> None:
    """256 KiB an operation, up to what the type can do (EBS User Guide)."""
    assert _disk({"VolumeId": "v", "Size": 50, "Encrypted": True, **raw}).mibps == mibps


@pytest.mark.parametrize(
    ("path", "claims"),
    [
        ("/var/lib/clickhouse", ["c"]),
        ("/var/lib/clickhouse/", ["c"]),
        ("/var/lib", ["c"]),
        ("/var/log/clickhouse-server", []),
        ("/var/lib/clickhouse-backup", []),
    ],
)
def test_a_claim_counts_where_the_data_is(path: str, claims: list[str]) -> None:
    """A persistent log beside data on an emptyDir is no persistent data."""
    pod = {
        "spec": {
            "containers": [{"name": "c", "volumeMounts": [{"name": "v", "mountPath": path}]}],
            "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}],
        }
    }
    assert _mounted_claims(pod) == claims


def test_the_innermost_mount_holds_the_data() -> None:
    """A claim above an emptyDir keeps nothing."""
    mounts = [{"name": "v", "mountPath": "/var/lib"}, {"name": "e", "mountPath": "/var/lib/clickhouse"}]
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}, {"name": "e", "emptyDir": {}}]
    containers = [{"name": "c", "volumeMounts": mounts}, {"name": "sidecar"}]
    assert _mounted_claims({"spec": {"containers": containers, "volumes": volumes}}) == []


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        ({"limits": {"cpu": "8"}, "requests": {"cpu": "3500m"}}, "8"),
        ({"requests": {"cpu": "3500m"}}, "3500m"),
        ({"limits": {"memory": "1Gi"}}, ""),
        ({}, ""),
        (None, ""),
    ],
    ids=["limit", "request", "other", "empty", "none"],
)
def test_what_a_container_may_use(resources: Any, found: str) -> None:
    """Its limit; without one nothing is promised but its request."""
    template = {"metadata": {}, "spec": {"containers": [{"name": "c", "resources": resources}]}}
    raw = {"kind": "StatefulSet", "metadata": {"name": "w"}, "spec": {"selector": {}, "template": template}}
    assert limit(workload(raw), "cpu") == found
