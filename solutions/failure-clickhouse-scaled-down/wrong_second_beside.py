"""The first is back, and so is a second one on another port of call."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Scale back, and leave a spare one running."""
    author.solve(client, scope)
    pod = ["--image=docker.io/clickhouse/clickhouse-server:25.12", "--port=8123"]
    author.kubectl(client, scope, "create", "deployment", "spare", *pod)
