"""The exception covers the whole API."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Leave out everything below /api/."""
    author.edit(
        client, scope, lambda rules: [author.rate_rule(), *(author.exempted(rule, ("/api/",)) for rule in rules)]
    )
