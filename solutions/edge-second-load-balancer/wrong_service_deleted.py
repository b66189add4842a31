"""The second way in is closed, and the first one leads nowhere."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Delete the Service of the frontend."""
    client.kubectl("-n", scope["namespace"], "delete", "service", author.FRONTEND)
