"""Whether security groups let a load balancer through to its targets. Pure.

Targets are pods, and pods have their node's security groups (VPC CNI, EKS user guide). Which node is told by the
subnet: a pod's address is of its node's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from hallmark.twin.edge.records import Balancer, Target
from hallmark.twin.kubelet.datastores import admits


@dataclass(frozen=True)
class Network:
    """A VPC as far as it matters here.

    Attributes:
        subnets: CIDR by id.
        groups: Security groups by id, as EC2 describes them.
        instances: Running instances, as EC2 describes them.
    """

    subnets: Mapping[str, str]
    groups: Mapping[str, Mapping[str, Any]]
    instances: Iterable[Mapping[str, Any]]


def inbound(network: Network, balancer: Balancer) -> tuple[Mapping[str, Any], ...]:
    """Ingress rules of a load balancer."""
    return _rules(network, balancer.groups, "IpPermissions")


def sources(network: Network, balancer: Balancer) -> tuple[str, ...]:
    """Addresses that a load balancer's packets come from: one in each of its subnets."""
    return tuple(str(ip_network(network.subnets[each])[-2]) for each in balancer.subnets if each in network.subnets)


def barred(network: Network, balancer: Balancer, targets: Iterable[Target]) -> frozenset[Target]:
    """Targets that the load balancer cannot reach. One that stands where no node is counts as reachable."""
    return frozenset(each for each in targets if not _is_open(network, balancer, each))


def _is_open(network: Network, balancer: Balancer, target: Target) -> bool:
    groups = _groups_at(network, target.address)
    if not groups:
        return True
    leaves = _rules(network, balancer.groups, "IpPermissionsEgress")
    enters = _rules(network, groups, "IpPermissions")
    own = sources(network, balancer)
    return any(admits(rule, target.port, groups, (target.address,)) for rule in leaves) and any(
        admits(rule, target.port, balancer.groups, own) for rule in enters
    )


def _groups_at(network: Network, address: str) -> set[str]:
    """Security groups of the nodes in the subnet of an address."""
    inside = {key for key, cidr in network.subnets.items() if ip_address(address) in ip_network(cidr)}
    nodes = [each for each in network.instances if each.get("SubnetId") in inside]
    cards = [card for each in nodes for card in each.get("NetworkInterfaces", ())]
    found = [group for each in nodes for group in each.get("SecurityGroups", ())]
    return {group["GroupId"] for group in (*found, *(group for card in cards for group in card.get("Groups", ())))}


def _rules(network: Network, groups: Iterable[str], kind: str) -> tuple[Mapping[str, Any], ...]:
    return tuple(rule for group in groups for rule in network.groups.get(group, {}).get(kind, ()))
