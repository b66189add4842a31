"""A limit of one's own choice, with room above what is needed now."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Raise the limit by less than it was lowered."""
    author.resize(client, scope, maxSize=4)
    author.wait(client, scope)
