"""Database, store and cluster agree; every pod still has the old password in its environment."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Leave the pods alone."""
    author.rotate(client, scope)
    author.give_back(client, scope)
    author.sync(client, scope)
