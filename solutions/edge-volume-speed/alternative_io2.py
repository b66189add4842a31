"""An io2 volume moves a quarter of a MiB for each operation: 7000 are enough for both."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Change the type."""
    author.modify(client, scope, VolumeType="io2", Iops=7000)
