"""Write the field instead of using the subresource."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Patch the number of replicas."""
    author.kubectl(
        client, scope, "patch", author.name(client, scope), "--type=merge", "-p", '{"spec": {"replicas": 1}}'
    )
    author.wait(client, scope)
