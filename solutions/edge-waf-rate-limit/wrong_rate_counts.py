"""The rate rule only counts."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Add the rate rule with action Count."""
    author.edit(
        client, scope, lambda rules: [{**author.rate_rule(), "Action": {"Count": {}}}, *map(author.exempted, rules)]
    )
