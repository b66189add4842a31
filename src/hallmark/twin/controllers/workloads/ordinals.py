"""Which pods a StatefulSet creates and deletes next, one ordinal after the other; pure functions.

Source: ``stateful_set_control.go`` of Kubernetes; "StatefulSets" in its documentation, the known issue included: with
``OrderedReady`` a pod that never becomes ready stops everything, a later repair of the template too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hallmark.twin.controllers.workloads.counts import share
from hallmark.twin.controllers.workloads.pods import is_available, is_finished, is_leaving, is_ready, labels
from hallmark.twin.controllers.workloads.revisions import LABEL
from hallmark.twin.kube.kinds import Object


@dataclass
class Plan:
    """What to do next.

    Attributes:
        create: Ordinals to create.
        delete: Pods to delete.
    """

    create: list[int] = field(default_factory=list)
    delete: list[Object] = field(default_factory=list)


@dataclass(frozen=True)
class Members:
    """The pods of a StatefulSet.

    Attributes:
        spec: Its spec.
        pods: Its pods by ordinal.
        moment: The present moment.
    """

    spec: Mapping[str, Any]
    pods: Mapping[int, Object]
    moment: datetime

    @property
    def wanted(self) -> range:
        """The ordinals there should be."""
        start = (self.spec.get("ordinals") or {}).get("start", 0)
        return range(start, start + self.spec["replicas"])

    @property
    def condemned(self) -> list[int]:
        """Ordinals there should not be, highest first."""
        return sorted((each for each in self.pods if each not in self.wanted), reverse=True)

    @property
    def is_ordered(self) -> bool:
        """Whether one pod is treated after the other."""
        return str(self.spec.get("podManagementPolicy", "OrderedReady")) == "OrderedReady"

    def is_well(self, ordinal: int) -> bool:
        """Whether a pod is there to stay and available."""
        pod = self.pods.get(ordinal)
        return pod is not None and not is_leaving(pod) and is_available(pod, self._pace, self.moment)

    def count(self, *, available: bool) -> int:
        """How many pods are available, or ready."""
        ready = (is_available(each, self._pace, self.moment) if available else is_ready(each) for each in self._all())
        return sum(ready)

    def of_revision(self, name: str) -> int:
        """How many pods that stay have this revision."""
        return sum(labels(each).get(LABEL) == name and not is_leaving(each) for each in self._all())

    @property
    def _pace(self) -> int:
        return int(self.spec.get("minReadySeconds", 0))

    def _all(self) -> Sequence[Object]:
        return list(self.pods.values())


def ordinal_of(name: str) -> int:
    """The number at the end of a pod's name; -1 if there is none."""
    number = name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1


def plan(members: Members, update: str) -> Plan:
    """Decide the next step.

    Args:
        members: The pods.
        update: Name of the revision that pods should have.
    """
    result = Plan()
    _fill(members, result) and _shrink(members, result) and _renew(members, update, result)
    return result


def revision_for(members: Members, ordinal: int, current: str, update: str) -> str:
    """Revision of a pod that is created: those below the partition keep the current one."""
    return current if ordinal - members.wanted.start < _partition(members.spec) else update


def status(stateful_set: Object, members: Members, current: str, update: str) -> Object:
    """Status of a StatefulSet.

    Args:
        stateful_set: The StatefulSet.
        members: Its pods.
        current: Name of the revision before an update.
        update: Name of the revision of its template.
    """
    wanted, numbers = stateful_set["spec"]["replicas"], _numbers(members, current, update)
    rolling = _strategy(stateful_set["spec"]) == "RollingUpdate"
    if rolling and numbers["updatedReplicas"] == numbers["readyReplicas"] == numbers["replicas"] == wanted:
        current, numbers["currentReplicas"] = update, numbers["updatedReplicas"]
    so_far = stateful_set.get("status") or {}
    shown = {name: number for name, number in numbers.items() if number or name in {"replicas", "availableReplicas"}}
    return {
        "observedGeneration": stateful_set["metadata"].get("generation", 1),
        **shown,
        "currentRevision": current,
        "updateRevision": update,
        "collisionCount": so_far.get("collisionCount", 0),
    }


def _numbers(members: Members, current: str, update: str) -> dict[str, int]:
    return {
        "replicas": len(members.pods),
        "readyReplicas": members.count(available=False),
        "currentReplicas": members.of_revision(current),
        "updatedReplicas": members.of_revision(update),
        "availableReplicas": members.count(available=True),
    }


def _fill(members: Members, result: Plan) -> bool:
    # Each step tells whether the next one may follow.
    for ordinal in members.wanted:
        pod = members.pods.get(ordinal)
        if pod is None:
            result.create.append(ordinal)
        elif is_finished(pod) and not is_leaving(pod):
            result.delete.append(pod)
        if members.is_ordered and (pod is None or is_finished(pod) or not members.is_well(ordinal)):
            return False
    return True


def _shrink(members: Members, result: Plan) -> bool:
    lowest_sick = min((each for each in members.condemned if not members.is_well(each)), default=None)
    for ordinal in members.condemned:
        pod = members.pods[ordinal]
        if not members.is_ordered:
            result.delete.extend([] if is_leaving(pod) else [pod])
            continue
        if not is_leaving(pod) and (members.is_well(ordinal) or ordinal == lowest_sick):
            result.delete.append(pod)
        return False
    return True


def _renew(members: Members, update: str, result: Plan) -> bool:
    if _strategy(members.spec) != "RollingUpdate":
        return False
    most = _most_unavailable(members.spec)
    for ordinal in reversed(members.wanted[_partition(members.spec) :]):
        pod = members.pods.get(ordinal)
        if pod and labels(pod).get(LABEL) != update and not is_leaving(pod) and pod not in result.delete:
            result.delete.append(pod)
            most -= 1
        elif not members.is_well(ordinal):
            most -= 1
        if most <= 0:
            break
    return True


def _strategy(spec: Mapping[str, Any]) -> str:
    return str((spec.get("updateStrategy") or {}).get("type", "RollingUpdate"))


def _partition(spec: Mapping[str, Any]) -> int:
    return int(((spec.get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition", 0))


def _most_unavailable(spec: Mapping[str, Any]) -> int:
    value = ((spec.get("updateStrategy") or {}).get("rollingUpdate") or {}).get("maxUnavailable", 1)
    return max(1, share(value, spec["replicas"], up=True))
