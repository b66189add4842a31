"""What is wrong with an object, word by word as the real server says it.

Sources: messages of pkg/apis/*/validation of Kubernetes, as documentation and issue reports quote them.
"""

# ruff: noqa: E501  (a table has one case a line)

import copy
from collections.abc import Callable
from typing import Any

import pytest

from hallmark.twin.cluster.schema import defaults, definitions, validation
from hallmark.twin.cluster.schema.definitions import Schema

Json = dict[str, Any]
Make = Callable[..., Json]
CONTAINER = {"name": "c", "image": "i"}
SUBDOMAIN = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
LABEL = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
DNS_1035 = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
VALUE = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
KEY = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
PODS = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"


def errors(api_version: str, kind: str, obj: Json, old: Json | None = None) -> list[str]:
    """All errors of an object, as a write of it would meet them."""
    group, _, version = api_version.rpartition("/")
    schema = definitions.builtin(group, version, kind)
    assert schema is not None
    found = validation.check(obj, schema, custom=False)
    assert found.type_errors == []
    sides = [
        side and {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, **copy.deepcopy(side)}
        for side in (obj, old)
    ]
    for side in sides:
        if side:
            defaults.apply(group, kind, side)
    new, before = sides
    assert new is not None
    return found.errors + validation.semantic(group, kind, new, before)


def pod(*containers: Json, **spec: Any) -> Json:
    """A pod."""
    return {"spec": {"containers": list(containers) or [CONTAINER], **spec}}


def template(labels: Json | None = None, **spec: Any) -> Json:
    """A template of a pod."""
    return {"metadata": {"labels": labels or {"a": "b"}}, "spec": {"containers": [CONTAINER], **spec}}


def workload(**spec: Any) -> Json:
    """What makes pods."""
    return {"spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template(), **spec}}


def with_container(**fields: Any) -> Json:
    """A pod with one container."""
    return pod({**CONTAINER, **fields})


def job(**spec: Any) -> Json:
    """A job."""
    return {"spec": {"template": {"spec": {"containers": [CONTAINER], "restartPolicy": "Never"}}, **spec}}


def service(*ports: Json, **spec: Any) -> Json:
    """A service."""
    return {"spec": {"ports": list(ports) or [{"port": 80}], **spec}}


def claim(size: str = "1Gi", **spec: Any) -> Json:
    """A claim."""
    return {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec}}


def ingress(path: Json | None = None, **rule: Any) -> Json:
    """An ingress with one path."""
    given = {
        "path": "/",
        "pathType": "Prefix",
        "backend": {"service": {"name": "web", "port": {"number": 80}}},
        **(path or {}),
    }
    return {"spec": {"rules": [{"http": {"paths": [given]}, **rule}]}}


# Version, kind, object, errors.
CREATED: list[tuple[str, str, Json, list[str]]] = [
    ("v1", "Pod", pod(), []),
    ("v1", "Pod", {"metadata": {"name": "Web_1"}, **pod()}, [f'metadata.name: Invalid value: "Web_1": {SUBDOMAIN}']),
    ("v1", "Pod", {"metadata": {"name": "x", "labels": {"a": "b c"}}, **pod()}, [f'metadata.labels: Invalid value: "b c": {VALUE}']),
    ("v1", "Pod", {"metadata": {"name": "x", "labels": {"a b": "c"}}, **pod()}, [f'metadata.labels: Invalid value: "a b": {KEY}']),
    ("v1", "Pod", {"metadata": {"name": "x", "labels": {"a": "b" * 64}}, **pod()}, [f'metadata.labels: Invalid value: "{"b" * 64}": must be no more than 63 bytes']),
    ("v1", "Pod", {"spec": {}}, ["spec.containers: Required value"]),
    ("v1", "Pod", pod({"image": "i"}), ["spec.containers[0].name: Required value"]),
    ("v1", "Pod", pod({"name": "c"}), ["spec.containers[0].image: Required value"]),
    ("v1", "Pod", pod({"name": "C", "image": "i"}), [f'spec.containers[0].name: Invalid value: "C": {LABEL}']),
    ("v1", "Pod", pod(CONTAINER, CONTAINER), ['spec.containers[1].name: Duplicate value: "c"']),
    ("v1", "Pod", with_container(imagePullPolicy="Maybe"), ['spec.containers[0].imagePullPolicy: Unsupported value: "Maybe": supported values: "Always", "IfNotPresent", "Never"']),
    ("v1", "Pod", pod(restartPolicy="Sometimes"), ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"']),
    ("v1", "Pod", with_container(ports=[{"containerPort": 70000}]), ["spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"]),
    ("v1", "Pod", with_container(ports=[{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]), ['spec.containers[0].ports[1].name: Duplicate value: "a"']),
    ("v1", "Pod", with_container(ports=[{"containerPort": 1, "name": "much-too-long-name"}]), ['spec.containers[0].ports[0].name: Invalid value: "much-too-long-name": must be no more than 15 characters long']),
    ("v1", "Pod", with_container(env=[{"value": "v"}]), ["spec.containers[0].env[0].name: Required value"]),
    ("v1", "Pod", with_container(env=[{"name": "A", "value": "v"}, {"name": "A", "value": "w"}]), []),
    ("v1", "Pod", with_container(env=[{"name": "A", "value": "v", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]), ['spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty']),
    ("v1", "Pod", with_container(env=[{"name": "A", "valueFrom": {"secretKeyRef": {"key": "k"}}}]), ["spec.containers[0].env[0].valueFrom.secretKeyRef.name: Required value"]),
    ("v1", "Pod", with_container(volumeMounts=[{"name": "data", "mountPath": "/d"}]), ['spec.containers[0].volumeMounts[0].name: Not found: "data"']),
    ("v1", "Pod", pod({**CONTAINER, "volumeMounts": [{"name": "v", "mountPath": "/d"}, {"name": "v", "mountPath": "/d"}]}, volumes=[{"name": "v"}]), ['spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/d": must be unique']),
    ("v1", "Pod", pod(volumes=[{"name": "v"}, {"name": "v"}]), ['spec.volumes[1].name: Duplicate value: "v"']),
    ("v1", "Pod", pod(volumes=[{"name": "v", "configMap": {}}]), ["spec.volumes[0].configMap.name: Required value"]),
    ("v1", "Pod", pod(volumes=[{"name": "v", "emptyDir": {}, "hostPath": {"path": "/"}}]), ["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"]),
    ("v1", "Pod", with_container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}), ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1']),
    ("v1", "Pod", with_container(resources={"limits": {"memory": "-1"}}), ['spec.containers[0].resources.limits[memory]: Invalid value: "-1": must be greater than or equal to 0', 'spec.containers[0].resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0']),
    ("v1", "Pod", with_container(livenessProbe={"periodSeconds": 1}), ["spec.containers[0].livenessProbe: Required value: must specify a handler type"]),
    ("v1", "Pod", with_container(livenessProbe={"tcpSocket": {"port": 1}, "successThreshold": 2}), ["spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"]),
    ("v1", "Pod", pod(initContainers=[{"name": "i", "image": "i", "readinessProbe": {"exec": {}}}]), ["spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"]),
    ("v1", "Pod", pod(tolerations=[{"operator": "Equal"}]), ['spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"']),
    ("apps/v1", "Deployment", workload(), []),
    ("apps/v1", "Deployment", {"spec": {"template": template()}}, ["spec.selector: Required value"]),
    ("apps/v1", "Deployment", workload(selector={}), ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"]),
    ("apps/v1", "Deployment", workload(template=template({"a": "c"})), ['spec.template.metadata.labels: Invalid value: {"a":"c"}: `selector` does not match template `labels`']),
    ("apps/v1", "Deployment", workload(selector={"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}), []),
    ("apps/v1", "Deployment", workload(replicas=-1), ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]),
    ("apps/v1", "Deployment", workload(template=template(restartPolicy="Never")), ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"']),
    ("apps/v1", "Deployment", workload(strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}), ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"]),
    ("apps/v1", "Deployment", workload(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}), ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"]),
    ("apps/v1", "Deployment", {"status": {"replicas": 1, "readyReplicas": 5}, **workload()}, ["status.readyReplicas: Invalid value: 5: cannot be greater than status.replicas"]),
    ("apps/v1", "StatefulSet", workload(volumeClaimTemplates=[{"metadata": {"name": "d"}, **claim()}], template={**template(), "spec": {"containers": [{**CONTAINER, "volumeMounts": [{"name": "d", "mountPath": "/d"}]}]}}), []),
    ("batch/v1", "Job", job(), []),
    ("batch/v1", "Job", job(template={"spec": {"containers": [CONTAINER]}}), ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']),
    ("batch/v1", "Job", job(backoffLimit=-1), ["spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0"]),
    ("batch/v1", "CronJob", {"spec": {"schedule": "* * *", "jobTemplate": job()}}, ['spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]']),
    ("batch/v1", "CronJob", {"spec": {"schedule": "*/5 1-3 * jan sun", "jobTemplate": job()}}, []),
    ("batch/v1", "CronJob", {"spec": {"schedule": "61 * * * *", "jobTemplate": job()}}, ['spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61']),
    ("batch/v1", "CronJob", {"metadata": {"name": "n" * 53}, "spec": {"schedule": "@daily", "jobTemplate": job()}}, [f'metadata.name: Invalid value: "{"n" * 53}": must be no more than 52 characters']),
    ("v1", "Service", service(), []),
    ("v1", "Service", {"metadata": {"name": "1web"}, **service()}, [f'metadata.name: Invalid value: "1web": {DNS_1035}']),
    ("v1", "Service", {"spec": {}}, ["spec.ports: Required value"]),
    ("v1", "Service", {"spec": {"clusterIP": "None"}}, []),
    ("v1", "Service", service({"port": 80}, {"port": 81}), ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"]),
    ("v1", "Service", service({"port": 80, "name": "a"}, {"port": 80, "name": "b"}), ['spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}']),
    ("v1", "Service", service({"port": 99999}), ["spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535, inclusive", "spec.ports[0].targetPort: Invalid value: 99999: must be between 1 and 65535, inclusive"]),
    ("v1", "Service", service(type="Magic"), ['spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"']),
    ("v1", "Service", {"spec": {"type": "ExternalName"}}, ["spec.externalName: Required value"]),
    ("v1", "ConfigMap", {"data": {"a b": "c"}}, ["data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"]),
    ("v1", "Secret", {"type": "kubernetes.io/tls", "data": {"tls.crt": "eA=="}}, ["data[tls.key]: Required value"]),
    ("v1", "PersistentVolumeClaim", claim(), []),
    ("v1", "PersistentVolumeClaim", {"spec": {}}, ["spec.accessModes: Required value: at least 1 access mode is required", "spec.resources[storage]: Required value"]),
    ("v1", "PersistentVolumeClaim", claim("0"), ['spec.resources[storage]: Invalid value: "0": must be greater than zero']),
    ("v1", "PersistentVolume", {"spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}}}, ["spec: Required value: must specify a volume type"]),
    ("networking.k8s.io/v1", "Ingress", ingress(), []),
    ("networking.k8s.io/v1", "Ingress", {"spec": {}}, ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"]),
    ("networking.k8s.io/v1", "Ingress", ingress({"pathType": None}), ["spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"]),
    ("networking.k8s.io/v1", "Ingress", ingress({"path": "api"}), ['spec.rules[0].http.paths[0].path: Invalid value: "api": must be an absolute path']),
    ("networking.k8s.io/v1", "Ingress", ingress({"backend": {"service": {"name": "web"}}}), ["spec.rules[0].http.paths[0].backend: Required value: port name or number is required"]),
    ("networking.k8s.io/v1", "Ingress", ingress(host="10.0.0.1"), ['spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address']),
    ("networking.k8s.io/v1", "Ingress", ingress(host="*.example.com"), []),
    ("autoscaling/v2", "HorizontalPodAutoscaler", {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "w"}, "minReplicas": 3, "maxReplicas": 1}}, ["spec.maxReplicas: Invalid value: 1: must be greater than or equal to `minReplicas`"]),
    ("policy/v1", "PodDisruptionBudget", {"spec": {"minAvailable": 1, "maxUnavailable": 1}}, ['spec: Invalid value: {"maxUnavailable":1,"minAvailable":1}: minAvailable and maxUnavailable cannot be both set']),
    ("rbac.authorization.k8s.io/v1", "Role", {"metadata": {"name": "system:a/b"}, "rules": []}, ["metadata.name: Invalid value: \"system:a/b\": may not contain '/'"]),
    ("rbac.authorization.k8s.io/v1", "Role", {"rules": [{"apiGroups": [""], "resources": ["pods"]}]}, ["rules[0].verbs: Required value: verbs must contain at least one value"]),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", {"rules": [{"verbs": ["get"], "resources": ["pods"]}]}, ["rules[0].apiGroups: Required value: resource rules must supply at least one api group"]),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", {"roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "ServiceAccount", "name": "s"}]}, ["subjects[0].namespace: Required value"]),
    ("scheduling.k8s.io/v1", "PriorityClass", {"value": 2_000_000_000}, ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"]),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", {"metadata": {"name": "x"}, "spec": {"group": "g.io", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"}, "versions": [{"name": "v1", "served": True, "storage": True}]}}, ['metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group', "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required"]),
]  # fmt: skip


@pytest.mark.parametrize(("api_version", "kind", "obj", "expected"), CREATED)
def test_creation(api_version: str, kind: str, obj: Json, expected: list[str]) -> None:
    """Each rule has its words, and nothing else is said."""
    assert errors(api_version, kind, obj) == expected


BOUND = {"status": {"phase": "Bound", "capacity": {"storage": "2Gi"}}}
NO_CLAIM = "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
NO_SET = "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
CLASS = {"provisioner": "ebs.csi.aws.com", "parameters": {"type": "gp3"}}

# Version, kind, object before, object after, errors.
UPDATED: list[tuple[str, str, Json, Json, list[str]]] = [
    ("v1", "Pod", pod(), with_container(image="other"), []),
    ("v1", "Pod", pod(), pod(nodeName="n"), []),
    ("v1", "Pod", pod(nodeName="n"), pod(nodeName="m"), [f"spec: Forbidden: {PODS}"]),
    ("v1", "Pod", pod(), with_container(command=["x"]), [f"spec: Forbidden: {PODS}"]),
    ("v1", "Pod", pod(tolerations=[{"key": "a"}]), pod(tolerations=[{"key": "a"}, {"key": "b"}]), []),
    ("v1", "Pod", pod(tolerations=[{"key": "a"}]), pod(), [f"spec: Forbidden: {PODS}"]),
    ("v1", "Pod", pod(), pod(CONTAINER, {"name": "d", "image": "i"}), ["spec.containers: Forbidden: pod updates may not add or remove containers"]),
    ("apps/v1", "Deployment", workload(), workload(replicas=3), []),
    ("apps/v1", "Deployment", workload(), workload(selector={"matchLabels": {"a": "c"}}, template=template({"a": "c"})), ['spec.selector: Invalid value: {"matchLabels":{"a":"c"}}: field is immutable']),
    ("apps/v1", "StatefulSet", workload(), workload(replicas=3, template=template(hostNetwork=True)), []),
    ("apps/v1", "StatefulSet", workload(), workload(serviceName="other"), [NO_SET]),
    ("apps/v1", "StatefulSet", workload(), workload(volumeClaimTemplates=[{"metadata": {"name": "d"}, **claim()}]), [NO_SET]),
    ("batch/v1", "Job", job(), job(parallelism=2, completions=1), []),
    ("batch/v1", "Job", job(completions=1), job(completions=2), ["spec.completions: Invalid value: 2: field is immutable"]),
    ("v1", "Service", service(clusterIPs=["172.20.0.1"]), service(clusterIPs=["172.20.0.2"]), ['spec.clusterIPs[0]: Invalid value: ["172.20.0.2"]: may not change once set']),
    ("v1", "ConfigMap", {"immutable": True, "data": {"a": "b"}}, {"immutable": True, "data": {"a": "b"}}, []),
    ("v1", "ConfigMap", {"immutable": True, "data": {"a": "b"}}, {"immutable": True, "data": {"a": "c"}}, ["data: Forbidden: field is immutable when `immutable` is set"]),
    ("v1", "ConfigMap", {"immutable": True}, {}, ["immutable: Forbidden: field is immutable when `immutable` is set"]),
    ("v1", "Secret", {"immutable": True, "data": {"a": "Yg=="}}, {"immutable": True}, ["data: Forbidden: field is immutable when `immutable` is set"]),
    ("v1", "Secret", {"type": "a/b"}, {"type": "c/d"}, ['type: Invalid value: "c/d": field is immutable']),
    ("v1", "PersistentVolumeClaim", claim(), claim(volumeName="pv"), []),
    ("v1", "PersistentVolumeClaim", claim(), claim("2Gi"), [NO_CLAIM]),
    ("v1", "PersistentVolumeClaim", claim("2Gi") | BOUND, claim("3Gi") | BOUND, []),
    ("v1", "PersistentVolumeClaim", claim("2Gi") | BOUND, claim("1Gi") | BOUND, ["spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"]),
    ("v1", "PersistentVolumeClaim", claim("2Gi", storageClassName="a") | BOUND, claim("2Gi", storageClassName="b") | BOUND, [NO_CLAIM]),
    ("storage.k8s.io/v1", "StorageClass", CLASS, CLASS | {"allowVolumeExpansion": True}, []),
    ("storage.k8s.io/v1", "StorageClass", CLASS, CLASS | {"parameters": {"type": "gp2"}}, ["parameters: Forbidden: updates to parameters are forbidden."]),
    ("storage.k8s.io/v1", "StorageClass", CLASS, CLASS | {"reclaimPolicy": "Retain"}, ["reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden."]),
    ("storage.k8s.io/v1", "StorageClass", CLASS, CLASS | {"volumeBindingMode": "WaitForFirstConsumer"}, ['volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable']),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", {"roleRef": {"kind": "ClusterRole", "name": "a"}}, {"roleRef": {"kind": "ClusterRole", "name": "b"}}, ['roleRef: Invalid value: {"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"b"}: cannot change roleRef']),
    ("scheduling.k8s.io/v1", "PriorityClass", {"value": 1}, {"value": 2}, ["value: Forbidden: may not be changed in an update."]),
]  # fmt: skip


@pytest.mark.parametrize(("api_version", "kind", "old", "new", "expected"), UPDATED)
def test_update(api_version: str, kind: str, old: Json, new: Json, expected: list[str]) -> None:
    """What must stay is refused to change, in these words."""
    assert errors(api_version, kind, new, old) == expected


# Kind, object, the first thing that cannot be decoded.
UNDECODABLE: list[tuple[str, str, Json, str]] = [
    ("apps/v1", "Deployment", {"spec": {"replicas": "2"}}, "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"),
    ("apps/v1", "Deployment", {"spec": {"replicas": 1.5}}, "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"),
    ("apps/v1", "Deployment", {"spec": {"template": {"spec": {"containers": {"name": "x"}}}}}, "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container"),
    ("v1", "Pod", pod({"name": 5}), "json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string"),
    ("v1", "Pod", with_container(env=[{"name": "A", "value": 1}]), "json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string"),
    ("v1", "Pod", with_container(imagePullPolicy=1), "json: cannot unmarshal number into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy"),
    ("v1", "Pod", with_container(tty="yes"), "json: cannot unmarshal string into Go struct field Container.spec.containers.tty of type bool"),
    ("v1", "Pod", {"metadata": {"labels": {"a": True}}}, "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string"),
    ("v1", "Pod", {"spec": "x"}, "json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec"),
    ("v1", "Pod", with_container(resources={"limits": {"cpu": "1 core"}}), QUANTITY),
    ("v1", "Pod", with_container(livenessProbe={"httpGet": {"port": True}}), "json: cannot unmarshal bool into Go value of type int32"),
    ("v1", "ConfigMap", {"data": {"a": {"b": 1}}}, "json: cannot unmarshal object into Go struct field ConfigMap.data of type string"),
    ("v1", "ConfigMap", {"data": []}, "json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string"),
    ("v1", "Secret", {"data": {"a": "hello"}}, "illegal base64 data at input byte 4"),
    ("v1", "Secret", {"data": {"a": "s3cret!!"}}, "illegal base64 data at input byte 6"),
    ("v1", "Pod", {"metadata": {"creationTimestamp": "yesterday"}}, 'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"'),
]  # fmt: skip


@pytest.mark.parametrize(("api_version", "kind", "obj", "expected"), UNDECODABLE)
def test_types(api_version: str, kind: str, obj: Json, expected: str) -> None:
    """A value of the wrong type is named by Go's decoder."""
    group, _, version = api_version.rpartition("/")
    schema = definitions.builtin(group, version, kind)
    assert schema is not None
    assert validation.check(obj, schema, custom=False).type_errors == [expected]


def test_good_types_are_none_of_our_business(deployments: Schema, deployment: Make) -> None:
    """Numbers and texts where both are welcome, whole numbers with a point, and nulls are decoded."""
    obj = deployment(bare=True, strategy={"rollingUpdate": {"maxSurge": "10%", "maxUnavailable": 1}})
    obj["spec"] |= {"replicas": 2.0, "paused": None}
    obj["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": 1, "memory": 1.5}}
    found = validation.check(obj, deployments, custom=False)
    assert (found.type_errors, found.errors, found.unknown) == ([], [], [])


def test_unknown_fields(deployments: Schema, deployment: Make) -> None:
    """Fields nobody knows are listed with their place, and pruned; keys of maps are no fields."""
    obj = deployment(bare=True, foo=1)
    obj["spec"]["template"]["spec"]["containers"][1]["comand"] = ["x"]
    obj["metadata"]["annotations"] = {"any.thing/goes": "x"}
    found = validation.check(obj, deployments, custom=False)
    assert found.unknown == ['unknown field "spec.template.spec.containers[1].comand"', 'unknown field "spec.foo"']
    known = deployment(bare=True)
    known["metadata"]["annotations"] = {"any.thing/goes": "x"}
    assert validation.prune(obj, deployments) == known


def test_embedded_objects_are_open() -> None:
    """What is stored as it came has no unknown fields."""
    schema = definitions.builtin("apps", "v1", "ControllerRevision")
    assert schema is not None
    obj = {"revision": 1, "data": {"spec": {"any": ["thing"]}}}
    assert validation.check(obj, schema, custom=False) == validation.Findings()
    assert validation.prune(obj, schema) == obj


ENV = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}, {"name": "A", "value": "$(A):3"}]
HIDES = 'containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'

# Version, kind, object, warnings.
WARNED: list[tuple[str, str, Json, list[str]]] = [
    ("v1", "Pod", with_container(env=ENV), [f"spec.{HIDES}"]),
    ("apps/v1", "Deployment", workload(template=template(containers=[{**CONTAINER, "env": ENV}])), [f"spec.template.spec.{HIDES}"]),
    ("v1", "Pod", with_container(resources={"requests": {"memory": "100m", "cpu": "100m"}}), ['spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer']),
    ("v1", "Service", service(clusterIP="None", sessionAffinity="ClientIP"), ["spec.SessionAffinity is ignored for headless services"]),
    ("networking.k8s.io/v1", "Ingress", {"metadata": {"name": "x", "annotations": {"kubernetes.io/ingress.class": "alb"}}, **ingress()}, ["annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"]),
    ("v1", "Pod", pod(), []),
]  # fmt: skip


@pytest.mark.parametrize(("api_version", "kind", "obj", "expected"), WARNED)
def test_warnings(api_version: str, kind: str, obj: Json, expected: list[str]) -> None:
    """Some things are accepted with a word of warning."""
    whole = {"metadata": {"name": "x"}, **obj}
    assert errors(api_version, kind, obj) == []
    assert validation.warnings(api_version.rpartition("/")[0], kind, whole) == expected
