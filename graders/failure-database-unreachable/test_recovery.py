"""The nodes reach the database again, by a way no wider than before, and the database is the same."""

from collections.abc import Iterator

import pytest

from hallmark.errors import Miss
from hallmark.views.compute import Compute
from hallmark.views.data import Data
from hallmark.views.databases import Database
from hallmark.views.network import Network
from hallmark.views.openings import IpNetwork, Opening


def _databases(data: Data) -> tuple[Database, ...]:
    serving = tuple(database for database in data.databases if database.is_serving)
    if not serving or len(serving) < len(data.databases):
        raise Miss(
            expected="every PostgreSQL database of the cluster's VPC available",
            observed=", ".join(each.id for each in data.databases if not each.is_serving) or "no database",
            where=data.scope("cluster"),
            next="aws rds describe-db-instances",
        )
    return serving


def _look(database: Database) -> str:
    return f"aws ec2 describe-security-groups --group-ids {' '.join(database.groups)}"


def _stations(compute: Compute) -> Iterator[tuple[frozenset[str], str]]:
    """Yield security groups and subnet of each node, and of the next node its group may start."""
    subnets = {group.name: group.subnets for group in compute.node_groups}
    for node in compute.nodes:
        for subnet in {node.subnet, *subnets.get(node.node_group, ())}:
            yield node.groups, subnet


@pytest.mark.check("ARCH-7", points=5, why="Without the database nobody signs in and no project is found.")
def test_nodes_reach_database(data: Data, network: Network, compute: Compute) -> None:
    """Every node, and the next one, reaches the database on its port."""
    databases, stations = _databases(data), list(_stations(compute))
    if not stations:
        raise Miss(
            expected="worker nodes", observed="none", where=data.scope("cluster"), next="aws eks list-nodegroups"
        )
    for database in databases:
        for groups, subnet in stations:
            if not network.lets_in(database.groups, database.port, groups, subnet):
                raise Miss(
                    expected=f"a rule that admits the nodes to port {database.port}",
                    observed=f"none that admits all of {subnet}",
                    where=database.arn,
                    next=_look(database),
                )
            stops = [acl for place in database.place.subnets if (acl := network.stopping(subnet, database.port, place))]
            if stops:
                raise Miss(
                    expected=f"network ACLs that let the nodes ask port {database.port}, and answers back",
                    observed=f"{stops[0]} stops those of {subnet}",
                    where=database.arn,
                    next=f"aws ec2 describe-network-acls --network-acl-ids {stops[0]}",
                )


@pytest.mark.check(
    "SB-4",
    "PG-5",
    points=4,
    requires=["nodes_reach_database"],
    why="A repair that opens more than was closed trades an outage for a leak.",
)
def test_only_nodes_reach_database(data: Data, network: Network, compute: Compute) -> None:
    """Nothing but the nodes is admitted: by their security group, or by addresses of private subnets."""
    for database in _databases(data):
        for opening in network.openings(database.groups, database.port):
            if not _is_narrow(opening, network, compute):
                raise Miss(
                    expected="the nodes' security group, or addresses of private subnets only",
                    observed=str(opening),
                    where=database.arn,
                    next=_look(database),
                )


@pytest.mark.check(
    "SB-4",
    points=3,
    requires=["nodes_reach_database"],
    why="A rule for all ports admits whatever the database will listen on next.",
)
def test_only_the_database_port_is_open(data: Data, network: Network) -> None:
    """The database's security groups have rules for its port and for no other."""
    for database in _databases(data):
        for group in database.groups:
            for rule in network.security_groups[group]["IpPermissions"]:
                ports = rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort")
                if ports != ("tcp", database.port, database.port):
                    raise Miss(
                        expected=f"tcp {database.port} and nothing else",
                        observed=f"protocol {ports[0]}, ports {ports[1]} to {ports[2]}",
                        where=group,
                        next=_look(database),
                    )


@pytest.mark.check(
    "ARCH-7",
    points=2,
    requires=["nodes_reach_database"],
    why="A way around the broken part leaves it broken for the next one who trusts it.",
)
def test_cause_is_removed(data: Data, network: Network) -> None:
    """Every security group of the database admits somebody: none was left broken beside a new one."""
    for database in _databases(data):
        for group in database.groups:
            if not network.openings([group], database.port):
                raise Miss(
                    expected="the rule back in the security group that lost it",
                    observed=f"{group}, still without a rule for port {database.port}",
                    where=database.arn,
                    next=f"aws ec2 describe-security-groups --group-ids {group}",
                )


@pytest.mark.check(
    "PG-1",
    "NET-5",
    "PG-4",
    points=3,
    requires=["nodes_reach_database"],
    why="The data from before the outage has to be there after it, and as well protected.",
)
def test_database_is_kept(data: Data, network: Network) -> None:
    """The database is still private, encrypted and backed up."""
    for database in _databases(data):
        public = [name for name in database.place.subnets if not network.subnets[name].is_private]
        faults = {
            "publicly accessible": database.is_public,
            f"in public subnets ({', '.join(public)})": bool(public),
            "not encrypted": not database.is_encrypted,
            "without automated backups": database.backup_days < 1,
        }
        if found := [name for name, is_so in faults.items() if is_so]:
            raise Miss(
                expected="a private, encrypted database with backups",
                observed=", ".join(found),
                where=database.arn,
                next=database.look,
            )


def _is_narrow(opening: Opening, network: Network, compute: Compute) -> bool:
    """Whether it admits nodes only: a group of theirs, or addresses of which no public subnet has any."""
    inside = network.ranges  # asked whatever the rule says, so that evidence always holds it
    if opening.range is None:
        return opening.is_local_group and any(opening.source in node.groups for node in compute.nodes)
    touched = [s for s in network.subnets.values() if any(_overlap(opening.range, each) for each in s.ranges)]
    return _is_part(opening.range, inside) and bool(touched) and all(subnet.is_private for subnet in touched)


def _overlap(one: IpNetwork, other: IpNetwork) -> bool:
    return one.version == other.version and one.overlaps(other)


def _is_part(one: IpNetwork, whole: tuple[IpNetwork, ...]) -> bool:
    return any(_overlap(one, each) and one.prefixlen >= each.prefixlen for each in whole)
