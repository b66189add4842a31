"""PostgreSQL as RDS runs it: an instance of its own, or a cluster with its instances; both become the same."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

SERVING = frozenset({
    "available", "backing-up", "configuring-enhanced-monitoring", "configuring-iam-database-auth",
    "configuring-log-exports", "storage-optimization", "snapshotting",
})  # fmt: skip
"""States in which a store answers (RDS user guide, "DB instance status"; ElastiCache API, ``Status``)."""


@dataclass(frozen=True)
class SubnetGroup:
    """Where a store may stand: its VPC and subnets."""

    vpc: str
    subnets: tuple[str, ...]


@dataclass(frozen=True)
class Database:
    """One PostgreSQL: an RDS instance, or a cluster with its instances.

    Attributes:
        id: Identifier.
        arn: ARN.
        engine: ``postgres`` or ``aurora-postgresql``.
        version: Engine version.
        status: State as AWS names it; of a cluster, its instances' states too.
        is_serving: Whether it, and of a cluster one instance, answers.
        is_replica: Whether it only copies another database.
        backup_days: Days automated backups are kept.
        restorable_to: Latest time it can be restored to, or empty.
        is_encrypted: Whether its storage is.
        is_public: Whether it, or any instance of it, is given a public address.
        port: TCP port; 0 while it does not serve.
        place: VPC and subnets.
        groups: Security groups.
        endpoints: Host names under which it takes writes: of a cluster not the reader's, nor those of its readers.
    """

    id: str
    arn: str
    engine: str
    version: str
    status: str
    is_serving: bool
    is_replica: bool
    backup_days: int
    restorable_to: str
    is_encrypted: bool
    is_public: bool
    port: int
    place: SubnetGroup
    groups: tuple[str, ...]
    endpoints: frozenset[str] = frozenset()

    @property
    def look(self) -> str:
        """The command that shows it."""
        if ":cluster:" in self.arn:
            return f"aws rds describe-db-clusters --db-cluster-identifier {self.id}"
        return f"aws rds describe-db-instances --db-instance-identifier {self.id}"


def from_instance(raw: dict[str, Any], places: dict[str, SubnetGroup]) -> Database:
    """Read an RDS instance that belongs to no cluster; *places* are the subnet groups by name."""
    # A source is named by both kinds of replica: of an instance, and of a cluster.
    sources = ("ReadReplicaSourceDBInstanceIdentifier", "ReadReplicaSourceDBClusterIdentifier")
    serving = raw["DBInstanceStatus"] in SERVING
    return Database(
        id=raw["DBInstanceIdentifier"],
        arn=raw["DBInstanceArn"],
        engine=raw["Engine"],
        version=raw["EngineVersion"],
        status=raw["DBInstanceStatus"],
        is_serving=serving,
        is_replica=any(raw.get(source) for source in sources),
        backup_days=raw["BackupRetentionPeriod"],
        restorable_to=raw.get("LatestRestorableTime", ""),
        is_encrypted=raw["StorageEncrypted"],
        is_public=raw["PubliclyAccessible"],
        port=raw["Endpoint"]["Port"] if serving else 0,
        place=places[raw["DBSubnetGroup"]["DBSubnetGroupName"]],
        groups=_db_groups(raw),
        endpoints=_hosts([raw]),
    )


def from_cluster(raw: dict[str, Any], members: list[dict[str, Any]], places: dict[str, SubnetGroup]) -> Database:
    """Read an Aurora or a Multi-AZ cluster and the instances that are its *members*."""
    states = [member["DBInstanceStatus"] for member in members]
    readers = {one["DBInstanceIdentifier"] for one in raw.get("DBClusterMembers", []) if not one["IsClusterWriter"]}
    writers = [member for member in members if member["DBInstanceIdentifier"] not in readers]
    return Database(
        id=raw["DBClusterIdentifier"],
        arn=raw["DBClusterArn"],
        engine=raw["Engine"],
        version=raw["EngineVersion"],
        status=f"{raw['Status']}, instances: {', '.join(states) or 'none'}",
        is_serving=raw["Status"] in SERVING and any(state in SERVING for state in states),
        is_replica=bool(raw.get("ReplicationSourceIdentifier")),
        backup_days=raw["BackupRetentionPeriod"],
        restorable_to=raw.get("LatestRestorableTime", ""),
        is_encrypted=raw["StorageEncrypted"],
        # Aurora says it of each instance, a Multi-AZ cluster of itself.
        is_public=raw.get("PubliclyAccessible", False) or any(m["PubliclyAccessible"] for m in members),
        port=raw["Port"],
        place=places[raw["DBSubnetGroup"]],
        groups=_db_groups(raw),
        endpoints=_hosts(writers) | names([raw.get("Endpoint"), *raw.get("CustomEndpoints", [])]),
    )


def _db_groups(raw: dict[str, Any]) -> tuple[str, ...]:
    return tuple(group["VpcSecurityGroupId"] for group in raw["VpcSecurityGroups"])


def _hosts(instances: Iterable[dict[str, Any]]) -> frozenset[str]:
    return names(one.get("Endpoint", {}).get("Address") for one in instances)


def names(hosts: Iterable[str | None]) -> frozenset[str]:
    """Return host names as they are compared; nothing for what has none."""
    return frozenset(host.lower().rstrip(".") for host in hosts if host)
