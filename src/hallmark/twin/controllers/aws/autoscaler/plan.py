"""What to grow and what to shrink; pure functions.

Source: kubernetes/autoscaler, FAQ ("How does scale-up work?", "How does scale-down work?") and
``processors/status/eventing_scale_up_processor.go`` for the words.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hallmark.twin.controllers import conditions
from hallmark.twin.controllers.aws.autoscaler.groups import Group, is_daemon
from hallmark.twin.controllers.clock import seconds_since
from hallmark.twin.controllers.workloads.pods import annotations, is_finished, is_leaving, is_ready, node_name
from hallmark.twin.controllers.workloads.scheduling import filters, resources
from hallmark.twin.controllers.workloads.scheduling.places import Place
from hallmark.twin.controllers.workloads.scheduling.volumes import Volumes
from hallmark.twin.kube.kinds import Object

FULL = "max node group size reached"
PROVISIONED_WITHIN = 900.0
"""Seconds a new node may take until it is ready."""
DISABLED = "cluster-autoscaler.kubernetes.io/scale-down-disabled"


@dataclass
class Growth:
    """A decision to grow one group, and what became of each pod.

    Attributes:
        group: The group to grow; None if none can help.
        size: Its new size.
        helped: Pods that the new nodes are for.
        reasons: Of each pod that no group can help: how many groups refuse for which reason.
    """

    group: Group | None = None
    size: int = 0
    helped: list[Object] = field(default_factory=list)
    reasons: list[tuple[Object, Counter[str]]] = field(default_factory=list)


def is_coming(node: Object, moment: datetime) -> bool:
    """Whether a node is young and not ready yet: it is counted as if it were (``--max-node-provision-time``)."""
    return not is_ready(node) and seconds_since(node["metadata"]["creationTimestamp"], moment) < PROVISIONED_WITHIN


def is_unschedulable(pod: Object) -> bool:
    """Whether the scheduler found no node for a pod."""
    scheduled = conditions.find(pod, "PodScheduled")
    waits = not node_name(pod) and not is_finished(pod) and not is_leaving(pod) and not is_daemon(pod)
    return waits and bool(scheduled) and (scheduled or {}).get("reason") == "Unschedulable"


def growth(
    waiting: Sequence[tuple[Object, Volumes]],
    groups: Sequence[Group],
    templates: Mapping[str, Place],
    places: Sequence[Place],
) -> Growth:
    """Decide which group to grow, and by how much.

    Args:
        waiting: Pods that fit nowhere, each with its volumes.
        groups: The groups.
        templates: What a new node of each group is like, by the group's name; a group without one cannot grow.
        places: Nodes there are, and nodes that are on their way.
    """
    pods = [(pod, needs) for pod, needs in waiting if not _fits_somewhere(pod, needs, places)]
    if not pods:
        return Growth()
    best = Growth()
    for group in groups:
        if group.name in templates and group.wanted < group.most:
            helped, count = _packed(pods, templates[group.name], group.most - group.wanted)
            if helped and _rank(helped, count) > _rank(
                best.helped, best.size - (best.group.wanted if best.group else 0)
            ):
                best = Growth(group, group.wanted + count, helped)
    if best.group is None:
        best.reasons = [(pod, _reasons(pod, needs, groups, templates)) for pod, needs in pods]
    return best


def _rank(helped: Sequence[Object], count: int) -> tuple[int, int]:
    # Most pods first, then fewest nodes: what the expander "least-waste" comes to among groups of one size.
    return len(helped), -count


def _fits_somewhere(pod: Object, needs: Volumes, places: Sequence[Place]) -> bool:
    return any(filters.refusal(pod, place, places, needs) is None for place in places)


def _packed(pods: Sequence[tuple[Object, Volumes]], template: Place, most: int) -> tuple[list[Object], int]:
    """Put pods on new nodes, each on the first that takes it. Returns those that found room, and how many nodes."""
    new: list[Place] = []
    helped: list[Object] = []
    for pod, needs in sorted(pods, key=lambda each: -resources.requests(each[0]).get("cpu", resources.NOTHING)):
        for number, place in enumerate(new):
            if filters.refusal(pod, place, [place], needs) is None:
                new[number] = Place(place.node, [*place.pods, pod])
                helped.append(pod)
                break
        else:
            if len(new) < most and filters.refusal(pod, template, [template], needs) is None:
                new.append(Place(template.node, [*template.pods, pod]))
                helped.append(pod)
    return helped, len(new)


def _reasons(pod: Object, needs: Volumes, groups: Sequence[Group], templates: Mapping[str, Place]) -> Counter[str]:
    found: Counter[str] = Counter()
    for group in groups:
        template = templates.get(group.name)
        if template is None:
            continue
        refusal = filters.refusal(pod, template, [template], needs)
        if refusal:
            found.update(refusal.reasons)
        elif group.wanted >= group.most:
            found[FULL] += 1
    return found


def refusal_words(reasons: Counter[str]) -> str:
    """Message of the event ``NotTriggerScaleUp``."""
    listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    return f"pod didn't trigger scale-up: {listed}"


def unneeded(group: Group, nodes: Sequence[Object], pods: Iterable[Object]) -> list[Object]:
    """Ready nodes of a group that run nothing but what every node runs, as many as the group can lose."""
    if group.wanted <= group.least:
        return []
    busy = {node_name(pod) for pod in pods if node_name(pod) and not is_finished(pod) and not is_daemon(pod)}
    empty = [
        node
        for node in nodes
        if node["metadata"]["name"] not in busy and is_ready(node) and annotations(node).get(DISABLED) != "true"
    ]
    return empty[: group.wanted - group.least]
