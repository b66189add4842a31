"""PostgreSQL and Redis: the data stores AWS runs for the platform.

They are found by where they stand, the cluster's VPC, unless the target names them. An RDS instance and an Aurora
cluster become the same :class:`~hallmark.views.databases.Database`, a replication group and a single cache cluster
the same :class:`~hallmark.views.caches.Cache`.
"""

from typing import Any

from hallmark.model import Call
from hallmark.views import caches, databases
from hallmark.views.base import View, cached_property
from hallmark.views.caches import Cache
from hallmark.views.databases import Database, SubnetGroup

POSTGRES = frozenset({"postgres", "aurora-postgresql"})
REDIS = frozenset({"redis", "valkey"})


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
        places = {group["DBSubnetGroupName"]: _place(group) for group in groups["DBSubnetGroups"]}
        alone = [i for i in instances["DBInstances"] if not i.get("DBClusterIdentifier")]
        found = [databases.from_instance(raw, places) for raw in alone if raw["Engine"] in POSTGRES]
        for raw in clusters["DBClusters"]:
            if raw["Engine"] in POSTGRES:
                members = [
                    i for i in instances["DBInstances"] if i.get("DBClusterIdentifier") == raw["DBClusterIdentifier"]
                ]
                found.append(databases.from_cluster(raw, members, places))
        return tuple(database for database in found if self._is_ours(database, self.scope("postgres")))

    @cached_property
    def caches(self) -> tuple[Cache, ...]:
        """Redis and Valkey caches of the platform, whatever state they are in."""
        replications, clusters, groups = self.ask_all([
            Call.of("elasticache", "describe_replication_groups"),
            Call.of("elasticache", "describe_cache_clusters", ShowCacheNodeInfo=True),
            Call.of("elasticache", "describe_cache_subnet_groups"),
        ])  # fmt: skip
        places = {group["CacheSubnetGroupName"]: _place(group) for group in groups["CacheSubnetGroups"]}
        redis = [cluster for cluster in clusters["CacheClusters"] if cluster["Engine"] in REDIS]
        members = [
            (raw, [one for one in redis if one.get("ReplicationGroupId") == raw["ReplicationGroupId"]])
            for raw in replications["ReplicationGroups"]
        ]
        found = [caches.from_group(raw, nodes, places) for raw, nodes in members if nodes]
        found += [caches.from_cluster(raw, places) for raw in redis if not raw.get("ReplicationGroupId")]
        return tuple(cache for cache in found if self._is_ours(cache, self.scope("redis")))

    def open_users(self, cache: Cache) -> list[str]:
        """Return the ids of a cache's users that get in without proving who they are.

        Source: ElastiCache user guide, "Role-Based Access Control (RBAC)".
        """
        if not cache.user_groups:
            return []
        users = self.ask("elasticache", "describe_users")["Users"]
        return [one["UserId"] for one in users if caches.is_open(one) and cache.user_groups & {*one["UserGroupIds"]}]

    def _is_ours(self, store: Database | Cache, named: str) -> bool:
        return store.id == named if named else store.place.vpc == self.views.network.vpc_id


def _place(raw: dict[str, Any]) -> SubnetGroup:
    return SubnetGroup(raw["VpcId"], tuple(subnet["SubnetIdentifier"] for subnet in raw["Subnets"]))
