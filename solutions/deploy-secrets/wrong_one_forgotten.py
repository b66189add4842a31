"""The worker that nobody thinks of keeps the old password."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Restart three of four."""
    author.rotate(client, scope)
    author.give_back(client, scope)
    author.sync(client, scope)
    author.restart(client, scope, "backend", "platform-backend", "queue")
