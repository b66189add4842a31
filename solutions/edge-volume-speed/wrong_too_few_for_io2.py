"""io2 is the dearer type, not the faster one."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Change the type, and leave the operations."""
    author.modify(client, scope, VolumeType="io2", Iops=3000)
