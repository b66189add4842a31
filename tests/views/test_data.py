"""Data stores in the shapes the solution does not have: Aurora, Multi-AZ clusters, single cache clusters."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views.all import Views
from hallmark.views.data import Data

PLACE = {"VpcId": "vpc-1", "Subnets": [{"SubnetIdentifier": "a"}, {"SubnetIdentifier": "b"}]}
CLUSTER = {
    "DBClusterIdentifier": "pg",
    "DBClusterArn": "arn:aws:rds:r:1:cluster:pg",
    "Engine": "aurora-postgresql",
    "EngineVersion": "15.4",
    "Status": "available",
    "BackupRetentionPeriod": 1,
    "LatestRestorableTime": "2026-01-01T00:00:00Z",
    "StorageEncrypted": True,
    "Port": 5432,
    "DBSubnetGroup": "db",
    "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1", "Status": "active"}],
}
MEMBER = {
    "DBInstanceIdentifier": "pg-1",
    "DBClusterIdentifier": "pg",
    "Engine": "aurora-postgresql",
    "DBInstanceStatus": "available",
    "PubliclyAccessible": False,
}
CACHE = {
    "CacheClusterId": "r",
    "ARN": "arn:aws:elasticache:r:1:cluster:r",
    "Engine": "redis",
    "CacheClusterStatus": "available",
    "CacheSubnetGroupName": "cache",
    "SecurityGroups": [{"SecurityGroupId": "sg-2"}],
    "TransitEncryptionEnabled": True,
    "AuthTokenEnabled": True,
    "CacheNodes": [{"Endpoint": {"Port": 6380}}],
}
GROUP = {
    "ReplicationGroupId": "g",
    "ARN": "arn:aws:elasticache:r:1:replicationgroup:g",
    "Status": "available",
    "SnapshotRetentionLimit": 2,
    "TransitEncryptionEnabled": True,
    "TransitEncryptionMode": "preferred",
    "AuthTokenEnabled": False,
    "UserGroupIds": ["team"],
    "NodeGroups": [{"PrimaryEndpoint": {"Port": 6379}}],
}


def data(
    instances: Sequence[Any] = (),
    clusters: Sequence[Any] = (),
    caches: Sequence[Any] = (),
    replications: Sequence[Any] = (),
    users: Sequence[Any] = (),
    **scope: str,
) -> Data:
    """A data view over the given resources, all in ``vpc-1``."""
    cluster = {"cluster": {"resourcesVpcConfig": {"vpcId": "vpc-1"}}}
    answers = {
        Call.of("eks", "describe_cluster", name="c"): cluster,
        Call.of("rds", "describe_db_instances"): {"DBInstances": [*instances]},
        Call.of("rds", "describe_db_clusters"): {"DBClusters": [*clusters]},
        Call.of("rds", "describe_db_subnet_groups"): {"DBSubnetGroups": [PLACE | {"DBSubnetGroupName": "db"}]},
        Call.of("elasticache", "describe_replication_groups"): {"ReplicationGroups": [*replications]},
        Call.of("elasticache", "describe_cache_clusters", ShowCacheNodeInfo=True): {"CacheClusters": [*caches]},
        Call.of("elasticache", "describe_users"): {"Users": [*users]},
        Call.of("elasticache", "describe_cache_subnet_groups"): {
            "CacheSubnetGroups": [PLACE | {"CacheSubnetGroupName": "cache"}]
        },
    }
    observed = {call.key: Answer(Status.OBSERVED, value) for call, value in answers.items()}
    return Views(Snapshot(observed, {"cluster": "c", **scope})).data


def test_aurora_is_one_database_however_many_instances_it_has() -> None:
    """Its instances are not databases of their own."""
    (database,) = data([MEMBER, MEMBER | {"DBInstanceIdentifier": "pg-2"}], [CLUSTER]).databases
    assert (database.id, database.is_serving, database.place.subnets) == ("pg", True, ("a", "b"))
    assert database.look == "aws rds describe-db-clusters --db-cluster-identifier pg"


def test_aurora_without_an_instance_serves_nobody() -> None:
    """Storage alone answers no query."""
    (database,) = data([], [CLUSTER]).databases
    assert not database.is_serving


def test_one_public_instance_makes_an_aurora_cluster_public() -> None:
    """Any instance is a way in."""
    (database,) = data([MEMBER, MEMBER | {"PubliclyAccessible": True}], [CLUSTER]).databases
    assert database.is_public


def test_a_multi_az_cluster_says_itself_that_it_is_public() -> None:
    """Its engine is plain PostgreSQL."""
    cluster = CLUSTER | {"Engine": "postgres", "PubliclyAccessible": True}
    (database,) = data([MEMBER | {"Engine": "postgres"}], [cluster]).databases
    assert database.is_public


@pytest.mark.parametrize("engine", ["docdb", "neptune", "aurora-mysql"])
def test_other_clusters_in_the_same_answer_are_not_databases_of_the_platform(engine: str) -> None:
    """RDS lists DocumentDB and Neptune too."""
    assert data([MEMBER | {"Engine": engine}], [CLUSTER | {"Engine": engine}]).databases == ()


def test_a_database_the_target_names_is_the_only_one() -> None:
    """Others in the VPC are not graded then."""
    assert data([MEMBER], [CLUSTER], postgres="another").databases == ()
    assert [one.id for one in data([MEMBER], [CLUSTER], postgres="pg").databases] == ["pg"]


def test_a_single_cache_cluster_is_a_cache() -> None:
    """A replication group is not asked for."""
    (cache,) = data(caches=[CACHE]).caches
    assert (cache.id, cache.port, cache.groups, cache.snapshot_days) == ("r", 6380, ("sg-2",), 0)
    assert cache.look == "aws elasticache describe-cache-clusters --cache-cluster-id r"


def test_members_of_a_replication_group_are_one_cache() -> None:
    """Place and security groups come from the members, the rest from the group."""
    members = [CACHE | {"CacheClusterId": f"g-{n}", "ReplicationGroupId": "g"} for n in range(3)]
    (cache,) = data(caches=members, replications=[GROUP]).caches
    assert (cache.id, cache.snapshot_days, cache.demands_tls, cache.demands_token) == ("g", 2, False, False)
    assert (cache.port, cache.place.vpc) == (6379, "vpc-1")


@pytest.mark.parametrize(
    ("kind", "access", "is_open"),
    [
        ("no-password", "on ~* +@all", True),
        ("no-password", "off ~* +@all", False),
        ("password", "on ~* +@all", False),
        ("iam", "on ~* +@all", False),
    ],
)
def test_a_user_is_open_who_proves_nothing(kind: str, access: str, *, is_open: bool) -> None:
    """A user that is switched off gets in nowhere; users of other groups are of no concern."""
    user = {"UserId": "u", "Authentication": {"Type": kind}, "AccessString": access, "UserGroupIds": ["team"]}
    others = user | {"UserId": "o", "UserGroupIds": ["others"]}
    view = data(caches=[CACHE | {"ReplicationGroupId": "g"}], replications=[GROUP], users=[user, others])
    (cache,) = view.caches

    assert view.open_users(cache) == (["u"] if is_open else [])
    assert view.open_users(replace(cache, user_groups=frozenset())) == []


def test_memcached_is_no_cache_of_the_platform() -> None:
    """It keeps no queues."""
    assert data(caches=[CACHE | {"Engine": "memcached"}]).caches == ()


def test_a_database_takes_writes_under_its_writers_endpoints() -> None:
    """The cluster's, custom ones, and the writer's own; AWS's capitals do not matter to DNS."""
    roles = {"pg-1": True, "pg-2": False}
    named = CLUSTER | {
        "DBClusterMembers": [{"DBInstanceIdentifier": n, "IsClusterWriter": w} for n, w in roles.items()],
        "Endpoint": "PG.cluster.rds",
        "ReaderEndpoint": "pg.cluster-ro.rds",
        "CustomEndpoints": ["x.rds"],
    }
    members = [
        MEMBER | {"DBInstanceIdentifier": name, "Endpoint": {"Address": f"{name}.rds", "Port": 5432}} for name in roles
    ]
    (database,) = data([*members, MEMBER], [named]).databases
    assert database.endpoints == {"pg.cluster.rds", "x.rds", "pg-1.rds"}


def test_a_cache_takes_writes_under_its_primary_and_its_node() -> None:
    """With shards there is one endpoint for all of them besides; a reader and its node take none."""
    shard = {
        "NodeGroupMembers": [
            {"CacheClusterId": "r", "CurrentRole": "primary"},
            {"CacheClusterId": "r2", "CurrentRole": "replica"},
        ],
        "PrimaryEndpoint": {"Address": "master.r", "Port": 1},
        "ReaderEndpoint": {"Address": "replica.r", "Port": 1},
    }
    group = {
        "ReplicationGroupId": "g",
        "ARN": "arn:aws:elasticache:r:1:replicationgroup:g",
        "Status": "available",
        "TransitEncryptionEnabled": True,
        "AuthTokenEnabled": True,
        "NodeGroups": [shard],
        "ConfigurationEndpoint": {"Address": "config.r", "Port": 1},
    }
    node = {"Endpoint": {"Address": "r-001.r", "Port": 1}}
    replica = {"CacheClusterId": "r2", "CacheNodes": [{"Endpoint": {"Address": "r-002.r", "Port": 1}}]}
    nodes = [CACHE | {"ReplicationGroupId": "g", **one} for one in ({"CacheNodes": [node]}, replica)]
    (cache,) = data(caches=nodes, replications=[group]).caches
    assert cache.endpoints == {"config.r", "master.r", "r-001.r"}


def test_a_single_cache_answers_under_its_node() -> None:
    """Nothing else names it."""
    (cache,) = data(caches=[CACHE | {"CacheNodes": [{"Endpoint": {"Address": "r.0001", "Port": 6379}}]}]).caches
    assert cache.endpoints == {"r.0001"}
