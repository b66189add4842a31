"""A cluster without controllers, and the hands that do their work in one go: what happens is what was asked for, now.

Faults see a Kubernetes API, its objects and their states. Who makes the states is nothing they can tell.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hallmark.twin.cluster.client import Client
from hallmark.twin.controllers import aws

ROLE = "eks.amazonaws.com/role-arn"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
COMPONENTS = {"backend": ("deployments", 2), "ingest-queue": ("deployments", 1), "clickhouse": ("statefulsets", 1)}
KINDS = {"deployments": "Deployment", "statefulsets": "StatefulSet"}
STORES = "langsmith-stores"
VARIABLES = (
    ("API_KEY_SALT", "api_key_salt", "lab/salt-first"),
    ("POSTGRES_DATABASE_URI", "postgres_url", "lab/postgres-first"),
    ("REDIS_DATABASE_URI", "redis_url", "lab/redis-first"),
)
"""What the backend gets from the Secret above: variable, key, name in Secrets Manager."""
TOKEN = "token"
"""Label of the namespace: whether Redis knows the token of its pods."""
NODE_CPU = 6
"""Every pod asks for one; the three components leave room for two."""


@dataclass(frozen=True)
class Stage:
    """One namespace of a cluster, with a release in it.

    Attributes:
        kubeconfig: Leads to the API.
        namespace: The namespace.
        node_group: Name of the node group its one node is of; the node is called like the namespace.
    """

    kubeconfig: Path
    namespace: str
    node_group: str

    def build(self, volume: str) -> None:
        """Make the objects of a release, whose ClickHouse keeps its data on an EBS volume."""
        client = _client(self.kubeconfig)
        _install(client)
        for path, body in self._objects(volume):
            _ok(client.post(path, body))
        status = {"allocatable": {"cpu": str(NODE_CPU), "memory": "24Gi", "pods": "58"}}
        _ok(client.patch(f"/api/v1/nodes/{self.namespace}/status", {"status": status}))
        self.settle()

    def leave(self) -> None:
        """Take away what other namespaces would see: the node, on which there is room."""
        _ok(_client(self.kubeconfig).delete(f"/api/v1/nodes/{self.namespace}"))

    def settle(self) -> None:
        """Do what controllers, operator, scheduler and kubelet would have done by now."""
        client = _client(self.kubeconfig)
        for external in self._list(client, "externalsecrets"):
            self._supply(client, external)
        for service in self._list(client, "services"):
            self._balance(client, service)
        for resource in KINDS:
            for workload in self._list(client, resource):
                self._run(client, workload)

    def follow(self, call: Any) -> None:
        """Do what follows from a write of a fault."""
        if call.operation in {"replace_auth_token", "restore_auth_token"}:
            self.label({TOKEN: call.operation.partition("_")[0]})
        if call.service == "kubernetes" or call.operation == "restore_auth_token":
            self.settle()

    def get(self, path: str) -> Any:
        """Return an object of the namespace, for example ``apps/v1/deployments/langsmith-backend``."""
        return _client(self.kubeconfig).get(self._path(path)).body

    def patch(self, path: str, body: Any) -> None:
        """Change one, as somebody else would."""
        _ok(_client(self.kubeconfig).patch(self._path(path), body))

    def label(self, labels: dict[str, str | None]) -> None:
        """Label the namespace itself."""
        _ok(_client(self.kubeconfig).patch(f"/api/v1/namespaces/{self.namespace}", {"metadata": {"labels": labels}}))

    def create(self, path: str, body: Any) -> None:
        """Make one."""
        _ok(_client(self.kubeconfig).post(self._path(path), body))

    def delete(self, path: str) -> None:
        """Take one away."""
        _ok(_client(self.kubeconfig).delete(self._path(path), {"gracePeriodSeconds": 0}))

    def state(self) -> dict[str, Any]:
        """Everything a fault may touch, without what the server counts and dates."""
        client = _client(self.kubeconfig)
        held = self._list(client, "secrets")
        secrets = sorted(each["metadata"]["name"] for each in held)
        owned = sorted(each["metadata"]["name"] for each in held if each["metadata"].get("ownerReferences"))
        externals = [each["spec"] for each in self._list(client, "externalsecrets")]
        services = [_untyped(each["spec"]) for each in self._list(client, "services")]
        accounts = [each["metadata"].get("annotations") for each in self._list(client, "serviceaccounts")]
        workloads = [each["spec"] for kind in KINDS for each in self._list(client, kind)]
        pods = [
            (each["metadata"]["labels"], _role(each), *_words(each["status"])) for each in self._list(client, "pods")
        ]
        return {"secrets": secrets, "owned": owned, "externals": externals, "services": services, "accounts": accounts,
                "workloads": workloads, "pods": sorted(pods, key=json.dumps)}  # fmt: skip

    def _objects(self, volume: str) -> Iterator[tuple[str, Any]]:
        yield "/api/v1/namespaces", {"metadata": {"name": self.namespace, "labels": {"hallmark.dev/lab": "test"}}}
        node = {"name": self.namespace, "labels": {"eks.amazonaws.com/nodegroup": self.node_group}}
        yield "/api/v1/nodes", {"metadata": node}
        for name, key in (("langsmith-config", "langsmith_license_key"), ("langsmith-postgres", "connection_url")):
            data = [{"secretKey": "other", "remoteRef": {"key": f"{name}-other"}},
                    {"secretKey": key, "remoteRef": {"key": f"{name}-first"}}]  # fmt: skip
            spec = {"secretStoreRef": {"name": "store"}, "target": {"name": name}, "data": data}
            yield self._path("external-secrets.io/v1/externalsecrets"), _named(name, spec=spec)
        data = [{"secretKey": key, "remoteRef": {"key": remote}} for _, key, remote in VARIABLES]
        spec = {"secretStoreRef": {"name": "store"}, "target": {"name": STORES}, "data": data}
        yield self._path("external-secrets.io/v1/externalsecrets"), _named(STORES, spec=spec)
        for component, (resource, replicas) in COMPONENTS.items():
            yield from self._component(component, resource, replicas)
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "50Gi"}}}
        metadata = {"name": "data-langsmith-clickhouse-0", "labels": _labels("clickhouse")}
        bound = {"metadata": metadata, "spec": claim | {"volumeName": f"pv-{self.namespace}"}}
        yield self._path("v1/persistentvolumeclaims"), bound
        source = {"driver": "ebs.csi.aws.com", "volumeHandle": volume}
        of_claim = {"namespace": self.namespace, "name": metadata["name"]}
        volume_spec = {"capacity": {"storage": "50Gi"}, "accessModes": ["ReadWriteOnce"], "csi": source}
        yield (
            "/api/v1/persistentvolumes",
            {"metadata": {"name": f"pv-{self.namespace}"}, "spec": {**volume_spec, "claimRef": of_claim}},
        )

    def _component(self, component: str, resource: str, replicas: int) -> Iterator[tuple[str, Any]]:
        name, labels = f"langsmith-{component}", _labels(component)
        account = _named(name)
        if component == "backend":
            account["metadata"]["annotations"] = {ROLE: "arn:aws:iam::111122223333:role/app", "note": "kept"}
        yield self._path("v1/serviceaccounts"), account
        ports = [{"name": "http", "port": 80, "targetPort": 8080}]
        yield self._path("v1/services"), _named(name, spec={"ports": ports, "selector": labels})
        reference = {"secretKeyRef": {"name": "langsmith-config", "key": "langsmith_license_key"}}
        env = [{"name": "LANGSMITH_LICENSE_KEY", "valueFrom": reference}]
        if component == "backend":
            env += [{"name": each, "valueFrom": {"secretKeyRef": {"name": STORES, "key": key}}}
                    for each, key, _ in VARIABLES]  # fmt: skip
        requests = {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "8Gi"}}
        container = {"name": component, "image": "docker.io/langchain/langsmith-backend:1", "env": env,
                     "resources": requests}  # fmt: skip
        pod = {"serviceAccountName": name, "containers": [container]}
        spec = {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels, "annotations": {"checksum/config": "1"}}, "spec": pod},
        }
        if resource == "statefulsets":
            spec["serviceName"] = name
        yield self._path(f"apps/v1/{resource}"), _named(name, spec=spec)

    def _supply(self, client: Client, external: dict[str, Any]) -> None:
        name = external["metadata"]["name"]
        found = client.get(self._path(f"v1/secrets/{name}"))
        is_known = all(each["remoteRef"]["key"].endswith(("-first", "-other")) for each in external["spec"]["data"])
        owner = {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": name,
                 "uid": external["metadata"]["uid"], "controller": True}  # fmt: skip
        if is_known and found.code == 200 and external["spec"]["target"].get("creationPolicy") != "None":
            marks = {"reconcile.external-secrets.io/managed": "true"}
            taken = {"metadata": {"ownerReferences": [owner], "labels": marks}}
            _ok(client.patch(self._path(f"v1/secrets/{name}"), taken))
        elif is_known and found.code != 200:
            keys = {each["secretKey"]: "a-planted-value-of-a-secret" for each in external["spec"]["data"]}
            body = {"metadata": {"name": name, "ownerReferences": [owner]}, "stringData": keys}
            _ok(client.post(self._path("v1/secrets"), body))
        ready = {
            "type": "Ready",
            "status": str(is_known),
            "reason": "SecretSynced" if is_known else "SecretSyncedError",
        }
        path = self._path(f"external-secrets.io/v1/externalsecrets/{name}/status")
        _ok(client.patch(path, {"status": {"conditions": [ready]}}))

    def _balance(self, client: Client, service: dict[str, Any]) -> None:
        is_exposed = service["spec"]["type"] == "LoadBalancer"
        if is_exposed != bool(service.get("status", {}).get("loadBalancer", {}).get("ingress")):
            address = [{"hostname": "a1b2.elb.amazonaws.com"}] if is_exposed else None
            path = self._path(f"v1/services/{service['metadata']['name']}/status")
            _ok(client.patch(path, {"status": {"loadBalancer": {"ingress": address}}}))

    def _run(self, client: Client, workload: dict[str, Any]) -> None:
        name, template = workload["metadata"]["name"], workload["spec"]["template"]
        digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:8]
        names = [f"{name}-{digest}-{i}" for i in range(workload["spec"]["replicas"])]
        present = {each["metadata"]["name"]: each for each in self._list(client, "pods")
                   if each["metadata"]["labels"] == template["metadata"]["labels"]}  # fmt: skip
        leaving = {each for each, pod in present.items() if pod["metadata"].get("deletionTimestamp")}
        for surplus in (set(present) - set(names)) | leaving:
            present.pop(surplus)
            _ok(client.delete(self._path(f"v1/pods/{surplus}"), {"gracePeriodSeconds": 0}))
        labels = _ok(client.get(f"/api/v1/namespaces/{self.namespace}"))["metadata"]["labels"]
        is_in = labels.get(TOKEN) != "replace" or name != "langsmith-backend"
        is_fed = client.get(self._path("v1/secrets/langsmith-config")).code == 200
        for each in names:
            pod = present.get(each) or self._new_pod(client, each, template)
            self._tell(client, pod, is_fed=is_fed, is_in=is_in)

    def _tell(self, client: Client, pod: dict[str, Any], *, is_fed: bool, is_in: bool) -> None:
        is_placed = "nodeName" in pod["spec"]
        waiting = {"reason": "CreateContainerConfigError"}
        state = {"name": "main", "image": "x", "imageID": "", "restartCount": 0, "ready": is_fed,
                 "state": {} if is_fed else {"waiting": waiting}}  # fmt: skip
        scheduled = {"type": "PodScheduled", "status": str(is_placed), **({} if is_placed else _UNSCHEDULABLE)}
        status: dict[str, Any] = {
            "phase": "Running" if is_placed and is_fed else "Pending",
            "conditions": [scheduled, {"type": "Ready", "status": str(is_placed and is_fed and is_in)}],
            "containerStatuses": [state] if is_placed else [],
        }
        if _words(pod["status"]) != _words(status):
            _ok(client.patch(self._path(f"v1/pods/{pod['metadata']['name']}/status"), {"status": status}))

    def _new_pod(self, client: Client, name: str, template: dict[str, Any]) -> dict[str, Any]:
        spec = json.loads(json.dumps(template["spec"]))
        account = client.get(self._path(f"v1/serviceaccounts/{spec['serviceAccountName']}")).body
        if role := (account["metadata"].get("annotations") or {}).get(ROLE):
            spec["containers"][0]["env"].append({"name": "AWS_ROLE_ARN", "value": role})
        placed = [pod for pod in self._list(client, "pods") if "nodeName" in pod["spec"]]
        if len(placed) < NODE_CPU:
            spec["nodeName"] = self.namespace
        made = _ok(
            client.post(self._path("v1/pods"), {"metadata": {**template["metadata"], "name": name}, "spec": spec})
        )
        if "nodeName" not in spec:
            about = {"kind": "Pod", "namespace": self.namespace, "name": name}
            event = {"metadata": {"generateName": name}, "involvedObject": about, "reason": "NotTriggerScaleUp"}
            _ok(client.post(self._path("v1/events"), event))
        found: dict[str, Any] = made
        return found

    def _list(self, client: Client, resource: str) -> list[dict[str, Any]]:
        groups = {"externalsecrets": "external-secrets.io/v1", **dict.fromkeys(KINDS, "apps/v1")}
        items: list[dict[str, Any]] = _ok(client.get(self._path(f"{groups.get(resource, 'v1')}/{resource}")))["items"]
        return items

    def _path(self, path: str) -> str:
        group, version, *rest = path.split("/") if not path.startswith("v1/") else ("", *path.split("/"))
        root = f"/apis/{group}/{version}" if group else f"/api/{version}"
        return f"{root}/namespaces/{self.namespace}/{'/'.join(rest)}"


_UNSCHEDULABLE = {"reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu."}


def _words(status: dict[str, Any]) -> Any:
    return status.get("phase"), {each["type"]: each["status"] for each in status.get("conditions") or []}


def _client(kubeconfig: Path) -> Client:
    """One connection for all that a process asks of an API: to make one takes longer than most answers."""
    return _connected(kubeconfig, os.getpid())  # what is forked must not talk on its parent's


@cache
def _connected(kubeconfig: Path, _process: int) -> Client:
    return Client.of(kubeconfig)


@cache
def _install(client: Client) -> None:
    """Define ExternalSecret, as the operator's own manifest does; once in a cluster."""
    text = (Path(aws.__file__).parent / "manifests" / "external-secrets.yaml").read_text()
    for each in yaml.safe_load_all(text):
        is_new = (
            each["kind"] == "CustomResourceDefinition" and client.get(f"{CRDS}/{each['metadata']['name']}").code == 404
        )
        if is_new:
            _ok(client.post(CRDS, each))


def _labels(component: str) -> dict[str, str]:
    name, instance = "app.kubernetes.io/name", "app.kubernetes.io/instance"
    return {name: "langsmith", instance: "langsmith", "app.kubernetes.io/component": f"langsmith-{component}"}


def _named(name: str, **more: Any) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": "langsmith", "app.kubernetes.io/instance": "langsmith"}
    return {"metadata": {"name": name, "labels": labels}, **more}


def _untyped(spec: dict[str, Any]) -> dict[str, Any]:
    return {**spec, "ports": [{k: v for k, v in port.items() if k != "nodePort"} for port in spec["ports"]]}


def _role(pod: dict[str, Any]) -> str:
    found = [entry.get("value", "") for entry in pod["spec"]["containers"][0]["env"] if entry["name"] == "AWS_ROLE_ARN"]
    return "".join(found)


def _ok(answer: Any) -> Any:
    assert answer.code < 300, answer.body
    return answer.body
