"""Raise the limit of the node group to what it was, and wait until the pods have a node."""

from collections.abc import Mapping
from typing import Any

GROUP, LARGEST = "general", 6
WORKERS = "deployment/langsmith-ingest-queue"
PATIENCE = "--timeout=180s"


def solve(client: Any, scope: Mapping[str, str]) -> None:
    """Let the group grow; Cluster Autoscaler does the rest.

    Args:
        client: ``client("eks")`` is a boto3 client; ``client.kubectl`` is the command.
        scope: The target: ``cluster``, ``namespace`` and others.
    """
    resize(client, scope, maxSize=LARGEST)
    wait(client, scope)


def resize(client: Any, scope: Mapping[str, str], **sizes: int) -> None:
    """Change sizes of the group for ordinary pods."""
    client("eks").update_nodegroup_config(clusterName=scope["cluster"], nodegroupName=GROUP, scalingConfig=sizes)


def scale(client: Any, scope: Mapping[str, str], replicas: int) -> None:
    """Scale the ingest queue."""
    kubectl(client, scope, "scale", WORKERS, f"--replicas={replicas}")


def wait(client: Any, scope: Mapping[str, str]) -> None:
    """Wait until every pod of the ingest queue is ready, on nodes that are."""
    kubectl(client, scope, "rollout", "status", WORKERS, PATIENCE)
    client.kubectl("wait", "--for=condition=Ready", "node", "--all", PATIENCE)


def kubectl(client: Any, scope: Mapping[str, str], *arguments: str) -> str:
    """Run ``kubectl`` in the namespace of the release."""
    return str(client.kubectl("-n", scope["namespace"], *arguments))
