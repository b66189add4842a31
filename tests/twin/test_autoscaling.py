"""Auto Scaling: instances are spread over the subnets of their group."""

from collections import Counter
from typing import Any

from hallmark.twin.clients import Clients


def test_instances_are_spread_over_the_subnets(aws: Clients, network: Any) -> None:
    """Three instances in three subnets, and the fourth in the first again."""
    data = {"ImageId": "ami-12345678", "InstanceType": "m6i.large"}
    aws("ec2").create_launch_template(LaunchTemplateName="one", LaunchTemplateData=data)
    scaling = aws("autoscaling")

    scaling.create_auto_scaling_group(
        AutoScalingGroupName="group",
        MinSize=0,
        MaxSize=4,
        DesiredCapacity=4,
        VPCZoneIdentifier=",".join(network.subnets),
        LaunchTemplate={"LaunchTemplateName": "one"},
    )

    reservations = aws("ec2").describe_instances()["Reservations"]
    used = Counter(instance["SubnetId"] for one in reservations for instance in one["Instances"])
    assert sorted(used.values()) == [1, 1, 2]
    assert set(used) == set(network.subnets)
    group = scaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    assert group["VPCZoneIdentifier"] == ",".join(network.subnets)
