"""The node is started by hand, and the autoscaler is switched off so that it does not interfere."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Set the size by hand and stop the autoscaler."""
    author.resize(client, scope, maxSize=author.LARGEST, desiredSize=3)
    author.wait(client, scope)
    client.kubectl(
        "-n",
        "kube-system",
        "scale",
        "deployment",
        "--replicas=0",
        "-l",
        "app.kubernetes.io/name=aws-cluster-autoscaler",
    )
