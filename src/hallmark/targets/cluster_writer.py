"""Writing to a Kubernetes cluster: a closed list of operations, made in one place. Only faults write.

Each is a change of one field to a given value, so that it may be repeated and undone. Nothing is created, and the one
thing that is deleted is a Secret which the External Secrets Operator makes again.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from hallmark.errors import AuthorError
from hallmark.model import Call, Status
from hallmark.targets.cluster import ClusterSource
from hallmark.targets.unanswered import NotAnswered
from hallmark.targets.writer import NotWritten, Outcome

if TYPE_CHECKING:
    from hallmark.targets.api_server import Reply

RESTARTED = "kubectl.kubernetes.io/restartedAt"
"""The annotation of the pod template by which ``kubectl rollout restart`` makes new pods."""
CERTIFICATE = "alb.ingress.kubernetes.io/certificate-arn"
"""The annotation of an Ingress that names its certificates (AWS Load Balancer Controller, "Annotations")."""
ROLE = "eks.amazonaws.com/role-arn"
"""The annotation by which a service account gets an IAM role (EKS User Guide, "IAM roles for service accounts")."""
SCALED = frozenset({"deployments", "statefulsets"})
EXTERNAL = "external-secrets.io"
_MARKS = "reconcile.external-secrets.io"
"""Domain of the labels and annotations that External Secrets Operator puts on the Secrets it makes."""
_MERGE, _JSON_PATCH, _JSON = "application/merge-patch+json", "application/json-patch+json", "application/json"
_STRATEGIC = "application/strategic-merge-patch+json"
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_MANAGER = "fieldManager=hallmark"
_MOVED_ON = frozenset({"Conflict", "Invalid"})
"""What the server says when an object is not any more what it was when it was read."""
_TRIES = 3


class ClusterWriter(ClusterSource):
    """A source that can also make the writes on the list.

    ``scale`` (resource, namespace, name, replicas), ``restart`` (resource, namespace, name, at: the time in the pod
    template, or None), ``set_role`` of a service account (namespace, name, role: an ARN, or None),
    ``set_certificate`` of an Ingress (namespace, name, certificate: ARNs, or None),
    ``set_service_type`` (namespace, name, type), ``set_remote_key`` of an ExternalSecret (version, namespace, name,
    secret_key, remote_key), ``set_creation_policy`` of one (version, namespace, name, policy), ``disown_secret`` and
    ``delete_derived_secret`` (namespace, name), ``set_memory`` of a workload's container (resource, namespace, name,
    container, memory: ``limits`` and ``requests``), ``replace_pods`` of one (resource, namespace, name).
    """

    def write(self, call: Call) -> Outcome:
        """Make one write. What is so already counts as done, so that every write may be repeated.

        Raises:
            NotWritten: The server refused it, or could not be reached.
        """
        operations: dict[str, Callable[..., Outcome]] = {
            "scale": self._scale,
            "restart": self._restart,
            "set_role": self._set_role,
            "set_certificate": self._set_certificate,
            "set_service_type": self._set_service_type,
            "set_remote_key": self._set_remote_key,
            "set_creation_policy": self._set_creation_policy,
            "disown_secret": self._disown_secret,
            "delete_derived_secret": self._delete_derived_secret,
            "set_memory": self._set_memory,
            "replace_pods": self._replace_pods,
        }
        if call.operation not in operations or call.arguments.get("resource", "deployments") not in SCALED:
            raise AuthorError(f"kubernetes.{call.operation} {call.params} is not a write a fault may make.")
        return operations[call.operation](**call.arguments)

    def _scale(self, resource: str, namespace: str, name: str, replicas: int) -> Outcome:
        path = f"/apis/apps/v1/namespaces/{namespace}/{resource}/{name}"
        return self._set(path, ("spec", "replicas"), replicas, subresource="/scale")

    def _restart(self, resource: str, namespace: str, name: str, at: str | None) -> Outcome:
        path = f"/apis/apps/v1/namespaces/{namespace}/{resource}/{name}"
        return self._set(path, ("spec", "template", "metadata", "annotations", RESTARTED), at)

    def _replace_pods(self, resource: str, namespace: str, name: str) -> Outcome:
        """Delete all pods of a workload at once, so that new ones are made; its template stays as it is."""
        found = self._present(f"/apis/apps/v1/namespaces/{namespace}/{resource}/{name}")
        if found is None:
            return Outcome.GONE
        wanted = ",".join(f"{key}={value}" for key, value in found["spec"]["selector"]["matchLabels"].items())
        pods = self._present(f"/api/v1/namespaces/{namespace}/pods?{urlencode({'labelSelector': wanted})}")
        for pod in (pods or {}).get("items", []):
            path = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}"
            try:
                self._change("DELETE", path, _this(pod), _JSON)
            except NotWritten as refusal:
                if refusal.code not in _MOVED_ON:  # else it is another pod by now, and that is all there is to do
                    raise
        return Outcome.DONE

    def _set_memory(
        self, resource: str, namespace: str, name: str, *, container: str, memory: Mapping[str, str | None]
    ) -> Outcome:
        """Set limit and request of a container; None takes one away."""
        path = f"/apis/apps/v1/namespaces/{namespace}/{resource}/{name}"
        found = self._present(path)
        held = {each["name"]: each for each in found["spec"]["template"]["spec"]["containers"]} if found else {}
        if container not in held:
            return Outcome.GONE
        if all(_at(held[container], ("resources", kind, "memory")) == value for kind, value in memory.items()):
            return Outcome.ALREADY
        resources = {kind: {"memory": value} for kind, value in memory.items()}
        pod = {"spec": {"containers": [{"name": container, "resources": resources}]}}
        return self._change("PATCH", f"{path}?{_MANAGER}", {"spec": {"template": pod}}, _STRATEGIC)

    def _set_role(self, namespace: str, name: str, role: str | None) -> Outcome:
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}"
        return self._set(path, ("metadata", "annotations", ROLE), role)

    def _set_certificate(self, namespace: str, name: str, certificate: str | None) -> Outcome:
        path = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses/{name}"
        return self._set(path, ("metadata", "annotations", CERTIFICATE), certificate)

    def _set_service_type(self, namespace: str, name: str, type: str) -> Outcome:  # noqa: A002  (the field's name)
        return self._set(f"/api/v1/namespaces/{namespace}/services/{name}", ("spec", "type"), type)

    def _set_creation_policy(self, version: str, namespace: str, name: str, policy: str | None) -> Outcome:
        path = f"/apis/{EXTERNAL}/{version}/namespaces/{namespace}/externalsecrets/{name}"
        return self._set(path, ("spec", "target", "creationPolicy"), policy)

    def _set_remote_key(self, version: str, namespace: str, name: str, secret_key: str, remote_key: str) -> Outcome:
        path = f"/apis/{EXTERNAL}/{version}/namespaces/{namespace}/externalsecrets/{name}"
        return _persistently(lambda: self._set_entry(path, secret_key, remote_key))

    def _set_entry(self, path: str, secret_key: str, remote_key: str) -> Outcome:
        """Change one entry of a list: it is found by its key, and the server sees to it that it has not moved."""
        found = self._present(path)
        entries = found["spec"].get("data", []) if found else []
        index = next((i for i, one in enumerate(entries) if one["secretKey"] == secret_key), None)
        if index is None:
            return Outcome.GONE
        if entries[index]["remoteRef"]["key"] == remote_key:
            return Outcome.ALREADY
        patch = [
            {"op": "test", "path": f"/spec/data/{index}/secretKey", "value": secret_key},
            {"op": "replace", "path": f"/spec/data/{index}/remoteRef/key", "value": remote_key},
        ]
        return self._change("PATCH", f"{path}?{_MANAGER}", patch, _JSON_PATCH)

    def _disown_secret(self, namespace: str, name: str) -> Outcome:
        return _persistently(lambda: self._disown(f"/api/v1/namespaces/{namespace}/secrets/{name}"))

    def _disown(self, path: str) -> Outcome:
        """Take the operator's marks from a Secret that an ExternalSecret owns; what is in it stays."""
        found = self._present(path, accept=_METADATA)
        if found is None:
            return Outcome.GONE
        metadata = found["metadata"]
        if not (owners := metadata.get("ownerReferences")):
            return Outcome.ALREADY
        if not any(map(_makes, owners)):
            raise NotWritten("NotDerived", certain=True)
        marks = {kind: _without_marks(metadata.get(kind) or {}) for kind in ("labels", "annotations")}
        patch = {"metadata": {"uid": metadata["uid"], "ownerReferences": None, **marks}}
        return self._change("PATCH", f"{path}?{_MANAGER}", patch, _MERGE)

    def _delete_derived_secret(self, namespace: str, name: str) -> Outcome:
        return _persistently(lambda: self._delete_derived(f"/api/v1/namespaces/{namespace}/secrets/{name}"))

    def _delete_derived(self, path: str) -> Outcome:
        """Delete this very Secret if an ExternalSecret owns it, and so makes it again."""
        found = self._present(path, accept=_METADATA)
        if found is None:
            return Outcome.ALREADY
        if not any(_makes(owner) for owner in found["metadata"].get("ownerReferences", [])):
            raise NotWritten("NotDerived", certain=True)
        return self._change("DELETE", path, _this(found), _JSON)

    def _set(self, path: str, field: tuple[str, ...], value: Any, subresource: str = "") -> Outcome:
        found = self._present(path)
        if found is None:
            return Outcome.GONE
        if _at(found, field) == value:
            return Outcome.ALREADY
        patch: Any = value
        for name in reversed(field):
            patch = {name: patch}
        return self._change("PATCH", f"{path}{subresource}?{_MANAGER}", patch, _MERGE)

    def _present(self, path: str, accept: str = _JSON) -> dict[str, Any] | None:
        """Return what is there as it is: unmasked, and kept nowhere."""
        try:
            found: dict[str, Any] = self._server.get(path, accept=accept)
        except NotAnswered as cause:
            if cause.status is Status.ABSENT:
                return None
            raise NotWritten(cause.code, certain=True) from cause
        return found

    def _change(self, method: str, path: str, body: Any, content_type: str) -> Outcome:
        try:
            reply = self._server.change(method, path, body, content_type)
        except NotAnswered as cause:
            raise NotWritten(cause.code) from cause
        if reply.status == HTTPStatus.NOT_FOUND:
            return Outcome.GONE
        if reply.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise NotWritten(reply.reason or f"HTTP {reply.status}", certain=_is_certain(reply))
        return Outcome.DONE


def _persistently(write: Callable[[], Outcome]) -> Outcome:
    """Try again when somebody else was faster."""
    for _ in range(_TRIES - 1):
        try:
            return write()
        except NotWritten as refusal:
            if refusal.code not in _MOVED_ON:
                raise
    return write()


def _this(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return the condition that what is deleted is this very object."""
    return {"preconditions": {"uid": one["metadata"]["uid"]}}


def _is_certain(reply: "Reply") -> bool:
    return reply.is_first and reply.status < HTTPStatus.INTERNAL_SERVER_ERROR


def _at(value: Mapping[str, Any], field: tuple[str, ...]) -> Any:
    found: Any = value
    for name in field:
        found = (found or {}).get(name)
    return found


def _without_marks(texts: Mapping[str, str]) -> dict[str, None]:
    """Return the merge patch that removes the labels or annotations by which the operator knows its Secrets."""
    return {name: None for name in texts if name.partition("/")[0] == _MARKS}


def _makes(owner: Mapping[str, Any]) -> bool:
    is_theirs = str(owner.get("apiVersion", "")).startswith(f"{EXTERNAL}/")
    return is_theirs and owner.get("kind") == "ExternalSecret" and owner.get("controller") is True
