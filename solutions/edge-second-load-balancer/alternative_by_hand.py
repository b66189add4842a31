"""Only the live object has to change: the values of the release say the right thing already."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Patch the Service."""
    author.set_type(client, scope, "ClusterIP")
    author.await_removal(client, scope)
