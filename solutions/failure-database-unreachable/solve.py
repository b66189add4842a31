"""Put the rule back: the nodes' security group, the database's port, and nothing else."""

from collections.abc import Callable, Mapping
from typing import Any


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Admit the nodes' security group again.

    Args:
        client: Gives a boto3 client for a service name.
        scope: The target: ``cluster`` and others.
    """
    nodes = {
        "GroupId": network(client, scope)["clusterSecurityGroupId"],
        "Description": "PostgreSQL from nodes and pods",
    }
    admit(client, scope, UserIdGroupPairs=[nodes])


def admit(client: Callable[[str], Any], scope: Mapping[str, str], **peer: Any) -> None:
    """Add one ingress rule for PostgreSQL to the database's own security group."""
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, **peer}
    client("ec2").authorize_security_group_ingress(GroupId=group_of(database(client, scope)), IpPermissions=[rule])


def network(client: Callable[[str], Any], scope: Mapping[str, str]) -> dict[str, Any]:
    """Return VPC, subnets and security group of the cluster."""
    settings: dict[str, Any] = client("eks").describe_cluster(name=scope["cluster"])["cluster"]["resourcesVpcConfig"]
    return settings


def database(client: Callable[[str], Any], scope: Mapping[str, str]) -> dict[str, Any]:
    """Return the PostgreSQL instance in the cluster's VPC."""
    vpc = network(client, scope)["vpcId"]
    found: list[dict[str, Any]] = client("rds").describe_db_instances()["DBInstances"]
    return next(each for each in found if each["Engine"] == "postgres" and each["DBSubnetGroup"]["VpcId"] == vpc)


def group_of(instance: Mapping[str, Any]) -> str:
    """Return the security group of a database."""
    return str(instance["VpcSecurityGroups"][0]["VpcSecurityGroupId"])


def ranges(client: Callable[[str], Any], scope: Mapping[str, str]) -> list[str]:
    """Return the address ranges of the cluster's private subnets."""
    subnets = client("ec2").describe_subnets(SubnetIds=network(client, scope)["subnetIds"])["Subnets"]
    return [subnet["CidrBlock"] for subnet in subnets]
