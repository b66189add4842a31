"""The files are the solution, and are installed already; what is left is to wait until the cluster has caught up.

Whoever reports reports now and then: the cluster autoscaler its state, the log agent what the pods say, the metrics
server what a node that has just joined uses.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hallmark.cli.hands import Hands
from hallmark.waiting import until

STATUS = "cluster-autoscaler-status"
WRITTEN = r"jsonpath={.metadata.annotations.cluster-autoscaler\.kubernetes\.io/last-updated}"
RECENT = timedelta(minutes=1)
FRESH = timedelta(minutes=5)
NODES, METRICS = "/api/v1/nodes", "/apis/metrics.k8s.io/v1beta1/nodes"
SECONDS = 120.0


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Wait for every workload, the report of the cluster autoscaler, the application's log and every node's metrics.

    Args:
        client: Gives a boto3 client for a service name, and runs ``kubectl`` and Helm.
        scope: The target: ``namespace`` and others.
    """
    client.kubectl("-n", scope["namespace"], "rollout", "status", "deployments,statefulsets", "--timeout=300s")
    if not until(lambda: _age(client) < RECENT, SECONDS, pause=0.5):
        raise TimeoutError("the cluster autoscaler does not report")
    if not until(lambda: _has_log(client, scope), SECONDS, pause=0.5):
        raise TimeoutError("no log of the application arrives in CloudWatch")
    if not until(lambda: _names(client, NODES) <= _names(client, METRICS), SECONDS, pause=0.5):
        raise TimeoutError("a node has no metrics")


def _age(client: Hands) -> timedelta:
    """Return how old the report is; it is written with nanoseconds and a word for the time zone."""
    text = client.kubectl("-n", "kube-system", "get", "configmap", STATUS, "-o", WRITTEN)
    return datetime.now(UTC) - datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)


def _has_log(client: Hands, scope: Mapping[str, str]) -> bool:
    """Whether CloudWatch has a line of the last minutes."""
    group = f"/aws/containerinsights/{scope['cluster']}/application"
    since = int((datetime.now(UTC) - FRESH).timestamp() * 1000)
    return bool(client("logs").filter_log_events(logGroupName=group, startTime=since, limit=1)["events"])


def _names(client: Hands, path: str) -> set[str]:
    """Return the names of what the API lists there."""
    return {one["metadata"]["name"] for one in json.loads(client.kubectl("get", "--raw", path))["items"]}
