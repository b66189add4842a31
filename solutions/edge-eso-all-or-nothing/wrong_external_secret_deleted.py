"""The name is right, and the Secret is cut loose from the ExternalSecret, which is deleted."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """What cannot fail cannot follow the store either."""
    index, entry = author.broken(client, scope)
    name = author.external(client, scope)["metadata"]["name"]
    author.change(
        client,
        scope,
        {"op": "replace", "path": f"/spec/data/{index}/remoteRef/key", "value": author.right_name(client, entry)},
        {"op": "replace", "path": "/spec/target/creationPolicy", "value": "Orphan"},
    )
    author.settle(client, scope)
    client.kubectl("-n", scope["namespace"], "delete", "externalsecret", name)
