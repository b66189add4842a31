"""How the scheduler says that a pod fits nowhere.

Source: ``FitError`` of the Kubernetes 1.35 scheduler, and the messages of its two plugins that are asked afterwards.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from hallmark.twin.controllers.workloads.scheduling.places import Refusal

NO_NODES = "no nodes available to schedule pods"
HELPLESS, NO_VICTIMS = "Preemption is not helpful for scheduling", "No preemption victims found for incoming pod"


def nowhere(refusals: Sequence[Refusal]) -> str:
    """Message for a pod that each node refused, one refusal a node."""
    if not refusals:
        return NO_NODES
    counted = _counted(reason for each in refusals for reason in each.reasons)
    return f"{_none_of(len(refusals))} {counted}. {_preemption(refusals)}"


def not_yet(reason: str, nodes: int) -> str:
    """Message for a pod that could run on no node at all, for a reason of its own."""
    if not nodes:
        return NO_NODES
    return f"{_none_of(nodes)} {reason}. {_preemption([Refusal((reason,))] * nodes)}"


def _preemption(refusals: Sequence[Refusal]) -> str:
    counted = _counted(HELPLESS if each.final else NO_VICTIMS for each in refusals)
    return f"no new claims to deallocate, preemption: {_none_of(len(refusals))} {counted}."


def _none_of(nodes: int) -> str:
    return f"0/{nodes} nodes are available:"


def _counted(reasons: Iterable[str]) -> str:
    return ", ".join(sorted(f"{count} {reason}" for reason, count in Counter(reasons).items()))
