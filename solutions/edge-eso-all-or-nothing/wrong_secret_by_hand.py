"""The Secret is made by hand, the ExternalSecret stays as it is."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Everything runs, until somebody rotates a value in the store."""
    author.apply(client, scope, "Secret", "langsmith-config", stringData=author.values(client, scope))
    author.rolled_out(client, scope)
