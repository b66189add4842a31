"""Three of the four service accounts that use the bucket have the role: large payloads are lost, small ones not."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

release = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("release.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Take the role from the worker that writes traces."""
    release.upgrade(client, scope, {"ingestQueue": {"serviceAccount": {"annotations": None}}})
    name = f"deployment/{scope['release']}-ingest-queue"
    client.kubectl("-n", scope["namespace"], "rollout", "restart", name)
    release.settle(client, scope, name)
