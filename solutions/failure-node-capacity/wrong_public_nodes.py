"""A second node group, in the public subnets because they have addresses left."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def public_subnets(client: Any, scope: Mapping[str, str]) -> list[str]:
    """Return the subnets of the cluster's VPC that hand out public addresses or lead to an internet gateway."""
    vpc = client("eks").describe_cluster(name=scope["cluster"])["cluster"]["resourcesVpcConfig"]["vpcId"]
    tables = client("ec2").describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    public = [each for each in tables if any(str(r.get("GatewayId", "")).startswith("igw-") for r in each["Routes"])]
    return [link["SubnetId"] for table in public for link in table["Associations"] if "SubnetId" in link]


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Raise the limit, and add a group beside it; without public addresses its nodes would reach no registry."""
    author.resize(client, scope, maxSize=author.LARGEST)
    eks = client("eks")
    first = eks.describe_nodegroup(clusterName=scope["cluster"], nodegroupName=author.GROUP)["nodegroup"]
    kept = {name: first[name] for name in ("nodeRole", "instanceTypes", "amiType", "labels")}
    sizes = {"minSize": 1, "desiredSize": 1, "maxSize": 3}
    name, subnets = "rescue", public_subnets(client, scope)
    for subnet in subnets:
        client("ec2").modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    eks.create_nodegroup(clusterName=scope["cluster"], nodegroupName=name, subnets=subnets, scalingConfig=sizes, **kept)
    author.wait(client, scope)
