"""The status of a pod, worked out from its containers; pure.

Source: Kubernetes ``pkg/kubelet/kubelet_pods.go`` (getPhase) and ``pkg/kubelet/status/generate.go``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hallmark.twin.kube.kinds import Object


@dataclass(frozen=True)
class Facts:
    """What a pod's status is made of.

    Attributes:
        containers: Container statuses, in the order of the specification.
        inits: The same for init containers.
        started: When the kubelet took the pod on.
        ip: Its address; empty before it has one.
        host_ip: Its node's.
        mounted: Whether its volumes are there and its network is set up.
        now: The present moment.
        ended: Phase, reason and message of a pod that was ended from outside; empty otherwise.
    """

    containers: Sequence[Object]
    inits: Sequence[Object]
    started: str
    ip: str
    host_ip: str
    mounted: bool
    now: str
    ended: Mapping[str, str]


def build(pod: Object, facts: Facts) -> Object:
    """The whole status of a pod, to be merged into the present one."""
    phase_ = facts.ended.get("phase") or phase(pod["spec"], facts)
    status: Object = {
        "phase": phase_,
        "conditions": conditions(pod, facts, phase_),
        "containerStatuses": list(facts.containers),
        "startTime": facts.started,
        **{key: facts.ended[key] for key in ("reason", "message") if key in facts.ended},
    }
    if facts.inits:
        status["initContainerStatuses"] = list(facts.inits)
    if facts.host_ip:
        status |= {"hostIP": facts.host_ip, "hostIPs": [{"ip": facts.host_ip}]}
    if facts.ip:
        status |= {"podIP": facts.ip, "podIPs": [{"ip": facts.ip}]}
    return status


def phase(spec: Object, facts: Facts) -> str:
    """Phase of a pod (Kubernetes documentation, "Pod Lifecycle")."""
    policy = spec.get("restartPolicy", "Always")
    if not initialized(spec, facts):
        failed = [each for each in facts.inits if _code(each) not in {None, 0}]
        return "Failed" if failed and policy == "Never" else "Pending"
    states = [_counts_as(each) for each in facts.containers]
    if any("running" in each["state"] for each in facts.inits):
        return "Running"  # a sidecar ends last
    if "waiting" in states:
        return "Pending"
    if "running" in states or policy == "Always":
        return "Running"
    if all(_code(each) == 0 for each in facts.containers):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def initialized(spec: Object, facts: Facts) -> bool:
    """Whether all init containers did their work, or must have: a sidecar's is done when it has started."""
    if any("waiting" not in each["state"] or each.get("lastState") for each in facts.containers):
        return True
    sidecars = {each["name"] for each in spec.get("initContainers") or [] if each.get("restartPolicy") == "Always"}
    return all(each["started"] if each["name"] in sidecars else _code(each) == 0 for each in facts.inits)


def conditions(pod: Object, facts: Facts, phase_: str) -> list[Object]:
    """The kubelet's conditions, each with the moment it last changed."""
    old = {each["type"]: each for each in (pod.get("status") or {}).get("conditions") or []}
    ready = _containers_ready(facts, phase_)
    done = initialized(pod["spec"], facts)
    incomplete = " ".join(each["name"] for each in facts.inits if _code(each) != 0)
    wanted = {
        "PodReadyToStartContainers": {"status": _word(facts.mounted and phase_ not in {"Succeeded", "Failed"})},
        "Initialized": {"status": "True"}
        if done
        else _no("ContainersNotInitialized", f"containers with incomplete status: [{incomplete}]"),
        "Ready": _gates(pod, old) if ready["status"] == "True" else ready,
        "ContainersReady": ready,
        "PodScheduled": {"status": "True"},
    }
    return [_condition(type_, content, old.get(type_), facts.now) for type_, content in wanted.items()]


def _containers_ready(facts: Facts, phase_: str) -> Object:
    if phase_ == "Succeeded":
        return {"status": "False", "reason": "PodCompleted"}
    if phase_ == "Failed":
        return {"status": "False", "reason": "PodFailed"}
    unready = [each["name"] for each in facts.containers if not each["ready"]]
    if unready:
        return _no("ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")
    return {"status": "True"}


def _gates(pod: Object, old: Mapping[str, Object]) -> Object:
    # Readiness gates are others' conditions, such as the load balancer controller's.
    for gate in pod["spec"].get("readinessGates") or []:
        type_ = gate["conditionType"]
        if type_ not in old:
            said = f'corresponding condition of pod readiness gate "{type_}" does not exist.'
        elif old[type_]["status"] != "True":
            said = f'the status of pod readiness gate "{type_}" is not "True", but {old[type_]["status"]}'
        else:
            continue
        return _no("ReadinessGatesNotReady", said)
    return {"status": "True"}


def _condition(type_: str, content: Object, old: Object | None, now: str) -> Object:
    changed = old is None or old["status"] != content["status"]
    # An explicit null takes away the reason of an earlier state when the list is merged.
    words = {key: content.get(key) for key in ("reason", "message") if content.get(key) or (old or {}).get(key)}
    since = now if changed or old is None else old.get("lastTransitionTime", now)
    return {"type": type_, "status": content["status"], "lastProbeTime": None, "lastTransitionTime": since, **words}


def _counts_as(container: Object) -> str:
    state = container["state"]
    if "waiting" in state:
        return "stopped" if (container.get("lastState") or {}).get("terminated") else "waiting"
    return "running" if "running" in state else "stopped"


def _code(container: Object) -> int | None:
    ended: Mapping[str, Any] = container["state"].get("terminated") or {}
    code: int | None = ended.get("exitCode")
    return code


def _no(reason: str, message: str) -> Object:
    return {"status": "False", "reason": reason, "message": message}


def _word(truth: bool) -> str:  # noqa: FBT001  (it turns a truth value into Kubernetes' word for it)
    return "True" if truth else "False"
