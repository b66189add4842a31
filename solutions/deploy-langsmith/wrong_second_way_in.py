"""The chart's default: the frontend's Service makes a load balancer of its own, without TLS and firewall."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands

release = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("release.py"))))


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Expose the frontend beside the Ingress."""
    release.upgrade(client, scope, {"frontend": {"service": {"type": "LoadBalancer"}}})
    service = ("-n", scope["namespace"], "wait", "service", f"{scope['release']}-frontend")
    client.kubectl(
        *service, "--for=jsonpath={.status.loadBalancer.ingress[0].hostname}", f"--timeout={release.PATIENCE}"
    )
