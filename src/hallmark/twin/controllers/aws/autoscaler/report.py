"""The ConfigMap in which the autoscaler says how things stand.

Source: kubernetes/autoscaler, ``clusterstate/api/types.go`` (the YAML form, since 1.30) and ``utils.go``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import yaml

from hallmark.twin.controllers.aws.autoscaler.groups import Group
from hallmark.twin.controllers.workloads.pods import is_ready
from hallmark.twin.kube.kinds import Object

NAMESPACE, NAME = "kube-system", "cluster-autoscaler-status"
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""libyaml's where it is there: ten times as fast, and this is written every ten seconds."""
UPDATED = "cluster-autoscaler.kubernetes.io/last-updated"


class Transitions:
    """Remembers since when each status is what it is."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}

    def since(self, what: str, status: str, now: str) -> str:
        """Since when *what* has this status."""
        known = self._known.get(what)
        if known is None or known[0] != status:
            known = self._known[what] = (status, now)
        return known[1]


def config_map(
    groups: Sequence[Group],
    nodes: Mapping[str, Sequence[Object]],
    candidates: Mapping[str, int],
    transitions: Transitions,
    moment: datetime,
) -> Object:
    """The ConfigMap.

    Args:
        groups: The groups.
        nodes: Nodes of each group, by its name.
        candidates: How many nodes of each group are not needed.
        transitions: Since when things are as they are.
        moment: The present moment, in UTC.
    """
    now, everything = moment.strftime("%Y-%m-%dT%H:%M:%S.%f000Z"), [each for some in nodes.values() for each in some]
    stamp = moment.strftime("%Y-%m-%d %H:%M:%S.%f000 +0000 UTC")

    def at(what: str, status: str, **more: Any) -> dict[str, Any]:
        since = transitions.since(what, status, now)
        return {"status": status, **more, "lastProbeTime": now, "lastTransitionTime": since}

    def down(what: str, count: int) -> dict[str, Any]:
        return at(what, "CandidatesPresent", candidates=count) if count else at(what, "NoCandidates")

    wanted = sum(group.wanted for group in groups)
    status = {
        "time": stamp,
        "autoscalerStatus": "Running",
        "clusterWide": {
            "health": at("health", "Healthy", nodeCounts=_counts(everything, wanted)),
            "scaleUp": at("scaleUp", _scale_up(wanted, len(everything))),
            "scaleDown": down("scaleDown", sum(candidates.values())),
        },
        "nodeGroups": [
            {
                "name": group.name,
                "health": at(
                    f"{group.name} health",
                    "Healthy",
                    nodeCounts=_counts(nodes[group.name], group.wanted),
                    cloudProviderTarget=group.wanted,
                    minSize=group.least,
                    maxSize=group.most,
                ),
                "scaleUp": at(f"{group.name} scaleUp", _scale_up(group.wanted, len(nodes[group.name]))),
                "scaleDown": down(f"{group.name} scaleDown", candidates.get(group.name, 0)),
            }
            for group in groups
        ],
    }
    return {
        "metadata": {"name": NAME, "namespace": NAMESPACE, "annotations": {UPDATED: stamp}},
        "data": {"status": yaml.dump(status, Dumper=DUMPER, sort_keys=False)},
    }


def _scale_up(wanted: int, present: int) -> str:
    return "InProgress" if wanted > present else "NoActivity"


def _counts(nodes: Sequence[Object], wanted: int) -> dict[str, Any]:
    ready = sum(map(is_ready, nodes))
    return {
        "registered": {
            "total": len(nodes),
            "ready": ready,
            "notStarted": 0,
            "unready": {"total": len(nodes) - ready, "resourceUnready": 0},
        },
        "longUnregistered": 0,
        "unregistered": max(0, wanted - len(nodes)),
    }
