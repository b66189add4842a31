"""No load balancer, but every node listens, and admits everybody."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Expose the frontend on the nodes, and open them."""
    author.set_type(client, scope, "NodePort")
    author.await_removal(client, scope)
    network = client("eks").describe_cluster(name=scope["cluster"])["cluster"]["resourcesVpcConfig"]
    rule = {"IpProtocol": "tcp", "FromPort": 30000, "ToPort": 32767, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    client("ec2").authorize_security_group_ingress(GroupId=network["clusterSecurityGroupId"], IpPermissions=[rule])
