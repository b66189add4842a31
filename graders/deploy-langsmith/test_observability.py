"""What can be seen of the release: its logs, its events, and whether Kubernetes can tell that a pod is ill."""

from collections.abc import Iterable

import pytest

from hallmark.errors import Miss
from hallmark.views.cluster import Cluster
from hallmark.views.controllers import Controllers
from hallmark.views.logs import FRESH_MINUTES, Logs
from hallmark.views.workloads import Workload, Workloads


@pytest.mark.check(
    "OBS-1",
    points=2,
    requires=["release_deployed"],
    why="When a pod is gone its log is gone with it, unless an agent on its node shipped it before.",
)
def test_log_agent_ready(controllers: Controllers, workloads: Workloads) -> None:
    """An agent that ships the logs of containers is ready on every node it is meant for, and where the release runs."""
    ready = [one for one in controllers.log_shippers if one.is_ready]
    if not ready:
        states = [f"{one.where}: {one.ready} of {one.wanted} ready" for one in controllers.log_shippers]
        raise Miss(
            expected="a DaemonSet that reads the nodes' container logs, ready everywhere",
            observed="; ".join(states) or "none",
            where=controllers.scope("cluster"),
            next="kubectl get daemonsets --all-namespaces",
        )
    if bare := _nodes(workloads, workloads.all) - _nodes(workloads, ready):
        raise Miss(
            expected="an agent on every node that runs a pod of the release",
            observed=f"none on {', '.join(sorted(bare))}",
            where=", ".join(one.where for one in ready),
            next=ready[0].look,
        )


@pytest.mark.check(
    "OBS-1",
    points=3,
    requires=["log_agent_ready", "application_ready"],
    why="A log group without fresh events is a promise: the agent's role or its region may be wrong.",
)
def test_logs_arrive(logs: Logs) -> None:
    """CloudWatch has log events of the application that are younger than 15 minutes."""
    if not logs.fresh_groups:
        groups = [group.name for group in logs.views.observability.application_log_groups]
        raise Miss(
            expected=f"an event of namespace {logs.scope('namespace')} younger than {FRESH_MINUTES} minutes",
            observed=f"none in {', '.join(groups)}" if groups else "no log group for the application",
            where=logs.scope("cluster"),
            next=f"aws logs tail /aws/containerinsights/{logs.scope('cluster')}/application --since {FRESH_MINUTES}m",
        )


@pytest.mark.check(
    "OBS-2",
    points=2,
    requires=["release_deployed"],
    why="Events say why a pod does not start; who may not see them guesses.",
)
def test_events_visible(cluster: Cluster) -> str:
    """Whoever operates the platform may list the events of its namespace."""
    asked = {"verb": "list", "resource": "events", "namespace": cluster.namespace}
    if not cluster.ask("kubernetes", "can", **asked)["allowed"]:
        raise Miss(
            expected="permission to list events",
            observed="none",
            where=f"namespace {cluster.namespace}",
            next=f"kubectl auth can-i list events -n {cluster.namespace}",
        )
    return "Kubernetes keeps events for one hour: export them if you need them longer."


@pytest.mark.check(
    "OBS-3",
    points=2,
    requires=["application_ready"],
    why="Without probes a pod that hangs counts as healthy, and traffic goes to one that is still starting.",
)
def test_probes_everywhere(workloads: Workloads) -> None:
    """Every container of the application and of ClickHouse has a readiness and a liveness probe."""
    judged = [*workloads.application.values(), *([workloads.clickhouse] if workloads.clickhouse else [])]
    for one in judged:
        # Only the first container is the application's own: a mesh or an agent may add others.
        missing = [name for name in ("readinessProbe", "livenessProbe") if not one.containers[0].get(name)]
        if missing:
            raise Miss(
                expected="a readiness and a liveness probe",
                observed=f"no {' and no '.join(missing)}",
                where=one.where,
                next=one.look,
            )


def _nodes(workloads: Workloads, those: Iterable[Workload]) -> set[str]:
    """Return the names of the nodes that the pods of *those* run on."""
    pods = [pod for one in those for pod in workloads.pods(one)]
    return {pod["spec"]["nodeName"] for pod in pods if "nodeName" in pod["spec"]}
