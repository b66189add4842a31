"""What all pods of one kubelet share."""

from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import NODES, PODS, Object
from hallmark.twin.kubelet.addresses import Addresses
from hallmark.twin.kubelet.egress import Egress
from hallmark.twin.kubelet.images import Catalogue
from hallmark.twin.kubelet.runtime import Runtime

OURS = "hallmark.dev/kubelet"
SUBNET = "hallmark.dev/pod-cidr"
"""Annotations of nodes: who runs their pods, and the subnet their pods get addresses of."""


@dataclass
class Machine:
    """The surroundings of pods.

    Attributes:
        caches: The cluster.
        recorder: Writes events.
        runtime: Starts processes.
        catalogue: Images there are.
        addresses: Addresses there are.
        session: HTTP client of probes.
        state: The kubelet's folder.
        addons: Folder of the controllers' logs.
        speed: How many times faster than in reality waits are.
        gate: URL that programs ask, without the pod's token.
        port: Where this kubelet listens.
        aws: URL of the emulated AWS, or empty.
        egress: The way of nodes to what is outside; None without an emulated AWS.
        pulled: Images that nodes have, as pairs of a node and an image's full name.
    """

    caches: Caches
    recorder: Recorder
    runtime: Runtime
    catalogue: Catalogue
    addresses: Addresses
    session: aiohttp.ClientSession
    state: Path
    addons: Path
    speed: float
    gate: str = ""
    port: int = 0
    aws: str = ""
    egress: Egress | None = None
    pulled: set[tuple[str, str]] = field(default_factory=set)
    _subnets: dict[str, str] = field(default_factory=dict)

    @property
    def disks(self) -> Path:
        """Folder of persistent volumes, which outlive pods."""
        return self.state / "volumes"

    def node(self, name: str) -> Object | None:
        """A node of ours, if the pod's node is one."""
        node = self.caches[NODES].get(("", name))
        return node if node and is_ours(node) else None

    def recall_images(self) -> None:
        """Find out which images nodes have from before, by what the API says of pods; once the caches are filled."""
        for pod in self.caches[PODS].all():
            told = pod.get("status") or {}
            found = [*(told.get("initContainerStatuses") or []), *(told.get("containerStatuses") or [])]
            self.pulled |= {(pod["spec"].get("nodeName", ""), each["image"]) for each in found if each.get("imageID")}

    def subnet(self, node: Object) -> str:
        """The CIDR that a node's pods get addresses of."""
        given = (node["metadata"].get("annotations") or {}).get(SUBNET)
        name = node["metadata"]["name"]
        return given or self._subnets.setdefault(name, f"10.244.{len(self._subnets) % 256}.0/24")

    def node_addresses(self) -> set[str]:
        """Addresses of all nodes."""
        return {
            address["address"]
            for node in self.caches[NODES].all()
            for address in (node.get("status") or {}).get("addresses") or []
        }


def is_ours(node: Object) -> bool:
    """Whether a node's pods are run here."""
    return (node["metadata"].get("annotations") or {}).get(OURS) == "twin"


def internal_ip(node: Object | None) -> str:
    """A node's own address; empty if it has none yet."""
    addresses = ((node or {}).get("status") or {}).get("addresses") or []
    return next((str(each["address"]) for each in addresses if each["type"] == "InternalIP"), "")
