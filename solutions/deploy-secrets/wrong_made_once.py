"""The interval is zero, so the operator made the Secret once and never looks again."""

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Take over first, rotate afterwards, and never sync."""
    author.give_back(client, scope)
    patch = json.dumps({"spec": {"refreshInterval": "0"}})
    client.kubectl(*author.here(scope), "patch", "externalsecret", author.SECRET, "--type=merge", f"--patch={patch}")
    author.sync(client, scope)
    author.put(client, author.URL, author.url_with(client, author.new_password(client)))
    author.restart(client, scope)
