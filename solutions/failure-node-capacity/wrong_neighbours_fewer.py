"""Neighbours make room: the backends are scaled down, and the limit is raised to be sure."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Leave one pod each of what had several."""
    for name in ("langsmith-backend", "langsmith-platform-backend"):
        author.kubectl(client, scope, "scale", f"deployment/{name}", "--replicas=1")
    author.solve(client, scope)
