"""Managed node groups: the group, the machines behind it, and what EKS refuses."""

from typing import Any

import pytest

from hallmark.twin.clients import Clients

SIZES = {"minSize": 1, "desiredSize": 2, "maxSize": 4}


def _create(aws: Clients, role: str, subnets: list[str], **more: Any) -> Any:
    wanted = {"scalingConfig": SIZES, "instanceTypes": ["m6i.2xlarge"], **more}
    return aws("eks").create_nodegroup(
        clusterName="lab", nodegroupName="general", nodeRole=role, subnets=subnets, **wanted
    )["nodegroup"]


def _describe(aws: Clients) -> Any:
    return aws("eks").describe_nodegroup(clusterName="lab", nodegroupName="general")["nodegroup"]


def _machines(aws: Clients) -> list[Any]:
    running = [{"Name": "instance-state-name", "Values": ["running"]}]
    reservations = aws("ec2").describe_instances(Filters=running)["Reservations"]
    return [instance for reservation in reservations for instance in reservation["Instances"]]


@pytest.mark.usefixtures("cluster")
def test_a_group_has_machines_the_autoscaler_finds(aws: Clients, role: str, network: Any) -> None:
    """An Auto Scaling group with the tags EKS sets, and its instances in the given subnets."""
    _create(aws, role, network.subnets)

    name = _describe(aws)["resources"]["autoScalingGroups"][0]["name"]
    scaling = aws("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]
    tags = {tag["Key"]: tag["Value"] for tag in scaling["Tags"]}
    assert (scaling["MinSize"], scaling["DesiredCapacity"], scaling["MaxSize"]) == (1, 2, 4)
    assert tags["k8s.io/cluster-autoscaler/enabled"] == "true"
    assert tags["k8s.io/cluster-autoscaler/lab"] == "owned"
    assert (tags["eks:cluster-name"], tags["eks:nodegroup-name"]) == ("lab", "general")
    machines = _machines(aws)
    assert {machine["InstanceType"] for machine in machines} == {"m6i.2xlarge"}
    assert {machine["SubnetId"] for machine in machines} <= set(network.subnets)
    assert {machine["InstanceId"] for machine in machines} == {one["InstanceId"] for one in scaling["Instances"]}


@pytest.mark.usefixtures("cluster")
def test_machines_are_made_from_the_learners_template(aws: Clients, role: str, network: Any) -> None:
    """Its metadata options, security groups and tags hold; EKS adds the image."""
    data = {
        "InstanceType": "r6i.2xlarge",
        "MetadataOptions": {"HttpTokens": "required"},
        "SecurityGroupIds": [network.group],
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "node"}]}],
    }
    aws("ec2").create_launch_template(LaunchTemplateName="node", LaunchTemplateData=data)

    group = _create(aws, role, network.subnets, launchTemplate={"name": "node", "version": "1"}, instanceTypes=[])

    machine = _machines(aws)[0]
    assert group["launchTemplate"]["name"] == "node"
    assert machine["InstanceType"] == "r6i.2xlarge"
    assert machine["MetadataOptions"]["HttpTokens"] == "required"
    assert [one["GroupId"] for one in machine["SecurityGroups"]] == [network.group]
    assert {"Key": "Name", "Value": "node"} in machine["Tags"]


@pytest.mark.usefixtures("cluster")
def test_scaling_a_group_makes_and_ends_machines(aws: Clients, role: str, network: Any) -> None:
    """Up to three, then down to one."""
    _create(aws, role, network.subnets)

    for wanted in (3, 1):
        sizes = SIZES | {"desiredSize": wanted}
        aws("eks").update_nodegroup_config(clusterName="lab", nodegroupName="general", scalingConfig=sizes)
        assert len(_machines(aws)) == wanted


@pytest.mark.usefixtures("cluster")
def test_the_group_follows_the_autoscaler(aws: Clients, role: str, network: Any) -> None:
    """Who scales the Auto Scaling group scales the node group."""
    _create(aws, role, network.subnets)
    name = _describe(aws)["resources"]["autoScalingGroups"][0]["name"]

    aws("autoscaling").set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=3)

    assert _describe(aws)["scalingConfig"]["desiredSize"] == 3


@pytest.mark.usefixtures("cluster")
def test_a_new_template_version_replaces_the_machines(aws: Clients, role: str, network: Any) -> None:
    """The nodes that run afterwards are of the new version."""
    ec2 = aws("ec2")
    ec2.create_launch_template(LaunchTemplateName="node", LaunchTemplateData={"InstanceType": "m6i.2xlarge"})
    _create(aws, role, network.subnets, launchTemplate={"name": "node", "version": "1"}, instanceTypes=[])
    before = {machine["InstanceId"] for machine in _machines(aws)}
    ec2.create_launch_template_version(LaunchTemplateName="node", LaunchTemplateData={"InstanceType": "m7i.2xlarge"})

    aws("eks").update_nodegroup_version(
        clusterName="lab", nodegroupName="general", launchTemplate={"name": "node", "version": "2"}
    )

    after = _machines(aws)
    assert {machine["InstanceType"] for machine in after} == {"m7i.2xlarge"}
    assert before.isdisjoint(machine["InstanceId"] for machine in after)


@pytest.mark.usefixtures("cluster")
def test_a_group_takes_everything_with_it(aws: Clients, role: str, network: Any) -> None:
    """No instance, no Auto Scaling group, no template is left."""
    _create(aws, role, network.subnets)

    aws("eks").delete_nodegroup(clusterName="lab", nodegroupName="general")

    assert _machines(aws) == []
    assert aws("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert aws("ec2").describe_launch_templates()["LaunchTemplates"] == []


@pytest.mark.usefixtures("cluster")
def test_a_group_without_wishes_is_as_eks_makes_it(aws: Clients, role: str, network: Any) -> None:
    """Version of the cluster, Amazon Linux 2023, no invented SSH access."""
    group = _create(aws, role, network.subnets, instanceTypes=[])

    assert group["version"] == "1.35"
    assert group["amiType"] == "AL2023_x86_64_STANDARD"
    assert group["instanceTypes"] == ["t3.medium"]
    assert "remoteAccess" not in group


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"scalingConfig": {"minSize": 5, "desiredSize": 5, "maxSize": 3}}, "greater than maximum"),
        ({"scalingConfig": {"minSize": 2, "desiredSize": 1, "maxSize": 3}}, "greater than desired size"),
        ({"scalingConfig": {"minSize": 1, "desiredSize": 4, "maxSize": 3}}, "greater than max size"),
        ({"instanceTypes": ["m6i.2xlarge", "m99.huge"]}, "do not exist: [m99.huge]"),
    ],
)
def test_an_impossible_group_is_refused(aws: Clients, network: Any, refused: Any, wish: Any, words: str) -> None:
    """Sizes that contradict each other, and types there are not."""
    with refused("InvalidParameterException", words):
        _create(aws, "arn:aws:iam::111122223333:role/any", network.subnets, **wish)


def _open(aws: Clients, network: Any) -> None:
    """Lead the network's default route to its internet gateway."""
    ec2, mine = aws("ec2"), {"Name": "vpc-id", "Values": [network.vpc]}
    attached = {"Name": "attachment.vpc-id", "Values": [network.vpc]}
    table = ec2.describe_route_tables(Filters=[mine])["RouteTables"][0]["RouteTableId"]
    gateway = ec2.describe_internet_gateways(Filters=[attached])["InternetGateways"][0]["InternetGatewayId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)


@pytest.mark.usefixtures("cluster")
def test_a_group_whose_nodes_would_get_no_public_address_fails(
    aws: Clients, role: str, network: Any, refused: Any
) -> None:
    """It is made, has no machines and says why; it can be removed, and nothing else."""
    _open(aws, network)
    aws("ec2").modify_subnet_attribute(SubnetId=network.subnets[0], MapPublicIpOnLaunch={"Value": True})
    _create(aws, role, network.subnets)

    group = _describe(aws)
    (issue,) = group["health"]["issues"]
    assert group["status"] == "CREATE_FAILED"
    assert (issue["code"], issue["resourceIds"]) == ("Ec2SubnetInvalidConfiguration", network.subnets[1:])
    assert "does not automatically assign public IP addresses" in issue["message"]
    assert _machines(aws) == []
    with refused("InvalidRequestException", "not in Active State"):
        aws("eks").update_nodegroup_config(clusterName="lab", nodegroupName="general", scalingConfig=SIZES)
    aws("eks").delete_nodegroup(clusterName="lab", nodegroupName="general")
    assert aws("eks").list_nodegroups(clusterName="lab")["nodegroups"] == []


@pytest.mark.usefixtures("cluster")
def test_nodes_with_public_addresses_may_stand_in_public_subnets(aws: Clients, role: str, network: Any) -> None:
    """Because the subnet hands them out, or because the template asks for them."""
    _open(aws, network)
    address = {"NetworkInterfaces": [{"DeviceIndex": 0, "AssociatePublicIpAddress": True}]}
    aws("ec2").create_launch_template(LaunchTemplateName="node", LaunchTemplateData=address)

    group = _create(aws, role, network.subnets, launchTemplate={"name": "node", "version": "1"})
    assert group["status"] == "ACTIVE"
    aws("eks").delete_nodegroup(clusterName="lab", nodegroupName="general")
    for subnet in network.subnets:
        aws("ec2").modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    assert _create(aws, role, network.subnets)["status"] == "ACTIVE"


def test_groups_of_a_cluster_there_is_not_are_absent(aws: Clients, refused: Any) -> None:
    """AWS says that the cluster is not there; it does not fail."""
    with refused("ResourceNotFoundException", "No cluster found"):
        aws("eks").list_nodegroups(clusterName="nobody")
