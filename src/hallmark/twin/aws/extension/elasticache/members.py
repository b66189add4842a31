"""The nodes of a replication group: cache clusters of their own, each in a zone of the subnet group."""

import inspect
from itertools import cycle
from typing import Any

from moto.elasticache.models import CacheCluster, ElastiCacheBackend, ReplicationGroup

from hallmark.twin.aws.extension.patching import Function, around

MAINTENANCE = "sun:06:00-sun:07:00"
"""Maintenance window when none is asked for."""


def install() -> None:
    """Make and remove the nodes with their group; let a cluster answer with what the API has and moto has not."""
    around(ElastiCacheBackend, "create_replication_group")(_create)
    around(ElastiCacheBackend, "delete_replication_group")(_delete)
    node: Any = CacheCluster
    node.security_groups = property(_security_groups)
    node.cache_parameter_group = property(_parameter_group)
    node.at_rest_encryption_enabled = False


def _create(original: Function, backend: ElastiCacheBackend, **wanted: Any) -> ReplicationGroup:
    nodes = int(wanted.get("num_cache_clusters") or 0)
    if nodes > 1 and not wanted.get("replicas_per_node_group"):
        wanted["replicas_per_node_group"] = nodes - 1
    if wanted.get("transit_encryption_enabled"):
        wanted["transit_encryption_mode"] = wanted.get("transit_encryption_mode") or "required"
    wanted["auto_minor_version_upgrade"] = str(wanted.get("auto_minor_version_upgrade")).lower() != "false"
    group: ReplicationGroup = original(backend, **wanted)
    zones = cycle(_zones(backend, wanted))
    for shard in group.node_groups:
        for member in shard["node_group_members"]:
            member["preferred_availability_zone"] = next(zones, member["preferred_availability_zone"])
            _add_node(backend, group, member, wanted)
    return group


def _zones(backend: ElastiCacheBackend, wanted: dict[str, Any]) -> list[str]:
    subnet_group = backend.cache_subnet_groups.get(wanted.get("cache_subnet_group_name") or "")
    offered = [subnet["subnet_availability_zone"] for subnet in subnet_group.subnets] if subnet_group else []
    return wanted.get("preferred_cache_cluster_azs") or offered


def _add_node(
    backend: ElastiCacheBackend, group: ReplicationGroup, member: dict[str, Any], wanted: dict[str, Any]
) -> None:
    # A node has what its group was asked for; what belongs to groups only, CacheCluster does not take.
    known = inspect.signature(CacheCluster.__init__).parameters.keys() - {"self"}
    options: dict[str, Any] = {name: wanted.get(name) for name in known}
    options |= {
        "account_id": backend.account_id,
        "region_name": backend.region_name,
        "cache_cluster_id": member["cache_cluster_id"],
        "replication_group_id": group.replication_group_id,
        "preferred_availability_zone": member["preferred_availability_zone"],
        "preferred_maintenance_window": wanted.get("preferred_maintenance_window") or MAINTENANCE,
        "num_cache_nodes": 1,
        "engine": "redis",  # moto sets up snapshots for this name only
        "log_delivery_configurations": [],
    }
    node: Any = CacheCluster(**options)
    node.engine = group.engine
    node.at_rest_encryption_enabled = bool(group.at_rest_encryption_enabled)
    backend.cache_clusters[node.cache_cluster_id] = node


def _delete(original: Function, backend: ElastiCacheBackend, replication_group_id: str, **kwargs: Any) -> Any:
    group = backend.replication_groups.get(replication_group_id)
    for member in list(group.member_clusters) if group else ():
        backend.cache_clusters.pop(member, None)
    return original(backend, replication_group_id, **kwargs)


def _security_groups(node: CacheCluster) -> list[dict[str, str]]:
    return [{"SecurityGroupId": group, "Status": "active"} for group in node.security_group_ids]


def _parameter_group(node: CacheCluster) -> dict[str, Any]:
    default = "default.memcached1.6" if node.engine == "memcached" else f"default.{node.engine}7"
    name = node.cache_parameter_group_name or default
    return {"CacheParameterGroupName": name, "ParameterApplyStatus": "in-sync", "CacheNodeIdsToReboot": []}
