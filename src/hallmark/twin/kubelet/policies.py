"""What NetworkPolicies let through. Pure.

Source: Kubernetes documentation, "Network Policies": policies add up; a pod that none selects for a direction is open
in that direction; traffic to itself and of its own node always passes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from hallmark.twin.kube.kinds import Object, matches

INGRESS, EGRESS = "Ingress", "Egress"
PEERS = {INGRESS: "from", EGRESS: "to"}


@dataclass(frozen=True)
class Side:
    """One side of a connection.

    Attributes:
        ip: Its address; empty if nobody knows it.
        pod: The pod as in the API; None for anything else, and for pods on their node's own address.
        node: Address of the pod's node.
    """

    ip: str
    pod: Object | None = None
    node: str = ""


@dataclass(frozen=True)
class Port:
    """What is asked for on the other side."""

    number: int
    protocol: str = "TCP"


class Rules:
    """The rules of a cluster at one moment.

    Args:
        policies: Every NetworkPolicy.
        namespaces: Every Namespace, for its labels.
    """

    def __init__(self, policies: Iterable[Object], namespaces: Iterable[Object]) -> None:
        self._policies = list(policies)
        self._labels = {each["metadata"]["name"]: each["metadata"].get("labels") or {} for each in namespaces}

    def allow(self, source: Side, target: Side, port: Port) -> bool:
        """Whether a new connection passes: its source lets it out and its target lets it in."""
        if source.ip and source.ip == target.ip:
            return True
        return self._passes(EGRESS, source, target, target, port) and self._passes(
            INGRESS, target, source, target, port
        )

    def _passes(self, direction: str, own: Side, other: Side, target: Side, port: Port) -> bool:
        selecting = [each["spec"] for each in self._policies if _selects(each, own, direction)]
        if not selecting or (own.node and other.ip == own.node):
            return True
        rules = [rule for spec in selecting for rule in spec.get(direction.lower()) or []]
        return any(
            self._has_peer(rule.get(PEERS[direction]) or [], own, other)
            and _has_port(rule.get("ports") or [], target.pod, port)
            for rule in rules
        )

    def _has_peer(self, peers: Sequence[Mapping[str, Any]], own: Side, other: Side) -> bool:
        namespace = own.pod["metadata"]["namespace"] if own.pod else ""
        return not peers or any(self._is_peer(each, namespace, other) for each in peers)

    def _is_peer(self, peer: Mapping[str, Any], namespace: str, other: Side) -> bool:
        if block := peer.get("ipBlock"):
            return _within(block, other.ip)
        if other.pod is None:
            return False
        metadata = other.pod["metadata"]
        spaces = peer.get("namespaceSelector")
        if spaces is None and metadata["namespace"] != namespace:
            return False
        if spaces is not None and not matches(spaces, self._labels.get(metadata["namespace"], {})):
            return False
        pods = peer.get("podSelector")
        return pods is None or matches(pods, metadata.get("labels") or {})


def _selects(policy: Object, side: Side, direction: str) -> bool:
    if side.pod is None or side.pod["metadata"]["namespace"] != policy["metadata"]["namespace"]:
        return False
    spec = policy["spec"]
    types = spec.get("policyTypes") or [INGRESS, *([EGRESS] if spec.get("egress") else [])]
    return direction in types and matches(spec.get("podSelector") or {}, side.pod["metadata"].get("labels") or {})


def _within(block: Mapping[str, Any], ip: str) -> bool:
    if not ip:
        return False
    address = ip_address(ip)
    inside = address in ip_network(block["cidr"], strict=False)
    return inside and not any(address in ip_network(each, strict=False) for each in block.get("except") or [])


def _has_port(wanted: Sequence[Mapping[str, Any]], target: Object | None, port: Port) -> bool:
    return not wanted or any(_is_port(each, target, port) for each in wanted)


def _is_port(wanted: Mapping[str, Any], target: Object | None, port: Port) -> bool:
    if wanted.get("protocol", "TCP") != port.protocol:
        return False
    number = wanted.get("port")
    if number is None:
        return True
    if isinstance(number, str):
        return (number, port.number, port.protocol) in _named(target)
    return bool(number <= port.number <= wanted.get("endPort", number))


def _named(pod: Object | None) -> set[tuple[str, int, str]]:
    spec = pod["spec"] if pod else {}
    containers = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    return {
        (each.get("name", ""), each["containerPort"], each.get("protocol", "TCP"))
        for container in containers
        for each in container.get("ports") or []
    }
