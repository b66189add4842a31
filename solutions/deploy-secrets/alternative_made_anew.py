"""The old Secret is deleted, and the operator makes another one."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Take the Secret away before it is given back."""
    client.kubectl(*author.here(scope), "delete", "secret", author.SECRET)
    author.solve(client, scope)
