"""What a Service's EndpointSlices and Endpoints say; pure functions.

Source: "EndpointSlices" in the Kubernetes documentation.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hallmark.twin.controllers.workloads.pods import (
    is_finished,
    is_leaving,
    is_ready,
    labels,
    node_name,
    status,
)
from hallmark.twin.controllers.workloads.scheduling.places import ZONE
from hallmark.twin.kube.kinds import ENDPOINT_SLICES, Object, owned_by

SERVICE = "kubernetes.io/service-name"
SLICE_MANAGED, MANAGER = "endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io"
MANAGED, LEGACY_MANAGER = "endpoints.kubernetes.io/managed-by", "endpoint-controller"
HEADLESS = "service.kubernetes.io/headless"
MOST = 100
"""Endpoints in one slice."""
Ports = tuple[tuple[str, int, str, str], ...]
"""Name, number, protocol and application protocol of each port."""


def selects(service: Object, pod: Object) -> bool:
    """Whether a Service selects a pod by its labels."""
    selector = service["spec"].get("selector")
    return bool(selector) and selector.items() <= labels(pod).items()


def selected(service: Object, pods: Iterable[Object]) -> list[Object]:
    """Pods that are endpoints of a Service, in the order of their names: those with an address that have not ended."""
    found = [pod for pod in pods if selects(service, pod) and status(pod).get("podIP") and not is_finished(pod)]
    return sorted(found, key=lambda pod: str(pod["metadata"]["name"]))


def slices(service: Object, pods: Iterable[Object], nodes: Mapping[str, Object]) -> list[Object]:
    """EndpointSlices of a Service: pods with the same ports together.

    Args:
        service: The Service.
        pods: Its pods, see :func:`selected`.
        nodes: All nodes by name.
    """
    groups: dict[Ports, list[Object]] = {}
    for pod in pods:
        groups.setdefault(ports(service, pod), []).append(_endpoint(service, pod, nodes))
    return [
        _slice(service, offered, together[start : start + MOST])
        for offered, together in sorted(groups.items()) or [((), [])]
        for start in range(0, max(1, len(together)), MOST)
    ]


def legacy(service: Object, pods: Iterable[Object]) -> Object:
    """The Endpoints object of a Service; pods as for :func:`slices`."""
    groups: dict[Ports, tuple[list[Object], list[Object]]] = {}
    for pod in pods:
        if is_leaving(pod) and not _publishes_all(service):
            continue
        ready, waiting = groups.setdefault(ports(service, pod), ([], []))
        (ready if is_ready(pod) or _publishes_all(service) else waiting).append(_address(service, pod))
    subsets = [
        {
            **({"addresses": ready} if ready else {}),
            **({"notReadyAddresses": waiting} if waiting else {}),
            **({"ports": _ports(offered)} if offered else {}),
        }
        for offered, (ready, waiting) in sorted(groups.items())
    ]
    marks = {**labels(service), MANAGED: LEGACY_MANAGER, **_headless(service)}
    return {"metadata": {**_place(service), "name": service["metadata"]["name"], "labels": marks}, "subsets": subsets}


def ports(service: Object, pod: Object) -> Ports:
    """Ports of a Service as a pod offers them: a named target port is looked up in the pod."""
    found = []
    for port in service["spec"].get("ports") or []:
        number = _number(port, pod)
        if number is not None:
            found.append((port.get("name", ""), number, port.get("protocol", "TCP"), port.get("appProtocol", "")))
    return tuple(found)


def _number(port: Mapping[str, Any], pod: Object) -> int | None:
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    spec = pod["spec"]
    sidecars = [each for each in spec.get("initContainers") or [] if each.get("restartPolicy") == "Always"]
    for container in [*spec["containers"], *sidecars]:
        for each in container.get("ports") or []:
            if each.get("name") == target and each.get("protocol", "TCP") == port.get("protocol", "TCP"):
                return int(each["containerPort"])
    return None


def _endpoint(service: Object, pod: Object, nodes: Mapping[str, Object]) -> Object:
    node = node_name(pod)
    zone = labels(nodes[node]).get(ZONE) if node in nodes else None
    serving = is_ready(pod)
    facts = {
        "ready": _publishes_all(service) or (serving and not is_leaving(pod)),
        "serving": serving,
        "terminating": is_leaving(pod),
    }
    return {
        "addresses": [status(pod)["podIP"]],
        "conditions": facts,
        **_hostname(service, pod),
        "targetRef": _reference(pod),
        "nodeName": node,
        **({"zone": zone} if zone else {}),
    }


def _slice(service: Object, offered: Ports, together: Sequence[Object]) -> Object:
    name = service["metadata"]["name"]
    marks = {**labels(service), SERVICE: name, SLICE_MANAGED: MANAGER, **_headless(service)}
    return {
        "apiVersion": ENDPOINT_SLICES.api_version,
        "kind": ENDPOINT_SLICES.kind,
        "metadata": {
            **_place(service),
            "generateName": f"{name}-",
            "labels": marks,
            "ownerReferences": owned_by(service),
        },
        "addressType": "IPv4",
        "endpoints": list(together),
        "ports": _ports(offered),
    }


def _address(service: Object, pod: Object) -> Object:
    return {
        "ip": status(pod)["podIP"],
        **_hostname(service, pod),
        "nodeName": node_name(pod),
        "targetRef": _reference(pod),
    }


def _reference(pod: Object) -> Object:
    metadata = pod["metadata"]
    return {"kind": "Pod", "namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]}


def _hostname(service: Object, pod: Object) -> Object:
    hostname = pod["spec"].get("hostname")
    named = hostname and pod["spec"].get("subdomain") == service["metadata"]["name"]
    return {"hostname": hostname} if named else {}


def _ports(offered: Ports) -> list[Object]:
    return [
        {"name": name, "port": number, "protocol": protocol, **({"appProtocol": application} if application else {})}
        for name, number, protocol, application in offered
    ]


def _headless(service: Object) -> dict[str, str]:
    return {HEADLESS: ""} if service["spec"].get("clusterIP") == "None" else {}


def _publishes_all(service: Object) -> bool:
    return bool(service["spec"].get("publishNotReadyAddresses"))


def _place(service: Object) -> Object:
    return {"namespace": service["metadata"]["namespace"]}
