"""The application is restarted, and nothing else."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Restart whoever complains."""
    author.kubectl(client, scope, "rollout", "restart", "deployment")
    author.kubectl(client, scope, "rollout", "status", "deployment", "langsmith-backend", author.PATIENCE)
