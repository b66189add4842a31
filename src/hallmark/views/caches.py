"""Redis as ElastiCache runs it: a replication group, or a cache cluster on its own; both become the same."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hallmark.views.databases import SERVING, SubnetGroup, names


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
        user_groups: Groups of users that may log in; empty where users are not told apart.
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
    user_groups: frozenset[str] = frozenset()

    @property
    def look(self) -> str:
        """The command that shows it."""
        if ":replicationgroup:" in self.arn:
            return f"aws elasticache describe-replication-groups --replication-group-id {self.id}"
        return f"aws elasticache describe-cache-clusters --cache-cluster-id {self.id}"


def from_group(raw: dict[str, Any], members: list[dict[str, Any]], places: dict[str, SubnetGroup]) -> Cache:
    """Read a replication group and the cache clusters that are its *members*."""
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
        groups=_groups(members),
        endpoints=_group_hosts(raw) | _node_hosts(primaries),
        user_groups=frozenset(raw.get("UserGroupIds", ())),
    )


def from_cluster(raw: dict[str, Any], places: dict[str, SubnetGroup]) -> Cache:
    """Read a cache cluster that is of no replication group; *places* are the subnet groups by name."""
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
        groups=_groups([raw]),
        endpoints=_node_hosts([raw]),
    )


def is_open(user: dict[str, Any]) -> bool:
    """Whether a user gets in without proof: no password, no IAM, and not switched off."""
    is_off = user["AccessString"].split()[:1] == ["off"]
    return user["Authentication"]["Type"] == "no-password" and not is_off


def _group_hosts(group: dict[str, Any]) -> frozenset[str]:
    shards = group.get("NodeGroups", [])
    ends = [shard.get("PrimaryEndpoint", {}) for shard in shards]
    return names(end.get("Address") for end in [group.get("ConfigurationEndpoint") or {}, *ends])


def _node_hosts(clusters: Iterable[dict[str, Any]]) -> frozenset[str]:
    ends = [one.get("ConfigurationEndpoint") or {} for one in clusters]
    nodes = [node for one in clusters for node in one.get("CacheNodes", [])]
    return names(end.get("Address") for end in [*ends, *(node.get("Endpoint", {}) for node in nodes)])


def _demands_tls(raw: dict[str, Any]) -> bool:
    # In mode "preferred" plain connections are let in too (ElastiCache user guide, "In-transit encryption").
    return bool(raw["TransitEncryptionEnabled"] and raw.get("TransitEncryptionMode", "required") == "required")


def _endpoint(group: dict[str, Any]) -> dict[str, Any]:
    """In cluster mode there is one for all shards, otherwise the only shard's primary."""
    endpoint: dict[str, Any] = group.get("ConfigurationEndpoint") or group["NodeGroups"][0]["PrimaryEndpoint"]
    return endpoint


def _groups(clusters: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(sorted({group["SecurityGroupId"] for one in clusters for group in one["SecurityGroups"]}))
