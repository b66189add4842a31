"""The data stores of the cluster in scope, as AWS describes them."""

from typing import Any

from hallmark.errors import Absent, GuardRefused
from hallmark.faults.reader import Reader

_MOVING = frozenset({
    "AuthTokenLastModifiedDate", "CertificateDetails", "LatestRestorableTime", "PendingModifiedValues", "node",
})  # fmt: skip


def database(read: Reader) -> dict[str, Any]:
    """Return the one PostgreSQL instance of the cluster's VPC.

    Raises:
        Absent: There is none.
        GuardRefused: There are several, or it cannot be stopped by itself.
    """
    wanted, vpc = read.scope.get("postgres"), _vpc(read)
    found = [
        each
        for each in read.ask("rds", "describe_db_instances")["DBInstances"]
        if "postgres" in each["Engine"]
        and each.get("DBSubnetGroup", {}).get("VpcId") == vpc
        and wanted in (None, "", each["DBInstanceIdentifier"], each.get("DBClusterIdentifier"))
    ]
    return _only(found, "PostgreSQL database", "postgres", vpc)


def cache(read: Reader) -> dict[str, Any]:
    """Return the one replication group of the cluster's VPC, with the description of a node of it as ``node``.

    Raises:
        Absent: There is none.
        GuardRefused: There are several.
    """
    wanted, vpc = read.scope.get("redis"), _vpc(read)
    groups = read.ask("elasticache", "describe_cache_subnet_groups")["CacheSubnetGroups"]
    ours = {each["CacheSubnetGroupName"] for each in groups if each.get("VpcId") == vpc}
    nodes = {
        each["ReplicationGroupId"]: each
        for each in read.ask("elasticache", "describe_cache_clusters")["CacheClusters"]
        if each.get("ReplicationGroupId") and each.get("CacheSubnetGroupName") in ours
    }
    found = [
        {**each, "node": nodes[each["ReplicationGroupId"]]}
        for each in read.ask("elasticache", "describe_replication_groups")["ReplicationGroups"]
        if each["ReplicationGroupId"] in nodes and wanted in (None, "", each["ReplicationGroupId"])
    ]
    return _only(found, "Redis replication group", "redis", vpc)


def facts(one: dict[str, Any], *changing: str) -> dict[str, Any]:
    """Return a description without what moves by itself, and without what a fault changes."""
    return {key: value for key, value in one.items() if key not in _MOVING | set(changing)}


def _vpc(read: Reader) -> str:
    network = read.ask("eks", "describe_cluster", name=read.scope["cluster"])["cluster"]["resourcesVpcConfig"]
    return str(network["vpcId"])


def _only(found: list[dict[str, Any]], what: str, setting: str, vpc: str) -> dict[str, Any]:
    if not found:
        raise Absent(f"{vpc} holds no {what}")
    if len(found) > 1:
        raise GuardRefused(f"{vpc} holds {len(found)} of the kind {what}.", f"Name one: setting {setting}.")
    return found[0]
