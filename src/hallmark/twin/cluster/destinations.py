"""Where a call that leads into a pod goes: to which pod of a Service, to which container, to which port."""

from collections.abc import Iterable
from typing import Any

from hallmark.twin.cluster.statuses import Refusal
from hallmark.twin.cluster.store import Store

SERVICE_NAME = "kubernetes.io/service-name"
"""Label of an EndpointSlice."""

Json = dict[str, Any]


def behind(store: Store, namespace: str, service: str, port: str) -> tuple[Json, str]:
    """A ready pod behind a Service, and its port.

    Raises:
        Refusal: There is none.
    """
    port = _named(store, namespace, service, port)
    for entry in store.all("endpointslices.discovery.k8s.io", namespace):
        if entry.object["metadata"].get("labels", {}).get(SERVICE_NAME) != service:
            continue
        number = _number(entry.object.get("ports") or (), port)
        for endpoint in entry.object.get("endpoints") or ():
            target = endpoint.get("targetRef") or {}
            pod = store.get("pods", namespace, target.get("name", ""))
            if number and pod and (endpoint.get("conditions") or {}).get("ready", True):
                return pod.object, number
    raise Refusal(503, f'no endpoints available for service "{service}"')


def _named(store: Store, namespace: str, service: str, port: str) -> str:
    """The name of a Service's port that is given by its number (Kubernetes, ``ResourceLocation`` of Services)."""
    found = store.get("services", namespace, service)
    if not port.isdecimal() or found is None:
        return port
    for one in found.object["spec"].get("ports") or ():
        if one["port"] == int(port):
            return str(one.get("name") or "")
    raise Refusal(503, f'no service port {port} found for service "{service}"')


def _number(ports: Iterable[Json], wanted: str) -> str:
    # Of a slice: by name, by number, or the only one.
    listed = list(ports)
    for one in listed:
        if wanted in {one.get("name") or "", str(one.get("port"))}:
            return str(one["port"])
    return str(listed[0]["port"]) if len(listed) == 1 and not wanted else ""


def pod_port(pod: Json, port: str) -> str:
    """The number of a pod's port: as named, else its first.

    Args:
        pod: The pod.
        port: Name or number; empty for its first, 80 if it has none.
    """
    ports = [one for container in pod["spec"]["containers"] for one in container.get("ports") or ()]
    if not port:
        return str(ports[0]["containerPort"] if ports else 80)
    return next((str(one["containerPort"]) for one in ports if one.get("name") == port), port)


def container_of(pod: Json, wanted: str) -> str:
    """The name of a container: the one that is wanted, else the only one or the one that an annotation chooses.

    Raises:
        Refusal: The pod has no such container, or nothing says which of several.
    """
    spec, name = pod["spec"], pod["metadata"]["name"]
    names = [
        one["name"] for key in ("containers", "initContainers", "ephemeralContainers") for one in spec.get(key) or ()
    ]
    if wanted:
        if wanted not in names:
            raise Refusal(400, f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(spec["containers"]) == 1:
        return str(names[0])
    chosen = (pod["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/default-container", "")
    if chosen in names:
        return str(chosen)
    listed = " ".join(one["name"] for one in spec["containers"])
    raise Refusal(400, f"a container name must be specified for pod {name}, choose one of: [{listed}]")
