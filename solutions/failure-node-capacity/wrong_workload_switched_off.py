"""Nobody waits where nothing is asked for."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Raise the limit, and scale the ingest queue to one."""
    author.resize(client, scope, maxSize=author.LARGEST)
    author.scale(client, scope, 1)
    author.wait(client, scope)
