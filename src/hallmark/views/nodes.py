"""The nodes as Kubernetes sees them, each with its instance in AWS, and what the pods ask of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hallmark.errors import Absent
from hallmark.views.base import View, cached_property
from hallmark.views.cluster import Object, is_true, labels_of, name_of, namespace_of
from hallmark.views.compute import InstanceType
from hallmark.views.compute import Node as Instance
from hallmark.views.quantities import number

NODE_GROUP = "eks.amazonaws.com/nodegroup"
ZONE = "topology.kubernetes.io/zone"
_FAMILIES = ("cpu", "memory")
_OWN_TAINTS = "node.kubernetes.io/"
_BARRING = frozenset({"NoSchedule", "NoExecute"})


@dataclass(frozen=True)
class KubeNode:
    """One node.

    Attributes:
        name: Its name.
        instance_id: Its EC2 instance, or empty.
        node_group: Its managed node group, or empty.
        zone: Its Availability Zone, or empty.
        is_ready: Whether its kubelet reports that it is.
        is_schedulable: Whether new pods may be placed on it.
        is_tainted: Whether a taint of somebody's own keeps ordinary pods away.
        allocatable: What pods may use of it: cores and bytes, by resource.
    """

    name: str
    instance_id: str
    node_group: str
    zone: str
    is_ready: bool
    is_schedulable: bool
    allocatable: Mapping[str, Decimal]
    is_tainted: bool = False

    @property
    def look(self) -> str:
        """The command that shows it."""
        return f"kubectl describe node {self.name}"


@dataclass(frozen=True)
class Pending:
    """A pod that has no node, and why, in the scheduler's word."""

    name: str
    reason: str


class Nodes(View):
    """The nodes of the cluster."""

    @cached_property
    def all(self) -> tuple[KubeNode, ...]:
        """Every node."""
        return tuple(_node(one) for one in self.views.cluster.objects("nodes"))

    @cached_property
    def usable(self) -> tuple[KubeNode, ...]:
        """Nodes that are ready and take pods."""
        return tuple(node for node in self.all if node.is_ready and node.is_schedulable)

    def node_of(self, pod: Object) -> KubeNode | None:
        """Return the node a pod runs on; None while it has none."""
        name = pod["spec"].get("nodeName")
        return next((node for node in self.all if node.name == name), None)

    def instance(self, node: KubeNode) -> Instance | None:
        """Return the EC2 instance of a node; None when it is no worker instance of this cluster."""
        return next((one for one in self.views.compute.nodes if one.id == node.instance_id), None)

    def instance_type(self, node: KubeNode) -> InstanceType:
        """Return what a node's instance type offers.

        Raises:
            Absent: The node has no instance in this account; a check has to see to that first.
        """
        instance = self.instance(node)
        if instance is None:
            raise Absent(f"node {node.name} has no instance in this account and region")
        return self.views.compute.instance_types[instance.type]

    @cached_property
    def allocatable(self) -> Mapping[str, Decimal]:
        """Cores and bytes that pods may use of all usable nodes."""
        return {kind: sum((node.allocatable[kind] for node in self.usable), Decimal(0)) for kind in _FAMILIES}

    @cached_property
    def requested(self) -> Mapping[str, Decimal]:
        """Cores and bytes that all pods ask for, whether they have a node or not."""
        asked = [requests(pod["spec"]) for pod in self.views.cluster.pods]
        return {kind: sum((one[kind] for one in asked), Decimal(0)) for kind in _FAMILIES}

    @cached_property
    def pending(self) -> tuple[Pending, ...]:
        """Pods without a node."""
        waiting = [pod for pod in self.views.cluster.pods if not pod["spec"].get("nodeName")]
        return tuple(Pending(f"{namespace_of(pod)}/{name_of(pod)}", _why(pod)) for pod in waiting)

    @cached_property
    def measured(self) -> frozenset[str]:
        """Names of the nodes the metrics API has figures for."""
        figures = self.views.cluster.objects("nodes", "metrics.k8s.io", "v1beta1")
        return frozenset(name_of(one) for one in figures if one.get("usage", {}).get("cpu"))


def requests(pod: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return cores and bytes that a pod asks for: of its containers together, or of its largest init container.

    Init containers that go on running (sidecars) count with the others (Kubernetes, "Resource Management").
    A request that is not written is the limit. One of the pod as a whole counts in place of all these.
    """
    init = pod.get("initContainers", [])
    running = [*pod["containers"], *(one for one in init if one.get("restartPolicy") == "Always")]
    preparing = [one for one in init if one.get("restartPolicy") != "Always"]
    whole, overhead = (pod.get("resources") or {}).get("requests") or {}, pod.get("overhead") or {}
    parts = {
        kind: max(
            sum((_request(one, kind) for one in running), Decimal(0)),
            max((_request(one, kind) for one in preparing), default=Decimal(0)),
        )
        for kind in _FAMILIES
    }
    asked = parts | {kind: number(whole[kind]) for kind in _FAMILIES if kind in whole}
    return {kind: asked[kind] + number(overhead.get(kind, 0)) for kind in _FAMILIES}


def _request(container: Mapping[str, Any], kind: str) -> Decimal:
    resources = container.get("resources") or {}
    wanted = resources.get("requests") or {}
    return number(wanted.get(kind, (resources.get("limits") or {}).get(kind, 0)))


def _why(pod: Object) -> str:
    conditions = pod["status"].get("conditions") or []
    return next((one.get("reason", "") for one in conditions if one["type"] == "PodScheduled"), "") or "not scheduled"


def _node(value: Object) -> KubeNode:
    # providerID: aws:///us-east-1a/i-0123456789abcdef0 (AWS cloud provider).
    provider = str(value["spec"].get("providerID", ""))
    taints = value["spec"].get("taints") or []
    unready = {"node.kubernetes.io/unschedulable", "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}
    barred = bool(value["spec"].get("unschedulable")) or any(taint["key"] in unready for taint in taints)
    labels, status = labels_of(value), value["status"]
    return KubeNode(
        name=name_of(value),
        instance_id=provider.rpartition("/")[2] if provider.startswith("aws://") else "",
        node_group=labels.get(NODE_GROUP, ""),
        zone=labels.get(ZONE, ""),
        is_ready=is_true(value, "Ready"),
        is_schedulable=not barred,
        allocatable={kind: number(status["allocatable"][kind]) for kind in _FAMILIES},
        is_tainted=any(not taint["key"].startswith(_OWN_TAINTS) for taint in taints if taint["effect"] in _BARRING),
    )
