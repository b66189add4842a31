"""Every pod has a node and the cluster can grow; nothing was made smaller, moved or opened for it."""

from decimal import Decimal

import pytest

from hallmark.errors import Miss
from hallmark.views.compute import Compute
from hallmark.views.controllers import AUTOSCALER_STATUS, Controllers
from hallmark.views.network import Network
from hallmark.views.nodes import Nodes, requests
from hallmark.views.quantities import gibibytes
from hallmark.views.release import Release
from hallmark.views.workloads import APPLICATION, Workloads

FRESH_SECONDS = 300
QUIET_SECONDS = 300
CPU, MEMORY = Decimal("0.5"), 2**30
"""What the smallest of the seven asks for (LangSmith chart 0.16: frontend and playground)."""
WORKERS = 3
"""Pods of the ingest queue (LangSmith chart 0.16)."""
OTHERS = {"backend": ("backend", 2), "platform-backend": ("platformBackend", 3)}
"""What else has more than one pod: its key in the values, and how many unless those say otherwise (the same chart)."""


@pytest.mark.check("CMP-7", points=5, why="A pod without a node does no work, however often it is asked for.")
def test_every_pod_has_a_node(nodes: Nodes) -> None:
    """No pod of the cluster waits for a node."""
    if not nodes.views.cluster.pods:
        raise Miss(expected="pods", observed="none", where=nodes.scope("cluster"), next="kubectl get pods -A")
    if nodes.pending:
        raise Miss(
            expected="no pending pod",
            observed=", ".join(f"{one.name} ({one.reason})" for one in nodes.pending),
            where=nodes.scope("cluster"),
            next="kubectl get pods --all-namespaces --field-selector status.phase=Pending",
        )


@pytest.mark.check("CMP-3", points=5, why="A limit that fits exactly is the same limit tomorrow.")
def test_groups_can_grow(compute: Compute) -> None:
    """Every node group for ordinary pods may have more nodes than it has, and the autoscaler finds it."""
    if not compute.scaling_groups:
        raise Miss(
            expected="an Auto Scaling group that takes ordinary pods",
            observed="none",
            where=compute.scope("cluster"),
            next=f"aws eks list-nodegroups --cluster-name {compute.scope('cluster')}",
        )
    for group in compute.scaling_groups:
        if group.maximum <= group.desired or not group.is_discoverable or not group.may_launch:
            raise Miss(
                expected="a maximum above the present size, in EKS too, the autoscaler's tags, launching not suspended",
                observed=f"{group.desired} of at most {group.maximum}"
                + ("" if group.is_discoverable else ", without its tags")
                + ("" if group.may_launch else ", launching suspended"),
                where=group.name,
                next=f"aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names {group.name}",
            )


@pytest.mark.check(
    "CMP-3",
    points=2,
    requires=["every_pod_has_a_node"],
    why="Nodes added by hand help once; the autoscaler helps every time.",
)
def test_autoscaler_watches(controllers: Controllers) -> None:
    """Cluster Autoscaler runs, and reported less than five minutes ago that it is healthy."""
    if not any(one.is_ready for one in controllers.autoscalers):
        states = [f"{one.where}: {one.ready} of {one.wanted} ready" for one in controllers.autoscalers]
        raise Miss(
            expected="a Cluster Autoscaler with its pods ready",
            observed="; ".join(states) or "none",
            where=controllers.scope("cluster"),
            next="kubectl get deployments --all-namespaces -l app.kubernetes.io/name=aws-cluster-autoscaler",
        )
    report = controllers.autoscaler_report
    if report is None or report.health != "Healthy" or report.seconds_old > FRESH_SECONDS:
        raise Miss(
            expected=f"a report that is Healthy and younger than {FRESH_SECONDS} s",
            observed=f"{report.health}, {report.seconds_old:.0f} s old" if report else "it has never reported",
            where=f"ConfigMap {AUTOSCALER_STATUS}",
            next=f"kubectl -n kube-system describe configmap {AUTOSCALER_STATUS}",
        )


@pytest.mark.check(
    "ARCH-6",
    points=3,
    requires=["every_pod_has_a_node"],
    why="Recovered is what runs as a whole: each part with all its pods, of the newest version.",
)
def test_application_ready(workloads: Workloads) -> None:
    """All seven application workloads and ClickHouse run, each with all its pods ready."""
    found = {**workloads.application, "clickhouse": workloads.clickhouse}
    for name in (*APPLICATION, "clickhouse"):
        one = found.get(name)
        if one is None and name == "clickhouse":
            continue  # an external ClickHouse is as good
        if one is None or not one.is_ready:
            raise Miss(
                expected=f"{name} with every pod ready, one or more",
                observed=f"{one.ready} of {one.wanted} ready" if one else "no such workload",
                where=one.where if one else workloads.scope("namespace"),
                next=f"kubectl -n {workloads.scope('namespace')} get deployments",
            )


@pytest.mark.check(
    "ARCH-6",
    points=3,
    requires=["every_pod_has_a_node"],
    why="Fewer workers than before are no repair: traces arrive even later.",
)
def test_workers_are_kept(workloads: Workloads, release: Release) -> None:
    """The ingest queue has at least the three pods it had before the load test, and no neighbour gave up its own."""
    least = {"ingest-queue": WORKERS} | {name: _given(release, *told) for name, told in OTHERS.items()}
    for name, pods in least.items():
        one = workloads.application.get(name)
        if one is None or one.wanted < pods:
            raise Miss(
                expected=f"{name} with {pods} pods, or more",
                observed=str(one.wanted) if one else "no such workload",
                where=one.where if one else workloads.scope("namespace"),
                next=f"kubectl -n {workloads.scope('namespace')} get deployments",
            )


@pytest.mark.check(
    "CMP-7",
    points=3,
    requires=["every_pod_has_a_node"],
    why="A request of nothing is placed everywhere and served nowhere: the node runs full and pods are evicted.",
)
def test_requests_are_kept(workloads: Workloads) -> None:
    """Every part of the application asks for the CPU and memory it needs."""
    if not workloads.application:
        raise Miss(expected="the application", observed="no workload of it", where=workloads.scope("namespace"))
    for one in workloads.application.values():
        asked = requests(one.pod)
        if asked["cpu"] < CPU or asked["memory"] < MEMORY:
            raise Miss(
                expected="requests of 500m CPU and 1 GiB, or more",
                observed=f"{asked['cpu'].normalize():f} CPU and {gibibytes(asked['memory'])}",
                where=one.where,
                next=one.look,
            )


@pytest.mark.check(
    "CMP-5",
    points=2,
    requires=["every_pod_has_a_node"],
    why="ClickHouse's node is kept free for the moment in which ClickHouse needs all of it.",
)
def test_clickhouse_has_its_node(compute: Compute, nodes: Nodes, workloads: Workloads) -> None:
    """No pod of the application runs on nodes that are kept for something else, and those are still kept."""
    reserved = {group.name for group in compute.node_groups if group.is_dedicated}
    guests = [(one, nodes.node_of(pod)) for one in workloads.application.values() for pod in workloads.pods(one)]
    if not reserved or not guests:
        raise Miss(
            expected="a node group with a taint, and pods of the application",
            observed="no such group" if guests else "no pod",
            where=compute.scope("cluster"),
            next="kubectl get nodes -L eks.amazonaws.com/nodegroup",
        )
    for one, node in guests:
        if node and node.node_group in reserved:
            raise Miss(
                expected=f"{one.name} on nodes for ordinary pods",
                observed=f"node group {node.node_group}",
                where=f"node {node.name}",
                next=node.look,
            )
    for node in nodes.all:
        if node.node_group in reserved and not node.is_tainted:
            raise Miss(expected="the taint of its group", observed="none", where=f"node {node.name}", next=node.look)


@pytest.mark.check(
    "NET-4",
    "CMP-2",
    points=3,
    requires=["every_pod_has_a_node"],
    why="A node with a public address can be attacked without passing load balancer and firewall.",
)
def test_nodes_are_private(nodes: Nodes, network: Network) -> None:
    """Every node is of a managed group, ready for pods, in a private subnet, without a public address."""
    if not nodes.usable:
        raise Miss(expected="nodes", observed="none", where=nodes.scope("cluster"), next="kubectl get nodes")
    for node in nodes.all:
        instance = nodes.instance(node)
        faults = {
            "of no managed group": not node.node_group or instance is None,
            "not ready, or cordoned": node not in nodes.usable,
            "with a public address": bool(instance and instance.public_address),
            "in a public subnet": instance is not None and not network.subnets[instance.subnet].is_private,
        }
        if found := [name for name, is_so in faults.items() if is_so]:
            raise Miss(
                expected="a node of a managed group, ready, in a private subnet",
                observed=", ".join(found),
                where=f"node {node.name}",
                next=node.look,
            )


@pytest.mark.check(
    "ARCH-6",
    points=1,
    requires=["application_ready"],
    why="What has just been restarted has not proven yet that it stays up.",
)
def test_nothing_restarts(workloads: Workloads) -> None:
    """No container of the release has ended in the last five minutes."""
    if not any(workloads.pods(one) for one in workloads.all):
        raise Miss(expected="pods of the release", observed="none", where=workloads.scope("namespace"))
    for ending in workloads.endings:
        if ending.seconds_ago < QUIET_SECONDS:
            raise Miss(
                expected="five minutes without a restart",
                observed=f"{ending.container}: {ending.reason or 'ended'} {ending.seconds_ago:.0f} s ago",
                where=f"pod {ending.pod}",
                next=f"kubectl -n {workloads.scope('namespace')} get pods",
            )


def _given(release: Release, key: str, usual: int) -> int:
    """Return how many pods the release gives a part: one, where an autoscaler decides."""
    scalers = release.value(f"{key}.autoscaling", {}).values()
    if any(one.get("enabled") for one in scalers):
        return 1
    return int(release.value(f"{key}.deployment.replicas", usual))
