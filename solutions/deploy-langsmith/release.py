"""What every script beside this one does with the release that is installed."""

import json
from collections.abc import Mapping
from typing import Any

from hallmark.cli.hands import Hands
from hallmark.twin.release import locate

PATIENCE = "300s"


def upgrade(client: Hands, scope: Mapping[str, str], values: Mapping[str, Any], *more: str) -> None:
    """Upgrade the release by some values; null takes one away. They go by standard input, not by the command line."""
    chart = locate.locate().reference
    flags = ("--reuse-values", "-f", "-", *more)
    client.helm("upgrade", scope["release"], chart, "-n", scope["namespace"], *flags, stdin=json.dumps(values))


def settle(client: Hands, scope: Mapping[str, str], *names: str) -> None:
    """Wait for the rollout of workloads, by default of all Deployments of the release."""
    which = names or ("deployments", "-l", f"app.kubernetes.io/instance={scope['release']}")
    client.kubectl("-n", scope["namespace"], "rollout", "status", *which, f"--timeout={PATIENCE}")


def annotation(name: str) -> str:
    """Return an annotation of the load balancer controller in full."""
    return f"alb.ingress.kubernetes.io/{name}"
