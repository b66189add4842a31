"""Cells of services, endpoints, ingresses and network policies.

Source: pkg/printers/internalversion/printers.go of Kubernetes.
"""

from datetime import datetime

from hallmark.twin.cluster.schema.cells.common import few, selector_text
from hallmark.twin.cluster.schema.values import Json, dig


def external_ip(obj: Json, _: datetime) -> str:
    """Addresses of a service outside the cluster."""
    spec = obj["spec"]
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    own = list(spec.get("externalIPs") or ())
    if spec.get("type") != "LoadBalancer":
        return ",".join(own) or "<none>"
    return ",".join([*_balancer(obj), *own]) or "<pending>"


def service_ports(obj: Json, _: datetime) -> str:
    """Ports of a service, with the nodes' ports."""
    ports = obj["spec"].get("ports") or ()
    pieces = [
        f"{each['port']}{':' + str(each['nodePort']) if each.get('nodePort') else ''}/{each.get('protocol', 'TCP')}"
        for each in ports
    ]
    return ",".join(pieces) or "<none>"


def balancer_address(obj: Json, _: datetime) -> str:
    """Addresses of a load balancer."""
    return ",".join(_balancer(obj))


def _balancer(obj: Json) -> list[str]:
    found = dig(obj, "status", "loadBalancer", "ingress") or ()
    return sorted({each.get("ip") or each.get("hostname") for each in found} - {None, ""})


def ingress_hosts(obj: Json, _: datetime) -> str:
    """Hosts of an ingress."""
    rules = dig(obj, "spec", "rules") or []
    hosts = [each["host"] for each in rules if each.get("host")]
    return few(hosts, len(rules)) or "*"


def ingress_ports(obj: Json, _: datetime) -> str:
    """Ports of an ingress: that of TLS only when it has certificates."""
    return "80, 443" if dig(obj, "spec", "tls") else "80"


def class_parameters(obj: Json, _: datetime) -> str:
    """What an ingress class is configured by."""
    ref = dig(obj, "spec", "parameters")
    if not ref:
        return "<none>"
    group = f".{ref['apiGroup']}" if ref.get("apiGroup") else ""
    return f"{ref.get('kind', '')}{group}/{ref.get('name', '')}"


def endpoints(obj: Json, _: datetime) -> str:
    """Addresses with ports."""
    found = [
        f"{address['ip']}:{port['port']}"
        for subset in obj.get("subsets") or ()
        for port in subset.get("ports") or ()
        for address in subset.get("addresses") or ()
    ]
    return few(found, len(found)) or ("" if obj.get("subsets") else "<none>")


def slice_ports(obj: Json, _: datetime) -> str:
    """Ports of an endpoint slice."""
    ports = [str(each["port"]) if each.get("port") is not None else "*" for each in obj.get("ports") or ()]
    return few(ports, len(ports)) or "<unset>"


def slice_endpoints(obj: Json, _: datetime) -> str:
    """Addresses of an endpoint slice."""
    found = [address for each in obj.get("endpoints") or () for address in each.get("addresses") or ()]
    return few(found, len(found)) or "<unset>"


def pod_selector(obj: Json, _: datetime) -> str:
    """Which pods a network policy is about."""
    return selector_text(dig(obj, "spec", "podSelector"))
