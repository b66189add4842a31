"""The volume claims of a StatefulSet's pods: their names, what they ask for, and with whom they end.

Source: "Stable Storage" and "PersistentVolumeClaim retention" in the Kubernetes documentation of StatefulSets.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from hallmark.twin.kube.kinds import Object


def name(template: Mapping[str, Any], pod_name: str) -> str:
    """Name of the claim that a pod has of a claim template."""
    return f"{template['metadata']['name']}-{pod_name}"


def templates(stateful_set: Object) -> list[Object]:
    """The claim templates."""
    return stateful_set["spec"].get("volumeClaimTemplates") or []


def is_of(stateful_set: Object, claim: str) -> bool:
    """Whether a claim is called like one of the set's pods' claims."""
    own = stateful_set["metadata"]["name"]
    return any(claim.startswith(f"{name(template, own)}-") for template in templates(stateful_set))


def make(stateful_set: Object, template: Object, pod_name: str) -> Object:
    """A claim for a pod."""
    metadata = template["metadata"]
    selected = stateful_set["spec"]["selector"].get("matchLabels") or {}
    kept = {key: metadata[key] for key in ("annotations", "finalizers") if metadata.get(key)}
    lasting = _lasting_owners(stateful_set)
    return {
        "metadata": {
            "name": name(template, pod_name),
            "namespace": stateful_set["metadata"]["namespace"],
            "labels": {**(metadata.get("labels") or {}), **selected},
            **kept,
            **({"ownerReferences": lasting} if lasting else {}),
        },
        "spec": dict(template["spec"]),
    }


def volumes(stateful_set: Object, others: Iterable[Object], pod_name: str) -> list[Object]:
    """Volumes of a pod: one a claim, and the others of its template; of equal names the claim's counts.

    Args:
        stateful_set: The StatefulSet.
        others: Volumes of the pod template.
        pod_name: Name of the pod.
    """
    claimed = [
        {"name": each["metadata"]["name"], "persistentVolumeClaim": {"claimName": name(each, pod_name)}}
        for each in templates(stateful_set)
    ]
    names = {each["name"] for each in claimed}
    return [*claimed, *(each for each in others if each["name"] not in names)]


def owners(stateful_set: Object, claim: Object, pod: Object, *, condemned: bool) -> list[Object]:
    """Owner references a claim should have: with whom it ends by the retention policy. References to others stay.

    Args:
        stateful_set: The StatefulSet.
        claim: The claim.
        pod: The pod that uses it.
        condemned: Whether scaling down is about to delete the pod.
    """
    ours = {(each["kind"], each["metadata"]["name"]) for each in (stateful_set, pod)}
    so_far = claim["metadata"].get("ownerReferences") or []
    others = [each for each in so_far if (each["kind"], each["name"]) not in ours]
    if condemned and _policy(stateful_set).get("whenScaled") == "Delete":
        return [*others, _reference(pod)]
    return [*others, *_lasting_owners(stateful_set)]


def _lasting_owners(stateful_set: Object) -> list[Object]:
    return [_reference(stateful_set)] if _policy(stateful_set).get("whenDeleted") == "Delete" else []


def _policy(stateful_set: Object) -> Mapping[str, str]:
    return stateful_set["spec"].get("persistentVolumeClaimRetentionPolicy") or {}


def _reference(owner: Object) -> Object:
    metadata = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
