"""Another port is opened."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Admit the nodes to the port of MySQL."""
    nodes = {"GroupId": author.network(client, scope)["clusterSecurityGroupId"]}
    group = author.group_of(author.database(client, scope))
    rule = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "UserIdGroupPairs": [nodes]}
    client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
