"""Where things stand: routes make subnets public or private, AWS's own marks say what an interface belongs to."""

from contextlib import nullcontext
from typing import Any

import pytest

from hallmark.errors import Unobservable
from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views.all import Views
from hallmark.views.network import Holder, Network

VPC = "vpc-1"
IN_VPC = [{"Name": "vpc-id", "Values": [VPC]}]
CLUSTER = {"cluster": {"resourcesVpcConfig": {"vpcId": VPC, "clusterSecurityGroupId": "sg-cluster"}}}
INTERNET = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}
LOCAL = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
LISTS = {"pl-in": ("10.0.0.0/24", "2001:db8::/64"), "pl-out": ("10.0.0.0/24", "192.0.2.0/24"), "pl-none": ()}
"""Prefix lists, and what each holds."""


def network(**answers: Any) -> Network:
    """A network view over the given ``ec2`` answers, by operation without ``describe_``."""
    calls: dict[Call, Any] = {Call.of("eks", "describe_cluster", name="c"): CLUSTER}
    for name, value in answers.items():
        filters = "Filter" if name == "nat_gateways" else "Filters"
        calls[Call.of("ec2", f"describe_{name}", **{filters: IN_VPC})] = value
    vpc: dict[str, Any] = {"CidrBlockAssociationSet": [{"CidrBlock": "10.0.0.0/16"}, {"CidrBlock": "100.64.0.0/16"}]}
    vpc["Ipv6CidrBlockAssociationSet"] = [{"Ipv6CidrBlock": "2001:db8::/56"}]
    calls[Call.of("ec2", "describe_vpcs", VpcIds=[VPC])] = {"Vpcs": [vpc]}
    for name, ranges in LISTS.items():
        call = Call.of("ec2", "get_managed_prefix_list_entries", PrefixListId=name)
        calls[call] = {"Entries": [{"Cidr": each} for each in ranges]}
    observed = {call.key: Answer(Status.OBSERVED, value) for call, value in calls.items()}
    return Views(Snapshot(observed, {"cluster": "c"})).network


def subnets(*names: str) -> dict[str, Any]:
    """Subnets of the given names, each with a range of its own."""
    blocks = [f"10.0.{number}.0/24" for number in range(len(names))]
    pairs = zip(names, blocks, strict=True)
    return {"Subnets": [{"SubnetId": n, "AvailabilityZone": "z", "CidrBlock": block} for n, block in pairs]}


def tables(**routes: list[dict[str, Any]]) -> dict[str, Any]:
    """A route table for each subnet id; ``main`` is the VPC's main table."""
    return {
        "RouteTables": [
            {
                "RouteTableId": f"rtb-{name}",
                "Associations": [{"Main": True}] if name == "main" else [{"Main": False, "SubnetId": name}],
                "Routes": [LOCAL, *some],
            }
            for name, some in routes.items()
        ]
    }


def groups(**rules: list[dict[str, Any]]) -> dict[str, Any]:
    """Security groups with their ingress rules; underscores stand for hyphens."""
    return {"SecurityGroups": [{"GroupId": n.replace("_", "-"), "IpPermissions": r} for n, r in rules.items()]}


def test_a_subnet_without_a_table_of_its_own_follows_the_main_table() -> None:
    """The main table makes a subnet public that has no association."""
    view = network(subnets=subnets("a", "b"), route_tables=tables(main=[INTERNET], b=[]))
    assert [view.subnets["a"].is_public, view.subnets["b"].is_public] == [True, False]
    assert view.subnets["a"].table == "rtb-main"


@pytest.mark.parametrize(
    ("route", "public", "private"),
    [
        (INTERNET, True, False),
        ({"DestinationIpv6CidrBlock": "::/0", "GatewayId": "igw-1", "State": "active"}, True, False),
        (INTERNET | {"State": "blackhole"}, False, False),
        ({"DestinationCidrBlock": "198.51.100.0/24", "GatewayId": "igw-1", "State": "active"}, False, False),
        ({"DestinationPrefixListId": "pl-1", "GatewayId": "igw-1", "State": "active"}, False, False),
        ({"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}, False, True),
        ({"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1", "State": "active"}, False, True),
    ],
)
def test_public_needs_a_default_route_and_private_needs_none_at_all(
    route: dict[str, Any], *, public: bool, private: bool
) -> None:
    """A subnet may be neither: then it serves neither purpose."""
    subnet = network(subnets=subnets("a"), route_tables=tables(a=[route], main=[])).subnets["a"]
    assert (subnet.is_public, subnet.is_private) == (public, private)


@pytest.mark.parametrize(
    ("target", "carrier"),
    [
        ({"NatGatewayId": "nat-good"}, "nat-good"),
        ({"NatGatewayId": "nat-failed"}, ""),
        ({"NatGatewayId": "nat-private"}, ""),
        ({"NatGatewayId": "nat-misplaced"}, ""),
        ({"NatGatewayId": "nat-regional"}, "nat-regional"),
        ({"TransitGatewayId": "tgw-1"}, "tgw-1"),
        ({"GatewayId": "vpce-1"}, "vpce-1"),
        ({"GatewayId": "vgw-1"}, "vgw-1"),
        ({"CoreNetworkArn": "arn:core"}, "arn:core"),
        ({"NetworkInterfaceId": "eni-1", "InstanceId": "i-1"}, "eni-1"),
        ({"GatewayId": "igw-1"}, ""),
        ({"VpcPeeringConnectionId": "pcx-1"}, ""),
    ],
)
def test_a_way_out_is_whatever_really_carries_traffic_to_the_internet(target: dict[str, Any], carrier: str) -> None:
    """NAT gateways have to be public, in service, and in a public subnet themselves."""
    good = {"State": "available", "ConnectivityType": "public", "SubnetId": "public"}
    gateways = [
        good | {"NatGatewayId": "nat-good"},
        good | {"NatGatewayId": "nat-failed", "State": "failed"},
        good | {"NatGatewayId": "nat-private", "ConnectivityType": "private"},
        good | {"NatGatewayId": "nat-misplaced", "SubnetId": "inner"},
        {"NatGatewayId": "nat-regional", "State": "available", "ConnectivityType": "public"}
        | {"AvailabilityMode": "regional"},
    ]
    route = {"DestinationCidrBlock": "0.0.0.0/0", "State": "active", **target}
    view = network(
        subnets=subnets("public", "inner"),
        route_tables=tables(main=[], public=[INTERNET], inner=[route]),
        nat_gateways={"NatGateways": gateways},
    )
    assert view.way_out(view.subnets["inner"]) == carrier


def test_a_black_hole_is_no_way_out() -> None:
    """A route whose target is gone carries nothing."""
    route = {"DestinationCidrBlock": "0.0.0.0/0", "State": "blackhole", "NatGatewayId": "nat-gone"}
    view = network(subnets=subnets("a"), route_tables=tables(a=[route], main=[]))
    assert view.way_out(view.subnets["a"]) == ""


@pytest.mark.parametrize(
    ("rule", "sources"),
    [
        ({"IpRanges": [{"CidrIp": "10.0.3.0/24"}, {"CidrIp": "100.64.0.0/16"}]}, []),
        ({"Ipv6Ranges": [{"CidrIpv6": "2001:db8::/64"}]}, []),
        ({"UserIdGroupPairs": [{"GroupId": "sg-db"}]}, []),
        ({"IpRanges": [{"CidrIp": "10.0.0.0/15"}]}, ["10.0.0.0/15"]),
        ({"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, ["0.0.0.0/0"]),
        ({"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}, ["::/0"]),
        ({"PrefixListIds": [{"PrefixListId": "pl-in"}]}, []),
        ({"PrefixListIds": [{"PrefixListId": "pl-none"}]}, []),
        ({"PrefixListIds": [{"PrefixListId": "pl-out"}]}, ["192.0.2.0/24 of pl-out"]),
        ({"UserIdGroupPairs": [{"GroupId": "sg-elsewhere"}]}, ["sg-elsewhere"]),
        ({"UserIdGroupPairs": [{"GroupId": "sg-db", "VpcPeeringConnectionId": "pcx-1"}]}, ["sg-db"]),
    ],
)
def test_outside_is_whatever_is_not_of_this_vpc(rule: dict[str, Any], sources: list[str]) -> None:
    """All ranges of the VPC are inside, also by way of a prefix list; groups of other VPCs are not."""
    view = network(security_groups=groups(sg_db=[{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, **rule}]))
    assert [opening.source for opening in view.from_outside(["sg-db"], 5432)] == sources


@pytest.mark.parametrize(
    ("rule", "covered"),
    [
        ({"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}, True),
        ({"IpProtocol": "6", "FromPort": 0, "ToPort": 65535}, True),
        ({"IpProtocol": "-1"}, True),
        ({"IpProtocol": "tcp", "FromPort": 5433, "ToPort": 5433}, False),
        ({"IpProtocol": "udp", "FromPort": 5432, "ToPort": 5432}, False),
        ({"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1}, False),
    ],
)
def test_a_rule_counts_only_for_its_ports(rule: dict[str, Any], *, covered: bool) -> None:
    """What does not cover the port does not open it."""
    view = network(security_groups=groups(sg_db=[{**rule, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]))
    assert bool(view.from_outside(["sg-db"], 5432)) is covered


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ({"UserIdGroupPairs": [{"GroupId": "sg-node"}]}, True),
        ({"UserIdGroupPairs": [{"GroupId": "sg-db"}]}, False),
        ({"IpRanges": [{"CidrIp": "10.0.0.0/24"}]}, True),
        ({"IpRanges": [{"CidrIp": "10.0.0.0/25"}]}, False),
        ({"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}, False),
        ({"PrefixListIds": [{"PrefixListId": "pl-in"}]}, True),
        ({"PrefixListIds": [{"PrefixListId": "pl-none"}]}, False),
    ],
)
def test_clients_are_let_in_by_their_group_or_by_all_addresses_of_their_subnet(rule: Any, *, allowed: bool) -> None:
    """Half a subnet is not enough: the next pod may have an address of the other half."""
    opening = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, **rule}
    view = network(
        subnets=subnets("a"), route_tables=tables(main=[]), security_groups=groups(sg_db=[opening], sg_node=[])
    )
    assert view.lets_in(["sg-db"], 5432, {"sg-node"}, "a") is allowed


@pytest.mark.parametrize(("port", "is_told"), [(5432, False), (443, True)])
def test_a_list_that_is_not_told_is_nobody_s_guess(port: int, *, is_told: bool) -> None:
    """It counts where its rule covers the port, and there the question stays open."""
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "PrefixListIds": [{"PrefixListId": "pl-secret"}]}
    view = network(security_groups=groups(sg_db=[rule]))

    with nullcontext() if is_told else pytest.raises(Unobservable):
        assert view.openings(["sg-db"], port) == []


def test_half_the_internet_counts_as_everybody() -> None:
    """Two halves are the whole, and nobody owns more than a /8."""
    ranges = ["0.0.0.0/1", "128.0.0.0/1", "12.0.0.0/8", "192.0.2.0/24"]
    rule = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": one} for one in ranges]}
    openings = network(security_groups=groups(sg_lb=[rule])).openings(["sg-lb"], 443)
    assert [opening.is_everybody for opening in openings] == [True, True, False, False]


@pytest.mark.parametrize(
    ("marks", "holder"),
    [
        ({"InterfaceType": "nat_gateway"}, Holder.NAT),
        ({"InterfaceType": "network_load_balancer"}, Holder.BALANCER),
        ({"RequesterId": "amazon-elb", "Attachment": {"InstanceOwnerId": "amazon-elb"}}, Holder.BALANCER),
        ({"InterfaceType": "gateway_load_balancer_endpoint"}, Holder.FIREWALL),
        ({"Attachment": {"InstanceId": "i-node", "InstanceOwnerId": "1"}}, Holder.WORKER),
        ({"Attachment": {"InstanceId": "i-bastion", "InstanceOwnerId": "1"}}, Holder.INSTANCE),
        ({"Attachment": {"InstanceOwnerId": "2"}, "Groups": [{"GroupId": "sg-cluster"}]}, Holder.CONTROL_PLANE),
        ({"Attachment": {"InstanceOwnerId": "2"}, "Groups": [{"GroupId": "sg-x"}]}, Holder.OTHER),
        ({"Attachment": {"InstanceOwnerId": "1"}, "Groups": [{"GroupId": "sg-cluster"}]}, Holder.OTHER),
        ({"Attachment": {"InstanceOwnerId": "amazon-rds"}, "Groups": [{"GroupId": "sg-cluster"}]}, Holder.OTHER),
        ({"Description": "ELB app/pretended/1"}, Holder.OTHER),
    ],
)
def test_an_interface_is_told_by_what_only_aws_can_set(marks: dict[str, Any], holder: Holder) -> None:
    """A description is anybody's to write."""
    plain = {"NetworkInterfaceId": "eni", "SubnetId": "a", "InterfaceType": "interface", "OwnerId": "1", "Groups": []}
    view = network(network_interfaces={"NetworkInterfaces": [plain | marks]})
    instance = {
        "InstanceId": "i-node",
        "InstanceType": "t",
        "VpcId": VPC,
        "SubnetId": "a",
        "State": {"Name": "running"},
    }
    found = {"Reservations": [{"Instances": [instance]}]}
    filters = (
        [{"Name": "tag:eks:cluster-name", "Values": ["c"]}],
        [{"Name": "tag-key", "Values": ["kubernetes.io/cluster/c"]}],
    )
    answers = {Call.of("ec2", "describe_instances", Filters=one).key: Answer(Status.OBSERVED, found) for one in filters}
    view.evidence.answers.update(answers)  # type: ignore[attr-defined]  # a snapshot made above
    assert [interface.holder for interface in view.interfaces] == [holder]


def test_only_gateway_endpoints_for_s3_that_are_available_count() -> None:
    """Each of the others leaves the object traffic on its way through the NAT gateway."""
    good = {
        "VpcEndpointType": "Gateway",
        "State": "available",
        "ServiceName": "com.amazonaws.r.s3",
        "RouteTableIds": ["rtb-1"],
    }
    others = [
        good | {"State": "pending", "RouteTableIds": ["rtb-2"]},
        good | {"ServiceName": "com.amazonaws.r.dynamodb", "RouteTableIds": ["rtb-3"]},
        good | {"VpcEndpointType": "Interface", "RouteTableIds": ["rtb-4"]},
        good | {"State": "Available", "RouteTableIds": ["rtb-5"]},
    ]
    view = network(vpc_endpoints={"VpcEndpoints": [good, *others]})
    assert view.s3_endpoint_tables == {"rtb-1", "rtb-5"}


def test_what_was_not_collected_is_not_guessed() -> None:
    """A view without its answer says so."""
    with pytest.raises(Unobservable):
        _ = network().subnets


@pytest.mark.parametrize(
    ("entries", "server", "stops"),
    [
        ([], "", ""),
        ([], "b", ""),
        ([(True, 443)], "", "acl-a"),
        ([(False, 40_000)], "", "acl-a"),
        ([(False, 443)], "", ""),
        ([(False, 443)], "b", "acl-b"),
        ([(True, 40_000)], "b", "acl-b"),
        ([(True, 443), (False, 443)], "a", ""),
    ],
)
def test_a_network_acl_stops_questions_and_answers(entries: list[tuple[bool, int]], server: str, stops: str) -> None:
    """On both sides, and only where the connection crosses a border."""
    refused = [
        {"RuleNumber": 1, "RuleAction": "deny", "Egress": out, "Protocol": "6", "CidrBlock": "0.0.0.0/0",
         "PortRange": {"From": port, "To": port}}
        for out, port in entries
    ]  # fmt: skip
    allowed = [
        {"RuleNumber": 2, "RuleAction": "allow", "Egress": out, "Protocol": "-1", "CidrBlock": "0.0.0.0/0"}
        for out in (True, False)
    ]
    acls = [
        {"NetworkAclId": f"acl-{name}", "Entries": [*refused, *allowed], "Associations": [{"SubnetId": name}]}
        for name in ("a", "b")
    ]
    view = network(subnets=subnets("a", "b"), route_tables=tables(main=[]), network_acls={"NetworkAcls": acls})
    assert view.stopping("a", 443, server) == stops
