"""The limit is below what one SDK process sends."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Block above 100 requests in five minutes."""
    author.edit(client, scope, lambda rules: [author.rate_rule(Limit=100), *map(author.exempted, rules)])
