"""The network: one VPC, nodes in private subnets, and a way out that is not a way in."""

import pytest

from hallmark.errors import Miss
from hallmark.views.compute import Compute
from hallmark.views.data import Data
from hallmark.views.edge import Edge
from hallmark.views.network import Holder, Network, Subnet

AT_THE_EDGE = frozenset({Holder.BALANCER, Holder.NAT, Holder.FIREWALL})
TOLERATED = frozenset({Holder.CONTROL_PLANE, Holder.INSTANCE})
"""Worth a remark: the control plane's interfaces, and a bastion or NAT instance."""
HTTPS = 443
ADDRESSES = "Reservations[].Instances[].NetworkInterfaces[].Association"


def _command(subnet: Subnet) -> str:
    return f"aws ec2 describe-route-tables --route-table-ids {subnet.table}"


@pytest.mark.check(
    "NET-1",
    points=3,
    requires=["cluster_active"],
    why="Parts in several networks need peering and routes that this architecture does not have.",
)
def test_single_vpc(network: Network, compute: Compute, data: Data, edge: Edge) -> None:
    """Cluster, load balancer, nodes, database and cache are in one VPC."""
    places = {f"node {node.id}": node.vpc for node in compute.nodes}
    places |= {f"database {one.id}": one.place.vpc for one in data.databases}
    places |= {f"cache {one.id}": one.place.vpc for one in data.caches}
    places |= {f"load balancer {edge.ingress.name}": edge.ingress.vpc} if edge.ingress else {}
    if not places:
        raise Miss(expected="parts of the platform in the cluster's VPC", observed="none", where=network.vpc_id)
    for name, vpc in places.items():
        if vpc != network.vpc_id:
            raise Miss(
                expected=f"everything in {network.vpc_id}, the cluster's VPC",
                observed=f"{name} in {vpc}",
                where=name,
                next=f"aws ec2 describe-vpcs --vpc-ids {network.vpc_id} {vpc}",
            )


@pytest.mark.check(
    "NET-2",
    points=3,
    requires=["single_vpc"],
    why="Whatever else stands in a public subnet is one wrong rule away from the internet.",
)
def test_public_subnets_only_edge(network: Network) -> str:
    """Public subnets hold load balancers and NAT gateways, and nothing else."""
    if not network.interfaces:
        raise Miss(expected="network interfaces of the platform", observed="none", where=network.vpc_id)
    exposed = [i for i in network.interfaces if not network.subnets[i.subnet].is_private]
    for interface in exposed:
        if interface.holder not in AT_THE_EDGE | TOLERATED:
            raise Miss(
                expected="only load balancers and NAT gateways in public subnets",
                observed=f"{interface.holder} ({interface.owner or 'not attached'}) in {interface.subnet}",
                where=interface.id,
                next=f"aws ec2 describe-network-interfaces --network-interface-ids {interface.id}",
            )
    odd = sorted({f"{i.holder} in {i.subnet}" for i in exposed if i.holder in TOLERATED})
    return f"Better elsewhere: {', '.join(odd)}." if odd else ""


@pytest.mark.check(
    "NET-4",
    points=4,
    requires=["single_vpc", "nodes_managed"],
    why="A worker with a public address can be attacked without passing load balancer and firewall.",
)
def test_nodes_private(network: Network, compute: Compute) -> None:
    """Every worker runs in a private subnet and has no public address."""
    for node in compute.nodes:
        if node.public_address or not network.subnets[node.subnet].is_private:
            raise Miss(
                expected="a private subnet and no public address",
                observed=f"{node.subnet}, public address {node.public_address or 'none'}",
                where=node.id,
                next=f"aws ec2 describe-instances --instance-ids {node.id} --query '{ADDRESSES}'"
                if node.public_address
                else _command(network.subnets[node.subnet]),
            )


@pytest.mark.check(
    "NET-4",
    points=2,
    requires=["single_vpc", "node_groups_healthy"],
    why="The next worker starts in any subnet of its group, whatever the present ones do.",
)
def test_node_groups_private(network: Network, compute: Compute) -> None:
    """Every subnet a node group may use is private."""
    for group in compute.node_groups:
        if not group.subnets:
            raise Miss(expected="private subnets", observed="none", where=f"node group {group.name}")
        for subnet in (network.subnets[name] for name in group.subnets):
            if not subnet.is_private:
                raise Miss(
                    expected="only subnets without a route to an internet gateway",
                    observed=f"{subnet.id}, which has one",
                    where=f"node group {group.name}",
                    next=_command(subnet),
                )


@pytest.mark.check(
    "EGR-1",
    points=3,
    requires=["node_groups_private"],
    why="Without a way out nodes cannot join, images cannot be pulled, and the license cannot be verified.",
)
def test_nodes_reach_out(network: Network, compute: Compute) -> None:
    """Every subnet with nodes has a default route that works: NAT gateway, firewall or transit gateway."""
    for name in sorted({name for group in compute.node_groups for name in group.subnets}):
        if not network.way_out(network.subnets[name]):
            raise Miss(
                expected="an active default route to a NAT gateway in service, a firewall or a transit gateway",
                observed="none",
                where=name,
                next=_command(network.subnets[name]),
            )
        if acl := network.stopping(name, HTTPS):
            raise Miss(
                expected="a network ACL that lets nodes ask the internet over HTTPS, and answers back",
                observed=f"{acl} stops them",
                where=name,
                next=f"aws ec2 describe-network-acls --network-acl-ids {acl}",
            )


@pytest.mark.check(
    "EGR-2",
    points=1,
    requires=["node_groups_private"],
    why="Without the endpoint every trace payload leaves through the NAT gateway, is paid for, and leaves the VPC.",
)
def test_s3_stays_inside(network: Network, compute: Compute) -> str:
    """Nodes reach S3 through a gateway endpoint."""
    for name in sorted({name for group in compute.node_groups for name in group.subnets}):
        if network.subnets[name].table not in network.s3_endpoint_tables:
            raise Miss(
                expected="an S3 gateway endpoint in the route table of the nodes",
                observed=f"none in {network.subnets[name].table}",
                where=name,
                next=f"aws ec2 describe-vpc-endpoints --filters Name=vpc-id,Values={network.vpc_id}",
            )
    free = network.unrestricted_egress({group for node in compute.nodes for group in node.groups})
    return f"Nodes may send anywhere by {', '.join(free)}: your policy decides whether that is meant." if free else ""
