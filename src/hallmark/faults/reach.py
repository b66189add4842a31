"""Who may talk to whom, computed from security groups as they stand now.

A security group lets a packet in when one of its rules covers protocol, port and sender. It only ever allows; within
a VPC every subnet is routed to every other (Amazon VPC user guide, "Security group rules" and "Subnet routing").
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from hallmark.errors import GuardRefused
from hallmark.faults.reader import Reader

Rule = Mapping[str, Any]
_PROTOCOLS = frozenset({"tcp", "6", "-1"})
"""What covers TCP: its name, its number, everything."""


@dataclass(frozen=True)
class Nodes:
    """The worker nodes of a cluster, as a sender of packets.

    Attributes:
        vpc: Their VPC.
        groups: Security groups any of them is in.
        addresses: Address ranges of the subnets they are or may be in.
    """

    vpc: str
    groups: frozenset[str]
    addresses: tuple[str, ...]


def nodes(read: Reader) -> Nodes:
    """Return the nodes of the cluster in scope.

    EKS tags the instances of managed node groups with ``eks:cluster-name``.
    """
    name = read.scope["cluster"]
    network = read.ask("eks", "describe_cluster", name=name)["cluster"]["resourcesVpcConfig"]
    ours = [{"Name": "tag:eks:cluster-name", "Values": [name]}]
    reservations = read.ask("ec2", "describe_instances", Filters=ours).get("Reservations", [])
    instances = [instance for each in reservations for instance in each["Instances"]]
    groups = {group["GroupId"] for instance in instances for group in instance.get("SecurityGroups", [])}
    subnets = {*network["subnetIds"], *(each["SubnetId"] for each in instances if "SubnetId" in each)}
    found = read.ask("ec2", "describe_subnets", SubnetIds=sorted(subnets))["Subnets"]
    return Nodes(
        vpc=network["vpcId"],
        groups=frozenset({network["clusterSecurityGroupId"], *groups}),
        addresses=tuple(sorted(subnet["CidrBlock"] for subnet in found)),
    )


def ingress(read: Reader, groups: Iterable[str]) -> list[Rule]:
    """Return the ingress rules of *groups*, each as AWS describes a single security group rule."""
    wanted = [{"Name": "group-id", "Values": sorted(groups)}]
    answer = read.ask("ec2", "describe_security_group_rules", Filters=wanted)
    return [rule for rule in answer["SecurityGroupRules"] if not rule["IsEgress"]]


def admits(rule: Rule, sender: Nodes, port: int) -> bool:
    """Whether *rule* lets any node in on TCP *port*.

    Raises:
        GuardRefused: It names a prefix list: what that holds may change under the fault.
    """
    if rule["IpProtocol"] not in _PROTOCOLS or not _covers(rule, port):
        return False
    if "PrefixListId" in rule:
        hint = "Replace the rule by one that names the nodes' security group."
        raise GuardRefused(f"{rule['SecurityGroupRuleId']} admits a prefix list.", hint)
    if group := rule.get("ReferencedGroupInfo", {}).get("GroupId"):
        return group in sender.groups
    if "CidrIpv4" not in rule:
        return False  # nodes are looked at by their IPv4 addresses; an IPv6 rule cannot admit those
    network = ip_network(rule["CidrIpv4"])
    return any(network.overlaps(ip_network(each)) for each in sender.addresses)


def _covers(rule: Rule, port: int) -> bool:
    first, last = int(rule["FromPort"]), int(rule["ToPort"])
    return rule["IpProtocol"] == "-1" or first <= port <= last
