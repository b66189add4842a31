"""Scale back, and restart the backend for good measure."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Not needed, and harmless."""
    author.solve(client, scope)
    author.kubectl(client, scope, "rollout", "restart", "deployment", "langsmith-backend")
    author.kubectl(client, scope, "rollout", "status", "deployment", "langsmith-backend", author.PATIENCE)
