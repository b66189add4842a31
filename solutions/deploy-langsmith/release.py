"""What every script beside this one does with the release that is installed."""

import json
from collections.abc import Mapping
from typing import Any

from hallmark.cli.hands import Hands
from hallmark.twin.release import locate

PATIENCE = "300s"


def upgrade(client: Hands, scope: Mapping[str, str], changes: Mapping[str, Any]) -> None:
    """Upgrade the release by some values; None takes one away. They go by standard input, not by the command line."""
    place = (scope["release"], "-n", scope["namespace"])
    values = json.loads(client.helm("get", "values", *place, "-o", "json"))
    chart = locate.locate().reference
    command = ("upgrade", scope["release"], chart, "-n", scope["namespace"], "--reset-values", "-f", "-")
    client.helm(*command, stdin=json.dumps(_changed(values, changes)))


def _changed(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Merge as a JSON merge patch does (RFC 7396)."""
    merged = dict(values)
    for name, change in changes.items():
        merged[name] = _changed(merged.get(name) or {}, change) if isinstance(change, Mapping) else change
    return {name: value for name, value in merged.items() if value is not None}


def settle(client: Hands, scope: Mapping[str, str], *names: str) -> None:
    """Wait for the rollout of workloads, by default of all Deployments of the release."""
    which = names or ("deployments", "-l", f"app.kubernetes.io/instance={scope['release']}")
    client.kubectl("-n", scope["namespace"], "rollout", "status", *which, f"--timeout={PATIENCE}")


def annotation(name: str) -> str:
    """Return an annotation of the load balancer controller in full."""
    return f"alb.ingress.kubernetes.io/{name}"
