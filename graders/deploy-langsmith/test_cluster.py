"""The cluster under the release: private managed nodes, enough of them, and what lets them grow and be measured."""

import pytest

from hallmark.errors import Miss
from hallmark.views.compute import Compute
from hallmark.views.controllers import AUTOSCALER_STATUS, METRICS_SERVICE, Controllers
from hallmark.views.network import Network
from hallmark.views.nodes import Nodes
from hallmark.views.quantities import gibibytes

CPU = 16
MEMORY_MIB = 64 * 1024
FRESH_SECONDS = 300


@pytest.mark.check(
    "CMP-2",
    points=2,
    requires=["release_deployed"],
    why="A node outside the managed groups is patched by nobody.",
)
def test_nodes_of_groups(nodes: Nodes) -> None:
    """Every node belongs to a managed node group, and is a worker instance of this cluster."""
    if not nodes.usable:
        raise Miss(
            expected="nodes that are ready", observed="none", where=nodes.scope("cluster"), next="kubectl get nodes"
        )
    for node in nodes.all:
        if not node.node_group or nodes.instance(node) is None:
            raise Miss(
                expected="a node of a managed group, on an instance of this account",
                observed=node.node_group or "no label eks.amazonaws.com/nodegroup",
                where=f"node {node.name}",
                next=node.look,
            )


@pytest.mark.check(
    "NET-4",
    points=3,
    requires=["nodes_of_groups"],
    why="A node with a public address can be attacked without passing load balancer and firewall.",
)
def test_nodes_in_private_subnets(nodes: Nodes, network: Network) -> None:
    """Every node that can run a pod is in a private subnet and has no public address."""
    for node in nodes.all:
        instance = nodes.instance(node)
        if instance is None or instance.public_address or not network.subnets[instance.subnet].is_private:
            raise Miss(
                expected="a private subnet and no public address",
                observed=f"{instance.subnet}, public address {instance.public_address or 'none'}"
                if instance
                else "none",
                where=f"node {node.name}",
                next=node.look,
            )


@pytest.mark.check(
    "CMP-5",
    points=2,
    requires=["nodes_of_groups"],
    why="A node that is cordoned or not ready counts for AWS, not for the scheduler.",
)
def test_usable_cpu(nodes: Nodes) -> None:
    """The nodes that are ready and take pods have at least 16 vCPU together."""
    found = sum(nodes.instance_type(node).vcpus for node in nodes.usable)
    if found < CPU:
        raise Miss(
            expected=f"{CPU} vCPU or more",
            observed=f"{found} vCPU on {len(nodes.usable)} of {len(nodes.all)} nodes",
            where=nodes.scope("cluster"),
            next="kubectl get nodes",
        )


@pytest.mark.check(
    "CMP-6",
    points=2,
    requires=["nodes_of_groups"],
    why="A node that is cordoned or not ready counts for AWS, not for the scheduler.",
)
def test_usable_memory(nodes: Nodes) -> None:
    """The nodes that are ready and take pods have at least 64 GB of memory together."""
    found = sum(nodes.instance_type(node).memory_mib for node in nodes.usable)
    if found < MEMORY_MIB:
        raise Miss(
            expected=f"{MEMORY_MIB} MiB or more",
            observed=f"{found} MiB on {len(nodes.usable)} of {len(nodes.all)} nodes",
            where=nodes.scope("cluster"),
            next="kubectl get nodes",
        )


@pytest.mark.check(
    "CMP-7",
    points=3,
    requires=["nodes_of_groups", "application_ready"],
    why="What does not fit today is pending tomorrow, when the first node is replaced.",
)
def test_requests_fit(nodes: Nodes) -> str:
    """What all pods request fits into what the nodes can give, and no pod is pending."""
    if nodes.pending:
        raise Miss(
            expected="no pending pod",
            observed=", ".join(f"{one.name} ({one.reason})" for one in nodes.pending),
            where=nodes.scope("cluster"),
            next="kubectl get pods --all-namespaces --field-selector status.phase=Pending",
        )
    free = {kind: nodes.allocatable[kind] - nodes.requested[kind] for kind in nodes.requested}
    if min(free.values()) < 0 or not nodes.views.cluster.pods:
        raise Miss(
            expected="requests below what the nodes can allocate",
            observed=f"free: {free['cpu']:.1f} CPU, {gibibytes(free['memory'])}",
            where=nodes.scope("cluster"),
            next="kubectl describe nodes",
        )
    return f"Free: {free['cpu']:.1f} CPU, {gibibytes(free['memory'])}."


@pytest.mark.check(
    "CMP-3",
    points=3,
    requires=["release_deployed"],
    why="Without it, or when it has stopped, pods stay pending when load grows.",
)
def test_autoscaler_running(controllers: Controllers, compute: Compute) -> None:
    """Cluster Autoscaler looks after the cluster's nodes, and reported in the last five minutes that it is healthy."""
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
        found = f"{report.health}, {report.seconds_old:.0f} s old" if report else "it has never reported"
        raise Miss(
            expected=f"a report that is Healthy and younger than {FRESH_SECONDS} s",
            observed=found,
            where=f"ConfigMap {AUTOSCALER_STATUS}",
            next=f"kubectl -n kube-system describe configmap {AUTOSCALER_STATUS}",
        )
    own = {name for group in compute.node_groups if not group.is_dedicated for name in group.scaling_groups}
    if not own & report.groups:
        raise Miss(
            expected=f"a report on {' or '.join(sorted(own)) or 'a node group for ordinary pods'}",
            observed=f"one on {', '.join(sorted(report.groups)) or 'no group at all'}",
            where=f"ConfigMap {AUTOSCALER_STATUS}",
            next=f"kubectl -n kube-system describe configmap {AUTOSCALER_STATUS}",
        )


@pytest.mark.check(
    "CMP-4",
    points=3,
    requires=["nodes_of_groups"],
    why="Without figures no pod autoscaler scales, and nobody sees a node run full.",
)
def test_metrics_served(controllers: Controllers, nodes: Nodes) -> None:
    """The metrics API is available and has figures for every node that is ready."""
    if controllers.metrics_state:
        raise Miss(
            expected="an API service that is available",
            observed=controllers.metrics_state,
            where=f"APIService {METRICS_SERVICE}",
            next=f"kubectl describe apiservice {METRICS_SERVICE}",
        )
    if missing := [node.name for node in nodes.usable if node.name not in nodes.measured]:
        raise Miss(
            expected="figures for every node",
            observed=f"none for {', '.join(missing)}",
            where=f"APIService {METRICS_SERVICE}",
            next="kubectl top nodes",
        )
