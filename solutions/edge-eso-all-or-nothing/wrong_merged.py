"""A Secret made by hand comes first, and the operator merges into it."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """With the policy Merge nobody owns the Secret: deleted once, it does not come back."""
    index, entry = author.broken(client, scope)
    author.apply(client, scope, "Secret", "langsmith-config", stringData=author.values(client, scope))
    author.change(
        client,
        scope,
        {"op": "replace", "path": f"/spec/data/{index}/remoteRef/key", "value": author.right_name(client, entry)},
        {"op": "replace", "path": "/spec/target/creationPolicy", "value": "Merge"},
    )
    author.settle(client, scope)
