"""gp2 got faster with its size; gp3 does not."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Grow the claim."""
    size = '{"spec":{"resources":{"requests":{"storage":"500Gi"}}}}'
    where = ("-n", scope["namespace"])
    client.kubectl(*where, "patch", "pvc", author.CLAIM, "-p", size)
    client.kubectl(*where, "wait", "pvc", author.CLAIM, "--for=jsonpath={.status.capacity.storage}=500Gi")
