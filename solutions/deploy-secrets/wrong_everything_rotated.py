"""The salt of the API keys gets a new value, too: every key that was given out is worthless."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Rotate all there is."""
    author.put(client, "api-key-salt", author.new_password(client))
    author.solve(client, scope)
