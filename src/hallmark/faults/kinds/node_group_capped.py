"""Pods wait for a node, and none comes: the node group may not grow (sharp edge SE-66).

Some pods of one component are Pending with Insufficient cpu or memory. Cluster Autoscaler is healthy and says
NotTriggerScaleUp: max node group size reached. What runs goes on running, so people see nothing but that work takes
longer. The nodes, the autoscaler, its permissions and every other workload are untouched.

The fault lets the node groups for ordinary pods be no larger than they are, and scales one component beyond what fits
on them. Its inverses restore the recorded sizes; a node that is not needed any more goes by itself.
"""

from typing import Any

from hallmark.errors import Absent
from hallmark.faults import changes, release
from hallmark.faults.capacity import room
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.faults.release import name
from hallmark.model import Call

SHOWS_WITHIN = 120.0
"""The autoscaler looks every ten seconds, and the pods that fit have to be placed first."""
_BARRING = frozenset({"NO_SCHEDULE", "NO_EXECUTE"})


def plan(read: Reader, component: str, waiting: int = 3) -> list[Step]:
    """Cap the groups, then scale the component so that *waiting* pods find no node."""
    one = release.workload(read, component)
    changes.require_unscaled(read, one)
    groups = _groups(read)
    replicas = one["spec"].get("replicas", 1) + room(read, one, set(groups)) + waiting
    return [*(_cap(read.scope["cluster"], group) for group in groups.values()), changes.scale(one, replicas)]


def observe(read: Reader, component: str) -> Observation:
    """Look whether pods wait in vain for a group to grow, and at groups, nodes and other objects."""
    one, groups = release.workload(read, component), _groups(read)
    waiting = {name(pod) for pod in release.pods(read, one) if _is_waiting(pod)}
    is_capped = all(_sizes(group)["desiredSize"] == _sizes(group)["maxSize"] for group in groups.values())
    events = release.own_objects(read, "events")
    told = {each["involvedObject"]["name"] for each in events if each.get("reason") == "NotTriggerScaleUp"}
    unaffected = changes.surroundings(read, changes.title(one)) | {
        "its template": changes.spec(one, replicas=False),
        "the node groups": {key: _rest(group) for key, group in groups.items()},
    }
    return Observation(is_capped and bool(waiting & told), unaffected)


def _groups(read: Reader) -> dict[str, dict[str, Any]]:
    """Return the managed node groups that take ordinary pods, by name."""
    cluster = read.scope["cluster"]
    names = read.ask("eks", "list_nodegroups", clusterName=cluster)["nodegroups"]
    found = [read.ask("eks", "describe_nodegroup", clusterName=cluster, nodegroupName=each) for each in sorted(names)]
    ordinary = {each["nodegroup"]["nodegroupName"]: each["nodegroup"] for each in found
                if not any(taint["effect"] in _BARRING for taint in each["nodegroup"].get("taints", []))}  # fmt: skip
    if not ordinary:
        raise Absent(f"{cluster} has no managed node group for ordinary pods")
    return ordinary


def _cap(cluster: str, group: dict[str, Any]) -> Step:
    sizes, which = _sizes(group), {"clusterName": cluster, "nodegroupName": group["nodegroupName"]}
    present, recorded = sizes["desiredSize"], sizes["maxSize"]
    return Step(
        what=f"lower the largest size from {recorded} to {present}",
        back=f"raise the largest size to {recorded}",
        resource=f"node group {group['nodegroupName']} of {cluster}",
        do=Call.of("eks", "update_nodegroup_config", **which, scalingConfig={"maxSize": present}),
        undo=Call.of("eks", "update_nodegroup_config", **which, scalingConfig={"maxSize": recorded}),
    )


def _sizes(group: dict[str, Any]) -> dict[str, int]:
    sizes: dict[str, int] = group["scalingConfig"]
    return sizes


def _rest(group: dict[str, Any]) -> dict[str, Any]:
    sizes = {key: value for key, value in _sizes(group).items() if key != "maxSize"}
    kept = ("instanceTypes", "subnets", "labels", "taints", "nodeRole", "capacityType")
    return {"sizes": sizes, **{key: group.get(key) for key in kept}}


def _is_waiting(pod: release.Object) -> bool:
    scheduled = release.condition(pod, "PodScheduled")
    return not pod["spec"].get("nodeName") and scheduled.get("reason") == "Unschedulable"
