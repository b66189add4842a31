"""The second way in is closed, and the first one, too."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Mend the Service, then delete the Ingress."""
    author.set_type(client, scope, "ClusterIP")
    author.await_removal(client, scope)
    client.kubectl("-n", scope["namespace"], "delete", "ingress", "--all")
