"""EC2: rules, templates, gateways, instances and gp3 volumes as AWS has them."""

from typing import Any

import pytest

from hallmark.twin.clients import Clients


def test_a_rule_between_groups_keeps_its_description(aws: Clients, network: Any) -> None:
    """Terraform would otherwise see drift for ever."""
    ec2 = aws("ec2")
    pair = [{"GroupId": network.group, "Description": "from itself"}]
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": pair}

    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[rule])

    mine = [{"Name": "group-id", "Values": [network.group]}]
    rules = ec2.describe_security_group_rules(Filters=mine)["SecurityGroupRules"]
    assert [one["Description"] for one in rules if not one["IsEgress"]] == ["from itself"]


def test_a_rule_can_be_revoked_and_made_again(aws: Clients, network: Any) -> None:
    """What the database lab injects and reverts."""
    ec2 = aws("ec2")
    rule = [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "10.7.0.0/16"}]}]

    def ports() -> list[int]:
        group = ec2.describe_security_groups(GroupIds=[network.group])["SecurityGroups"][0]
        return [one["FromPort"] for one in group["IpPermissions"]]

    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=rule)
    ec2.revoke_security_group_ingress(GroupId=network.group, IpPermissions=rule)
    assert ports() == []

    ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=rule)
    assert ports() == [5432]


def test_tags_of_a_template_stay_out_of_its_data(aws: Clients) -> None:
    """Tags of the template are no tags of the instances it makes."""
    ec2 = aws("ec2")
    instances = {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "node"}]}
    ec2.create_launch_template(
        LaunchTemplateName="node",
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": [{"Key": "owner", "Value": "lab"}]}],
        LaunchTemplateData={"InstanceType": "m6i.large", "TagSpecifications": [instances]},
    )

    versions = ec2.describe_launch_template_versions(LaunchTemplateName="node")["LaunchTemplateVersions"]

    assert versions[0]["LaunchTemplateData"]["TagSpecifications"] == [instances]
    assert ec2.describe_launch_templates()["LaunchTemplates"][0]["Tags"] == [{"Key": "owner", "Value": "lab"}]


def test_an_instance_obeys_the_metadata_options_of_its_template(aws: Clients, network: Any) -> None:
    """IMDSv2 that the template requires is required of the instance."""
    ec2 = aws("ec2")
    options = {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    data = {"ImageId": "ami-12345678", "InstanceType": "m6i.large", "MetadataOptions": options}
    ec2.create_launch_template(LaunchTemplateName="strict", LaunchTemplateData=data)

    ec2.run_instances(
        LaunchTemplate={"LaunchTemplateName": "strict"}, MinCount=1, MaxCount=1, SubnetId=network.subnets[0]
    )

    instance = ec2.describe_instances()["Reservations"][0]["Instances"][0]
    assert instance["MetadataOptions"]["HttpTokens"] == "required"


def test_the_interface_of_an_instance_goes_with_it(aws: Clients, network: Any) -> None:
    """A terminated instance leaves nothing in its subnet."""
    ec2 = aws("ec2")
    made = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=network.subnets[0])

    ec2.terminate_instances(InstanceIds=[made["Instances"][0]["InstanceId"]])

    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_a_nat_gateway_has_an_address_of_its_subnet(aws: Clients, network: Any) -> None:
    """Its interface says what it is for."""
    ec2 = aws("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=network.subnets[2], AllocationId=address)["NatGateway"]["NatGatewayId"]

    interface = ec2.describe_network_interfaces()["NetworkInterfaces"][0]

    assert interface["Description"] == f"Interface for NAT Gateway {gateway}"
    assert interface["InterfaceType"] == "nat_gateway"
    assert interface["RequesterManaged"] is True
    assert interface["PrivateIpAddress"].startswith("10.7.2.")
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []


@pytest.mark.parametrize(
    ("volume", "words"),
    [
        ({"Size": 100, "Iops": 2000}, "Volume iops of 2000 is too low; minimum is 3000."),
        ({"Size": 500, "Iops": 99_999}, "Volume iops of 99999 is too high; maximum is 80000."),
        ({"Size": 10, "Iops": 7000}, "Iops to volume size ratio"),
        ({"Size": 500, "Throughput": 100}, "Volume throughput of 100 is too low; minimum is 125."),
        ({"Size": 500, "Iops": 3000, "Throughput": 1000}, "Throughput (MiBps) to iops ratio"),
    ],
)
def test_a_volume_that_gp3_cannot_be_is_refused(aws: Clients, refused: Any, volume: Any, words: str) -> None:
    """EBS checks IOPS, throughput and both ratios."""
    with refused("InvalidParameterValue", words):
        aws("ec2").create_volume(AvailabilityZone="us-east-1a", VolumeType="gp3", **volume)


def test_the_volume_of_the_reference_is_possible(aws: Clients, refused: Any) -> None:
    """7000 IOPS and 1000 MiB/s are made; the same volume cannot be changed into an impossible one."""
    ec2 = aws("ec2")
    made = ec2.create_volume(AvailabilityZone="us-east-1a", VolumeType="gp3", Size=500, Iops=7000, Throughput=1000)
    assert (made["Iops"], made["Throughput"]) == (7000, 1000)

    with refused("InvalidParameterValue", "Throughput (MiBps) to iops ratio"):
        ec2.modify_volume(VolumeId=made["VolumeId"], Throughput=2000)
    ec2.modify_volume(VolumeId=made["VolumeId"], Iops=8000, Throughput=2000)


def test_a_gateway_endpoint_has_a_route_in_each_of_its_tables(aws: Clients, network: Any) -> None:
    """The routes come and go with its list of tables, and with it."""
    ec2 = aws("ec2")
    one, other = (ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"] for _ in range(2))
    made = ec2.create_vpc_endpoint(
        VpcId=network.vpc, ServiceName="com.amazonaws.us-east-1.s3", RouteTableIds=[one]
    )["VpcEndpoint"]  # fmt: skip
    endpoint = made["VpcEndpointId"]

    def tables() -> set[str]:
        found = ec2.describe_route_tables()["RouteTables"]
        return {
            each["RouteTableId"] for each in found for route in each["Routes"] if route.get("GatewayId") == endpoint
        }

    assert (made["VpcEndpointType"], tables()) == ("Gateway", {one})
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[other], RemoveRouteTableIds=[one])
    assert tables() == {other}
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert tables() == set()


def test_a_route_without_its_target_is_a_black_hole(aws: Clients, network: Any) -> None:
    """A deleted NAT gateway and a detached internet gateway leave their routes behind."""
    ec2 = aws("ec2")
    table = ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=network.subnets[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    attached = [{"Name": "attachment.vpc-id", "Values": [network.vpc]}]
    gateway = ec2.describe_internet_gateways(Filters=attached)["InternetGateways"][0]["InternetGatewayId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="192.0.2.0/24", NatGatewayId=nat)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)

    def states() -> list[str]:
        routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
        return [each["State"] for each in routes if each.get("GatewayId") != "local"]

    assert states() == ["active", "active"]
    ec2.delete_nat_gateway(NatGatewayId=nat)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=network.vpc)
    assert states() == ["blackhole", "blackhole"]
