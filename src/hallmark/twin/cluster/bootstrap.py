"""What is in a cluster before anybody puts anything there, and in a namespace from its first moment.

Kubernetes ``pkg/controlplane`` (system namespaces, the ``kubernetes`` Service, priority classes, cluster-admin), the
service account and root CA publishers of its controller manager, and the aggregator's own APIServices.
"""

import uuid
from typing import Any

from hallmark.twin.cluster.changes import ADDED, DELETED, Event
from hallmark.twin.cluster.metadata import now
from hallmark.twin.cluster.registry import METRICS, Registry
from hallmark.twin.cluster.schema import defaults
from hallmark.twin.cluster.store import Store

Json = dict[str, Any]

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
SERVICE_ADDRESS = "172.20.0.1"
ROOT_CA = "kube-root-ca.crt"
APISERVICES = "apiservices.apiregistration.k8s.io"
PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
RBAC = "rbac.authorization.k8s.io"


class Bootstrap:
    """Furnishes a cluster.

    Args:
        store: Where the objects go.
        registry: What is served.
        authority: PEM of the cluster's certificate authority.
        port: Port of the server.
    """

    def __init__(self, store: Store, registry: Registry, authority: str, port: int) -> None:
        self._store = store
        self._registry = registry
        self._authority = authority
        self._port = port

    def furnish(self) -> None:
        """Make what is missing; tell the present port."""
        self._store.observers.append(self._follow)
        for name in NAMESPACES:
            self._make(
                "namespaces", "v1", "Namespace", name, spec={"finalizers": ["kubernetes"]}, status={"phase": "Active"}
            )
        for name, value in PRIORITIES.items():
            self._make("priorityclasses.scheduling.k8s.io", "scheduling.k8s.io/v1", "PriorityClass", name, value=value)
        for entry in self._store.all("namespaces"):
            self._refurnish(entry.object["metadata"]["name"])
        self._administrator()
        self._own_service()
        self.register()

    def register(self) -> None:
        """Make an APIService for every group and version, and drop those of groups that are gone."""
        wanted = {f"{version}.{group}": (group, version) for group, version in self._registry.announced()}
        for name, (group, version) in wanted.items():
            if group != METRICS and not self._store.get(APISERVICES, "", name):
                self._register(name, group, version)
        for entry in self._store.all(APISERVICES):
            if _is_automatic(entry.object) and entry.object["metadata"]["name"] not in wanted:
                self._store.remove(APISERVICES, entry.copy())

    def _follow(self, event: Event) -> None:
        metadata = event.entry.object["metadata"]
        if event.storage == "namespaces" and event.type == ADDED:
            self._furnish_namespace(metadata["name"])
        elif event.type == DELETED and (event.storage, metadata["name"]) in {
            ("serviceaccounts", "default"),
            ("configmaps", ROOT_CA),
        }:
            self._refurnish(metadata["namespace"])

    def _refurnish(self, namespace: str) -> None:
        entry = self._store.get("namespaces", "", namespace)
        if entry and "deletionTimestamp" not in entry.object["metadata"]:
            self._furnish_namespace(namespace)

    def _furnish_namespace(self, namespace: str) -> None:
        self._make("serviceaccounts", "v1", "ServiceAccount", "default", namespace)
        self._make("configmaps", "v1", "ConfigMap", ROOT_CA, namespace, data={"ca.crt": self._authority})

    def _administrator(self) -> None:
        every = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, {"nonResourceURLs": ["*"], "verbs": ["*"]}]
        self._make(f"clusterroles.{RBAC}", f"{RBAC}/v1", "ClusterRole", "cluster-admin", rules=every)
        role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"}
        subjects = [{"apiGroup": RBAC, "kind": "Group", "name": "system:masters"}]
        kind = "ClusterRoleBinding"
        self._make(f"clusterrolebindings.{RBAC}", f"{RBAC}/v1", kind, "cluster-admin", roleRef=role, subjects=subjects)

    def _own_service(self) -> None:
        ports = [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": self._port}]
        spec = {
            "clusterIP": SERVICE_ADDRESS,
            "clusterIPs": [SERVICE_ADDRESS],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "ports": ports,
        }
        labels = {"component": "apiserver", "provider": "kubernetes"}
        self._make("services", "v1", "Service", "kubernetes", "default", labels=labels, spec=spec)
        self._tell_port(ports)

    def _tell_port(self, service_ports: list[Json]) -> None:
        # The port is another one after a restart, perhaps.
        service = self._store.get("services", "default", "kubernetes")
        if service and service.object["spec"]["ports"] != service_ports:
            self._store.put("services", service.copy() | {"spec": service.object["spec"] | {"ports": service_ports}})
        storage, address = "endpointslices.discovery.k8s.io", "127.0.0.1"
        ports = [{"name": "https", "port": self._port, "protocol": "TCP"}]
        entry = self._store.get(storage, "default", "kubernetes")
        if entry and entry.object["ports"] == ports:
            return
        if entry:
            self._store.put(storage, entry.copy() | {"ports": ports})
            return
        self._make(
            storage,
            "discovery.k8s.io/v1",
            "EndpointSlice",
            "kubernetes",
            "default",
            labels={"kubernetes.io/service-name": "kubernetes"},
            addressType="IPv4",
            endpoints=[{"addresses": [address], "conditions": {"ready": True}}],
            ports=ports,
        )

    def _register(self, name: str, group: str, version: str) -> None:
        labels = {"kube-aggregator.kubernetes.io/automanaged": "onstart" if _is_own(group) else "true"}
        spec = {"group": group, "version": version, "groupPriorityMinimum": 1000, "versionPriority": 100}
        condition = {
            "type": "Available",
            "status": "True",
            "lastTransitionTime": now(),
            "reason": "Local",
            "message": "Local APIServices are always available",
        }
        status = {"conditions": [condition]}
        kind = "APIService"
        self._make(APISERVICES, "apiregistration.k8s.io/v1", kind, name, labels=labels, spec=spec, status=status)

    def _make(
        self,
        storage: str,
        api_version: str,
        kind: str,
        name: str,
        namespace: str = "",
        *,
        labels: dict[str, str] | None = None,
        **content: Any,
    ) -> None:
        if self._store.get(storage, namespace, name):
            return
        metadata: Json = {"name": name, "uid": str(uuid.uuid4()), "creationTimestamp": now()}
        if namespace:
            metadata["namespace"] = namespace
        if kind == "Namespace":
            labels = {"kubernetes.io/metadata.name": name}
        if labels:
            metadata["labels"] = labels
        obj = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}
        defaults.apply(api_version.rpartition("/")[0], kind, obj)
        self._store.put(storage, obj)


def metrics_available(store: Store) -> bool:
    """Whether somebody has registered the metrics API and calls it available."""
    entry = store.get(APISERVICES, "", f"v1beta1.{METRICS}")
    conditions = entry.object.get("status", {}).get("conditions") or () if entry else ()
    return any(one["type"] == "Available" and one["status"] == "True" for one in conditions)


def _is_automatic(obj: Json) -> bool:
    return "kube-aggregator.kubernetes.io/automanaged" in (obj["metadata"].get("labels") or {})


def _is_own(group: str) -> bool:
    return "." not in group or group.endswith(".k8s.io")
