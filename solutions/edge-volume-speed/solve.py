"""Modify the volume in place: operations and throughput in one call, while ClickHouse runs on."""

import json
from collections.abc import Mapping
from typing import Any

from hallmark.waiting import until

CLAIM, STATEFUL = "data-langsmith-clickhouse-0", "langsmith-clickhouse"


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Give the volume what its class promises.

    Args:
        client: ``client("ec2")`` is a boto3 client; ``client.kubectl`` is the command.
        scope: The target: ``namespace`` and others.
    """
    modify(client, scope, Iops=7000, Throughput=1000)


def volume(client: Any, scope: Mapping[str, str]) -> str:
    """Return the id of the EBS volume behind ClickHouse's claim."""
    claim = ("-n", scope["namespace"], "get", "pvc", CLAIM, "-o", "jsonpath={.spec.volumeName}")
    name: str = client.kubectl(*claim)
    handle: str = client.kubectl("get", "pv", name, "-o", "jsonpath={.spec.csi.volumeHandle}")
    return handle


def modify(client: Any, scope: Mapping[str, str], **wanted: Any) -> None:
    """Modify the volume and wait until it performs: AWS optimises it for hours, and it is in full use meanwhile."""
    which = volume(client, scope)
    client("ec2").modify_volume(VolumeId=which, **wanted)

    def is_modified() -> bool:
        found = client("ec2").describe_volumes_modifications(VolumeIds=[which])["VolumesModifications"]
        return found[-1]["ModificationState"] in {"optimizing", "completed"}

    if not until(is_modified, 60):
        raise TimeoutError(f"{which} is not modified after a minute")


def make_class(client: Any, name: str, **parameters: str) -> None:
    """Make a storage class of the EBS driver, in the place of one of that name."""
    client.kubectl("delete", "storageclass", name, "--ignore-not-found")
    made = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "ebs.csi.aws.com",
        "parameters": {"type": "gp3", "encrypted": "true", **parameters},
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }
    client.kubectl("apply", "-f", "-", stdin=json.dumps(made))
