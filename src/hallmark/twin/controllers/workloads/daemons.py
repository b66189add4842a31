"""Which nodes a DaemonSet's pods belong on, and which pods come and go next; pure functions.

Source: "DaemonSet" in the Kubernetes documentation, ``daemon_controller.go`` and ``update.go`` in its code.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hallmark.twin.controllers.workloads.counts import share
from hallmark.twin.controllers.workloads.pods import (
    is_available,
    is_finished,
    is_leaving,
    is_ready,
    labels,
    node_name,
    phase,
)
from hallmark.twin.controllers.workloads.revisions import LABEL
from hallmark.twin.controllers.workloads.scheduling import affinity, taints
from hallmark.twin.kube.kinds import Object

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_ADDED = [
    *({"key": key, "operator": "Exists", "effect": "NoExecute"} for key in (taints.NOT_READY, taints.UNREACHABLE)),
    *(
        {"key": key, "operator": "Exists", "effect": "NoSchedule"}
        for key in (*list(taints.PRESSURES.values())[:3], taints.UNSCHEDULABLE)
    ),
]
_ON_HOST = {"key": taints.PRESSURES["NetworkUnavailable"], "operator": "Exists", "effect": "NoSchedule"}


@dataclass
class Plan:
    """What to do next.

    Attributes:
        create: Names of nodes that get a pod.
        delete: Pods that are in the wrong place, or of an old template.
        failed: Pods that failed and are replaced.
    """

    create: list[str] = field(default_factory=list)
    delete: list[Object] = field(default_factory=list)
    failed: list[Object] = field(default_factory=list)


def node_of(pod: Object) -> str:
    """Node a daemon pod runs on or is meant for."""
    if name := node_name(pod):
        return name
    required = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED) or {}
    for term in required.get("nodeSelectorTerms") or []:
        for each in term.get("matchFields") or []:
            if each["key"] == "metadata.name":
                return str(each["values"][0])
    return ""


def pod_spec(daemon_set: Object, node: str) -> Object:
    """Spec of the pod for one node: bound to it by node affinity, and with the tolerations every daemon has."""
    spec: Mapping[str, Any] = daemon_set["spec"]["template"]["spec"]
    here = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    around = spec.get("affinity") or {}
    node_affinity = around.get("nodeAffinity") or {}
    terms = (node_affinity.get(REQUIRED) or {}).get("nodeSelectorTerms") or [{}]
    required = {"nodeSelectorTerms": [{**each, **here} for each in terms]}
    return {
        **spec,
        "affinity": {**around, "nodeAffinity": {**node_affinity, REQUIRED: required}},
        "tolerations": _tolerations(spec),
    }


def belongs(daemon_set: Object, node: Object) -> tuple[bool, bool]:
    """Whether a node should get the DaemonSet's pod, and whether one that runs there may stay."""
    spec = daemon_set["spec"]["template"]["spec"]
    tolerating = {"tolerations": _tolerations(spec)}
    if not affinity.wants({"spec": spec}, node):
        return False, False
    everything = taints.of(node)
    return (
        taints.untolerated(tolerating, everything, taints.KEEPS_OUT) is None,
        taints.untolerated(tolerating, everything, {"NoExecute"}) is None,
    )


def plan(daemon_set: Object, nodes: Sequence[Object], pods: Iterable[Object], code: str, moment: datetime) -> Plan:
    """Decide the next step.

    Args:
        daemon_set: The DaemonSet.
        nodes: All nodes.
        pods: Its pods.
        code: Hash of its template.
        moment: The present moment.
    """
    result, on = Plan(), _by_node(pods)
    for node in nodes:
        name = node["metadata"]["name"]
        should, may_stay = belongs(daemon_set, node)
        here = [each for each in on.get(name, []) if not is_leaving(each)]
        result.failed += [each for each in here if phase(each) == "Failed"]
        running = sorted((each for each in here if not is_finished(each)), key=_age)
        if should and not on.get(name):
            result.create.append(name)
        result.delete += running[1 if should or may_stay else 0 :]
    result.delete += _outdated(daemon_set, nodes, on, code, moment)
    return result


def status(daemon_set: Object, nodes: Iterable[Object], pods: Iterable[Object], code: str, moment: datetime) -> Object:
    """Status of a DaemonSet; arguments as for :func:`plan`."""
    wanted, on = [], _by_node(pods)
    misplaced = 0
    for node in nodes:
        here = sorted((each for each in on.get(node["metadata"]["name"], []) if not is_leaving(each)), key=_age)
        if belongs(daemon_set, node)[0]:
            wanted.append(here[0] if here else None)
        else:
            misplaced += bool(here)
    there = [each for each in wanted if each]
    ready, available = [sum(map(is_ready, there)), sum(_available(daemon_set, each, moment) for each in there)]
    updated = sum(labels(each).get(LABEL) == code for each in there)
    optional = {
        "updatedNumberScheduled": updated,
        "numberAvailable": available,
        "numberUnavailable": len(wanted) - available,
    }
    return {
        "currentNumberScheduled": len(there),
        "numberMisscheduled": misplaced,
        "desiredNumberScheduled": len(wanted),
        "numberReady": ready,
        "observedGeneration": daemon_set["metadata"].get("generation", 1),
        **{name: number for name, number in optional.items() if number},
    }


def _outdated(
    daemon_set: Object, nodes: Iterable[Object], on: Mapping[str, Sequence[Object]], code: str, moment: datetime
) -> list[Object]:
    strategy = daemon_set["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return []
    names = [each["metadata"]["name"] for each in nodes if belongs(daemon_set, each)[0]]
    most = share((strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1), len(names), up=True)
    # A pod that is not available anyway is replaced at once; of the others, as many as may be missing. A surge is not
    # made: a DaemonSet that asks for one and for no missing pod is renewed one node at a time.
    sick, well, missing = [], [], 0
    for name in names:
        here = [each for each in on.get(name, []) if not is_leaving(each)]
        old = [each for each in here if labels(each).get(LABEL) != code and not is_finished(each)]
        if any(_available(daemon_set, each, moment) for each in here):
            well += old[:1]
        else:
            missing += 1
            sick += old[:1]
    return [*sick, *well[: max(0, max(1, most) - missing)]]


def _available(daemon_set: Object, pod: Object, moment: datetime) -> bool:
    return is_available(pod, daemon_set["spec"].get("minReadySeconds", 0), moment)


def _tolerations(spec: Mapping[str, Any]) -> list[Object]:
    own = spec.get("tolerations") or []
    added = [*_ADDED, *([_ON_HOST] if spec.get("hostNetwork") else [])]
    return [*own, *(each for each in added if each not in own)]


def _by_node(pods: Iterable[Object]) -> dict[str, list[Object]]:
    result: dict[str, list[Object]] = {}
    for pod in pods:
        result.setdefault(node_of(pod), []).append(pod)
    return result


def _age(pod: Object) -> tuple[str, str]:
    return pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]
