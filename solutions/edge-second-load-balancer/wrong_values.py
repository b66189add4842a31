"""Mended by hand, while the values of the release say the opposite."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Write the wrong type into the values, then patch the Service."""
    author.upgrade(client, scope, author.VALUE.replace("ClusterIP", "LoadBalancer"))
    author.set_type(client, scope, "ClusterIP")
    author.await_removal(client, scope)
