"""Whether a pod can run on a node: the scheduler's filters in its own order; the first that refuses is the reason.

Source: the default plugins of the Kubernetes 1.35 scheduler, and their words.
"""

from collections.abc import Iterator, Sequence

from hallmark.twin.controllers.workloads.scheduling import affinity, neighbours, resources, taints, volumes
from hallmark.twin.controllers.workloads.scheduling.places import Place, Refusal
from hallmark.twin.controllers.workloads.scheduling.volumes import Volumes
from hallmark.twin.kube.kinds import Object

_CORDON = {"key": taints.UNSCHEDULABLE, "effect": "NoSchedule"}


def refusal(pod: Object, place: Place, places: Sequence[Place], needs: Volumes | None = None) -> Refusal | None:
    """Why a pod cannot run on a node, or None if it can.

    Args:
        pod: The pod.
        place: The node in question; it need not be among *places* (a node that does not exist yet).
        places: All nodes.
        needs: The pod's volumes, if they count.
    """
    return (
        _node_refuses(pod, place)
        or _port_conflict(pod, place)
        or resources.shortage(pod, place)
        or (volumes.refusal(needs, place) if needs else None)
        or neighbours.uneven(pod, place, places)
        or neighbours.refusal(pod, place, places)
    )


def _node_refuses(pod: Object, place: Place) -> Refusal | None:
    spec, node = pod["spec"], place.node
    if node["spec"].get("unschedulable") and taints.untolerated(spec, [_CORDON], taints.KEEPS_OUT):
        return Refusal(("node(s) were unschedulable",))
    if spec.get("nodeName") and spec["nodeName"] != place.name:
        return Refusal(("node(s) didn't match the requested node name",))
    # The taint's key is not told: Kubernetes left it out in 1.35 (pull request 134740).
    if taints.untolerated(spec, taints.of(node), taints.KEEPS_OUT):
        return Refusal(("node(s) had untolerated taint(s)",))
    if not affinity.wants(pod, node):
        return Refusal(("node(s) didn't match Pod's node affinity/selector",))
    return None


def _port_conflict(pod: Object, place: Place) -> Refusal | None:
    taken = {port for other in place.pods for port in _host_ports(other)}
    if any(port in taken for port in _host_ports(pod)):
        return Refusal(("node(s) didn't have free ports for the requested pod ports",), final=False)
    return None


def _host_ports(pod: Object) -> Iterator[tuple[int, str]]:
    for container in pod["spec"].get("containers") or []:
        for port in container.get("ports") or []:
            if port.get("hostPort"):
                yield port["hostPort"], port.get("protocol", "TCP")
