"""What the scheduler looks at: nodes with the pods on them, and why a node was refused."""

from collections.abc import Sequence
from dataclasses import dataclass

from hallmark.twin.controllers.workloads.pods import labels
from hallmark.twin.kube.kinds import Object

ZONE = "topology.kubernetes.io/zone"
HOSTNAME = "kubernetes.io/hostname"


@dataclass(frozen=True)
class Place:
    """A node, and the pods that take room on it.

    Attributes:
        node: The Node object.
        pods: Pods bound to it that have not finished, those about to be bound included.
    """

    node: Object
    pods: Sequence[Object] = ()

    @property
    def name(self) -> str:
        """The node's name."""
        return str(self.node["metadata"]["name"])

    def domain(self, key: str) -> str | None:
        """The node's value of a topology key, or None if it has none."""
        return labels(self.node).get(key)


@dataclass(frozen=True)
class Refusal:
    """Why a pod cannot run on a node.

    Attributes:
        reasons: In the scheduler's words, for example ``Insufficient cpu``.
        final: Whether evicting other pods could not help either.
    """

    reasons: tuple[str, ...]
    final: bool = True
