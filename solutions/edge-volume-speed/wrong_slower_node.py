"""The volume is fast, and ClickHouse is sent to nodes that are not."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Mend the volume, then send ClickHouse to the general nodes."""
    author.solve(client, scope)
    pod = '{"spec":{"template":{"spec":{"nodeSelector":{"hallmark/pool":"general"}}}}}'
    client.kubectl("-n", scope["namespace"], "patch", "statefulset", author.STATEFUL, "-p", pod)
