"""Whether packets find a way out of a VPC, and their answers back in: routes, gateways and network ACLs. Pure.

Sources: VPC user guide, "Route priority", "NAT gateways", "Internet gateways", "Network ACLs"; AWS PrivateLink guide,
"Gateway endpoints". What a transit gateway, a peering, a VPN or an appliance leads to is not known here: they are taken
to lead out.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_address, ip_network
from typing import Any

RETURN = 50_000
"""A port that answers come back to: ephemeral for Linux (32768-60999) and for NAT gateways (1024-65535)."""
TCP = {"-1", "6", "tcp"}
BEYOND = (
    *("TransitGatewayId", "VpcPeeringConnectionId", "NetworkInterfaceId", "InstanceId"),
    *("LocalGatewayId", "CarrierGatewayId", "CoreNetworkArn"),
)
"""Targets of routes whose other side the twin does not know."""
Described = Mapping[str, Any]


@dataclass(frozen=True)
class Vpc:
    """A VPC; all of it as EC2 describes it.

    Attributes:
        subnets: CIDR by id.
        tables: Route tables.
        acls: Network ACLs.
        nats: NAT gateways.
        gateways: Ids of internet gateways that are attached.
        endpoints: VPC endpoints.
        lists: CIDRs of prefix lists by id.
    """

    subnets: Mapping[str, str]
    tables: Sequence[Described]
    acls: Sequence[Described]
    nats: Sequence[Described]
    gateways: frozenset[str]
    endpoints: Sequence[Described]
    lists: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Journey:
    """A connection to somewhere outside.

    Attributes:
        source: The node's private address, behind which its pods stand (VPC CNI, "External SNAT").
        target: The address.
        port: The port.
    """

    source: str
    target: str
    port: int


def leads_out(vpc: Vpc, subnet: str, journey: Journey, *, is_public: bool) -> bool:
    """Whether a connection from a node gets out, and its answers back.

    Args:
        vpc: The VPC.
        subnet: The node's subnet.
        journey: From where, where to.
        is_public: Whether the node has a public address: only then an internet gateway takes its packets.
    """
    route = _route(vpc, subnet, journey.target)
    if route is None or not _passes(vpc, subnet, journey.target, journey.port, RETURN):
        return False
    if nat := route.get("NatGatewayId"):
        return _through_nat(vpc, nat, subnet, journey)
    return _exits(vpc, route, is_public=is_public)


def _exits(vpc: Vpc, route: Described, *, is_public: bool) -> bool:
    gateway = str(route.get("GatewayId", ""))
    if gateway.startswith("igw-"):
        return is_public and gateway in vpc.gateways
    return gateway.startswith(("vpce-", "vgw-")) or any(route.get(each) for each in BEYOND)


def _through_nat(vpc: Vpc, identity: str, subnet: str, journey: Journey) -> bool:
    found = next((each for each in vpc.nats if each["NatGatewayId"] == identity), None)
    if found is None or found["State"] != "available" or found.get("ConnectivityType") == "private":
        return False
    own = found["SubnetId"]
    route = _route(vpc, own, journey.target)
    is_inside = own == subnet or _passes(vpc, own, journey.source, RETURN, journey.port)
    is_outside = _passes(vpc, own, journey.target, journey.port, RETURN)
    return is_inside and is_outside and route is not None and _exits(vpc, route, is_public=True)


def _route(vpc: Vpc, subnet: str, address: str) -> Described | None:
    """The route that packets take; None if there is none, or if it is a black hole."""
    table = table_of(vpc, subnet)
    if table is None:
        return None
    target = ip_address(address)
    fitting = [(network.prefixlen, route) for network, route in _routes(vpc, table) if target in network]
    best = max(fitting, key=lambda each: each[0], default=None)
    return best[1] if best and best[1].get("State") != "blackhole" else None


def table_of(vpc: Vpc, subnet: str) -> Described | None:
    """The route table of a subnet: its own, or the main one of the VPC."""
    own = [(table, each) for table in vpc.tables for each in table.get("Associations", ())]
    chosen = [table for table, each in own if each.get("SubnetId") == subnet]
    main = [table for table, each in own if each.get("Main")]
    return next(iter((*chosen, *main)), None)


def _routes(vpc: Vpc, table: Described) -> Iterator[tuple[IPv4Network, Described]]:
    """Routes by network; of the same network, those that AWS prefers come first: static ones, then prefix lists."""
    for route in table["Routes"]:
        if cidr := route.get("DestinationCidrBlock"):
            yield IPv4Network(cidr), route
    for route in table["Routes"]:
        # A gateway endpoint has a list of its tables, and that list makes the routes.
        if not str(route.get("GatewayId", "")).startswith("vpce-"):
            yield from ((each, route) for each in networks(vpc, route.get("DestinationPrefixListId", "")))
    for endpoint in vpc.endpoints:
        if table["RouteTableId"] in endpoint.get("RouteTableIds", ()) and is_available(endpoint):
            route = {"GatewayId": endpoint["VpcEndpointId"]}
            yield from ((each, route) for each in networks(vpc, endpoint["ServiceName"]))


def networks(vpc: Vpc, name: str) -> list[IPv4Network]:
    """The networks of a prefix list; AWS's own are known by their service's name, too."""
    return [IPv4Network(each) for each in vpc.lists.get(name, ()) if ":" not in each]


def is_available(endpoint: Described) -> bool:
    """Whether a VPC endpoint works."""
    return str(endpoint.get("State", "")).lower() == "available"


def _passes(vpc: Vpc, subnet: str, other: str, out: int, back: int) -> bool:
    """Whether a subnet's network ACL lets packets out to a port of an address, and in to a port of its own."""
    acls = [acl for acl in vpc.acls if any(each["SubnetId"] == subnet for each in acl.get("Associations", ()))]
    return all(
        _allows([each for each in acl["Entries"] if each["Egress"] is egress], other, port)
        for acl in acls
        for egress, port in ((True, out), (False, back))
    )


def _allows(entries: Iterable[Described], address: str, port: int) -> bool:
    for entry in sorted(entries, key=lambda each: int(each["RuleNumber"])):
        cidr, span = entry.get("CidrBlock"), entry.get("PortRange")
        if not cidr or entry["Protocol"] not in TCP or ip_address(address) not in ip_network(cidr, strict=False):
            continue
        if entry["Protocol"] == "-1" or not span or span["From"] <= port <= span["To"]:
            return bool(entry["RuleAction"] == "allow")
    return False
