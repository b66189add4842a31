"""What the real server's admission does to a new pod before anybody sees it.

Plugins ServiceAccount, Priority and DefaultTolerationSeconds of Kubernetes ``plugin/pkg/admission``.
"""

from typing import Any

from hallmark.twin.cluster import statuses
from hallmark.twin.cluster.changes import Entry
from hallmark.twin.cluster.metadata import generated
from hallmark.twin.cluster.store import Store

Json = dict[str, Any]

MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_SECONDS = 3607
EVICTED_AFTER_SECONDS = 300
NODE_TROUBLES = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def admit(store: Store, pod: Json) -> None:
    """Complete a new pod, in place.

    Args:
        store: Where its service account and priority class are.
        pod: The pod, with defaults.

    Raises:
        Refusal: The service account or the priority class does not exist.
    """
    spec = pod.setdefault("spec", {})
    _service_account(store, pod, spec)
    _priority(store, pod, spec)
    _tolerations(spec)


def _service_account(store: Store, pod: Json, spec: Json) -> None:
    name = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    namespace = pod["metadata"]["namespace"]
    account = store.get("serviceaccounts", namespace, name)
    if account is None:
        missing = f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'
        # Admission runs before a name is generated: refusals of one workload's pods read all the same.
        asked = pod["metadata"].get("generateName") or pod["metadata"]["name"]
        raise statuses.forbidden("", "pods", asked, missing)
    if not spec.get("imagePullSecrets") and account.object.get("imagePullSecrets"):
        spec["imagePullSecrets"] = account.object["imagePullSecrets"]
    if _wants_token(spec, account):
        _mount_token(spec)


def _wants_token(spec: Json, account: Entry) -> bool:
    own = spec.get("automountServiceAccountToken")
    return bool(account.object.get("automountServiceAccountToken", True) if own is None else own)


def _mount_token(spec: Json) -> None:
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    lacking = [
        one
        for one in containers
        if all(mount.get("mountPath") != MOUNT_PATH for mount in one.get("volumeMounts") or ())
    ]
    if not lacking:
        return
    name = generated("kube-api-access-")
    for container in lacking:
        mount = {"name": name, "readOnly": True, "mountPath": MOUNT_PATH}
        container["volumeMounts"] = [*(container.get("volumeMounts") or ()), mount]
    spec["volumes"] = [*(spec.get("volumes") or ()), _token_volume(name)]


def _token_volume(name: str) -> Json:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return {"name": name, "projected": {"sources": sources, "defaultMode": 0o644}}


def _priority(store: Store, pod: Json, spec: Json) -> None:
    name = spec.get("priorityClassName")
    if name:
        entry = store.get("priorityclasses.scheduling.k8s.io", "", name)
        if entry is None:
            why = f"no PriorityClass with name {name} was found"
            raise statuses.forbidden("", "pods", pod["metadata"]["name"], why)
        chosen = entry.object
    else:
        chosen = _default_priority(store)
    if chosen.get("metadata"):
        spec["priorityClassName"] = chosen["metadata"]["name"]
    spec["priority"] = chosen.get("value", 0)
    spec.setdefault("preemptionPolicy", chosen.get("preemptionPolicy", "PreemptLowerPriority"))


def _default_priority(store: Store) -> Json:
    classes = (entry.object for entry in store.all("priorityclasses.scheduling.k8s.io"))
    return min((one for one in classes if one.get("globalDefault")), key=lambda one: one.get("value", 0), default={})


def _tolerations(spec: Json) -> None:
    tolerations = list(spec.get("tolerations") or ())
    for key in NODE_TROUBLES:
        if not any(_tolerates(one, key) for one in tolerations):
            added = {
                "key": key,
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": EVICTED_AFTER_SECONDS,
            }
            tolerations.append(added)
    spec["tolerations"] = tolerations


def _tolerates(toleration: Json, key: str) -> bool:
    return toleration.get("key", "") in {"", key} and toleration.get("effect", "") in {"", "NoExecute"}
