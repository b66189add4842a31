"""How many more pods of a workload fit on the nodes, counted as the scheduler counts: by requests."""

import re
from decimal import Decimal

from hallmark.faults import release
from hallmark.faults.reader import Reader
from hallmark.faults.release import Object

NODE_GROUP = "eks.amazonaws.com/nodegroup"
"""The label by which EKS says which managed node group a node is of."""
_QUANTITY = re.compile(r"^(?P<number>\d+(?:\.\d+)?)(?P<suffix>m|[kMGTP]i?|Ki)?$")
_SUFFIXES = {
    "m": Decimal("0.001"), "": Decimal(1), "k": Decimal(10**3), "Ki": Decimal(2**10), "M": Decimal(10**6),
    "Mi": Decimal(2**20), "G": Decimal(10**9), "Gi": Decimal(2**30), "T": Decimal(10**12), "Ti": Decimal(2**40),
    "P": Decimal(10**15), "Pi": Decimal(2**50),
}  # fmt: skip
_FAMILIES = ("cpu", "memory")
_ENDED = frozenset({"Succeeded", "Failed"})


def room(read: Reader, one: Object, groups: set[str]) -> int:
    """Return how many more pods of a workload fit on the nodes of *groups*.

    Args:
        read: The target.
        one: The workload; its pods have to ask for CPU or memory.
        groups: Names of managed node groups.
    """
    wanted = _requests(one["spec"]["template"]["spec"])
    nodes = [node for node in release.objects(read, "nodes") if release.labels(node).get(NODE_GROUP) in groups]
    everywhere = [pod for pod in release.objects(read, "pods") if pod["status"].get("phase") not in _ENDED]
    return sum(_room_on(node, everywhere, wanted) for node in nodes if not node["spec"].get("unschedulable"))


def _room_on(node: Object, everywhere: list[Object], wanted: dict[str, Decimal]) -> int:
    placed = [pod for pod in everywhere if pod["spec"].get("nodeName") == release.name(node)]
    offered = node["status"]["allocatable"]
    counts = [int(number(offered["pods"])) - len(placed)]
    for kind in _FAMILIES:
        free = number(offered[kind]) - sum((_requests(pod["spec"])[kind] for pod in placed), Decimal(0))
        if wanted[kind]:
            counts.append(int(free // wanted[kind]))
    return max(0, min(counts))


def _requests(pod: Object) -> dict[str, Decimal]:
    """Return what the containers of a pod ask for; init containers ask for less than those they prepare for."""
    asked = [(each.get("resources") or {}).get("requests") or {} for each in pod["containers"]]
    return {kind: sum((number(each.get(kind, 0)) for each in asked), Decimal(0)) for kind in _FAMILIES}


def number(quantity: str | int) -> Decimal:
    """Return a quantity as a number: cores, bytes or pieces (Kubernetes API conventions, "Quantity")."""
    found = _QUANTITY.match(str(quantity))
    if not found:
        raise ValueError(f"{quantity!r} is not a quantity")
    return Decimal(found["number"]) * _SUFFIXES[found["suffix"] or ""]
