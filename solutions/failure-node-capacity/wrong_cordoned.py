"""The full nodes are cordoned, so that pods go to the new one."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Raise the limit, and cordon what was there."""
    client.kubectl("cordon", "-l", "hallmark/pool=general")
    author.solve(client, scope)
