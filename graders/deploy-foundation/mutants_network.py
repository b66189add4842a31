"""What can be wrong with the network, and what only looks wrong."""

from collections.abc import Iterator
from typing import Any

from hallmark.grading.mutation import Edit, mutant

ELSEWHERE = "vpc-0ffffffffffffffff"
GATEWAY = "igw-0ffffffffffffffff"
EVERYTHING_PRIVATE = ["nodes_private", "node_groups_private", "postgres_private_subnets", "redis_private_subnets"]


def _public_subnet(edit: Edit) -> str:
    zones = edit.each("elbv2", "describe_load_balancers", "LoadBalancers.AvailabilityZones")
    return str(next(zones)["SubnetId"])


def _instances(edit: Edit) -> Iterator[dict[str, Any]]:
    return edit.each("ec2", "describe_instances", "Reservations.Instances")


def _tables(edit: Edit) -> Iterator[dict[str, Any]]:
    return edit.each("ec2", "describe_route_tables", "RouteTables")


def _routes_out(edit: Edit) -> Iterator[dict[str, Any]]:
    """The default routes of the private subnets."""
    routes = edit.each("ec2", "describe_route_tables", "RouteTables.Routes")
    return (route for route in routes if "NatGatewayId" in route)


def _interfaces(edit: Edit, owner: str) -> Iterator[dict[str, Any]]:
    found = edit.each("ec2", "describe_network_interfaces", "NetworkInterfaces")
    return (one for one in found if one.get("Attachment", {}).get("InstanceOwnerId") == owner)


def _gateway(edit: Edit) -> dict[str, Any]:
    return next(edit.each("ec2", "describe_nat_gateways", "NatGateways"))


@mutant(breaks=["single_vpc"])
def load_balancer_in_another_vpc(edit: Edit) -> None:
    """The load balancer stands in another VPC."""
    for balancer in edit.each("elbv2", "describe_load_balancers", "LoadBalancers"):
        balancer["VpcId"] = ELSEWHERE


@mutant(breaks=["single_vpc"])
def one_node_in_another_vpc(edit: Edit) -> None:
    """One worker stands in another VPC."""
    worker = next(_instances(edit))["InstanceId"]
    for instance in _instances(edit):
        if instance["InstanceId"] == worker:
            instance["VpcId"] = ELSEWHERE


@mutant(breaks=["single_vpc"])
def named_database_in_another_vpc(edit: Edit) -> None:
    """The database the target names stands in another VPC."""
    edit.scope["postgres"] = next(edit.each("rds", "describe_db_instances", "DBInstances"))["DBInstanceIdentifier"]
    for group in edit.each("rds", "describe_db_subnet_groups", "DBSubnetGroups"):
        group["VpcId"] = ELSEWHERE


@mutant(breaks=["single_vpc"])
def named_cache_in_another_vpc(edit: Edit) -> None:
    """The cache the target names stands in another VPC."""
    groups = edit.each("elasticache", "describe_replication_groups", "ReplicationGroups")
    edit.scope["redis"] = next(groups)["ReplicationGroupId"]
    for group in edit.each("elasticache", "describe_cache_subnet_groups", "CacheSubnetGroups"):
        group["VpcId"] = ELSEWHERE


@mutant(breaks=["public_subnets_only_edge"])
def database_interface_in_public_subnet(edit: Edit) -> None:
    """The database has an interface in a public subnet."""
    next(_interfaces(edit, "amazon-rds"))["SubnetId"] = _public_subnet(edit)


@mutant(breaks=["public_subnets_only_edge"])
def cache_interface_in_public_subnet(edit: Edit) -> None:
    """The cache has an interface in a public subnet."""
    next(_interfaces(edit, "amazon-elasticache"))["SubnetId"] = _public_subnet(edit)


@mutant(breaks=["public_subnets_only_edge"])
def worker_interface_in_public_subnet(edit: Edit) -> None:
    """A worker has a second interface in a public subnet."""
    interfaces = edit.each("ec2", "describe_network_interfaces", "NetworkInterfaces")
    worker = next(one for one in interfaces if one.get("Attachment", {}).get("InstanceId"))
    worker["SubnetId"] = _public_subnet(edit)


@mutant(breaks=["public_subnets_only_edge"])
def stray_interface_pretends_to_be_a_load_balancer(edit: Edit) -> None:
    """An interface in a public subnet says in its description that it is a load balancer's."""
    interface = next(_interfaces(edit, "amazon-rds"))
    interface |= {"SubnetId": _public_subnet(edit), "Description": "ELB app/fake/0", "Attachment": {}}


@mutant(breaks=["public_subnets_only_edge"])
def no_interface_at_all(edit: Edit) -> None:
    """Nothing stands in the VPC: then nothing is proven either."""
    for answer in edit.answers("ec2", "describe_network_interfaces"):
        answer["NetworkInterfaces"] = []


@mutant(breaks=())
def control_plane_interface_in_public_subnet(edit: Edit) -> None:
    """An interface of the control plane in a public subnet is a remark (D5)."""
    next(_interfaces(edit, "amazon-eks"))["SubnetId"] = _public_subnet(edit)


@mutant(breaks=())
def bastion_in_public_subnet(edit: Edit) -> None:
    """A bastion in a public subnet is a remark."""
    interface = next(_interfaces(edit, "amazon-rds"))
    attachment = {"InstanceId": "i-0ffffffffffffffff", "InstanceOwnerId": interface["OwnerId"]}
    interface |= {"SubnetId": _public_subnet(edit), "RequesterId": "", "Attachment": attachment}


@mutant(breaks=())
def firewall_endpoint_in_public_subnet(edit: Edit) -> None:
    """A firewall may stand between the internet gateway and the rest."""
    interface = next(_interfaces(edit, "amazon-rds"))
    interface |= {"SubnetId": _public_subnet(edit), "InterfaceType": "gateway_load_balancer_endpoint"}


@mutant(breaks=["nodes_private"])
def one_node_in_public_subnet(edit: Edit) -> None:
    """One worker runs in a public subnet."""
    worker = next(_instances(edit))["InstanceId"]
    for instance in _instances(edit):
        if instance["InstanceId"] == worker:
            instance["SubnetId"] = _public_subnet(edit)


@mutant(breaks=["nodes_private"])
def one_node_has_a_public_address(edit: Edit) -> None:
    """One worker has a public address, although its subnet has no way to use it today."""
    worker = next(_instances(edit))["InstanceId"]
    for instance in _instances(edit):
        if instance["InstanceId"] == worker:
            instance["PublicIpAddress"] = "198.51.100.7"


@mutant(breaks=["nodes_private"])
def one_node_has_a_public_address_on_its_second_interface(edit: Edit) -> None:
    """The public address is on an interface that the summary does not show."""
    worker = next(_instances(edit))["InstanceId"]
    for instance in _instances(edit):
        if instance["InstanceId"] == worker:
            instance["NetworkInterfaces"].append({"Association": {"PublicIp": "198.51.100.7"}})


@mutant(breaks=["node_groups_private"])
def next_node_may_be_public(edit: Edit) -> None:
    """A node group lists a public subnet beside its private ones."""
    next(edit.each("eks", "describe_nodegroup", "nodegroup"))["subnets"].append(_public_subnet(edit))


@mutant(breaks=[*EVERYTHING_PRIVATE, "public_subnets_only_edge"])
def private_subnets_lead_to_the_internet(edit: Edit) -> None:
    """The private route tables lead straight to the internet gateway."""
    for route in _routes_out(edit):
        del route["NatGatewayId"]
        route["GatewayId"] = GATEWAY


@mutant(breaks=[*EVERYTHING_PRIVATE, "public_subnets_only_edge"])
def private_subnets_lead_to_the_internet_by_ipv6(edit: Edit) -> None:
    """IPv4 is in order, but the IPv6 default route leads to the internet gateway."""
    route = {"DestinationIpv6CidrBlock": "::/0", "GatewayId": GATEWAY, "Origin": "CreateRoute", "State": "active"}
    for table in _tables(edit):
        table["Routes"].append(route)


@mutant(breaks=[*EVERYTHING_PRIVATE, "public_subnets_only_edge"])
def private_subnets_inherit_a_public_main_table(edit: Edit) -> None:
    """Private subnets have no table of their own, and the main table leads to the internet."""
    default = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": GATEWAY, "State": "active"}
    for table in _tables(edit):
        if any("NatGatewayId" in route for route in table["Routes"]):
            table["Associations"] = []
        elif any(association["Main"] for association in table["Associations"]):
            table["Routes"].append(default)


@mutant(breaks=["nodes_reach_out", "s3_stays_inside"])
def private_subnets_inherit_a_table_without_way_out(edit: Edit) -> None:
    """Private subnets have no table of their own, and the main table leads nowhere."""
    for table in _tables(edit):
        if any("NatGatewayId" in route for route in table["Routes"]):
            table["Associations"] = []


@mutant(breaks=["nodes_reach_out"])
def way_out_is_a_black_hole(edit: Edit) -> None:
    """The NAT gateway is gone, the route is still there."""
    for route in _routes_out(edit):
        route["State"] = "blackhole"


@mutant(breaks=["nodes_reach_out"])
def one_subnet_has_no_way_out(edit: Edit) -> None:
    """One private route table has lost its default route."""
    next(_routes_out(edit))["DestinationCidrBlock"] = "10.99.0.0/16"


@mutant(breaks=["nodes_reach_out"])
def nat_gateway_has_failed(edit: Edit) -> None:
    """The NAT gateway failed while it was made."""
    _gateway(edit)["State"] = "failed"


@mutant(breaks=["nodes_reach_out"])
def nat_gateway_is_private(edit: Edit) -> None:
    """A private NAT gateway reaches other networks, not the internet."""
    _gateway(edit)["ConnectivityType"] = "private"


@mutant(breaks=["nodes_reach_out"])
def nat_gateway_in_a_private_subnet(edit: Edit) -> None:
    """The NAT gateway stands where it has no way out itself."""
    _gateway(edit)["SubnetId"] = next(_instances(edit))["SubnetId"]


@mutant(breaks=["nodes_reach_out"])
def way_out_over_a_peering(edit: Edit) -> None:
    """A peering connection does not carry traffic to the internet."""
    for route in _routes_out(edit):
        del route["NatGatewayId"]
        route["VpcPeeringConnectionId"] = "pcx-0ffffffffffffffff"


def _acl_entries(edit: Edit) -> Iterator[list[dict[str, Any]]]:
    for acl in edit.each("ec2", "describe_network_acls", "NetworkAcls"):
        yield acl["Entries"]


def _entry(number: int, action: str, *, out: bool, first: int, last: int) -> dict[str, Any]:
    ports = {"From": first, "To": last}
    which = {"RuleNumber": number, "RuleAction": action, "Egress": out}
    return which | {"Protocol": "6", "CidrBlock": "0.0.0.0/0", "PortRange": ports}


@mutant(breaks=["nodes_reach_out"])
def acl_stops_https(edit: Edit) -> None:
    """A network ACL refuses what leaves for port 443."""
    for entries in _acl_entries(edit):
        entries.append(_entry(50, "deny", out=True, first=443, last=443))


@mutant(breaks=["nodes_reach_out", "postgres_reachable", "redis_reachable"])
def acl_stops_answers(edit: Edit) -> None:
    """A network ACL lets nothing in but HTTPS: it does not remember who was asked."""
    for entries in _acl_entries(edit):
        entries[:] = [one for one in entries if one["Egress"]]
        entries.append(_entry(50, "allow", out=False, first=443, last=443))


@mutant(breaks=["postgres_reachable"])
def acl_stops_the_database(edit: Edit) -> None:
    """A network ACL refuses what comes in for PostgreSQL."""
    for entries in _acl_entries(edit):
        entries.append(_entry(50, "deny", out=False, first=5432, last=5432))


@mutant(breaks=())
def acl_is_narrow(edit: Edit) -> None:
    """What is needed is allowed, and nothing else."""
    ports = [(443, 443), (1024, 65535)]
    for entries in _acl_entries(edit):
        entries[:] = [
            _entry(10 * number, "allow", out=out, first=first, last=last)
            for number, (first, last) in enumerate(ports, start=1)
            for out in (True, False)
        ]


@mutant(breaks=())
def way_out_over_a_transit_gateway(edit: Edit) -> None:
    """A central egress VPC behind a transit gateway is as good as a NAT gateway."""
    for route in _routes_out(edit):
        del route["NatGatewayId"]
        route["TransitGatewayId"] = "tgw-0ffffffffffffffff"


@mutant(breaks=())
def way_out_over_a_firewall(edit: Edit) -> None:
    """A firewall endpoint as the way out."""
    for route in _routes_out(edit):
        del route["NatGatewayId"]
        route["GatewayId"] = "vpce-0ffffffffffffffff"


@mutant(breaks=())
def way_out_over_a_regional_nat_gateway(edit: Edit) -> None:
    """A regional NAT gateway has no subnet."""
    gateway = _gateway(edit)
    gateway["AvailabilityMode"] = "regional"
    del gateway["SubnetId"]


@mutant(breaks=())
def dual_stack_with_an_egress_only_gateway(edit: Edit) -> None:
    """IPv6 leaves by an egress-only gateway, which lets nobody in."""
    route = {"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-0ffffffff", "State": "active"}
    for table in _tables(edit):
        if any("NatGatewayId" in one for one in table["Routes"]):
            table["Routes"].append(route)


@mutant(breaks=["s3_stays_inside"])
def no_s3_endpoint(edit: Edit) -> None:
    """There is no endpoint."""
    for answer in edit.answers("ec2", "describe_vpc_endpoints"):
        answer["VpcEndpoints"] = []


@mutant(breaks=["s3_stays_inside"])
def endpoint_is_for_dynamodb(edit: Edit) -> None:
    """The only gateway endpoint is for another service."""
    for endpoint in edit.each("ec2", "describe_vpc_endpoints", "VpcEndpoints"):
        endpoint["ServiceName"] = "com.amazonaws.us-east-1.dynamodb"


@mutant(breaks=["s3_stays_inside"])
def endpoint_misses_one_route_table(edit: Edit) -> None:
    """One private route table was forgotten."""
    next(edit.each("ec2", "describe_vpc_endpoints", "VpcEndpoints"))["RouteTableIds"].pop()


@mutant(breaks=["s3_stays_inside"])
def endpoint_is_being_deleted(edit: Edit) -> None:
    """The endpoint is on its way out."""
    for endpoint in edit.each("ec2", "describe_vpc_endpoints", "VpcEndpoints"):
        endpoint["State"] = "deleting"


@mutant(breaks=["s3_stays_inside"])
def endpoint_is_an_interface(edit: Edit) -> None:
    """An interface endpoint costs by the gigabyte and is used only by those who know its name."""
    for endpoint in edit.each("ec2", "describe_vpc_endpoints", "VpcEndpoints"):
        endpoint["VpcEndpointType"] = "Interface"
