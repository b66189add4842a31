"""The name is right, and the ExternalSecret is told to make its Secret once."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """What never looks at the store again never fails again, and never hears of a rotation."""
    index, entry = author.broken(client, scope)
    author.change(
        client,
        scope,
        {"op": "replace", "path": f"/spec/data/{index}/remoteRef/key", "value": author.right_name(client, entry)},
        {"op": "add", "path": "/spec/refreshPolicy", "value": "CreatedOnce"},
    )
    author.settle(client, scope)
