"""The component runs as its neighbour, who has the role."""

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Payloads arrive, and two components can no longer be told apart, nor be given different rights."""
    patch = json.dumps({"spec": {"template": {"spec": {"serviceAccountName": author.HEALTHY}}}})
    client.kubectl("-n", scope["namespace"], "patch", "deployment", author.ACCOUNT, f"--patch={patch}")
    author.rolled_out(client, scope)
