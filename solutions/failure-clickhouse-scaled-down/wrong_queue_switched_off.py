"""The worker that complains is switched off."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Scale back, and stop the ingest queue."""
    author.solve(client, scope)
    author.kubectl(client, scope, "scale", "deployment", "langsmith-ingest-queue", "--replicas=0")
