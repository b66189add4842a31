"""Nobody gets through any more; the load balancer and its Service stay."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Revoke every rule of the load balancer's security group."""
    for group in author.balancer(client, scope)["SecurityGroups"]:
        found = client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
        client("ec2").revoke_security_group_ingress(GroupId=group, IpPermissions=found["IpPermissions"])
