"""The limit is raised to what is needed now, and not one node further."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Let the group have one node more."""
    author.resize(client, scope, maxSize=3)
    author.wait(client, scope)
