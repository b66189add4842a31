"""Addresses and node ports of Services: given, checked, kept over updates, free again with the Service.

What is taken is read from the stored Services each time; there is no second book that could be wrong. Ranges are those
of EKS: 172.20.0.0/16, and Kubernetes' 30000-32767 for node ports. Rules: ``pkg/registry/core/service``.
"""

import ipaddress
import secrets
from collections.abc import Iterator
from typing import Any

from hallmark.twin.cluster import statuses
from hallmark.twin.cluster.store import Store

ADDRESSES = ipaddress.IPv4Network("172.20.0.0/16")
RESERVED = 256
"""Addresses at the start of the range that are only given when asked for (Kubernetes documentation, "Service
ClusterIP allocation")."""
NODE_PORTS = range(30000, 32768)
EXPOSED = frozenset({"NodePort", "LoadBalancer"})

Json = dict[str, Any]


class Services:
    """Completes Services.

    Args:
        store: Where the other Services are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def allocate(self, service: Json) -> None:
        """Give a Service its address and ports, in place.

        Raises:
            Refusal: What it asks for is taken or out of range.
        """
        spec = service["spec"]
        if spec.get("type") == "ExternalName":
            return
        self._allocate_address(service, spec)
        if spec.get("type") in EXPOSED and spec.get("allocateLoadBalancerNodePorts", True):
            self._allocate_ports(service, spec)
        if spec.get("externalTrafficPolicy") == "Local" and spec["type"] == "LoadBalancer":
            spec.setdefault("healthCheckNodePort", self._free_port(self._taken_ports(service)))

    def update(self, old: Json, new: Json) -> None:
        """Keep what a Service has, unless the update says otherwise; give it what it now needs, in place.

        Raises:
            Refusal: What it asks for is taken or out of range.
        """
        before, after = old["spec"], new["spec"]
        if after.get("type") == "ExternalName":
            for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
                after.pop(name, None)
            return
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"):
            if name in before and not after.get(name):
                after[name] = before[name]
        after.setdefault("type", "ClusterIP")
        if after["type"] in EXPOSED:
            _keep_ports(before, after)
        elif before.get("type") in EXPOSED:
            _drop_ports(before, after)
        if before.get("type") == "LoadBalancer" != after["type"]:
            _drop_balancing(before, after)
        self.allocate(new)

    def _allocate_address(self, service: Json, spec: Json) -> None:
        asked = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or ()), "")
        if asked != "None":
            taken = {address for other in self._others(service) for address in other["spec"].get("clusterIPs") or ()}
            asked = self._checked(service, asked, taken) if asked else _free_address(taken)
        spec["clusterIP"], spec["clusterIPs"] = asked, [asked]

    def _checked(self, service: Json, asked: str, taken: set[str]) -> str:
        why = ""
        if asked in taken:
            why = "provided IP is already allocated"
        elif ipaddress.ip_address(asked) not in ADDRESSES:
            why = f"the provided network does not match the current range: {ADDRESSES}"
        if why:
            message = f'spec.clusterIPs: Invalid value: ["{asked}"]: failed to allocate IP {asked}: {why}'
            raise statuses.invalid("", "Service", service["metadata"]["name"], [message])
        return asked

    def _allocate_ports(self, service: Json, spec: Json) -> None:
        taken = self._taken_ports(service)
        for position, port in enumerate(spec.get("ports") or ()):
            asked = port.get("nodePort")
            if not asked:
                asked = port["nodePort"] = self._free_port(taken)
            elif why := _refused_port(asked, taken):
                message = f"spec.ports[{position}].nodePort: Invalid value: {asked}: {why}"
                raise statuses.invalid("", "Service", service["metadata"]["name"], [message])
            taken.add(asked)

    def _taken_ports(self, service: Json) -> set[int]:
        specs = [other["spec"] for other in self._others(service)]
        ports = {port["nodePort"] for spec in specs for port in spec.get("ports") or () if port.get("nodePort")}
        return ports | {spec["healthCheckNodePort"] for spec in specs if spec.get("healthCheckNodePort")}

    @staticmethod
    def _free_port(taken: set[int]) -> int:
        return secrets.choice([port for port in NODE_PORTS if port not in taken])

    def _others(self, service: Json) -> Iterator[Json]:
        uid = service["metadata"]["uid"]
        return (entry.object for entry in self._store.all("services") if entry.object["metadata"]["uid"] != uid)


def _free_address(taken: set[str]) -> str:
    while True:
        address = str(ADDRESSES[RESERVED + secrets.randbelow(ADDRESSES.num_addresses - RESERVED - 1)])
        if address not in taken:
            return address


def _refused_port(asked: int, taken: set[int]) -> str:
    if asked in taken:
        return "provided port is already allocated"
    if asked not in NODE_PORTS:
        return "provided port is not in the valid range. The range of valid ports is 30000-32767"
    return ""


def _keep_ports(before: Json, after: Json) -> None:
    had = {(port.get("protocol", "TCP"), port["port"]): port.get("nodePort") for port in before.get("ports") or ()}
    asked = {port.get("nodePort") for port in after.get("ports") or ()}
    for port in after.get("ports") or ():
        kept = had.get((port.get("protocol", "TCP"), port.get("port")))
        if kept and not port.get("nodePort") and kept not in asked:
            port["nodePort"] = kept


def _drop_ports(before: Json, after: Json) -> None:
    # A Service that is exposed no more gives its ports back, unless the update asks for other ones.
    had = {port.get("nodePort") for port in before.get("ports") or ()}
    for port in after.get("ports") or ():
        if port.get("nodePort") in had:
            port.pop("nodePort", None)
    after.pop("healthCheckNodePort", None)
    after.pop("externalTrafficPolicy", None)


def _drop_balancing(before: Json, after: Json) -> None:
    # What was meant for the load balancer, and the update does not speak of, goes with it.
    for name in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
        if after.get(name) == before.get(name):
            after.pop(name, None)
