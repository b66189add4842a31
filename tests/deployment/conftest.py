"""A deployment that meets the reference, made of objects: what the chart, the controllers and EKS leave in a cluster.

The AWS half is recorded from the baseline (``foundation.json``), the cluster half is written here and read by the real
source through a server that answers from a dictionary. So every check and mutant is tried in a second, without a twin.
"""

import base64
import gzip
import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hallmark import reference
from hallmark.errors import AuthorError
from hallmark.evidence.collect import Source, collect
from hallmark.evidence.snapshot import Snapshot
from hallmark.grading import plugin
from hallmark.grading.judge import Check
from hallmark.model import Answer, Call, Status
from hallmark.targets.cluster import ClusterSource
from hallmark.targets.profile import Profile
from hallmark.targets.secret_facts import RELEASES
from hallmark.targets.unanswered import NotAnswered

ROOT = Path(__file__).parents[2]
LAB = "deploy-langsmith"
NAMESPACE = "langsmith"
RECORD = Path(__file__).with_name("foundation.json")
VOLUME = "vol-0c11c4a05e"
# Component: port, replicas, path of the probes, whether it uses the data stores.
COMPONENTS = {
    "frontend": (8080, 1, "/health", False),
    "backend": (1984, 2, "/health", True),
    "platform-backend": (1986, 3, "/ok", True),
    "queue": (8080, 1, "/health", True),
    "ingest-queue": (1989, 3, "/health", True),
    "playground": (1988, 1, "/ok", False),
    "ace-backend": (1987, 1, "/ok", False),
}
SECRETS = {
    "langsmith-config": {
        "langsmith_license_key": "license",
        "api_key_salt": "salt",
        "jwt_secret": "jwt",
        "initial_org_admin_password": "Passw0rd!Passw0rd",
    },
    "langsmith-clickhouse": {
        "clickhouse_host": "langsmith-clickhouse",
        "clickhouse_port": "8123",
        "clickhouse_native_port": "9000",
        "clickhouse_user": "default",
        "clickhouse_password": "chosen-with-care",
        "clickhouse_db": "default",
        "clickhouse_tls": "false",
    },
}
SERVED = {
    "v1": ["pods", "services", "nodes", "configmaps", "events", "secrets", "serviceaccounts"],
    "apps/v1": ["deployments", "statefulsets", "daemonsets"],
    "apiregistration.k8s.io/v1": ["apiservices"],
    "external-secrets.io/v1": ["externalsecrets", "secretstores", "clustersecretstores"],
    "metrics.k8s.io/v1beta1": ["nodes", "pods"],
}


class Objects(dict[str, list[dict[str, Any]]]):
    """The objects of a cluster by path of their list, as the API server has them."""

    def get_path(self, path: str) -> list[dict[str, Any]]:
        """Return a list; the objects of one namespace are part of the list of all."""
        if "/namespaces/" not in path:
            return [one for key, some in self.items() if _everywhere(key) == path for one in some]
        if path not in self and _everywhere(path) not in {_everywhere(key) for key in self}:
            raise NotAnswered(Status.ABSENT, "NotFound", "no such list")
        return self.get(path, [])


@dataclass(frozen=True)
class Server:
    """Stands for :class:`hallmark.targets.api_server.ApiServer`."""

    objects: Objects
    served: Mapping[str, list[str]]

    def get(self, path: str, accept: str = "", **query: str) -> dict[str, Any]:
        """Answer from the objects."""
        del accept
        if path == "/version":
            return {"gitVersion": "v1.35.2-eks-1234567", "major": "1", "minor": "35"}
        if path in {"/api", "/apis"}:
            return self._discovery(core=path == "/api")
        folder, _, name = path.rpartition("/")
        if folder in self.objects:
            return deepcopy(next(one for one in self.objects[folder] if one["metadata"]["name"] == name))
        of_helm = "helm" in query.get("labelSelector", "")
        listed = [one for one in self.objects.get_path(path) if (one.get("type") == RELEASES) == of_helm]
        return {"items": deepcopy(listed)}

    def review(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Allow everything."""
        del path, body
        return {"status": {"allowed": True}}

    def _discovery(self, *, core: bool) -> dict[str, Any]:
        items = [
            {
                "metadata": {} if "/" not in name else {"name": name.partition("/")[0]},
                "versions": [{"version": name.rpartition("/")[2], "resources": [{"resource": r} for r in resources]}],
            }
            for name, resources in self.served.items()
            if ("/" not in name) == core
        ]
        return {"kind": "APIGroupDiscoveryList", "items": items}


class Recorded:
    """Answers AWS calls from the record."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers

    def answer(self, call: Call) -> Answer:
        """Answer one call."""
        if call.key not in self._answers:
            raise AuthorError(f"{RECORD.name} holds no answer to {call.key}: run record.py beside it")
        found = self._answers[call.key]
        return Answer(Status(found["status"]), found["value"], found["code"], found["message"])


class Added:
    """Answers what the deployment itself adds to AWS, a disk and log events, and hands everything else on."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def answer(self, call: Call) -> Answer:
        """Answer one call."""
        if call.operation == "describe_volumes":
            return Answer(Status.OBSERVED, {"Volumes": [VOLUME_FACTS]})
        if call.operation == "filter_log_events":
            return Answer(Status.OBSERVED, {"events": [{"timestamp": 1, "message": "langsmith"}]})
        return self._source.answer(call)


class Reached:
    """Answers for the platform as one in order does, as :mod:`hallmark.targets.platform` tells it."""

    def answer(self, call: Call) -> Answer:
        """Answer one call."""
        known = {"get": 200 if "info" in call.params else 401, "post": 401, "forged": 401, "authorized": 200}
        if call.operation in known:
            return Answer(Status.OBSERVED, _reply(call.arguments["path"], known[call.operation]))
        return Answer(Status.OBSERVED, deepcopy(PLATFORM[call.operation]))


def _reply(path: str, status: int) -> dict[str, Any]:
    told = {"version": "0.16.45", "valid_until": "2099-01-01T00:00:00Z"} if path.endswith("/info") else {}
    shape = "list" if status == 200 and not told else "object"
    kind = {"content_type": "application/json", "server": "nginx", "location": "", "milliseconds": 12}
    return {"status": status, "shape": shape, "selected": told, **kind}


STEPS = {
    "project": 200, "small_run": 202, "small_read": 200, "outputs": 202, "outputs_read": 200, "large_run": 202,
    "large_read": 200, "feedback": 200, "feedback_read": 200, "query": 200,
}  # fmt: skip
PLATFORM: dict[str, dict[str, Any]] = {
    "handshake": {
        "version": "TLSv1.3",
        "names": ["langsmith.hallmark.example"],
        "issuer": "O=Amazon",
        "not_after": "2099-01-01T00:00:00Z",
        "problem": "",
        "old": {"TLSv1": "refused", "TLSv1.1": "refused"},
        "milliseconds": 30,
    },
    "redirect": {
        "status": 301, "location": "https://langsmith.hallmark.example:443/", "server": "awselb/2.0", "milliseconds": 9,
    },
    "round_trip": {
        "steps": [
            {"step": step, "outcome": "ok", "status": status, "server": "nginx", "milliseconds": 250, "tries": 1}
            for step, status in STEPS.items()
        ],
        "complete": True,
        "cleanup": {"outcome": "ok", "status": 202, "milliseconds": 20},
    },
}  # fmt: skip
VOLUME_FACTS = {
    "VolumeId": VOLUME,
    "VolumeType": "gp3",
    "Iops": 7000,
    "Throughput": 1000,
    "Size": 50,
    "Encrypted": True,
    "State": "in-use",
}


@dataclass(frozen=True)
class Deployment:
    """A deployment that may be changed before evidence of it is taken.

    Attributes:
        objects: The objects of the cluster.
        served: What the API server serves.
        checks: The lab's checks.
        aws: The AWS half.
    """

    objects: Objects
    served: dict[str, list[str]]
    checks: list[Check]
    aws: Source
    scope: Mapping[str, str]

    def evidence(self) -> Snapshot:
        """Take evidence as a grade does."""
        source = ClusterSource(Profile())
        source._reached = Server(self.objects, self.served)  # type: ignore[assignment]  # stands for the server
        sources: dict[str, Source] = {"aws": self.aws, "kubernetes": source, "platform": Reached()}
        return collect(sources, self.scope, plugin.questions(self.checks), 60)


@pytest.fixture(scope="session")
def recorded() -> Mapping[str, Any]:
    """AWS answers of the baseline by key, and the scope they were taken in."""
    found: Mapping[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def checks() -> list[Check]:
    """The lab's checks in running order."""
    return plugin.checks(ROOT / "graders" / LAB, reference.load())


@pytest.fixture(scope="session")
def session_deployment(recorded: Mapping[str, Any], checks: list[Check]) -> Callable[[], Deployment]:
    """Make deployments that meet the reference."""

    def new() -> Deployment:
        answers = recorded["answers"]
        made = objects(foundation(answers))
        return Deployment(made, deepcopy(SERVED), checks, Added(Recorded(answers)), recorded["scope"])

    return new


@pytest.fixture
def deployment(session_deployment: Callable[[], Deployment]) -> Deployment:
    """A deployment that meets the reference, to be changed."""
    return session_deployment()


@pytest.fixture(scope="session")
def grader() -> Path:
    """The folder of the lab's checks and mutants."""
    return ROOT / "graders" / LAB


@dataclass(frozen=True)
class Foundation:
    """What the objects of the cluster have to agree with in AWS."""

    database: str
    cache: str
    bucket: str
    role: str
    balancer: str
    secrets: list[str]
    instances: list[tuple[str, str, str]]
    scaling_groups: list[str]


def foundation(answers: Mapping[str, Any]) -> Foundation:
    """Read from the recorded AWS answers what the cluster has to agree with."""

    def value(operation: str) -> Any:
        return next(a["value"] for key, a in answers.items() if key.startswith(f"{operation}{{"))

    groups = value("elasticache.describe_replication_groups")["ReplicationGroups"]
    balancers = value("elbv2.describe_load_balancers")["LoadBalancers"]
    instances = [
        (
            one["InstanceId"],
            one["InstanceType"],
            next(t["Value"] for t in one["Tags"] if t["Key"] == "eks:nodegroup-name"),
        )
        for reservation in value("ec2.describe_instances")["Reservations"]
        for one in reservation["Instances"]
    ]
    return Foundation(
        database=value("rds.describe_db_instances")["DBInstances"][0]["Endpoint"]["Address"],
        cache=groups[0]["NodeGroups"][0]["PrimaryEndpoint"]["Address"],
        bucket=next(b["Name"] for b in value("s3.list_buckets")["Buckets"] if "traces" in b["Name"]),
        role=next(r["Arn"] for r in value("iam.list_roles")["Roles"] if r["RoleName"].endswith("-langsmith")),
        balancer=next(b["DNSName"] for b in balancers if b["LoadBalancerName"].startswith("k8s-")),
        secrets=sorted(one["Name"] for one in value("secretsmanager.list_secrets")["SecretList"]),
        instances=sorted(instances),
        scaling_groups=[
            group["name"]
            for key, answer in answers.items()
            if key.startswith("eks.describe_nodegroup{")
            for group in answer["value"]["nodegroup"]["resources"]["autoScalingGroups"]
        ],
    )


def objects(facts: Foundation) -> Objects:
    """Return every object of a deployment that meets the reference."""
    now = datetime.now(UTC)
    found = Objects()
    nodes = [_node(f"ip-10-0-0-{rank}", *instance) for rank, instance in enumerate(facts.instances)]
    pools = {node["metadata"]["labels"]["pool"]: node["metadata"]["name"] for node in nodes}
    found["/api/v1/nodes"] = nodes
    found["/apis/metrics.k8s.io/v1beta1/nodes"] = [
        {"metadata": {"name": n["metadata"]["name"]}, "usage": {"cpu": "250m", "memory": "1Gi"}} for n in nodes
    ]
    _application(found, facts, now, pools["general"])
    _clickhouse(found, now, pools["clickhouse"])
    _secrets(found, facts, now)
    _entrance(found, facts)
    _system(found, facts, now, [node["metadata"]["name"] for node in nodes], pools["general"])
    return found


def _application(found: Objects, facts: Foundation, now: datetime, node: str) -> None:
    for name, (port, replicas, path, uses_stores) in COMPONENTS.items():
        env = _environment(facts) if uses_stores else []
        container = _container(name, port, path, env, {"cpu": "1", "memory": "2Gi"})
        if uses_stores:
            container["envFrom"] = [{"configMapRef": {"name": "langsmith-config"}}]
        deployment = _controller("Deployment", f"langsmith-{name}", name, replicas, container)
        _add(found, "apps/v1", "deployments", deployment)
        annotations = {"eks.amazonaws.com/role-arn": facts.role} if uses_stores else {}
        account = {"metadata": _metadata(f"langsmith-{name}", annotations=annotations)}
        _add(found, "v1", "serviceaccounts", account)
        for rank in range(replicas):
            _add(found, "v1", "pods", _pod(deployment, rank, now, node, facts.role if uses_stores else ""))
        if name not in {"queue", "ingest-queue"}:
            ports = [80, 443] if name == "frontend" else [port]
            _add(found, "v1", "services", _service(f"langsmith-{name}", name, ports))
    data = {"AUTH_TYPE": "mixed", "LANGCHAIN_ENV": "local_kubernetes", "BEACON_TRACING_ENABLED": "true"}
    _add(found, "v1", "configmaps", {"metadata": _metadata("langsmith-config"), "data": data})
    nginx = {"nginx.conf": "server {\n  listen 8080;\n}\n"}
    _add(found, "v1", "configmaps", {"metadata": _metadata("langsmith-frontend"), "data": nginx})


def _environment(facts: Foundation) -> list[dict[str, Any]]:
    literal = {
        "LANGSMITH_URL": "langsmith.hallmark.example",
        "BASIC_AUTH_ENABLED": "true",
        "FF_BLOB_STORAGE_ENABLED": "true",
        "S3_BUCKET_NAME": facts.bucket,
        "S3_API_URL": "https://s3.us-east-1.amazonaws.com",
        "MIN_BLOB_STORAGE_SIZE_KB": "20",
    }
    secret = {
        "POSTGRES_DATABASE_URI": ("langsmith-postgres", "connection_url"),
        "REDIS_DATABASE_URI": ("langsmith-redis", "connection_url"),
        "LANGSMITH_LICENSE_KEY": ("langsmith-config", "langsmith_license_key"),
        "API_KEY_SALT": ("langsmith-config", "api_key_salt"),
        "X_SERVICE_AUTH_JWT_SECRET": ("langsmith-config", "api_key_salt"),
        "BASIC_AUTH_JWT_SECRET": ("langsmith-config", "jwt_secret"),
        **{
            f"CLICKHOUSE_{key.removeprefix('clickhouse_').upper()}": ("langsmith-clickhouse", key)
            for key in SECRETS["langsmith-clickhouse"]
        },
    }
    optional = {"S3_ACCESS_KEY": "blob_storage_access_key", "S3_ACCESS_KEY_SECRET": "blob_storage_access_key_secret"}
    return [
        *({"name": name, "value": value} for name, value in literal.items()),
        *(_from_secret(name, *origin, optional=False) for name, origin in secret.items()),
        *(_from_secret(name, "langsmith-config", key, optional=True) for name, key in optional.items()),
    ]


def _from_secret(name: str, secret: str, key: str, *, optional: bool) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key, "optional": optional}}}


def _clickhouse(found: Objects, now: datetime, node: str) -> None:
    resources = {"requests": {"cpu": "3500m", "memory": "12Gi"}, "limits": {"cpu": "8", "memory": "32Gi"}}
    container = _container("clickhouse", 8123, "/ping", [], {}) | {"resources": resources}
    container["volumeMounts"] = [{"name": "data", "mountPath": "/var/lib/clickhouse"}]
    stateful = _controller("StatefulSet", "langsmith-clickhouse", "clickhouse", 1, container)
    stateful["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": {}}]
    _add(found, "apps/v1", "statefulsets", stateful)
    pod = _pod(stateful, 0, now, node, "")
    claim = "data-langsmith-clickhouse-0"
    pod["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    _add(found, "v1", "pods", pod)
    _add(found, "v1", "services", _service("langsmith-clickhouse", "clickhouse", [8123, 9000]))
    spec = {"storageClassName": "langsmith-clickhouse", "volumeName": "pvc-1"}
    bound = {"metadata": _metadata(claim), "spec": spec, "status": {"phase": "Bound"}}
    _add(found, "v1", "persistentvolumeclaims", bound)
    csi = {"driver": "ebs.csi.aws.com", "volumeHandle": VOLUME}
    found["/api/v1/persistentvolumes"] = [{"metadata": {"name": "pvc-1"}, "spec": {"csi": csi}}]
    found["/apis/storage.k8s.io/v1/storageclasses"] = [
        {
            "metadata": {"name": "langsmith-clickhouse"},
            "provisioner": "ebs.csi.aws.com",
            "parameters": {"type": "gp3", "iops": "7000", "throughput": "1000", "encrypted": "true"},
            "allowVolumeExpansion": True,
        }
    ]


def _secrets(found: Objects, facts: Foundation, now: datetime) -> None:
    postgres = f"postgres://langsmith:pw-of-postgres@{facts.database}:5432/langsmith?sslmode=require"
    values = {
        **SECRETS,
        "langsmith-postgres": {"connection_url": postgres},
        "langsmith-redis": {"connection_url": f"rediss://:token-of-redis@{facts.cache}:6379"},
    }
    base = "/apis/external-secrets.io/v1"
    found[f"{base}/clustersecretstores"] = [
        {
            "metadata": {"name": "aws"},
            "spec": {"provider": {"aws": {"service": "SecretsManager", "region": "us-east-1"}}},
            "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "Valid"}]},
        }
    ]
    found[f"{base}/namespaces/{NAMESPACE}/secretstores"] = []
    for name, data in values.items():
        owner = {"kind": "ExternalSecret", "name": name, "apiVersion": "external-secrets.io/v1", "uid": "u"}
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        metadata = _metadata(name) | {"ownerReferences": [owner]}
        metadata["creationTimestamp"] = _stamp(now - timedelta(hours=2))
        _add(found, "v1", "secrets", {"metadata": metadata, "type": "Opaque", "data": encoded})
        remote = [{"secretKey": key, "remoteRef": {"key": facts.secrets[0], "property": key}} for key in data]
        external = {
            "metadata": _metadata(name),
            "spec": {
                "secretStoreRef": {"kind": "ClusterSecretStore", "name": "aws"},
                "target": {"name": name},
                "data": remote,
            },
            "status": {
                "conditions": [{"type": "Ready", "status": "True", "reason": "SecretSynced"}],
                "refreshTime": _stamp(now),
            },
        }
        _add(found, "external-secrets.io/v1", "externalsecrets", external)
    _add(found, "v1", "secrets", release_record({"config": {"existingSecretName": "langsmith-config"}}))


def release_record(config: Mapping[str, Any], revision: int = 1, status: str = "deployed") -> dict[str, Any]:
    """Return the Secret in which Helm keeps a revision."""
    body = {
        "name": "langsmith",
        "namespace": NAMESPACE,
        "version": revision,
        "info": {"status": status, "last_deployed": "2026-11-24T12:00:00Z"},
        "chart": {"metadata": {"name": "langsmith", "version": "0.16.11", "appVersion": "0.16.45"}},
        "config": config,
    }
    packed = base64.b64encode(gzip.compress(json.dumps(body).encode()))
    labels = {"owner": "helm", "name": "langsmith", "version": str(revision), "status": status}
    return {
        "metadata": _metadata(f"sh.helm.release.v1.langsmith.v{revision}") | {"labels": labels},
        "type": "helm.sh/release.v1",
        "data": {"release": base64.b64encode(packed).decode()},
    }


def _entrance(found: Objects, facts: Foundation) -> None:
    backend = {"service": {"name": "langsmith-frontend", "port": {"number": 80}}}
    rule = {
        "host": "langsmith.hallmark.example",
        "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
    }
    ingress = {
        "metadata": _metadata("langsmith-ingress"),
        "spec": {"ingressClassName": "alb", "rules": [rule]},
        "status": {"loadBalancer": {"ingress": [{"hostname": facts.balancer}]}},
    }
    _add(found, "networking.k8s.io/v1", "ingresses", ingress)
    found["/apis/networking.k8s.io/v1/ingressclasses"] = [
        {"metadata": {"name": "alb"}, "spec": {"controller": "ingress.k8s.aws/alb"}}
    ]


def _system(found: Objects, facts: Foundation, now: datetime, nodes: list[str], node: str) -> None:
    container = {"name": "autoscaler", "image": "registry.k8s.io/autoscaling/cluster-autoscaler:v1.35.0"}
    autoscaler = _controller("Deployment", "cluster-autoscaler-aws", "", 1, container, namespace="kube-system")
    autoscaler["metadata"]["labels"] = {"app.kubernetes.io/name": "aws-cluster-autoscaler"}
    _add(found, "apps/v1", "deployments", autoscaler, "kube-system")
    agent = _controller(
        "DaemonSet", "fluent-bit", "", len(nodes), {"name": "f", "image": "aws-for-fluent-bit:2.32"}, namespace="logs"
    )
    agent["spec"]["template"]["spec"]["volumes"] = [{"name": "log", "hostPath": {"path": "/var/log"}}]
    _add(found, "apps/v1", "daemonsets", agent, "logs")
    for rank, name in enumerate(nodes):
        _add(found, "v1", "pods", _pod(agent, rank, now, name, ""), "logs")
    report = "time: 2026-11-24\nautoscalerStatus: Running\nclusterWide:\n  health:\n    status: Healthy\n"
    report += "nodeGroups:\n" + "".join(f"- name: {name}\n" for name in facts.scaling_groups)
    annotations = {"cluster-autoscaler.kubernetes.io/last-updated": now.strftime("%Y-%m-%d %H:%M:%S.5 +0000 UTC")}
    status = {"metadata": {"name": "cluster-autoscaler-status", "annotations": annotations}, "data": {"status": report}}
    found["/api/v1/namespaces/kube-system/configmaps"] = [status]
    available = {"conditions": [{"type": "Available", "status": "True", "reason": "Passed"}]}
    found["/apis/apiregistration.k8s.io/v1/apiservices"] = [
        {"metadata": {"name": "v1beta1.metrics.k8s.io"}, "status": available}
    ]
    found["/api/v1/namespaces/kube-system/pods"] = [_pod(autoscaler, 0, now, node, "")]


def _metadata(name: str, **more: Any) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": "langsmith", "app.kubernetes.io/instance": "langsmith"}
    return {"name": name, "namespace": NAMESPACE, "labels": labels, "generation": 1, **more}


def _container(
    name: str, port: int, path: str, env: list[dict[str, Any]], requests: Mapping[str, str]
) -> dict[str, Any]:
    probe = {"httpGet": {"path": path, "port": port}}
    return {
        "name": name,
        "image": f"docker.io/langchain/langsmith-{name}:0.16.45",
        "env": env,
        "resources": {"requests": dict(requests)},
        "readinessProbe": probe,
        "livenessProbe": probe,
    }


def _labels(name: str, component: str) -> dict[str, str]:
    if not component:
        return {"app": name}
    own = {"app.kubernetes.io/name": "langsmith", "app.kubernetes.io/instance": "langsmith"}
    return own | {"app.kubernetes.io/component": name}


def _controller(
    kind: str, name: str, component: str, replicas: int, container: dict[str, Any], *, namespace: str = NAMESPACE
) -> dict[str, Any]:
    labels = _labels(name, component)
    pod = {"serviceAccountName": name, "containers": [container]}
    counts = (
        {"desiredNumberScheduled": replicas, "numberReady": replicas, "updatedNumberScheduled": replicas}
        if kind == "DaemonSet"
        else {"readyReplicas": replicas, "updatedReplicas": replicas, "replicas": replicas}
    )
    return {
        "metadata": _metadata(name) | {"namespace": namespace},
        "spec": {
            **({} if kind == "DaemonSet" else {"replicas": replicas}),
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
        "status": {"observedGeneration": 1, **counts},
    }


def _pod(controller: dict[str, Any], rank: int, now: datetime, node: str, role: str) -> dict[str, Any]:
    template = deepcopy(controller["spec"]["template"])
    spec = template["spec"] | {"nodeName": node}
    if role:
        token = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"
        given = {"AWS_ROLE_ARN": role, "AWS_WEB_IDENTITY_TOKEN_FILE": token}
        spec["containers"][0]["env"] += [{"name": key, "value": value} for key, value in given.items()]
    return {
        "metadata": {
            "name": f"{controller['metadata']['name']}-{rank}",
            "namespace": controller["metadata"]["namespace"],
            "labels": template["metadata"]["labels"],
            "creationTimestamp": _stamp(now - timedelta(hours=1)),
        },
        "spec": spec,
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


def _service(name: str, component: str, ports: list[int]) -> dict[str, Any]:
    spec = {"type": "ClusterIP", "selector": _labels(name, component), "ports": [{"port": port} for port in ports]}
    return {"metadata": _metadata(name), "spec": spec}


def _node(name: str, instance: str, kind: str, group: str) -> dict[str, Any]:
    cpu, memory = {"m6i.2xlarge": ("7910m", "29Gi"), "m6in.4xlarge": ("15890m", "57Gi")}[kind]
    pool = "clickhouse" if "clickhouse" in group else "general"
    return {
        "metadata": {"name": name, "labels": {"eks.amazonaws.com/nodegroup": group, "pool": pool}},
        "spec": {"providerID": f"aws:///us-east-1a/{instance}"},
        "status": {
            "allocatable": {"cpu": cpu, "memory": memory},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def _add(found: Objects, group: str, resource: str, value: dict[str, Any], namespace: str = NAMESPACE) -> None:
    prefix = f"/apis/{group}" if "/" in group else f"/api/{group}"
    found.setdefault(f"{prefix}/namespaces/{namespace}/{resource}", []).append(value)


def _everywhere(path: str) -> str:
    """Return the path of a list over all namespaces."""
    before, _, after = path.partition("/namespaces/")
    return f"{before}/{after.partition('/')[2]}" if after else path


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
