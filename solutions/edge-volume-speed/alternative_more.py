"""gp3 goes higher than the reference asks."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Give the volume twice the operations."""
    author.modify(client, scope, Iops=14000, Throughput=1000)
