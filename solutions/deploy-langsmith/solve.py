"""The files are the solution, and are installed already; what is left is to wait until the cluster has caught up."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hallmark.cli.hands import Hands
from hallmark.waiting import until

STATUS = "cluster-autoscaler-status"
WRITTEN = r"jsonpath={.metadata.annotations.cluster-autoscaler\.kubernetes\.io/last-updated}"
RECENT = timedelta(minutes=1)
SECONDS = 120.0


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Wait for every workload, and for the report of the cluster autoscaler.

    Args:
        client: Gives a boto3 client for a service name, and runs ``kubectl`` and Helm.
        scope: The target: ``namespace`` and others.
    """
    client.kubectl("-n", scope["namespace"], "rollout", "status", "deployments,statefulsets", "--timeout=300s")
    if not until(lambda: _age(client) < RECENT, SECONDS, pause=0.5):
        raise TimeoutError("the cluster autoscaler does not report")


def _age(client: Hands) -> timedelta:
    """Return how old the report is; it is written with nanoseconds and a word for the time zone."""
    text = client.kubectl("-n", "kube-system", "get", "configmap", STATUS, "-o", WRITTEN)
    return datetime.now(UTC) - datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
