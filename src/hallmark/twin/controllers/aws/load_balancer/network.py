"""Subnets and security groups of a load balancer: given, discovered by tag, or made."""

from collections.abc import Mapping, Sequence
from typing import Any

from hallmark.twin.controllers.aws.load_balancer.annotations import Unusable
from hallmark.twin.controllers.aws.load_balancer.model import Model
from hallmark.twin.controllers.aws.load_balancer.naming import CLUSTER, as_list, tags

ENOUGH_ZONES = 2
ROLES = {"internet-facing": "kubernetes.io/role/elb", "internal": "kubernetes.io/role/internal-elb"}


class Network:
    """The VPC of one cluster.

    Args:
        ec2: A boto3 client acting as the controller's role.
        cluster: Name of the cluster.
        vpc: Its VPC.
        nodes: The security group of its nodes and pods.
    """

    def __init__(self, ec2: Any, cluster: str, vpc: str, nodes: str) -> None:
        self._ec2 = ec2
        self._cluster = cluster
        self.vpc = vpc
        self._nodes = nodes

    def subnets(self, model: Model) -> list[str]:
        """Ids of the subnets, one a zone.

        Raises:
            Unusable: There are too few; in the controller's words.
        """
        given = self._given_subnets(model.subnets) if model.subnets else self._discovered(ROLES[model.scheme])
        by_zone: dict[str, str] = {}
        for subnet in sorted(given, key=lambda each: each["SubnetId"]):
            by_zone.setdefault(subnet["AvailabilityZone"], subnet["SubnetId"])
        if len(by_zone) < ENOUGH_ZONES:
            short = f"subnets count less than minimal required count: {len(by_zone)} < {ENOUGH_ZONES}"
            raise Unusable(f"couldn't auto-discover subnets: {short}" if not model.subnets else short)
        return sorted(by_zone.values())

    def _given_subnets(self, names: Sequence[str]) -> list[dict[str, Any]]:
        mine = [{"Name": "vpc-id", "Values": [self.vpc]}]
        everything = self._ec2.describe_subnets(Filters=mine)["Subnets"]
        found = [each for each in everything if {each["SubnetId"], _tags(each).get("Name")} & set(names)]
        if len(found) != len(names):
            raise Unusable(f"couldn't find all subnets, want: {sorted(names)}, found: {len(found)}")
        return found

    def _discovered(self, role: str) -> list[dict[str, Any]]:
        wanted = [{"Name": "vpc-id", "Values": [self.vpc]}, {"Name": f"tag:{role}", "Values": ["", "1"]}]
        found: list[dict[str, Any]] = self._ec2.describe_subnets(Filters=wanted)["Subnets"]
        if not found:
            cause = f"unable to resolve at least one subnet (0 match VPC and tags: [{role}])"
            raise Unusable(f"couldn't auto-discover subnets: {cause}")
        return found

    def security_groups(self, model: Model) -> list[str]:
        """Ids of the given groups, or of the one the controller makes for the load balancer.

        Raises:
            Unusable: A given one does not exist.
        """
        if not model.security_groups:
            return [self._managed(model)]
        mine = [{"Name": "vpc-id", "Values": [self.vpc]}]
        everything = self._ec2.describe_security_groups(Filters=mine)["SecurityGroups"]
        names = set(model.security_groups)
        found = [each["GroupId"] for each in everything if {each["GroupId"], _tags(each).get("Name")} & names]
        if len(found) != len(names):
            raise Unusable(f"couldn't find all securityGroups, nameOrIDs: {sorted(names)}, found: {sorted(found)}")
        return sorted(found)

    def remove_managed(self, model_name: str) -> None:
        """Remove the group that was made for a load balancer, and the rule that let it reach the nodes."""
        for group in self._find(model_name):
            self._ec2.revoke_security_group_ingress(GroupId=self._nodes, IpPermissions=[_from(group["GroupId"])])
            self._ec2.delete_security_group(GroupId=group["GroupId"])

    def _managed(self, model: Model) -> str:
        present = self._find(model.name)
        group: str = present[0]["GroupId"] if present else self._create(model)
        rules = present[0]["IpPermissions"] if present else []
        wanted = [_admit(listener.port, model.inbound) for listener in model.listeners]
        if _ranges(rules) != _ranges(wanted):
            if rules:
                self._ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rules)
            self._ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=wanted)
        return group

    def _create(self, model: Model) -> str:
        resource = tags(self._cluster, model.group, "ManagedLBSecurityGroup")
        group: str = self._ec2.create_security_group(
            GroupName=model.name,
            Description="[k8s] Managed SecurityGroup for LoadBalancer",
            VpcId=self.vpc,
            TagSpecifications=[{"ResourceType": "security-group", "Tags": as_list(resource)}],
        )["GroupId"]
        self._ec2.authorize_security_group_ingress(GroupId=self._nodes, IpPermissions=[_from(group)])
        return group

    def _find(self, name: str) -> list[dict[str, Any]]:
        wanted = [
            {"Name": "vpc-id", "Values": [self.vpc]},
            {"Name": "group-name", "Values": [name]},
            {"Name": f"tag:{CLUSTER}", "Values": [self._cluster]},
        ]
        found: list[dict[str, Any]] = self._ec2.describe_security_groups(Filters=wanted)["SecurityGroups"]
        return found


def _admit(port: int, ranges: Sequence[str]) -> dict[str, Any]:
    allowed = [{"CidrIp": each} for each in ranges]
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": allowed}


def _from(group: str) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "UserIdGroupPairs": [{"GroupId": group}]}


def _ranges(rules: Sequence[Mapping[str, Any]]) -> set[tuple[int, str]]:
    return {(rule.get("FromPort", 0), each["CidrIp"]) for rule in rules for each in rule.get("IpRanges", [])}


def _tags(raw: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in raw.get("Tags") or []}
