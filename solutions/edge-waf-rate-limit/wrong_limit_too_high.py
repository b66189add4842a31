"""The limit is beyond what any client can send."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Block above 2,000 million requests."""
    author.edit(client, scope, lambda rules: [author.rate_rule(Limit=2_000_000_000), *map(author.exempted, rules)])
