"""The entry is dropped: the other three are enough for every pod."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """The job that reads the password comes with the next upgrade, and fails."""
    index, _ = author.broken(client, scope)
    author.change(client, scope, {"op": "remove", "path": f"/spec/data/{index}"})
    author.settle(client, scope)
