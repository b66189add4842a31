"""The trust policy is widened to the namespace, to be sure, and the annotation is back."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Any pod that is started in the namespace may have the role."""
    document = author.trust(client, scope)
    condition = document["Statement"][0]["Condition"].pop("StringEquals")
    subject = next(name for name in condition if name.endswith(":sub"))
    condition[subject] = f"system:serviceaccount:{scope['namespace']}:*"
    document["Statement"][0]["Condition"]["StringLike"] = condition
    author.write_trust(client, scope, document)
    author.annotate(client, scope, author.ACCOUNT, author.role_arn(client, scope))
    author.restart(client, scope)
