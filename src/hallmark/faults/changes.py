"""Changes to the release that several kinds of fault make, and what must not change beside them."""

from collections.abc import Mapping
from typing import Any

from hallmark.errors import GuardRefused
from hallmark.faults import release
from hallmark.faults.journal import Step
from hallmark.faults.reader import Reader
from hallmark.faults.release import WORKLOADS, Object, annotations, name
from hallmark.model import Call
from hallmark.targets.cluster_writer import RESTARTED


def scale(one: Object, replicas: int) -> Step:
    """Scale a workload; the inverse restores the recorded number."""
    recorded = one["spec"].get("replicas", 1)
    return Step(
        what=f"scale from {recorded} to {replicas}",
        back=f"scale to {recorded}",
        resource=title(one),
        do=Call.of("kubernetes", "scale", **_place(one), replicas=replicas),
        undo=Call.of("kubernetes", "scale", **_place(one), replicas=recorded),
    )


def restart(one: Object, at: str) -> Step:
    """Make new pods; the inverse restores the recorded template, and with it pods as they were.

    Its inverse comes last, too: whatever a pod gets when it is made has to be back by then.

    Args:
        one: A workload.
        at: ISO 8601 UTC; what ``kubectl rollout restart`` writes into the template.
    """
    return Step(
        what="make new pods",
        back="make pods of the recorded template",
        resource=title(one),
        do=Call.of("kubernetes", "restart", **_place(one), at=at),
        undo=Call.of("kubernetes", "restart", **_place(one), at=annotations(_template(one)).get(RESTARTED)),
        is_last=True,
    )


def is_renewed(read: Reader, one: Object) -> bool:
    """Whether a workload has pods, and all are of its last restart."""
    at = annotations(_template(one)).get(RESTARTED)
    found = release.pods(read, one)
    return bool(found) and all(annotations(pod).get(RESTARTED) == at for pod in found)


def replace_pods(one: Object) -> Step:
    """Make new pods all at once, whether the old ones get on or not; the inverse does it again, last of all.

    A restart that is rolled out would keep old pods for as long as new ones do not get ready.
    """
    call = Call.of("kubernetes", "replace_pods", **_place(one))
    return Step(
        what="make new pods, all at once",
        back="make new pods, all at once",
        resource=title(one),
        do=call,
        undo=call,
        is_last=True,
    )


def is_down(read: Reader, one: Object) -> bool:
    """Whether a workload has pods and none of them is ready."""
    found = release.pods(read, one)
    return bool(found) and not any(release.condition(pod, "Ready").get("status") == "True" for pod in found)


def title(one: Object) -> str:
    """Return kind and name of a workload."""
    return f"{WORKLOADS[one['resource']]} {name(one)}"


def require_unscaled(read: Reader, one: Object) -> None:
    """Make sure that nothing scales a workload by itself.

    Raises:
        GuardRefused: An autoscaler does: it would undo the fault, and what the learner does about it.
    """
    if name(one) in autoscaled(read):
        hint = "Turn its autoscaling off in the chart's values, or take another component."
        raise GuardRefused(f"{title(one)} is scaled by an autoscaler.", hint)


def autoscaled(read: Reader) -> set[str]:
    """Return the names of the workloads that an autoscaler scales; KEDA, too, does it by one of these objects."""
    found = release.own_objects(read, "horizontalpodautoscalers", "autoscaling", "v2")
    return {str(one["spec"]["scaleTargetRef"]["name"]) for one in found}


def surroundings(read: Reader, *changed: str) -> dict[str, Any]:
    """Return what the objects of the namespace are to be, by kind and name, except those that a fault changes.

    What they are to be, not how they are: that others suffer is the symptom, that others are changed is a mistake.
    """
    moving = autoscaled(read)
    specs: dict[str, Any] = {title(one): spec(one, replicas=name(one) not in moving) for one in release.workloads(read)}
    specs |= {f"Service {name(one)}": one["spec"] for one in release.own_objects(read, "services")}
    specs |= {f"ServiceAccount {name(one)}": annotations(one) for one in release.own_objects(read, "serviceaccounts")}
    ingresses = release.own_objects(read, "ingresses", "networking.k8s.io")
    specs |= {f"Ingress {name(one)}": one["spec"] for one in ingresses}
    claims = release.own_objects(read, "persistentvolumeclaims")
    specs |= {f"PersistentVolumeClaim {name(one)}": one["spec"] for one in claims}
    specs |= {f"ExternalSecret {name(one)}": one["spec"] for one in release.external_secrets(read)[1]}
    specs |= {f"Secret {which}": keys for which, keys in release.secret_keys(read).items()}
    return {which: found for which, found in specs.items() if which not in changed}


def spec(one: Object, *, replicas: bool = True, restarts: bool = True) -> Mapping[str, Any]:
    """Return what a workload is to be, perhaps without how often, or without the time of its last restart."""
    found = {key: value for key, value in one["spec"].items() if replicas or key != "replicas"}
    if restarts:
        return found
    template = _template(one)
    kept = {key: value for key, value in annotations(template).items() if key != RESTARTED}
    return {**found, "template": {**template, "metadata": {**template["metadata"], "annotations": kept}}}


def _template(one: Object) -> Object:
    found: Object = {"metadata": {}, **one["spec"]["template"]}
    return found


def _place(one: Object) -> dict[str, str]:
    return {"resource": one["resource"], "namespace": one["metadata"]["namespace"], "name": name(one)}
