"""The way of pods and nodes to what is outside their VPC: AWS's own endpoints, and registries.

A connection passes if routes, gateways and network ACLs lead there (:mod:`hallmark.twin.kubelet.routes`) and the egress
rules of the node's security groups let it out. Where an interface endpoint has the service's private DNS name, the way
leads there instead, and the endpoint's security groups have to let the node in (AWS PrivateLink guide, "Access an AWS
service using an interface VPC endpoint"). Policies of endpoints are not evaluated. A node that is no instance of EC2
stands outside, and its way is open.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from hallmark.twin.kube.kinds import Object
from hallmark.twin.kubelet.cloud import Cloud, Instance
from hallmark.twin.kubelet.datastores import admits, spot
from hallmark.twin.kubelet.routes import Journey, Vpc, is_available, leads_out, networks

HTTPS = 443
CALLED = ("s3", "sts")
"""Services that the programs of pods call."""
SERVICES = frozenset({
    "acm", "autoscaling", "ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "elasticache", "elasticloadbalancing", "iam",
    "kms", "logs", "monitoring", "rds", "route53", "s3", "secretsmanager", "sqs", "ssm", "sts",
})  # fmt: skip
"""Services whose endpoints have names, as VPC endpoints call them."""
GATEWAYS = (".s3", ".dynamodb")
"""Services that gateway endpoints lead to: of AWS's own prefix lists, theirs are read."""
ELSEWHERE = "198.51.100.10"
"""Stands for any public address (RFC 5737): AWS does not say those of its endpoints, only DNS does."""
_ENDPOINT = re.compile(
    r"(?:(?:[a-z0-9.-]+\.)?(?P<owned>s3|dkr\.ecr)|(?P<service>api\.ecr|[a-z0-9-]+))\.(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.)?"
    r"(?:amazonaws\.com|api\.aws)"
)
_TURNED = {"api.ecr": "ecr.api", "dkr.ecr": "ecr.dkr"}


@dataclass(frozen=True)
class Way:
    """How a connection to a name would fare.

    Attributes:
        address: What the name leads to.
        is_open: Whether the connection is made.
    """

    address: str
    is_open: bool


class Egress:
    """Answers for one account and region.

    Args:
        cloud: The account in the emulated AWS.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._region = cloud.clients.region

    def names(self) -> list[str]:
        """Endpoints of AWS that programs of pods call."""
        return [self.name(each) for each in CALLED]

    def name(self, service: str) -> str:
        """The name of a service's endpoint in this region."""
        return f"{service}.{self._region}.{'api.aws' if service == 'eks-auth' else 'amazonaws.com'}"

    async def way(self, node: Object | None, host: str, port: int = HTTPS) -> Way:
        """What would become of a new connection of a node, or of a pod on it.

        Args:
            node: The node.
            host: Any public name.
            port: The port there.
        """
        return await self._cloud.ask(lambda: self._way(node, host, port), Way(ELSEWHERE, is_open=False))

    def _way(self, node: Object | None, host: str, port: int) -> Way:
        instance = self._cloud.instance(node)
        if instance is None:
            return Way(ELSEWHERE, is_open=True)
        vpc = self._cloud.fresh(f"vpc {instance.vpc}", partial(self._read, instance.vpc))
        service, region = endpoint_of(host)
        called = f"com.amazonaws.{region}.{service}" if region == self._region else ""
        if endpoint := next((each for each in vpc.endpoints if _answers_for(each, called)), None):
            return self._inside(vpc, instance, endpoint, port)
        listed = networks(vpc, called)
        address = spot(str(listed[0]), host) if listed else ELSEWHERE
        journey = Journey(instance.address, address, port)
        leads = leads_out(vpc, instance.subnet, journey, is_public=instance.is_public)
        return Way(address, leads and self._is_let_out(vpc, instance, port, (), address))

    def _inside(self, vpc: Vpc, instance: Instance, endpoint: Mapping[str, Any], port: int) -> Way:
        places = [vpc.subnets[each] for each in endpoint.get("SubnetIds", ()) if each in vpc.subnets]
        groups = tuple(each["GroupId"] for each in endpoint.get("Groups", ())) or self._default_group(instance.vpc)
        address = spot(min(places), endpoint["ServiceName"]) if places else ""
        enters = any(
            admits(rule, port, instance.groups, (instance.address,))
            for rule in self._cloud.rules(groups, "IpPermissions")
        )
        return Way(address, bool(address) and enters and self._is_let_out(vpc, instance, port, groups, address))

    def _is_let_out(self, vpc: Vpc, instance: Instance, port: int, groups: Iterable[str], address: str) -> bool:
        rules = self._cloud.rules(tuple(sorted(instance.groups)), "IpPermissionsEgress")
        return any(admits(_spelled_out(rule, vpc), port, groups, (address,)) for rule in rules)

    def _default_group(self, vpc: str) -> tuple[str, ...]:
        wanted = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
        found = self._cloud.clients("ec2").describe_security_groups(Filters=wanted)["SecurityGroups"]
        return tuple(each["GroupId"] for each in found)

    def _read(self, vpc: str) -> Vpc:
        ec2 = self._cloud.clients("ec2")
        mine = [{"Name": "vpc-id", "Values": [vpc]}]
        attached = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
        return Vpc(
            subnets={each["SubnetId"]: each["CidrBlock"] for each in ec2.describe_subnets(Filters=mine)["Subnets"]},
            tables=ec2.describe_route_tables(Filters=mine)["RouteTables"],
            acls=ec2.describe_network_acls(Filters=mine)["NetworkAcls"],
            nats=ec2.describe_nat_gateways(Filters=mine)["NatGateways"],
            gateways=frozenset(
                each["InternetGatewayId"]
                for each in ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]
            ),
            endpoints=ec2.describe_vpc_endpoints(Filters=mine)["VpcEndpoints"],
            lists=_lists(ec2),
        )


def endpoint_of(host: str) -> tuple[str, str]:
    """Service and region of an endpoint of AWS; both are empty for any other name. Pure.

    The service is named as VPC endpoints name it; a name without a region is one of us-east-1.
    """
    found = _ENDPOINT.fullmatch(host.rstrip(".").lower())
    named = (found["owned"] or found["service"]) if found else ""
    service = _TURNED.get(named, named)
    return (service, found["region"] or "us-east-1") if found and service in SERVICES else ("", "")


def _answers_for(endpoint: Mapping[str, Any], called: str) -> bool:
    is_interface = endpoint.get("VpcEndpointType") == "Interface"
    has_name = endpoint["ServiceName"] == called and bool(endpoint.get("PrivateDnsEnabled"))
    return is_interface and has_name and is_available(endpoint)


def _lists(ec2: Any) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for each in ec2.describe_managed_prefix_lists()["PrefixLists"]:
        if each.get("OwnerId") == "AWS" and not each["PrefixListName"].endswith(GATEWAYS):
            continue
        entries = ec2.get_managed_prefix_list_entries(PrefixListId=each["PrefixListId"])["Entries"]
        cidrs = tuple(entry["Cidr"] for entry in entries)
        found |= {each["PrefixListId"]: cidrs}
        if each.get("OwnerId") == "AWS":
            found |= {each["PrefixListName"]: cidrs}
    return found


def _spelled_out(rule: Mapping[str, Any], vpc: Vpc) -> dict[str, Any]:
    """A rule with the addresses of its prefix lists."""
    listed = [str(each) for named in rule.get("PrefixListIds", ()) for each in networks(vpc, named["PrefixListId"])]
    return {**rule, "IpRanges": [*rule.get("IpRanges", ()), *({"CidrIp": each} for each in listed)]}
