"""The volume is fast, and the next one will not be."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Mend the volume, and make the class say what the volume had."""
    author.solve(client, scope)
    author.make_class(client, "langsmith-clickhouse", iops="3000", throughput="125")
