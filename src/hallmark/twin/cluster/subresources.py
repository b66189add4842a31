"""Parts of objects that have paths of their own, apart from those that lead to a kubelet.

``status`` and ``scale`` (Kubernetes documentation, "Kubernetes API Concepts", "Extend the Kubernetes API with
CustomResourceDefinitions"), ``binding``, ``eviction`` (API-initiated eviction), ``token`` (TokenRequest) and
``finalize``.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from hallmark.twin.cluster import deletion, selectors, statuses
from hallmark.twin.cluster.calls import Call
from hallmark.twin.cluster.changes import Entry
from hallmark.twin.cluster.deletion import Deleter
from hallmark.twin.cluster.metadata import now
from hallmark.twin.cluster.registry import Resource
from hallmark.twin.cluster.statuses import Refusal
from hallmark.twin.cluster.store import Store
from hallmark.twin.cluster.tokens import DEFAULT_SECONDS, SHORTEST_SECONDS, Tokens
from hallmark.twin.cluster.writing import Writer, track

Json = dict[str, Any]

PLAIN_SCALE = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".spec.selector",
}
"""Where built-in kinds have what a Scale shows."""


def scale_of(resource: Resource, obj: Json) -> Json:
    """The Scale of an object."""
    paths = resource.scale or PLAIN_SCALE
    metadata = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    selector = _at(obj, paths.get("labelSelectorPath", ""))
    status: Json = {"replicas": _at(obj, paths["statusReplicasPath"]) or 0}
    if selector:
        status["selector"] = selector if isinstance(selector, str) else selectors.text_of(_as_selector(selector))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: metadata[key] for key in kept if key in metadata},
        "spec": {"replicas": _at(obj, paths["specReplicasPath"]) or 0},
        "status": status,
    }


def scaled(resource: Resource, entry: Entry, scale: Json) -> Json:
    """An object with the replicas of a Scale.

    Raises:
        Refusal: The number is wrong.
    """
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    name = entry.object["metadata"]["name"]
    if not isinstance(replicas, int):
        raise Refusal(400, "json: cannot unmarshal into Go struct field ScaleSpec.spec.replicas of type int32")
    if replicas < 0:
        error = f"spec.replicas: Invalid value: {replicas}: must be greater than or equal to 0"
        raise statuses.invalid("autoscaling", "Scale", name, [error])
    obj = entry.copy()
    *path, last = _steps((resource.scale or PLAIN_SCALE)["specReplicasPath"])
    place = obj
    for step in path:
        place = place.setdefault(step, {})
    place[last] = replicas
    sent = (scale.get("metadata") or {}).get("resourceVersion")
    if sent:
        obj["metadata"]["resourceVersion"] = sent
    return obj


class Actions:
    """What a POST to a subresource does.

    Args:
        store: Where the objects are.
        writer: Stores them.
        deleter: Deletes them.
        tokens: Issues tokens.
    """

    def __init__(self, store: Store, writer: Writer, deleter: Deleter, tokens: Tokens) -> None:
        self._store = store
        self._writer = writer
        self._deleter = deleter
        self._tokens = tokens

    def bind(self, call: Call, entry: Entry, binding: Json) -> Json:
        """Put a pod on a node, as a scheduler does.

        Raises:
            Refusal: It is on one already, or is being deleted.
        """
        obj = entry.copy()
        node = (binding.get("target") or {}).get("name", "")
        present = obj["spec"].get("nodeName")
        if present or "deletionTimestamp" in obj["metadata"]:
            why = (
                f'pod {call.name} is already assigned to node "{present}"'
                if present
                else f"pod {call.name} is being deleted, cannot be assigned to a host"
            )
            raise statuses.conflict("", "pods/binding", call.name, why)
        obj["spec"]["nodeName"] = node
        condition = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now()}
        others = [one for one in obj["status"].get("conditions", ()) if one["type"] != "PodScheduled"]
        obj["status"]["conditions"] = [*others, condition]
        annotations = (binding.get("metadata") or {}).get("annotations")
        if annotations:
            obj["metadata"].setdefault("annotations", {}).update(annotations)
        track(call, entry.object, obj)
        if not call.dry_run:
            self._store.put("pods", obj)
        return statuses.done()

    def evict(self, call: Call, entry: Entry, eviction: Json) -> Json:
        """Delete a pod unless its disruption budget forbids it.

        Raises:
            Refusal: The budget is used up.
        """
        pod = entry.object
        if pod.get("status", {}).get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]:
            self._spend_budget(call, pod)
        options = deletion.options_of(call.query, eviction.get("deleteOptions") or {}, call.resource)
        self._deleter.delete(call.resource, entry, options)
        return statuses.done()

    def token(self, call: Call, entry: Entry, request: Json) -> Json:
        """Issue a token of a service account.

        Raises:
            Refusal: It is to be bound to something that does not exist, or to live too short.
        """
        spec = request.get("spec") or {}
        seconds = spec.get("expirationSeconds") or DEFAULT_SECONDS
        if seconds < SHORTEST_SECONDS:
            error = f"spec.expirationSeconds: Invalid value: {seconds}: may not specify a duration less than 10 minutes"
            raise statuses.invalid("authentication.k8s.io", "TokenRequest", "", [error])
        bound = self._bound(call, spec.get("boundObjectRef") or {})
        token, expires = self._tokens.issue(entry.object, spec.get("audiences") or (), seconds, bound)
        when = datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        audiences = spec.get("audiences") or [self._tokens.issuer]
        return {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": call.name, "namespace": call.namespace, "creationTimestamp": now()},
            "spec": {**spec, "audiences": audiences, "expirationSeconds": seconds},
            "status": {"token": token, "expirationTimestamp": when},
        }

    def finalize(self, call: Call, entry: Entry, namespace: Json) -> Entry:
        """Change the finalizers of a namespace; without any, one that is being deleted goes."""
        obj = entry.copy()
        obj["spec"] = namespace.get("spec") or {}
        return entry if call.dry_run else self._writer.settle("namespaces", obj)

    def _bound(self, call: Call, reference: Json) -> dict[str, Json]:
        kind = reference.get("kind", "")
        if not kind:
            return {}
        plural = f"{kind.lower()}s"
        entry = self._store.get(plural, "" if kind == "Node" else call.namespace, reference.get("name", ""))
        if entry is None:
            raise statuses.not_found("", plural, reference.get("name", ""))
        obj = entry.object
        if reference.get("uid", obj["metadata"]["uid"]) != obj["metadata"]["uid"]:
            why = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. "
            raise statuses.conflict(
                "", plural, obj["metadata"]["name"], why + "The object might have been deleted and then recreated"
            )
        bound = {kind.lower(): _identity(obj)}
        node = obj.get("spec", {}).get("nodeName") if kind == "Pod" else None
        if node and (host := self._store.get("nodes", "", node)):
            bound["node"] = _identity(host.object)
        return bound

    def _spend_budget(self, call: Call, pod: Json) -> None:
        budgets = list(self._budgets(pod))
        if len(budgets) > 1:
            message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            raise Refusal(500, message)
        for entry in budgets:
            status = entry.object["status"]
            if not status.get("disruptionsAllowed", 0):
                raise _budget_used_up(entry.object)
            obj = entry.copy()
            obj["status"]["disruptionsAllowed"] -= 1
            obj["status"].setdefault("disruptedPods", {})[pod["metadata"]["name"]] = now()
            if not call.dry_run:
                self._store.put("poddisruptionbudgets.policy", obj)

    def _budgets(self, pod: Json) -> Iterator[Entry]:
        # One that no controller has counted yet forbids nothing.
        labels = pod["metadata"].get("labels") or {}
        for entry in self._store.all("poddisruptionbudgets.policy", pod["metadata"]["namespace"]):
            if entry.object.get("status") and selectors.selects(entry.object["spec"].get("selector"), labels):
                yield entry


def _budget_used_up(budget: Json) -> Refusal:
    status, name = budget["status"], budget["metadata"]["name"]
    needed, healthy = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
    message = f"The disruption budget {name} needs {needed} healthy pods and has {healthy} currently"
    # Without Retry-After, as in Kubernetes: with it, kubectl drain would try again in silence for minutes.
    return Refusal(
        429,
        "Cannot evict pod as it would violate the pod's disruption budget.",
        details={"causes": [{"reason": "DisruptionBudget", "message": message}]},
    )


def _identity(obj: Json) -> Json:
    return {"name": obj["metadata"]["name"], "uid": obj["metadata"]["uid"]}


def _as_selector(selector: Json) -> Json:
    # ReplicationControllers select by a plain map.
    structured = {"matchLabels", "matchExpressions"}
    return selector if structured & selector.keys() else {"matchLabels": selector}


def _steps(path: str) -> list[str]:
    return path.strip(".").split(".")


def _at(obj: Any, path: str) -> Any:
    for step in _steps(path) if path else ():
        obj = obj.get(step) if isinstance(obj, dict) else None
    return obj if path else None
