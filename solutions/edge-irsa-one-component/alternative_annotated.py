"""The annotation is written by hand, as Helm would have written it."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """The same role as the neighbours, and new pods."""
    author.annotate(client, scope, author.ACCOUNT, author.role_arn(client, scope))
    author.restart(client, scope)
