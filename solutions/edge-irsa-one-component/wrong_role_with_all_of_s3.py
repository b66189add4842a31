"""A new role for the one component, with all of S3."""

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """It trusts the right account alone, and may read and delete every bucket."""
    document = author.trust(client, scope)
    condition = document["Statement"][0]["Condition"]["StringEquals"]
    subject = next(name for name in condition if name.endswith(":sub"))
    condition[subject] = f"system:serviceaccount:{scope['namespace']}:{author.ACCOUNT}"
    new = client("iam").create_role(RoleName="langsmith-quick-fix", AssumeRolePolicyDocument=json.dumps(document))[
        "Role"
    ]
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    client("iam").put_role_policy(RoleName=new["RoleName"], PolicyName="s3", PolicyDocument=policy)
    author.annotate(client, scope, author.ACCOUNT, new["Arn"])
    author.restart(client, scope)
