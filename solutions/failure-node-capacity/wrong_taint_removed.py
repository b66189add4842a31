"""ClickHouse's node is opened to everybody."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Remove the taint, and raise the limit to be sure."""
    client.kubectl("taint", "nodes", "-l", "hallmark/pool=clickhouse", "hallmark/pool-")
    author.wait(client, scope)
    author.resize(client, scope, maxSize=author.LARGEST)
