"""Scale ClickHouse back to the one pod it had."""

from collections.abc import Mapping
from typing import Any

PATIENCE = "--timeout=180s"


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Scale the StatefulSet, and wait until it is ready.

    Args:
        client: Runs ``kubectl`` and Helm, and gives boto3 clients.
        scope: The target: ``namespace``, ``release`` and others.
    """
    scale(client, scope, 1)


def scale(client: Any, scope: Mapping[str, str], replicas: int) -> None:
    """Scale ClickHouse and wait until its pods are ready."""
    kubectl(client, scope, "scale", name(client, scope), f"--replicas={replicas}")
    wait(client, scope)


def wait(client: Any, scope: Mapping[str, str]) -> None:
    """Wait until ClickHouse is ready."""
    kubectl(client, scope, "rollout", "status", name(client, scope), PATIENCE)


def name(client: Any, scope: Mapping[str, str]) -> str:
    """Return the StatefulSet of the release, ready for a command line."""
    found = kubectl(
        client, scope, "get", "statefulsets", "-l", f"app.kubernetes.io/instance={scope['release']}", "-o", "name"
    )
    return str(next(each for each in found.split() if "clickhouse" in each))


def kubectl(client: Any, scope: Mapping[str, str], *arguments: str, stdin: str = "") -> str:
    """Run ``kubectl`` in the namespace of the release."""
    return str(client.kubectl("-n", scope["namespace"], *arguments, stdin=stdin))
