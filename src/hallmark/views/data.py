"""PostgreSQL and Redis: the data stores AWS runs for the platform.

They are found by where they stand, the cluster's VPC, unless the target names them. An RDS instance and an Aurora
cluster become the same :class:`Database`, a replication group and a single cache cluster the same :class:`Cache`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hallmark.model import Call
from hallmark.views.base import View, cached_property

POSTGRES = frozenset({"postgres", "aurora-postgresql"})
REDIS = frozenset({"redis", "valkey"})
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


@dataclass(frozen=True)
class Cache:
    """One Redis: a replication group, or a cache cluster on its own.

    Attributes:
        id: Identifier.
        arn: ARN.
        engine: ``redis`` or ``valkey``.
        status: State as AWS names it.
        is_serving: Whether it answers.
        snapshot_days: Days snapshots are kept.
        demands_tls: Whether connections without TLS are refused.
        demands_token: Whether clients must give the AUTH token.
        port: TCP port; 0 while it does not serve.
        place: VPC and subnets.
        groups: Security groups.
        endpoints: Host names under which it takes writes.
    """

    id: str
    arn: str
    engine: str
    status: str
    is_serving: bool
    snapshot_days: int
    demands_tls: bool
    demands_token: bool
    port: int
    place: SubnetGroup
    groups: tuple[str, ...]
    endpoints: frozenset[str] = frozenset()

    @property
    def look(self) -> str:
        """The command that shows it."""
        if ":replicationgroup:" in self.arn:
            return f"aws elasticache describe-replication-groups --replication-group-id {self.id}"
        return f"aws elasticache describe-cache-clusters --cache-cluster-id {self.id}"


class Data(View):
    """The platform's data stores."""

    @cached_property
    def databases(self) -> tuple[Database, ...]:
        """PostgreSQL databases of the platform, whatever state they are in."""
        instances, clusters, groups = self.ask_all([
            Call.of("rds", "describe_db_instances"),
            Call.of("rds", "describe_db_clusters"),
            Call.of("rds", "describe_db_subnet_groups"),
        ])  # fmt: skip
        places = {group["DBSubnetGroupName"]: _db_place(group) for group in groups["DBSubnetGroups"]}
        alone = [i for i in instances["DBInstances"] if not i.get("DBClusterIdentifier")]
        found = [_instance(raw, places) for raw in alone if raw["Engine"] in POSTGRES]
        for raw in clusters["DBClusters"]:
            if raw["Engine"] in POSTGRES:
                members = [
                    i for i in instances["DBInstances"] if i.get("DBClusterIdentifier") == raw["DBClusterIdentifier"]
                ]
                found.append(_cluster(raw, members, places))
        return tuple(database for database in found if self._is_ours(database, self.scope("postgres")))

    @cached_property
    def caches(self) -> tuple[Cache, ...]:
        """Redis and Valkey caches of the platform, whatever state they are in."""
        replications, clusters, groups = self.ask_all([
            Call.of("elasticache", "describe_replication_groups"),
            Call.of("elasticache", "describe_cache_clusters", ShowCacheNodeInfo=True),
            Call.of("elasticache", "describe_cache_subnet_groups"),
        ])  # fmt: skip
        places = {group["CacheSubnetGroupName"]: _cache_place(group) for group in groups["CacheSubnetGroups"]}
        redis = [cluster for cluster in clusters["CacheClusters"] if cluster["Engine"] in REDIS]
        members = [
            (raw, [one for one in redis if one.get("ReplicationGroupId") == raw["ReplicationGroupId"]])
            for raw in replications["ReplicationGroups"]
        ]
        found = [_replication_group(raw, nodes, places) for raw, nodes in members if nodes]
        found += [_cache_cluster(raw, places) for raw in redis if not raw.get("ReplicationGroupId")]
        return tuple(cache for cache in found if self._is_ours(cache, self.scope("redis")))

    def _is_ours(self, store: Database | Cache, named: str) -> bool:
        return store.id == named if named else store.place.vpc == self.views.network.vpc_id


def _db_place(raw: dict[str, Any]) -> SubnetGroup:
    return SubnetGroup(raw["VpcId"], tuple(subnet["SubnetIdentifier"] for subnet in raw["Subnets"]))


def _cache_place(raw: dict[str, Any]) -> SubnetGroup:
    return SubnetGroup(raw["VpcId"], tuple(subnet["SubnetIdentifier"] for subnet in raw["Subnets"]))


def _instance(raw: dict[str, Any], places: dict[str, SubnetGroup]) -> Database:
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


def _cluster(raw: dict[str, Any], members: list[dict[str, Any]], places: dict[str, SubnetGroup]) -> Database:
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
        endpoints=_hosts(writers) | _names([raw.get("Endpoint"), *raw.get("CustomEndpoints", [])]),
    )


def _db_groups(raw: dict[str, Any]) -> tuple[str, ...]:
    return tuple(group["VpcSecurityGroupId"] for group in raw["VpcSecurityGroups"])


def _replication_group(raw: dict[str, Any], members: list[dict[str, Any]], places: dict[str, SubnetGroup]) -> Cache:
    # Place and security groups are told by the members, and are the same for all of them.
    serving = raw["Status"] in SERVING
    nodes = [node for shard in raw.get("NodeGroups", []) for node in shard.get("NodeGroupMembers", [])]
    replicas = {node["CacheClusterId"] for node in nodes if node.get("CurrentRole") == "replica"}
    primaries = [one for one in members if one["CacheClusterId"] not in replicas]
    return Cache(
        id=raw["ReplicationGroupId"],
        arn=raw["ARN"],
        engine=members[0]["Engine"],
        status=raw["Status"],
        is_serving=serving,
        snapshot_days=raw.get("SnapshotRetentionLimit", 0),
        demands_tls=_demands_tls(raw),
        demands_token=raw["AuthTokenEnabled"],
        port=_endpoint(raw)["Port"] if serving else 0,
        place=places[members[0]["CacheSubnetGroupName"]],
        groups=_cache_groups(members),
        endpoints=_replication_hosts(raw) | _node_hosts(primaries),
    )


def _cache_cluster(raw: dict[str, Any], places: dict[str, SubnetGroup]) -> Cache:
    serving = raw["CacheClusterStatus"] in SERVING
    return Cache(
        id=raw["CacheClusterId"],
        arn=raw["ARN"],
        engine=raw["Engine"],
        status=raw["CacheClusterStatus"],
        is_serving=serving,
        snapshot_days=raw.get("SnapshotRetentionLimit", 0),
        demands_tls=_demands_tls(raw),
        demands_token=raw["AuthTokenEnabled"],
        port=raw["CacheNodes"][0]["Endpoint"]["Port"] if serving else 0,
        place=places[raw["CacheSubnetGroupName"]],
        groups=_cache_groups([raw]),
        endpoints=_node_hosts([raw]),
    )


def _hosts(instances: Iterable[dict[str, Any]]) -> frozenset[str]:
    return _names(one.get("Endpoint", {}).get("Address") for one in instances)


def _replication_hosts(group: dict[str, Any]) -> frozenset[str]:
    shards = group.get("NodeGroups", [])
    ends = [shard.get("PrimaryEndpoint", {}) for shard in shards]
    return _names(end.get("Address") for end in [group.get("ConfigurationEndpoint") or {}, *ends])


def _node_hosts(clusters: Iterable[dict[str, Any]]) -> frozenset[str]:
    ends = [one.get("ConfigurationEndpoint") or {} for one in clusters]
    nodes = [node for one in clusters for node in one.get("CacheNodes", [])]
    return _names(end.get("Address") for end in [*ends, *(node.get("Endpoint", {}) for node in nodes)])


def _names(hosts: Iterable[str | None]) -> frozenset[str]:
    return frozenset(host.lower().rstrip(".") for host in hosts if host)


def _demands_tls(raw: dict[str, Any]) -> bool:
    # In mode "preferred" plain connections are let in too (ElastiCache user guide, "In-transit encryption").
    return bool(raw["TransitEncryptionEnabled"] and raw.get("TransitEncryptionMode", "required") == "required")


def _endpoint(group: dict[str, Any]) -> dict[str, Any]:
    """In cluster mode there is one for all shards, otherwise the only shard's primary."""
    endpoint: dict[str, Any] = group.get("ConfigurationEndpoint") or group["NodeGroups"][0]["PrimaryEndpoint"]
    return endpoint


def _cache_groups(clusters: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(sorted({group["SecurityGroupId"] for one in clusters for group in one["SecurityGroups"]}))
