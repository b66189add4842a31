"""The common rule set is deleted: nothing blocks traces any more."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Keep the rate rule only and the other groups."""
    author.edit(client, scope, lambda rules: [author.rate_rule(), *(r for r in rules if "Common" not in r["Name"])])
