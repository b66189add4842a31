"""The Secret has an owner again, and the password is the one that was seen."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Give the Secret back and restart everything that reads it."""
    author.give_back(client, scope)
    author.sync(client, scope)
    author.restart(client, scope)
