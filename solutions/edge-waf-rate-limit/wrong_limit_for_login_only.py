"""Only signing in is counted."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Scope the rate rule down to one path."""
    author.edit(
        client,
        scope,
        lambda rules: [
            author.rate_rule(ScopeDownStatement=author.path_begins("/api/v1/login")),
            *map(author.exempted, rules),
        ],
    )
