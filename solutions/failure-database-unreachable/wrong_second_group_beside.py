"""A new security group works around the broken one, which stays broken."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Attach another group that admits the nodes, and leave the first as it is."""
    settings, found = author.network(client, scope), author.database(client, scope)
    new = client("ec2").create_security_group(GroupName="beside", Description="beside", VpcId=settings["vpcId"])[
        "GroupId"
    ]
    nodes = [{"GroupId": settings["clusterSecurityGroupId"]}]
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": nodes}
    client("ec2").authorize_security_group_ingress(GroupId=new, IpPermissions=[rule])
    client("rds").modify_db_instance(
        DBInstanceIdentifier=found["DBInstanceIdentifier"],
        VpcSecurityGroupIds=[author.group_of(found), new],
        ApplyImmediately=True,
    )
