"""ElastiCache: nodes, parameter groups, changes, deletions, and what AWS refuses."""

from typing import Any

import pytest

from hallmark.twin.clients import Clients

TOKEN = "a-token-of-enough-length"


@pytest.fixture
def subnets(aws: Clients, network: Any) -> str:
    """A cache subnet group over three zones."""
    aws("elasticache").create_cache_subnet_group(
        CacheSubnetGroupName="data", CacheSubnetGroupDescription="data", SubnetIds=network.subnets
    )
    return "data"


def _create(aws: Clients, **more: Any) -> Any:
    wanted = {"Engine": "redis", "EngineVersion": "7.1", "CacheNodeType": "cache.m6g.large", **more}
    return aws("elasticache").create_replication_group(
        ReplicationGroupId="redis", ReplicationGroupDescription="redis", **wanted
    )["ReplicationGroup"]


def _nodes(aws: Clients) -> Any:
    return aws("elasticache").describe_cache_clusters(ShowCacheNodeInfo=True)["CacheClusters"]


def test_a_group_has_nodes_with_its_settings(aws: Clients, subnets: str, network: Any) -> None:
    """TLS, AUTH, encryption, snapshots, security groups: the node has what its group was asked for."""
    group = _create(
        aws,
        AuthToken=TOKEN,
        TransitEncryptionEnabled=True,
        AtRestEncryptionEnabled=True,
        SnapshotRetentionLimit=7,
        CacheSubnetGroupName=subnets,
        SecurityGroupIds=[network.group],
    )

    (node,) = _nodes(aws)
    assert group["MemberClusters"] == [node["CacheClusterId"]] == ["redis-001"]
    assert all(node[one] for one in ("TransitEncryptionEnabled", "AtRestEncryptionEnabled", "AuthTokenEnabled"))
    assert node["SnapshotRetentionLimit"] == 7
    assert node["SecurityGroups"] == [{"SecurityGroupId": network.group, "Status": "active"}]
    assert node["CacheParameterGroup"]["CacheParameterGroupName"] == "default.redis7"


def test_the_nodes_stand_in_different_zones(aws: Clients, subnets: str) -> None:
    """As many nodes as were asked for, spread over the zones of the subnet group."""
    _create(aws, NumCacheClusters=3, AutomaticFailoverEnabled=True, MultiAZEnabled=True, CacheSubnetGroupName=subnets)

    zones = [node["PreferredAvailabilityZone"] for node in _nodes(aws)]
    assert sorted(zones) == ["us-east-1a", "us-east-1b", "us-east-1c"]


@pytest.mark.usefixtures("subnets")
def test_a_group_can_be_changed(aws: Clients, network: Any) -> None:
    """Snapshots and security groups, on the group and on its nodes."""
    _create(aws)

    aws("elasticache").modify_replication_group(
        ReplicationGroupId="redis", SnapshotRetentionLimit=3, SecurityGroupIds=[network.group]
    )

    group = aws("elasticache").describe_replication_groups()["ReplicationGroups"][0]
    assert group["SnapshotRetentionLimit"] == _nodes(aws)[0]["SnapshotRetentionLimit"] == 3
    assert _nodes(aws)[0]["SecurityGroups"][0]["SecurityGroupId"] == network.group


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"AuthTokenUpdateStrategy": "DELETE"}, "together with a user group"),
        ({"AuthTokenUpdateStrategy": "DELETE", "AuthToken": TOKEN}, "together with a user group"),
        ({"AuthTokenUpdateStrategy": "ROTATE"}, "must be specified with AuthToken"),
        ({"AuthTokenUpdateStrategy": "DELETE", "UserGroupIdsToAdd": ["people"]}, "have no user groups"),
    ],
)
def test_a_token_is_not_taken_away(aws: Clients, refused: Any, wish: Any, words: str) -> None:
    """As on AWS a cache that asked for a token goes on asking; nothing says so and does nothing."""
    _create(aws, AuthToken=TOKEN, TransitEncryptionEnabled=True)

    with refused("InvalidParameterCombination", words):
        aws("elasticache").modify_replication_group(ReplicationGroupId="redis", **wish)
    assert _nodes(aws)[0]["AuthTokenEnabled"]


def test_no_token_in_the_open(aws: Clients, refused: Any) -> None:
    """Neither at the beginning nor later."""
    _create(aws)

    with refused("InvalidParameterCombination", "encryption-in-transit"):
        aws("elasticache").modify_replication_group(
            ReplicationGroupId="redis", AuthToken=TOKEN, AuthTokenUpdateStrategy="ROTATE"
        )
    assert not _nodes(aws)[0]["AuthTokenEnabled"]


def test_a_group_that_is_deleted_goes(aws: Clients) -> None:
    """It is seen going once, then it is gone, with its nodes."""
    _create(aws)
    cache = aws("elasticache")

    cache.delete_replication_group(ReplicationGroupId="redis")

    assert [group["Status"] for group in cache.describe_replication_groups()["ReplicationGroups"]] == ["deleting"]
    assert cache.describe_replication_groups()["ReplicationGroups"] == []
    assert _nodes(aws) == []


def test_a_single_cluster_can_be_changed_and_deleted(aws: Clients) -> None:
    """Without a replication group too."""
    cache = aws("elasticache")
    cache.create_cache_cluster(CacheClusterId="one", Engine="redis", CacheNodeType="cache.t4g.micro", NumCacheNodes=1)

    cache.modify_cache_cluster(CacheClusterId="one", CacheNodeType="cache.m6g.large")
    assert _nodes(aws)[0]["CacheNodeType"] == "cache.m6g.large"

    cache.delete_cache_cluster(CacheClusterId="one")
    assert [node["CacheClusterStatus"] for node in _nodes(aws)] == ["deleting"]
    assert _nodes(aws) == []


def test_a_subnet_group_can_be_changed_and_deleted(aws: Clients, subnets: str, network: Any, refused: Any) -> None:
    """To other subnets; a deleted one is not found."""
    cache = aws("elasticache")

    cache.modify_cache_subnet_group(CacheSubnetGroupName=subnets, SubnetIds=network.subnets[:2])
    found = cache.describe_cache_subnet_groups(CacheSubnetGroupName=subnets)["CacheSubnetGroups"][0]
    assert [subnet["SubnetIdentifier"] for subnet in found["Subnets"]] == network.subnets[:2]

    cache.delete_cache_subnet_group(CacheSubnetGroupName=subnets)
    with refused("CacheSubnetGroupNotFoundFault", "not found"):
        cache.describe_cache_subnet_groups(CacheSubnetGroupName=subnets)


def test_a_parameter_group_lives_and_dies(aws: Clients, refused: Any) -> None:
    """Made, filled, reset, tagged, removed."""
    cache, name = aws("elasticache"), {"CacheParameterGroupName": "mine"}
    made = cache.create_cache_parameter_group(
        **name, CacheParameterGroupFamily="redis7", Description="mine", Tags=[{"Key": "owner", "Value": "lab"}]
    )["CacheParameterGroup"]
    policy = {"ParameterName": "maxmemory-policy", "ParameterValue": "noeviction"}

    cache.modify_cache_parameter_group(**name, ParameterNameValues=[policy])
    (found,) = cache.describe_cache_parameters(**name)["Parameters"]
    assert (found["ParameterName"], found["ParameterValue"]) == ("maxmemory-policy", "noeviction")
    assert cache.list_tags_for_resource(ResourceName=made["ARN"])["TagList"][0]["Value"] == "lab"

    cache.reset_cache_parameter_group(**name, ResetAllParameters=True)
    assert cache.describe_cache_parameters(**name)["Parameters"] == []
    cache.delete_cache_parameter_group(**name)
    with refused("CacheParameterGroupNotFound", "mine not found"):
        cache.describe_cache_parameter_groups(**name)


def test_the_default_groups_exist(aws: Clients) -> None:
    """Nobody makes them."""
    found = aws("elasticache").describe_cache_parameter_groups(CacheParameterGroupName="default.redis7")

    assert found["CacheParameterGroups"][0]["CacheParameterGroupFamily"] == "redis7"


@pytest.mark.parametrize(
    ("wish", "code", "words"),
    [
        ({"EngineVersion": "99"}, "InvalidParameterCombination", "Cannot find version 99 for redis"),
        ({"AuthToken": TOKEN}, "InvalidParameterCombination", "encryption-in-transit"),
        ({"AuthToken": "short", "TransitEncryptionEnabled": True}, "InvalidParameterValue", "between 16 and 128"),
        ({"AutomaticFailoverEnabled": True}, "InvalidParameterCombination", "at least two cache clusters"),
        ({"MultiAZEnabled": True, "NumCacheClusters": 2}, "InvalidParameterCombination", "automatic failover"),
        ({"SnapshotRetentionLimit": 99}, "InvalidParameterValue", "Must be between 0 and 35"),
        ({"CacheParameterGroupName": "default.redis6.x"}, "InvalidParameterCombination", "Expected a parameter group"),
    ],
)
def test_an_impossible_group_is_refused(aws: Clients, refused: Any, wish: Any, code: str, words: str) -> None:
    """Moto would take them all."""
    with refused(code, words):
        _create(aws, **wish)
    assert aws("elasticache").describe_replication_groups()["ReplicationGroups"] == []


def test_valkey_is_offered(aws: Clients) -> None:
    """A valid variant of the reference."""
    assert _create(aws, Engine="valkey", EngineVersion="8.1")["ReplicationGroupId"] == "redis"
