"""Changing and deleting caches: what moto leaves out, and what it leaves in ``deleting`` for ever."""

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models import ec2_backends
from moto.elasticache.exceptions import InvalidParameterCombinationException
from moto.elasticache.models import ElastiCacheBackend
from moto.elasticache.responses import ElastiCacheResponse

from hallmark.twin.aws.extension.elasticache.refusals import refuse_token
from hallmark.twin.aws.extension.patching import Function, around, extend, number, parameter, switch

TEXTS = {
    "CacheNodeType": "cache_node_type",
    "EngineVersion": "engine_version",
    "CacheParameterGroupName": "cache_parameter_group_name",
    "PreferredMaintenanceWindow": "preferred_maintenance_window",
    "SnapshotWindow": "snapshot_window",
    "NotificationTopicArn": "notification_topic_arn",
    "TransitEncryptionMode": "transit_encryption_mode",
    "SecurityGroupIds": "security_group_ids",
}
"""Parameters of both modify operations and the attribute each of them sets."""
SWITCHES = {
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
    "TransitEncryptionEnabled": "transit_encryption_enabled",
}


def install() -> None:
    """Add the missing operations; forget what is deleted once somebody has seen it go."""
    around(ElastiCacheResponse, "modify_replication_group")(_modify_replication_group)
    around(ElastiCacheBackend, "describe_cache_clusters")(_describe_cache_clusters)
    around(ElastiCacheBackend, "describe_replication_groups")(_describe_replication_groups)
    extend(ElastiCacheResponse, modify_cache_cluster, modify_cache_subnet_group, delete_cache_subnet_group)


def _modify_replication_group(original: Function, request: Any) -> Any:
    backend = request.elasticache_backend
    token, strategy = parameter(request, "AuthToken"), parameter(request, "AuthTokenUpdateStrategy")
    (group,) = backend.describe_replication_groups(parameter(request, "ReplicationGroupId"))
    _refuse_access(token, strategy, parameter(request, "UserGroupIdsToAdd"))
    refuse_token(token, is_encrypted=bool(group.transit_encryption_enabled))
    answer = original(request)
    nodes = [backend.cache_clusters[member] for member in group.member_clusters if member in backend.cache_clusters]
    for changed in (group, *nodes):
        _apply(request, changed)
        if token:
            _change_token(changed, token, strategy)
    return answer


def _refuse_access(token: str | None, strategy: str | None, user_groups: Any) -> None:
    # The API reference, ModifyReplicationGroup: DELETE is "allowed only when transitioning to RBAC".
    if user_groups:
        raise InvalidParameterCombinationException("The twin's caches have no user groups (RBAC).")
    if strategy == "DELETE":
        raise InvalidParameterCombinationException("DELETE is only allowed together with a user group")
    if strategy and not token:
        raise InvalidParameterCombinationException("AuthTokenUpdateStrategy must be specified with AuthToken")


def _change_token(changed: Any, token: str, strategy: str | None) -> None:
    # ROTATE, the default, lets both tokens in; SET leaves one (ElastiCache user guide, "AUTH").
    changed.former_auth_token = getattr(changed, "auth_token", None) if strategy != "SET" else None
    changed.auth_token, changed.auth_token_enabled = token, True


def _apply(request: Any, changed: Any) -> None:
    for name, attribute in TEXTS.items():
        value = parameter(request, name)
        if value is not None:
            setattr(changed, attribute, value)
    for name, attribute in SWITCHES.items():
        on = switch(request, name)
        if on is not None:
            setattr(changed, attribute, on)
    days = number(request, "SnapshotRetentionLimit")
    if days is not None:
        changed.snapshot_retention_limit = days


def modify_cache_cluster(request: Any) -> ActionResult:
    """ModifyCacheCluster."""
    cluster = request.elasticache_backend.describe_cache_clusters(parameter(request, "CacheClusterId"))[0]
    _apply(request, cluster)
    return ActionResult({"CacheCluster": cluster})


def modify_cache_subnet_group(request: Any) -> ActionResult:
    """ModifyCacheSubnetGroup: other subnets, another description."""
    backend = request.elasticache_backend
    group = backend.describe_cache_subnet_groups(parameter(request, "CacheSubnetGroupName"))[0]
    group.subnet_ids = parameter(request, "SubnetIds", group.subnet_ids)
    description = parameter(request, "CacheSubnetGroupDescription")
    group.cache_subnet_group_description = description or group.cache_subnet_group_description
    ec2 = ec2_backends[backend.account_id][backend.region_name]
    group.subnets = [
        {
            "subnet_identifier": subnet.id,
            "subnet_availability_zone": subnet.availability_zone,
            "supported_network_types": ["ipv4"],
        }
        for subnet in ec2.describe_subnets(subnet_ids=group.subnet_ids)
    ]
    return ActionResult({"CacheSubnetGroup": group})


def delete_cache_subnet_group(request: Any) -> ActionResult:
    """DeleteCacheSubnetGroup."""
    backend, name = request.elasticache_backend, parameter(request, "CacheSubnetGroupName")
    backend.describe_cache_subnet_groups(name)
    backend.cache_subnet_groups.pop(name)
    return EmptyResult()


def _describe_cache_clusters(original: Function, backend: ElastiCacheBackend, *args: Any, **kwargs: Any) -> Any:
    clusters = original(backend, *args, **kwargs)
    _forget(backend.cache_clusters, [one for one in clusters if one.cache_cluster_status == "deleting"])
    return clusters


def _describe_replication_groups(original: Function, backend: ElastiCacheBackend, *args: Any, **kwargs: Any) -> Any:
    groups = original(backend, *args, **kwargs)
    _forget(backend.replication_groups, [one for one in groups if one.status == "deleting"])
    return groups


def _forget(collection: dict[str, Any], gone: list[Any]) -> None:
    for name, resource in list(collection.items()):
        if resource in gone:
            del collection[name]
