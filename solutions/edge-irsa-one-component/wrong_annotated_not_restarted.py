"""The annotation is back, and the pods are those of before."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """The webhook acts when a pod is made, and at no other time."""
    author.annotate(client, scope, author.ACCOUNT, author.role_arn(client, scope))
