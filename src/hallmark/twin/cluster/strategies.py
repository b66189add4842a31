"""What is particular to some kinds when they are created and updated.

Sources: the ``strategy.go`` files of Kubernetes ``pkg/registry/**``, and its admission plugins DefaultStorageClass and
DefaultIngressClass. Pods and Services have modules of their own.
"""

from collections.abc import Callable
from typing import Any

from hallmark.twin.cluster import crds, pods
from hallmark.twin.cluster.registry import Resource
from hallmark.twin.cluster.services import Services
from hallmark.twin.cluster.store import Store

Json = dict[str, Any]

KEEP_STATUS = frozenset({"Node", "NodeMetrics", "PodMetrics", "CSINode"})
"""Kinds whose status may be given at creation."""
COUNTED = frozenset(
    {
        "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "Job", "CronJob", "Pod",
        "Ingress", "NetworkPolicy", "PodDisruptionBudget", "PriorityClass", "CustomResourceDefinition", "CSIDriver",
        "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding", "FlowSchema", "PriorityLevelConfiguration",
    }
)  # fmt: skip
"""Built-in kinds with a generation."""
DEFAULT_STORAGE_CLASS = "storageclass.kubernetes.io/is-default-class"
DEFAULT_INGRESS_CLASS = "ingressclass.kubernetes.io/is-default-class"


class Strategies:
    """Completes objects by the rules of their kinds.

    Args:
        store: Where other objects are looked up.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._services = Services(store)
        self._admitting: dict[tuple[str, str], Callable[[Json], None]] = {
            ("", "Pod"): lambda obj: pods.admit(store, obj),
            ("", "PersistentVolumeClaim"): self._claim,
            ("networking.k8s.io", "Ingress"): self._ingress,
            ("batch", "Job"): _job,
            ("apiextensions.k8s.io", "CustomResourceDefinition"): crds.complete,
        }

    @staticmethod
    def begin(resource: Resource, obj: Json) -> None:
        """Take from an object as it was sent what only the server can say, in place."""
        if "status" in resource.subresources and resource.kind not in KEEP_STATUS:
            obj.pop("status", None)
        if resource.custom or resource.kind in COUNTED:
            obj["metadata"]["generation"] = 1

    def admit(self, resource: Resource, obj: Json) -> None:
        """Complete a new object that has its defaults, in place.

        Raises:
            Refusal: Admission refuses it.
        """
        complete = self._admitting.get((resource.group, resource.kind))
        if complete:
            complete(obj)

    def update(self, resource: Resource, old: Json, new: Json) -> None:
        """Complete the next state of an object, in place.

        Raises:
            Refusal: Admission refuses it.
        """
        match resource.group, resource.kind:
            case "", "Service":
                self._services.update(old, new)
            case "", "Namespace":
                new["spec"] = old.get("spec", {})
            case "apiextensions.k8s.io", "CustomResourceDefinition":
                crds.complete(new)

    def allocate(self, resource: Resource, obj: Json) -> None:
        """Give a new object what there is only one of: addresses and ports.

        Raises:
            Refusal: What it asks for is taken.
        """
        if (resource.group, resource.kind) == ("", "Service"):
            self._services.allocate(obj)

    def _claim(self, obj: Json) -> None:
        spec = obj.setdefault("spec", {})
        if spec.get("storageClassName") is None:
            name = self._default("storageclasses.storage.k8s.io", DEFAULT_STORAGE_CLASS)
            spec |= {"storageClassName": name} if name else {}

    def _ingress(self, obj: Json) -> None:
        spec = obj.setdefault("spec", {})
        if not spec.get("ingressClassName") and "kubernetes.io/ingress.class" not in _annotations(obj):
            name = self._default("ingressclasses.networking.k8s.io", DEFAULT_INGRESS_CLASS)
            spec |= {"ingressClassName": name} if name else {}

    def _default(self, storage: str, annotation: str) -> str:
        # Of several defaults the newest is taken.
        marked = [
            entry.object for entry in self._store.all(storage) if _annotations(entry.object).get(annotation) == "true"
        ]
        newest = max(marked, key=lambda obj: obj["metadata"]["creationTimestamp"], default=None)
        return newest["metadata"]["name"] if newest else ""


def _job(obj: Json) -> None:
    _select_own_pods(obj)
    # Without labels of its own it has those of its pods (SetDefaults_Job).
    labels = (obj["spec"]["template"].get("metadata") or {}).get("labels")
    if labels and not obj["metadata"].get("labels"):
        obj["metadata"]["labels"] = dict(labels)


def _select_own_pods(obj: Json) -> None:
    # A Job selects its pods by its own uid; with the older names of the labels, too, as long as the real server does.
    spec, name, uid = obj["spec"], obj["metadata"]["name"], obj["metadata"]["uid"]
    if spec.get("manualSelector"):
        return
    prefix = "batch.kubernetes.io/"
    labels = {f"{prefix}controller-uid": uid, f"{prefix}job-name": name, "controller-uid": uid, "job-name": name}
    metadata = spec["template"].setdefault("metadata", {})
    metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
    spec["selector"] = {"matchLabels": {f"{prefix}controller-uid": uid}}


def _annotations(obj: Json) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}
