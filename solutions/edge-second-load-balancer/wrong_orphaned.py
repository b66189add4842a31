"""The Service has let go of its load balancer, which goes on serving."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Take the finalizer off while the cloud provider looks away, then change the type."""
    orphan = '{"metadata":{"finalizers":null},"spec":{"type":"ClusterIP"}}'
    client.kubectl("-n", scope["namespace"], "patch", "service", author.FRONTEND, "-p", orphan)
