"""Whether packets find a way out of a VPC. No process is started."""

from dataclasses import replace
from typing import Any

import pytest

from hallmark.twin.kubelet.egress import endpoint_of
from hallmark.twin.kubelet.routes import Journey, Vpc, leads_out, table_of

Json = dict[str, Any]
S3, ELSEWHERE = "52.216.0.9", "198.51.100.10"
LOCAL = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
OUT = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}
NAT = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}
ENDPOINT = {
    "VpcEndpointId": "vpce-1", "ServiceName": "com.amazonaws.us-east-1.s3", "State": "available",
    "RouteTableIds": ["rtb-private"],
}  # fmt: skip


def table(name: str, subnet: str, *routes: Json) -> Json:
    """A route table of one subnet."""
    return {"RouteTableId": name, "Associations": [{"SubnetId": subnet, "Main": False}], "Routes": [LOCAL, *routes]}


def vpc(*private: Json, public: tuple[Json, ...] = (OUT,), **more: Any) -> Vpc:
    """A VPC with a private subnet that has these routes, and a public one with a NAT gateway."""
    nat = {"NatGatewayId": "nat-1", "State": "available", "SubnetId": "public"}
    made = Vpc(
        subnets={"private": "10.0.0.0/24", "public": "10.0.9.0/24"},
        tables=[table("rtb-private", "private", *private), table("rtb-public", "public", *public)],
        acls=[],
        nats=[nat],
        gateways=frozenset({"igw-1"}),
        endpoints=[],
        lists={
            "pl-s3": ("52.216.0.0/15",),
            "com.amazonaws.us-east-1.s3": ("52.216.0.0/15",),
            "pl-own": ("198.51.100.0/24",),
        },
    )
    return replace(made, **more)


def leads(network: Vpc, address: str = ELSEWHERE, *, subnet: str = "private", is_public: bool = False) -> bool:
    """Whether a connection of a node gets out."""
    return leads_out(network, subnet, Journey("10.0.0.5", address, 443), is_public=is_public)


@pytest.mark.parametrize(
    ("network", "out", "to_s3"),
    [
        (vpc(), False, False),
        (vpc(NAT), True, True),
        (vpc(endpoints=[ENDPOINT]), False, True),
        (vpc(endpoints=[{**ENDPOINT, "State": "deleting"}]), False, False),
        (vpc(endpoints=[{**ENDPOINT, "RouteTableIds": ["rtb-public"]}]), False, False),
        (vpc({"DestinationPrefixListId": "pl-s3", "GatewayId": "vpce-1"}), False, False),
        (vpc(NAT, public=()), False, False),
        (vpc(NAT, gateways=frozenset()), False, False),
        (vpc(NAT, nats=[]), False, False),
        (vpc(NAT, nats=[{"NatGatewayId": "nat-1", "State": "deleted", "SubnetId": "public"}]), False, False),
        (vpc({**NAT, "State": "blackhole"}, endpoints=[ENDPOINT]), False, True),
        (vpc(NAT, {"DestinationCidrBlock": "52.216.0.0/16", "State": "blackhole"}), True, False),
        (vpc(NAT, {"DestinationCidrBlock": "52.216.0.0/15", "State": "blackhole"}, endpoints=[ENDPOINT]), True, False),
        (vpc({"DestinationPrefixListId": "pl-own", "NatGatewayId": "nat-1"}), True, False),
        (vpc({"DestinationCidrBlock": "0.0.0.0/0", "TransitGatewayId": "tgw-1"}), True, True),
        (vpc(OUT), False, False),
    ],
)
def test_the_way_out(network: Vpc, out: bool, to_s3: bool) -> None:  # noqa: FBT001  (columns)
    """The most specific route decides, and what it leads to has to work."""
    assert (leads(network), leads(network, S3)) == (out, to_s3)


def test_an_internet_gateway_takes_public_addresses_only() -> None:
    """A node in a public subnet needs a public address of its own."""
    assert leads(vpc(), subnet="public", is_public=True)
    assert not leads(vpc(), subnet="public")


def test_the_main_table_is_for_subnets_without_one() -> None:
    """A subnet without an association has the routes of the VPC's main table."""
    main = {"RouteTableId": "rtb-main", "Associations": [{"Main": True}], "Routes": [LOCAL, NAT]}
    network = vpc()
    network = replace(network, tables=[main, *network.tables])

    assert table_of(network, "other") == main
    assert (leads(network, subnet="other"), leads(network)) == (True, False)


ALL_IN, ALL_OUT = (
    {"Egress": egress, "CidrBlock": "0.0.0.0/0", "Protocol": "-1", "RuleAction": "allow", "RuleNumber": 100}
    for egress in (False, True)
)


@pytest.mark.parametrize(
    ("subnet", "entries", "open_"),
    [
        ("private", [ALL_IN, ALL_OUT], True),
        ("private", [ALL_IN], False),
        ("private", [ALL_OUT], False),
        ("private", [ALL_IN, {**ALL_OUT, "Protocol": "6", "PortRange": {"From": 443, "To": 443}}], True),
        ("private", [ALL_IN, {**ALL_OUT, "Protocol": "6", "PortRange": {"From": 80, "To": 80}}], False),
        ("private", [ALL_IN, {**ALL_OUT, "Protocol": "17"}], False),
        ("private", [ALL_IN, ALL_OUT, {**ALL_OUT, "RuleAction": "deny", "RuleNumber": 90}], False),
        ("private", [ALL_IN, ALL_OUT, {**ALL_OUT, "RuleAction": "deny", "RuleNumber": 110}], True),
        ("private", [ALL_OUT, {**ALL_IN, "Protocol": "6", "PortRange": {"From": 1024, "To": 65535}}], True),
        ("private", [ALL_OUT, {**ALL_IN, "Protocol": "6", "PortRange": {"From": 443, "To": 443}}], False),
        ("public", [ALL_IN, ALL_OUT], True),
        ("public", [ALL_OUT, {**ALL_IN, "CidrBlock": "198.51.100.0/24"}], False),
        ("public", [ALL_IN, {**ALL_OUT, "CidrBlock": "10.0.0.0/16"}], False),
    ],
)
def test_network_acls(subnet: str, entries: list[Json], open_: bool) -> None:  # noqa: FBT001  (a column)
    """They have to let a connection out and its answers in, in the node's subnet and in that of the NAT gateway."""
    acl = {"Associations": [{"SubnetId": subnet}], "Entries": entries}

    assert leads(vpc(NAT, acls=[acl])) is open_


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("s3.eu-west-1.amazonaws.com", ("s3", "eu-west-1")),
        ("traces.s3.us-east-1.amazonaws.com", ("s3", "us-east-1")),
        ("S3.amazonaws.com.", ("s3", "us-east-1")),
        ("1234.dkr.ecr.us-west-2.amazonaws.com", ("ecr.dkr", "us-west-2")),
        ("api.ecr.us-west-2.amazonaws.com", ("ecr.api", "us-west-2")),
        ("eks-auth.us-east-1.api.aws", ("eks-auth", "us-east-1")),
        ("s4.us-east-1.amazonaws.com", ("", "")),
        ("pg.aaaa.us-east-1.rds.amazonaws.com", ("", "")),
        ("registry-1.docker.io", ("", "")),
    ],
)
def test_names_of_endpoints(host: str, found: tuple[str, str]) -> None:
    """Endpoints of AWS are known by service and region."""
    assert endpoint_of(host) == found
