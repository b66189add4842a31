"""The second way in is internal now: still without TLS and firewall."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Annotate the Service and make the load balancer anew."""
    where = ("-n", scope["namespace"])
    author.set_type(client, scope, "ClusterIP")
    author.await_removal(client, scope)
    internal = "service.beta.kubernetes.io/aws-load-balancer-internal=true"
    client.kubectl(*where, "annotate", "service", author.FRONTEND, internal)
    author.set_type(client, scope, "LoadBalancer")
