"""Throughput is the other half, and cannot be more than a quarter of the operations."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Raise the throughput as far as 3000 operations let it."""
    author.modify(client, scope, Throughput=750)
