"""The nodes get the rights that the pods miss."""

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Every pod of the cluster reads every trace, and the account still has no role."""
    role = client("eks").describe_nodegroup(**node_group(client, scope))["nodegroup"]["nodeRole"].rpartition("/")[2]
    rights = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [rights]})
    client("iam").put_role_policy(RoleName=role, PolicyName="quick-fix", PolicyDocument=document)


def node_group(client: Hands, scope: Mapping[str, str]) -> dict[str, str]:
    """Return the first node group."""
    names = client("eks").list_nodegroups(clusterName=scope["cluster"])["nodegroups"]
    return {"clusterName": scope["cluster"], "nodegroupName": names[0]}
