"""OpenTelemetry and the older paths are forgotten."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Leave out /api/v1/runs only."""
    author.edit(
        client, scope, lambda rules: [author.rate_rule(), *(author.exempted(rule, ("/api/v1/runs",)) for rule in rules)]
    )
