"""How much pods use: nominal figures of their programs, in the shape of the kubelet's summary.

See ``programs/README.md`` for what the figures are. Source of the shape: ``k8s.io/kubelet/pkg/apis/stats/v1alpha1``.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from hallmark.twin.kubelet.container import Container
from hallmark.twin.kubelet.pod import Pod

SYSTEM_MEMORY = 450 * 1024 * 1024
SYSTEM_CPU = 60
"""What a node uses besides its pods: bytes, millicores."""
NANO = 1_000_000


def summary(pods: Iterable[Pod]) -> dict[str, Any]:
    """Usage of all pods, and of each node that has any."""
    told = [_pod(pod) for pod in pods if any(each.is_running for each in pod.all())]
    nodes: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in told:
        nodes[each["nodeName"]].append(each)
    return {"nodes": [_node(name, members) for name, members in sorted(nodes.items())], "pods": told}


def _pod(pod: Pod) -> dict[str, Any]:
    containers = [_container(each) for each in pod.all() if each.is_running]
    return {
        "podRef": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
        "nodeName": pod.node_name,
        "containers": containers,
        "cpu": {"usageNanoCores": sum(each["cpu"]["usageNanoCores"] for each in containers)},
        "memory": {"workingSetBytes": sum(each["memory"]["workingSetBytes"] for each in containers)},
    }


def _container(container: Container) -> dict[str, Any]:
    return {
        "name": container.name,
        "cpu": {"usageNanoCores": container.reports.cpu * NANO},
        "memory": {"workingSetBytes": container.reports.memory},
    }


def _node(name: str, pods: Iterable[dict[str, Any]]) -> dict[str, Any]:
    members = list(pods)
    return {
        "nodeName": name,
        "cpu": {"usageNanoCores": SYSTEM_CPU * NANO + sum(each["cpu"]["usageNanoCores"] for each in members)},
        "memory": {"workingSetBytes": SYSTEM_MEMORY + sum(each["memory"]["workingSetBytes"] for each in members)},
    }
