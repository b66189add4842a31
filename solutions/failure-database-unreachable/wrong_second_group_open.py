"""A new security group is attached that admits everybody."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Attach another group with the port open to 0.0.0.0/0."""
    vpc, found = author.network(client, scope)["vpcId"], author.database(client, scope)
    new = client("ec2").create_security_group(GroupName="quick-fix", Description="quick fix", VpcId=vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    client("ec2").authorize_security_group_ingress(GroupId=new, IpPermissions=[rule])
    client("rds").modify_db_instance(
        DBInstanceIdentifier=found["DBInstanceIdentifier"],
        VpcSecurityGroupIds=[author.group_of(found), new],
        ApplyImmediately=True,
    )
