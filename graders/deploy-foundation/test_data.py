"""PostgreSQL and Redis: there, current, backed up, and only for the cluster."""

import pytest

from hallmark.errors import Miss
from hallmark.views.caches import Cache
from hallmark.views.compute import Compute
from hallmark.views.data import Data
from hallmark.views.databases import Database
from hallmark.views.network import Network

OLDEST = 14
"""Oldest PostgreSQL the platform runs on."""


def _require_private(store: Database | Cache, network: Network) -> None:
    if not store.place.subnets:
        raise Miss(expected="a group of private subnets", observed="no subnet", where=store.arn, next=store.look)
    for subnet in (network.subnets[name] for name in store.place.subnets):
        if not subnet.is_private:
            raise Miss(
                expected="only subnets without a route to an internet gateway",
                observed=f"{subnet.id}, which has one",
                where=store.arn,
                next=f"aws ec2 describe-route-tables --route-table-ids {subnet.table}",
            )


def _require_inside(store: Database | Cache, network: Network) -> str:
    look = f"aws ec2 describe-security-groups --group-ids {' '.join(store.groups)}"
    if not store.groups:
        raise Miss(expected="a security group", observed="none", where=store.arn, next=store.look)
    if outside := network.from_outside(store.groups, store.port):
        raise Miss(
            expected="sources inside the VPC only: its security groups or its addresses",
            observed="; ".join(map(str, outside)),
            where=store.arn,
            next=look,
        )
    wide = [str(o) for o in network.openings(store.groups, store.port) if o.range is not None]
    return f"A security group as source is tighter than {'; '.join(wide)}." if wide else ""


def _require_reachable(store: Database | Cache, network: Network, compute: Compute) -> None:
    for node in compute.nodes:
        if not network.lets_in(store.groups, store.port, node.groups, node.subnet):
            raise Miss(
                expected=f"a rule that lets the nodes in to port {store.port}",
                observed=f"none for {node.id} in {node.subnet}",
                where=store.arn,
                next=f"aws ec2 describe-security-groups --group-ids {' '.join(store.groups)}",
            )
        for subnet in store.place.subnets:
            if acl := network.stopping(node.subnet, store.port, subnet):
                raise Miss(
                    expected=f"network ACLs that let nodes ask port {store.port}, and answers back",
                    observed=f"{acl} stops {node.id} in {node.subnet} on its way to {subnet}",
                    where=store.arn,
                    next=f"aws ec2 describe-network-acls --network-acl-ids {acl}",
                )


@pytest.mark.check(
    "PG-1",
    "ARCH-7",
    points=5,
    requires=["cluster_active"],
    why="Users, projects and keys live in PostgreSQL: without it nobody signs in.",
)
def test_postgres_found(data: Data, network: Network) -> None:
    """An RDS for PostgreSQL or Aurora PostgreSQL database is available in the cluster's VPC."""
    if not any(not one.is_replica for one in data.databases):
        raise Miss(
            expected="an RDS or Aurora database with engine PostgreSQL",
            observed="none",
            where=network.vpc_id,
            next="aws rds describe-db-instances",
        )
    for database in data.databases:
        if not database.is_serving:
            raise Miss(
                expected="a database that is available",
                observed=database.status,
                where=database.arn,
                next=database.look,
            )


@pytest.mark.check(
    "PG-2",
    points=2,
    requires=["postgres_found"],
    why="The migrations of the platform use features that older versions do not have.",
)
def test_postgres_version(data: Data) -> None:
    """PostgreSQL is version 14 or later."""
    for database in data.databases:
        if int(database.version.split(".")[0]) < OLDEST:
            raise Miss(
                expected=f"PostgreSQL {OLDEST} or later",
                observed=database.version,
                where=database.arn,
                next=database.look,
            )


@pytest.mark.check(
    "PG-4",
    points=3,
    requires=["postgres_found"],
    why="Metadata that is lost cannot be rebuilt from traces.",
)
def test_postgres_backups(data: Data) -> None:
    """The database makes automated backups it can be restored from."""
    for database in (one for one in data.databases if not one.is_replica):
        if database.backup_days < 1 or not database.restorable_to:
            raise Miss(
                expected="backups kept for a day or more, and a time to restore to",
                observed=f"{database.backup_days} days, restorable to {database.restorable_to or 'no time'}",
                where=database.arn,
                next=database.look,
            )


@pytest.mark.check(
    "PG-5",
    points=1,
    requires=["postgres_found"],
    why="Encryption cannot be switched on later: the database has to be copied.",
)
def test_postgres_encrypted(data: Data) -> None:
    """The storage of the database is encrypted."""
    for database in data.databases:
        if not database.is_encrypted:
            raise Miss(expected="storage encryption", observed="none", where=database.arn, next=database.look)


@pytest.mark.check(
    "NET-5",
    "SB-4",
    points=3,
    requires=["postgres_found", "single_vpc"],
    why="A database in a public subnet is one setting away from the internet.",
)
def test_postgres_private_subnets(data: Data, network: Network) -> None:
    """Every subnet the database may use is private."""
    for database in data.databases:
        _require_private(database, network)


@pytest.mark.check(
    "NET-5",
    "PG-5",
    points=3,
    requires=["postgres_found"],
    why="A publicly accessible database has an address that everybody can try.",
)
def test_postgres_not_public(data: Data) -> None:
    """The database is not publicly accessible."""
    for database in data.databases:
        if database.is_public:
            raise Miss(expected="PubliclyAccessible false", observed="true", where=database.arn, next=database.look)


@pytest.mark.check(
    "SB-4",
    "PG-5",
    points=3,
    requires=["postgres_found", "single_vpc"],
    why="The security group is the last line when routing or a password fails.",
)
def test_postgres_admits_inside(data: Data, network: Network) -> str:
    """The database admits nobody from outside the VPC."""
    return " ".join(filter(None, (_require_inside(one, network) for one in data.databases)))


@pytest.mark.check(
    "ARCH-7",
    points=3,
    requires=["postgres_found", "single_vpc", "nodes_managed"],
    why="When the rule is missing, connections time out, and login and almost everything else fail.",
)
def test_postgres_reachable(data: Data, network: Network, compute: Compute) -> None:
    """The security groups of the database let every node in."""
    for database in data.databases:
        _require_reachable(database, network, compute)


@pytest.mark.check(
    "RD-1",
    "ARCH-8",
    points=5,
    requires=["cluster_active"],
    why="Every trace waits in Redis before it is stored: without it ingestion is refused.",
)
def test_redis_found(data: Data, network: Network) -> str:
    """An ElastiCache for Redis OSS cache is available in the cluster's VPC."""
    if not data.caches:
        raise Miss(
            expected="an ElastiCache cache with engine Redis OSS",
            observed="none",
            where=network.vpc_id,
            next="aws elasticache describe-replication-groups",
        )
    for cache in data.caches:
        if not cache.is_serving:
            raise Miss(expected="a cache that is available", observed=cache.status, where=cache.arn, next=cache.look)
    valkey = [cache.id for cache in data.caches if cache.engine == "valkey"]
    return f"{', '.join(valkey)} runs Valkey: accepted, but not the engine of the reference (D6)." if valkey else ""


@pytest.mark.check(
    "NET-6",
    "SB-4",
    points=3,
    requires=["redis_found", "single_vpc"],
    why="A cache in a public subnet is one setting away from the internet.",
)
def test_redis_private_subnets(data: Data, network: Network) -> None:
    """Every subnet the cache may use is private."""
    for cache in data.caches:
        _require_private(cache, network)


@pytest.mark.check(
    "SB-4",
    points=3,
    requires=["redis_found", "single_vpc"],
    why="Queued traces hold what users typed: nobody outside may read them.",
)
def test_redis_admits_inside(data: Data, network: Network) -> str:
    """The cache admits nobody from outside the VPC."""
    return " ".join(filter(None, (_require_inside(one, network) for one in data.caches)))


@pytest.mark.check(
    "ARCH-8",
    points=3,
    requires=["redis_found", "single_vpc", "nodes_managed"],
    why="When the rule is missing, posting traces fails and the workers restart.",
)
def test_redis_reachable(data: Data, network: Network, compute: Compute) -> None:
    """The security groups of the cache let every node in."""
    for cache in data.caches:
        _require_reachable(cache, network, compute)


@pytest.mark.check(
    "RD-3",
    points=1,
    requires=["redis_found"],
    why="A node that is lost without a snapshot takes the queued traces with it.",
)
def test_redis_snapshots(data: Data) -> None:
    """The cache takes snapshots."""
    for cache in data.caches:
        if cache.snapshot_days < 1:
            raise Miss(expected="snapshots kept for a day or more", observed="none", where=cache.arn, next=cache.look)


@pytest.mark.check(
    "RD-4",
    points=1,
    requires=["redis_found"],
    why="Without TLS, tokens and traces cross the network readable.",
)
def test_redis_tls(data: Data) -> None:
    """The cache refuses connections without TLS."""
    for cache in data.caches:
        if not cache.demands_tls:
            raise Miss(
                expected="in-transit encryption, required",
                observed="off, or only preferred",
                where=cache.arn,
                next=cache.look,
            )


@pytest.mark.check(
    "RD-4",
    points=1,
    requires=["redis_found"],
    why="Without a token, whoever reaches the port reads and empties the queue.",
)
def test_redis_token(data: Data) -> None:
    """The cache asks for an AUTH token, or for the password of a user."""
    for cache in data.caches:
        if not cache.demands_token and not cache.user_groups:
            raise Miss(expected="an AUTH token, or a user group", observed="neither", where=cache.arn, next=cache.look)
        if users := data.open_users(cache):
            raise Miss(
                expected="users with a password, or with IAM authentication",
                observed=f"{', '.join(users)} with neither",
                where=cache.arn,
                next="aws elasticache describe-users",
            )
