"""Who stands behind a target group: addresses of ready pods, or node ports of instances. Pure."""

from collections.abc import Iterable

from hallmark.twin.controllers.aws.load_balancer.model import TargetGroup
from hallmark.twin.kube.kinds import Object

SERVICE_NAME = "kubernetes.io/service-name"
Address = tuple[str, int]


def of_pods(group: TargetGroup, service: Object, slices: Iterable[Object]) -> list[Address]:
    """Addresses of the ready endpoints behind the Service port of a target group."""
    name = _port(group, service).get("name", "")
    found: set[Address] = set()
    for piece in slices:
        if piece["metadata"].get("labels", {}).get(SERVICE_NAME) != group.service:
            continue
        port = next((each["port"] for each in piece.get("ports") or [] if (each.get("name") or "") == name), None)
        ready = [each for each in piece.get("endpoints") or [] if each.get("conditions", {}).get("ready")]
        found |= {(address, port) for each in ready for address in each["addresses"] if port is not None}
    return sorted(found)


def of_instances(group: TargetGroup, service: Object, nodes: Iterable[Object]) -> list[Address]:
    """Instances of the ready nodes, with the node port of a target group's Service port."""
    port = _port(group, service).get("nodePort")
    if port is None:
        return []
    ready = [each for each in nodes if _is_ready(each) and each["spec"].get("providerID")]
    return sorted((each["spec"]["providerID"].rpartition("/")[2], port) for each in ready)


def _port(group: TargetGroup, service: Object) -> Object:
    ports: list[Object] = service["spec"]["ports"]
    return next(each for each in ports if group.port in (each["port"], each.get("name")))


def _is_ready(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
