"""A storage class is for volumes that are still to be made."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, _scope: Mapping[str, str]) -> None:
    """Make a faster class."""
    author.make_class(client, "fast", iops="16000", throughput="1000")
