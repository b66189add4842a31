"""A fresh start, with an empty volume."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Delete the claim, then scale back."""
    author.kubectl(client, scope, "delete", "pvc", "data-langsmith-clickhouse-0")
    author.solve(client, scope)
