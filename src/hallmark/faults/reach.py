"""Who may talk to whom, computed from security groups as they stand now.

A security group lets a packet in when one of its rules covers protocol, port and sender. It only ever allows; within
a VPC every subnet is routed to every other (Amazon VPC user guide, "Security group rules" and "Subnet routing").
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from hallmark.errors import GuardRefused
from hallmark.faults.journal import Step
from hallmark.faults.reader import Reader
from hallmark.model import Call

Rule = Mapping[str, Any]
PROTOCOLS = frozenset({"tcp", "6", "-1"})
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
    if rule["IpProtocol"] not in PROTOCOLS or not covers(rule, port):
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


def covers(rule: Rule, port: int) -> bool:
    """Whether a rule is for a TCP port, among others."""
    first, last = int(rule["FromPort"]), int(rule["ToPort"])
    return rule["IpProtocol"] == "-1" or first <= port <= last


def revoking(rule: Rule, whose: str) -> Step:
    """Take a rule away; the inverse authorizes the same rule, peer, description and tags."""
    group, rule_id = rule["GroupId"], rule["SecurityGroupRuleId"]
    again: dict[str, Any] = {"GroupId": group, "IpPermissions": [_permission(rule)]}
    # Tags of AWS's own cannot be set by hand.
    if own := [tag for tag in rule.get("Tags", []) if not tag["Key"].startswith("aws:")]:
        again["TagSpecifications"] = [{"ResourceType": "security-group-rule", "Tags": own}]
    return Step(
        what=f"take away the rule {_words(rule)}",
        back=f"put back the rule {_words(rule)}",
        resource=f"{group} of {whose}",
        do=Call.of("ec2", "revoke_security_group_ingress", GroupId=group, SecurityGroupRuleIds=[rule_id]),
        undo=Call.of("ec2", "authorize_security_group_ingress", **again),
    )


def words_of(rule: Rule) -> str:
    """Return everything a rule says, without the id that AWS gives anew."""
    return Call.of("ec2", "rule", **{k: v for k, v in rule.items() if k != "SecurityGroupRuleId"}).key


def _permission(rule: Rule) -> dict[str, Any]:
    """Write one rule in the form in which it is authorized."""
    permission: dict[str, Any] = {"IpProtocol": rule["IpProtocol"]}
    if rule["IpProtocol"] != "-1":
        permission |= {"FromPort": rule["FromPort"], "ToPort": rule["ToPort"]}
    note = {"Description": rule["Description"]} if rule.get("Description") else {}
    if peer := rule.get("ReferencedGroupInfo"):
        kept = {name: peer[name] for name in ("GroupId", "UserId") if name in peer}
        return permission | {"UserIdGroupPairs": [kept | note]}
    return permission | {"IpRanges": [{"CidrIp": rule["CidrIpv4"]} | note]}


def _words(rule: Rule) -> str:
    peer = rule.get("ReferencedGroupInfo", {}).get("GroupId") or rule.get("CidrIpv4")
    ports = "all ports" if rule["IpProtocol"] == "-1" else f"tcp {rule['FromPort']}-{rule['ToPort']}"
    note = f", {rule['Description']!r}" if rule.get("Description") else ""
    return f"{ports} from {peer}{note}"
