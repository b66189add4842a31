"""VPC, subnets, routes, security groups and network interfaces: where things stand and who can reach them.

Everything is found from the cluster: its VPC is the one that is looked at. Names and tags say nothing here; a
subnet is public or private because of the routes that apply to it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, ip_network
from typing import Any

from hallmark.model import Call
from hallmark.views.base import View, cached_property
from hallmark.views.network_acls import INTERNET, Acl, read_acls, stopping
from hallmark.views.openings import IpNetwork, Opening, is_within, listed, openings_of

_HOST = 10
"""Place in a subnet of the address that stands for all of it: the smallest has 16, of which AWS takes the first."""
_DATA_SERVICES = frozenset({"amazon-elb", "amazon-rds", "amazon-elasticache", "amazon-redshift"})


@dataclass(frozen=True)
class Subnet:
    """One subnet and the routes that apply to it.

    Attributes:
        id: For example ``subnet-0a1b``.
        zone: Availability Zone.
        ranges: Its address ranges.
        table: Route table in force: the associated one, else the VPC's main table.
        routes: Routes of that table as AWS shows them.
    """

    id: str
    zone: str
    ranges: tuple[IpNetwork, ...]
    table: str
    routes: tuple[Mapping[str, Any], ...]

    @property
    def is_public(self) -> bool:
        """Whether a default route in force leads to an internet gateway (VPC user guide, "Subnet types")."""
        return any(_is_default(r) and _to_internet(r) and r["State"] == "active" for r in self.routes)

    @property
    def is_private(self) -> bool:
        """Whether no route leads to an internet gateway, not even one that is out of order for now."""
        return not any(_to_internet(route) for route in self.routes)

    @property
    def host(self) -> IPv4Address | None:
        """An address in it; None when it has IPv6 alone."""
        return next((one[_HOST] for one in self.ranges if isinstance(one, IPv4Network)), None)


class Holder(StrEnum):
    """What a network interface belongs to."""

    BALANCER = "load balancer"
    NAT = "NAT gateway"
    FIREWALL = "firewall endpoint"
    CONTROL_PLANE = "EKS control plane"
    WORKER = "worker node"
    INSTANCE = "instance that is no worker node"
    OTHER = "something else"


@dataclass(frozen=True)
class Interface:
    """One network interface: what stands in a subnet."""

    id: str
    subnet: str
    holder: Holder
    owner: str


class Network(View):
    """The cluster's VPC."""

    @cached_property
    def vpc_id(self) -> str:
        """VPC of the cluster."""
        vpc: str = self.views.compute.cluster["resourcesVpcConfig"]["vpcId"]
        return vpc

    @cached_property
    def ranges(self) -> tuple[IpNetwork, ...]:
        """Address ranges of the VPC, IPv4 and IPv6."""
        vpc = self.ask("ec2", "describe_vpcs", VpcIds=[self.vpc_id])["Vpcs"][0]
        blocks = [one["CidrBlock"] for one in vpc["CidrBlockAssociationSet"]]
        blocks += [one["Ipv6CidrBlock"] for one in vpc.get("Ipv6CidrBlockAssociationSet", [])]
        return tuple(ip_network(block) for block in blocks)

    @cached_property
    def subnets(self) -> dict[str, Subnet]:
        """All subnets of the VPC by id."""
        answers = self.ask_all([
            Call.of("ec2", "describe_subnets", Filters=self._in_vpc),
            Call.of("ec2", "describe_route_tables", Filters=self._in_vpc),
        ])  # fmt: skip
        raw, tables = answers[0]["Subnets"], answers[1]["RouteTables"]
        return {subnet["SubnetId"]: _subnet(subnet, tables) for subnet in raw}

    @cached_property
    def nat_gateways(self) -> dict[str, dict[str, Any]]:
        """NAT gateways of the VPC by id."""
        found = self.ask("ec2", "describe_nat_gateways", Filter=self._in_vpc)["NatGateways"]
        return {gateway["NatGatewayId"]: gateway for gateway in found}

    @cached_property
    def s3_endpoint_tables(self) -> frozenset[str]:
        """Route tables that reach S3 through a gateway endpoint that is available."""
        found = self.ask("ec2", "describe_vpc_endpoints", Filters=self._in_vpc)["VpcEndpoints"]
        usable = [e for e in found if e["VpcEndpointType"] == "Gateway" and e["State"].lower() == "available"]
        return frozenset(t for e in usable if e["ServiceName"].endswith(".s3") for t in e["RouteTableIds"])

    @cached_property
    def security_groups(self) -> dict[str, dict[str, Any]]:
        """Security groups of the VPC by id."""
        found = self.ask("ec2", "describe_security_groups", Filters=self._in_vpc)["SecurityGroups"]
        return {group["GroupId"]: group for group in found}

    @cached_property
    def acls(self) -> dict[str, Acl]:
        """The network ACL of each subnet by the subnet's id."""
        return read_acls(self.ask("ec2", "describe_network_acls", Filters=self._in_vpc)["NetworkAcls"])

    @cached_property
    def interfaces(self) -> tuple[Interface, ...]:
        """All network interfaces of the VPC."""
        found = self.ask("ec2", "describe_network_interfaces", Filters=self._in_vpc)["NetworkInterfaces"]
        return tuple(self._interface(raw) for raw in found)

    def openings(self, groups: Iterable[str], port: int | None = None) -> list[Opening]:
        """Return what *groups* together let in to TCP *port*, or to any port and protocol."""
        known = self.security_groups
        rules = [(group, rule) for group in groups for rule in known[group]["IpPermissions"]]
        found = [opening for group, rule in rules for opening in openings_of(group, rule, known)]
        wanted = [opening for opening in found if port is None or opening.covers(port)]
        return [each for opening in wanted for each in (self._listed(opening) if opening.is_list else [opening])]

    def from_outside(self, groups: Iterable[str], port: int | None = None) -> list[Opening]:
        """Return openings to *port*, or to any, whose source is neither a group nor addresses of this VPC."""
        own = self.ranges
        openings = [opening for opening in self.openings(groups, port) if not opening.is_local_group]
        return [o for o in openings if o.range is None or not any(is_within(o.range, inside) for inside in own)]

    def lets_in(self, groups: Iterable[str], port: int, client_groups: Collection[str], client_subnet: str) -> bool:
        """Whether *groups* let a client with *client_groups*, anywhere in *client_subnet*, in to *port*."""
        addresses = [r for r in self.subnets[client_subnet].ranges if isinstance(r, IPv4Network)]
        openings = self.openings(groups, port)
        by_group = any(opening.source in client_groups for opening in openings if opening.is_local_group)
        return by_group or any(is_within(a, o.range) for a in addresses for o in openings)

    def stopping(self, client: str, port: int, server: str = "") -> str:
        """Return the network ACL that stops TCP connections between two subnets: its id, or empty for none.

        Args:
            client: Subnet of whoever opens the connection.
            port: Port it is opened to.
            server: Subnet of whoever takes it; empty: somebody on the internet.
        """
        here, there = self.subnets[client].host, self.subnets[server].host if server else INTERNET
        if client == server or here is None or there is None:
            return ""
        return stopping((self.acls[client], here), (self.acls.get(server), there), port)

    def unrestricted_egress(self, groups: Iterable[str]) -> list[str]:
        """Return those of *groups* that let everything out to everybody."""
        return sorted(g for g in groups if any(map(_lets_all_out, self.security_groups[g]["IpPermissionsEgress"])))

    def way_out(self, subnet: Subnet) -> str:
        """Return what carries IPv4 traffic of *subnet* to the internet without an internet gateway of its own.

        Returns:
            Id of a NAT gateway that works, transit gateway, firewall endpoint, virtual private gateway, core
            network or NAT instance; empty when the default route is missing, leads nowhere, or is a public one.
        """
        for route in subnet.routes:
            if route.get("DestinationCidrBlock") == "0.0.0.0/0" and route["State"] == "active":
                return self._carrier(route)
        return ""

    @property
    def _in_vpc(self) -> list[dict[str, Any]]:
        return [{"Name": "vpc-id", "Values": [self.vpc_id]}]

    def _carrier(self, route: Mapping[str, Any]) -> str:
        if gateway := route.get("NatGatewayId"):
            return gateway if self._works(self.nat_gateways[gateway]) else ""
        if (gateway := route.get("GatewayId", "")).startswith(("vpce-", "vgw-")):
            return str(gateway)
        names = ("TransitGatewayId", "CoreNetworkArn", "NetworkInterfaceId")
        return next((str(route[name]) for name in names if route.get(name)), "")

    def _works(self, gateway: Mapping[str, Any]) -> bool:
        if gateway["State"] != "available" or gateway["ConnectivityType"] != "public":
            return False
        # A regional NAT gateway has no subnet: AWS keeps its route to the internet (VPC user guide, 2025-11).
        return gateway.get("AvailabilityMode") == "regional" or self.subnets[gateway["SubnetId"]].is_public

    def _listed(self, opening: Opening) -> list[Opening]:
        return listed(
            opening, self.ask("ec2", "get_managed_prefix_list_entries", PrefixListId=opening.source)["Entries"]
        )

    def _interface(self, raw: Mapping[str, Any]) -> Interface:
        attachment = raw.get("Attachment", {})
        owner = attachment.get("InstanceId") or attachment.get("InstanceOwnerId") or raw.get("RequesterId", "")
        return Interface(raw["NetworkInterfaceId"], raw["SubnetId"], self._holder(raw, attachment), owner)

    def _holder(self, raw: Mapping[str, Any], attachment: Mapping[str, Any]) -> Holder:
        """Tell what an interface belongs to from what only AWS can set, never from its description."""
        kind, service = raw["InterfaceType"], attachment.get("InstanceOwnerId", "")
        if kind in {"nat_gateway", "natGateway"}:
            return Holder.NAT
        if kind in {"network_load_balancer", "load_balancer"} or service == raw.get("RequesterId") == "amazon-elb":
            return Holder.BALANCER
        if kind in {"gateway_load_balancer", "gateway_load_balancer_endpoint"}:
            return Holder.FIREWALL
        if instance := attachment.get("InstanceId"):
            workers = {node.id for node in self.views.compute.nodes}
            return Holder.WORKER if instance in workers else Holder.INSTANCE
        # EKS attaches the control plane's interfaces to instances in an account of its own.
        foreign = service and service != raw["OwnerId"] and service not in _DATA_SERVICES
        cluster_group = self.views.compute.cluster["resourcesVpcConfig"].get("clusterSecurityGroupId")
        has_cluster_group = cluster_group in {group["GroupId"] for group in raw["Groups"]}
        return Holder.CONTROL_PLANE if foreign and has_cluster_group else Holder.OTHER


def _subnet(raw: Mapping[str, Any], tables: Iterable[Mapping[str, Any]]) -> Subnet:
    table = _effective_table(raw["SubnetId"], list(tables))
    blocks = [raw["CidrBlock"]] if raw.get("CidrBlock") else []
    blocks += [one["Ipv6CidrBlock"] for one in raw.get("Ipv6CidrBlockAssociationSet", [])]
    return Subnet(
        id=raw["SubnetId"],
        zone=raw["AvailabilityZone"],
        ranges=tuple(ip_network(block) for block in blocks),
        table=table["RouteTableId"],
        routes=tuple(table["Routes"]),
    )


def _effective_table(subnet: str, tables: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    for table in tables:
        if any(association.get("SubnetId") == subnet for association in table["Associations"]):
            return table
    return next(table for table in tables if any(a.get("Main") for a in table["Associations"]))


def _is_default(route: Mapping[str, Any]) -> bool:
    return route.get("DestinationCidrBlock") == "0.0.0.0/0" or route.get("DestinationIpv6CidrBlock") == "::/0"


def _to_internet(route: Mapping[str, Any]) -> bool:
    return str(route.get("GatewayId", "")).startswith("igw-")


def _lets_all_out(rule: Mapping[str, Any]) -> bool:
    return rule["IpProtocol"] == "-1" and any(entry["CidrIp"] == "0.0.0.0/0" for entry in rule.get("IpRanges", []))
