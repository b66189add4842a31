"""Updates, which every change of a cluster answers with, and the versions a cluster can be updated to."""

import uuid
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.eks.responses import EKSResponse

from hallmark.twin.aws.extension.eks.catalogue import (
    DEFAULT_VERSION,
    VERSIONS,
    midnight,
    offered,
    support,
    today,
)
from hallmark.twin.aws.extension.eks.common import cluster_of, not_found
from hallmark.twin.aws.extension.patching import extend, parameter


def install() -> None:
    """Add the three operations."""
    extend(EKSResponse, describe_update, list_updates, describe_cluster_versions)


def record(cluster: Any, kind: str) -> dict[str, Any]:
    """Note an update of a cluster; here it succeeds at once."""
    update = {
        "id": str(uuid.uuid4()),
        "status": "Successful",
        "type": kind,
        "params": [],
        "createdAt": utcnow(),
        "errors": [],
    }
    cluster.updates[update["id"]] = update
    return update


def describe_update(request: Any) -> ActionResult:
    """DescribeUpdate."""
    cluster, identifier = cluster_of(request), parameter(request, "updateId")
    if identifier not in cluster.updates:
        raise not_found(f"No update found for ID: {identifier}", clusterName=cluster.name)
    return ActionResult({"update": cluster.updates[identifier]})


def list_updates(request: Any) -> ActionResult:
    """ListUpdates."""
    return ActionResult({"updateIds": list(cluster_of(request).updates)})


def describe_cluster_versions(request: Any) -> ActionResult:
    """DescribeClusterVersions: newest first, with the status of each on this day."""
    wanted = parameter(request, "clusterVersions") or offered(today())
    wanted = [wanted] if isinstance(wanted, str) else wanted
    return ActionResult({"clusterVersions": [_version(one) for one in reversed(offered(today())) if one in wanted]})


def _version(version: str) -> dict[str, Any]:
    status, ends = support(version, today()), VERSIONS[version]
    described: dict[str, Any] = {
        "clusterVersion": version,
        "clusterType": "eks",
        "defaultPlatformVersion": "eks.8",
        "defaultVersion": version == DEFAULT_VERSION,
        "status": status.lower(),
        "versionStatus": status,
        "kubernetesPatchVersion": f"{version}.0",
    }
    if ends:
        described["endOfStandardSupportDate"] = midnight(ends[0])
        described["endOfExtendedSupportDate"] = midnight(ends[1])
    return described
