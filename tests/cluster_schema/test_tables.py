"""Rows of ``kubectl get``.

Source: pkg/printers/internalversion of Kubernetes, and what kubectl printed for a real cluster.
"""

# ruff: noqa: E501  (a table has one case a line)

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hallmark.twin.cluster.schema import cells, definitions, durations, jsonpaths, tables

Json = dict[str, Any]
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def ago(**span: float) -> str:
    """A time before now, as objects have it."""
    return (NOW - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


def row(group: str, plural: str, obj: Json, columns: list[Json] | None = None) -> dict[str, Any]:
    """Cells of one object by the names of their columns."""
    whole = {"metadata": {}, **obj}
    whole["metadata"] = {"name": "x", "creationTimestamp": ago(minutes=5), **whole["metadata"]}
    table = tables.render(group, plural, [whole], columns, "None", NOW)
    names = [each["name"] for each in table["columnDefinitions"]]
    return dict(zip(names, table["rows"][0]["cells"], strict=True))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-2, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (150, "2m30s"),
        (599, "9m59s"),
        (600, "10m"),
        (10_799, "179m"),
        (10_800, "3h"),
        (3 * 3600 + 1800, "3h30m"),
        (8 * 3600 - 1, "7h59m"),
        (8 * 3600, "8h"),
        (48 * 3600 - 1, "47h"),
        (48 * 3600, "2d"),
        (5 * 86400 + 4 * 3600, "5d4h"),
        (8 * 86400, "8d"),
        (729 * 86400, "729d"),
        (2 * 365 * 86400, "2y"),
        (2 * 365 * 86400 + 3 * 86400, "2y3d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_durations(seconds: int, words: str) -> None:
    """Ages have two units at most, and lose the smaller one as they grow."""
    assert durations.human(timedelta(seconds=seconds)) == words


WAITING: Json = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 2,
                 "lastState": {"terminated": {"finishedAt": ago(seconds=5)}}}  # fmt: skip
RUNNING: Json = {"ready": True, "restartCount": 0, "state": {"running": {}}}
DONE: Json = {"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}, "restartCount": 0}


def pod(status: Json, metadata: Json | None = None, **spec: Any) -> Json:
    """A pod with one container."""
    return {"metadata": metadata or {}, "spec": {"containers": [{"name": "c"}], **spec}, "status": status}


@pytest.mark.parametrize(
    ("obj", "ready", "status", "restarts"),
    [
        (pod({"phase": "Pending"}), "0/1", "Pending", "0"),
        (pod({"phase": "Running", "containerStatuses": [RUNNING]}), "1/1", "Running", "0"),
        (pod({"phase": "Running", "containerStatuses": [WAITING]}), "0/1", "CrashLoopBackOff", "2 (5s ago)"),
        (pod({"phase": "Succeeded", "containerStatuses": [DONE]}), "0/1", "Completed", "0"),
        (pod({"phase": "Failed", "reason": "Evicted"}), "0/1", "Evicted", "0"),
        (pod({"phase": "Running", "containerStatuses": [RUNNING]}, {"deletionTimestamp": ago()}), "1/1", "Terminating", "0"),
        (pod({"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 3}}}]}), "0/1", "ExitCode:3", "0"),
        (pod({"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"signal": 9}}}]}), "0/1", "Signal:9", "0"),
        (
            pod(
                {"phase": "Pending", "initContainerStatuses": [DONE, {"name": "b", "restartCount": 1, "state": {"running": {}}}]},
                initContainers=[{"name": "a"}, {"name": "b"}],
            ),
            "0/1", "Init:1/2", "1",
        ),
        (
            pod(
                {"phase": "Pending", "initContainerStatuses": [{"state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]},
                initContainers=[{"name": "a"}],
            ),
            "0/1", "Init:Error", "0",
        ),
        (
            pod(
                {"phase": "Pending", "initContainerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]},
                initContainers=[{"name": "a"}],
            ),
            "0/1", "Init:ImagePullBackOff", "0",
        ),
        (
            pod(
                {
                    "phase": "Running",
                    "containerStatuses": [RUNNING],
                    "initContainerStatuses": [{**RUNNING, "name": "side", "started": True, "restartCount": 1}],
                },
                initContainers=[{"name": "side", "restartPolicy": "Always"}],
            ),
            "2/2", "Running", "1",
        ),
        (pod({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}), "0/1", "SchedulingGated", "0"),
        (
            pod({"phase": "Running", "containerStatuses": [DONE, RUNNING], "conditions": [{"type": "Ready", "status": "False"}]}),
            "1/1", "NotReady", "0",
        ),
    ],
)  # fmt: skip
def test_pods(obj: Json, ready: str, status: str, restarts: str) -> None:
    """The words for how a pod is are those of the real server."""
    found = row("", "pods", obj)
    assert (found["Ready"], found["Status"], found["Restarts"], found["Age"]) == (ready, status, restarts, "5m")


def test_wide_columns_of_pods() -> None:
    """Address, node and gates are for -o wide."""
    obj = pod({"podIP": "10.244.1.2"}, nodeName="n1", readinessGates=[{"conditionType": "a"}])
    table = tables.render("", "pods", [{**obj, "metadata": {"name": "x"}}], None, "None", NOW)
    assert [each["name"] for each in table["columnDefinitions"] if each["priority"] == 1] == [
        "IP",
        "Node",
        "Nominated Node",
        "Readiness Gates",
    ]
    assert table["rows"][0]["cells"][4:] == ["<unknown>", "10.244.1.2", "n1", "<none>", "0/1"]


TEMPLATE = {"spec": {"containers": [{"name": "a", "image": "i:1"}, {"name": "b", "image": "j:2"}]}}
SELECTOR: Json = {
    "matchLabels": {"b": "c", "a": "1"},
    "matchExpressions": [{"key": "k", "operator": "NotIn", "values": ["y", "x"]}],
}
METRIC = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}

# Group, resource, object, some of its cells.
ROWS: list[tuple[str, str, Json, dict[str, Any]]] = [
    ("apps", "deployments", {"spec": {"replicas": 3, "template": TEMPLATE, "selector": SELECTOR}, "status": {"readyReplicas": 2, "updatedReplicas": 3}},
     {"Name": "x", "Ready": "2/3", "Up-to-date": 3, "Available": 0, "Age": "5m", "Containers": "a,b", "Images": "i:1,j:2", "Selector": "a=1,b=c,k notin (x,y)"}),
    ("apps", "statefulsets", {"spec": {"replicas": 2, "template": TEMPLATE}, "status": {}}, {"Ready": "0/2", "Images": "i:1,j:2"}),
    ("apps", "replicasets", {"spec": {"replicas": 2, "template": TEMPLATE}, "status": {"replicas": 2}}, {"Desired": 2, "Current": 2, "Ready": 0}),
    ("apps", "daemonsets", {"spec": {"template": TEMPLATE}, "status": {"desiredNumberScheduled": 3, "numberReady": 1}}, {"Desired": 3, "Ready": 1, "Available": 0, "Node Selector": "<none>"}),
    ("batch", "jobs", {"spec": {"completions": 2}, "status": {"succeeded": 1, "startTime": ago(seconds=90)}}, {"Status": "Running", "Completions": "1/2", "Duration": "90s"}),
    ("batch", "jobs", {"spec": {"completions": 1}, "status": {"succeeded": 1, "startTime": ago(seconds=90), "completionTime": ago(seconds=88), "conditions": [{"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"}]}}, {"Status": "Complete", "Completions": "1/1", "Duration": "2s"}),
    ("batch", "jobs", {"spec": {"parallelism": 3}, "status": {"conditions": [{"type": "Failed", "status": "True"}]}}, {"Status": "Failed", "Completions": "0/1 of 3", "Duration": ""}),
    ("batch", "cronjobs", {"spec": {"schedule": "@daily", "suspend": False}, "status": {}}, {"Schedule": "@daily", "Timezone": "<none>", "Suspend": "False", "Active": 0, "Last Schedule": "<none>"}),
    ("", "services", {"spec": {"type": "ClusterIP", "clusterIP": "172.20.0.1", "ports": [{"port": 443, "protocol": "TCP"}], "selector": {"a": "b"}}}, {"Type": "ClusterIP", "Cluster-IP": "172.20.0.1", "External-IP": "<none>", "Port(s)": "443/TCP", "Selector": "a=b"}),
    ("", "services", {"spec": {"type": "LoadBalancer", "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]}, "status": {"loadBalancer": {}}}, {"Cluster-IP": "<none>", "External-IP": "<pending>", "Port(s)": "80:30080/TCP,53/UDP"}),
    ("", "services", {"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": [{"hostname": "lb.example"}]}}}, {"External-IP": "lb.example", "Port(s)": "<none>", "Selector": "<none>"}),
    ("", "services", {"spec": {"type": "ExternalName", "externalName": "db.example"}}, {"Cluster-IP": "<none>", "External-IP": "db.example"}),
    ("", "endpoints", {"subsets": [{"addresses": [{"ip": f"10.0.0.{i}"} for i in range(1, 6)], "ports": [{"port": 80}]}]}, {"Endpoints": "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more..."}),
    ("", "endpoints", {}, {"Endpoints": "<none>"}),
    ("discovery.k8s.io", "endpointslices", {"addressType": "IPv4", "ports": [{"port": 80}], "endpoints": [{"addresses": ["10.0.0.1"]}]}, {"AddressType": "IPv4", "Ports": "80", "Endpoints": "10.0.0.1"}),
    ("", "nodes", {"metadata": {"labels": {"node-role.kubernetes.io/worker": "", "kubernetes.io/role": "infra"}}, "spec": {"unschedulable": True}, "status": {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {"kubeletVersion": "v1.35.2"}, "addresses": [{"type": "InternalIP", "address": "10.0.1.4"}]}}, {"Status": "Ready,SchedulingDisabled", "Roles": "infra,worker", "Version": "v1.35.2", "Internal-IP": "10.0.1.4", "External-IP": "<none>", "OS-Image": "<unknown>"}),
    ("", "nodes", {"spec": {}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}, {"Status": "NotReady", "Roles": "<none>"}),
    ("", "secrets", {"type": "Opaque", "data": {"a": "", "b": ""}}, {"Type": "Opaque", "Data": 2}),
    ("", "configmaps", {"data": {"a": ""}, "binaryData": {"b": ""}}, {"Data": 2}),
    ("", "serviceaccounts", {}, {"Secrets": 0}),
    ("", "namespaces", {"status": {"phase": "Active"}}, {"Status": "Active", "Age": "5m"}),
    ("", "events", {"lastTimestamp": ago(seconds=9), "firstTimestamp": ago(minutes=3), "count": 4, "type": "Warning", "reason": "BackOff", "involvedObject": {"kind": "Pod", "name": "web-1", "fieldPath": "spec.containers{c}"}, "source": {"component": "kubelet", "host": "n1"}, "message": "Back-off\n"}, {"Last Seen": "9s", "First Seen": "3m", "Count": 4, "Object": "pod/web-1", "Source": "kubelet, n1", "Message": "Back-off"}),
    ("events.k8s.io", "events", {"eventTime": ago(seconds=4), "type": "Normal", "reason": "Scheduled", "regarding": {"kind": "Pod", "name": "p"}, "reportingController": "default-scheduler", "note": "ok"}, {"Last Seen": "4s", "First Seen": "4s", "Count": 1, "Object": "pod/p", "Source": "default-scheduler", "Message": "ok"}),
    ("", "persistentvolumes", {"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany", "ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Delete", "storageClassName": "gp3", "claimRef": {"namespace": "n", "name": "c"}}, "status": {"phase": "Bound"}}, {"Capacity": "1Gi", "Access Modes": "RWO,RWX", "Reclaim Policy": "Delete", "Status": "Bound", "Claim": "n/c", "StorageClass": "gp3", "VolumeAttributesClass": "<unset>", "Reason": ""}),
    ("", "persistentvolumeclaims", {"spec": {"resources": {"requests": {"storage": "1Gi"}}}, "status": {"phase": "Pending"}}, {"Status": "Pending", "Volume": "", "Capacity": "", "Access Modes": "", "StorageClass": ""}),
    ("", "persistentvolumeclaims", {"metadata": {"deletionTimestamp": ago()}, "spec": {"volumeName": "v", "storageClassName": "gp3"}, "status": {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "2Gi"}}}, {"Status": "Terminating", "Volume": "v", "Capacity": "2Gi", "Access Modes": "RWO", "StorageClass": "gp3"}),
    ("storage.k8s.io", "storageclasses", {"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}, "provisioner": "ebs.csi.aws.com", "reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer", "allowVolumeExpansion": True}, {"Name": "x (default)", "Provisioner": "ebs.csi.aws.com", "AllowVolumeExpansion": True}),
    ("storage.k8s.io", "storageclasses", {"provisioner": "p"}, {"Name": "x", "AllowVolumeExpansion": False}),
    ("networking.k8s.io", "ingresses", {"spec": {"ingressClassName": "alb", "rules": [{"host": f"{i}.example"} for i in range(5)], "tls": [{}]}, "status": {"loadBalancer": {"ingress": [{"hostname": "lb.example"}]}}}, {"Class": "alb", "Hosts": "0.example,1.example,2.example + 2 more...", "Address": "lb.example", "Ports": "80, 443"}),
    ("networking.k8s.io", "ingresses", {"spec": {"rules": [{}]}}, {"Class": "<none>", "Hosts": "*", "Address": "", "Ports": "80"}),
    ("networking.k8s.io", "ingressclasses", {"spec": {"controller": "ingress.k8s.aws/alb", "parameters": {"apiGroup": "g", "kind": "K", "name": "n"}}}, {"Controller": "ingress.k8s.aws/alb", "Parameters": "K.g/n"}),
    ("networking.k8s.io", "networkpolicies", {"spec": {"podSelector": {}}}, {"Pod-Selector": "<none>"}),
    ("autoscaling", "horizontalpodautoscalers", {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 1, "maxReplicas": 5, "metrics": [METRIC]}, "status": {"currentReplicas": 2, "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 40}}}]}}, {"Reference": "Deployment/web", "Targets": "cpu: 40%/80%", "MinPods": "1", "MaxPods": 5, "Replicas": 2}),
    ("autoscaling", "horizontalpodautoscalers", {"spec": {"scaleTargetRef": {}, "metrics": [METRIC, METRIC, METRIC]}, "status": {}}, {"Targets": "cpu: <unknown>/80%, cpu: <unknown>/80% + 1 more...", "MinPods": "<unset>", "Replicas": 0}),
    ("policy", "poddisruptionbudgets", {"spec": {"minAvailable": "50%"}, "status": {}}, {"Min Available": "50%", "Max Unavailable": "N/A", "Allowed Disruptions": 0}),
    ("rbac.authorization.k8s.io", "roles", {}, {"Name": "x", "Created At": ago(minutes=5)}),
    ("rbac.authorization.k8s.io", "rolebindings", {"roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User", "name": "ann"}, {"kind": "ServiceAccount", "namespace": "n", "name": "s"}]}, {"Role": "Role/r", "Users": "ann", "Groups": "", "ServiceAccounts": "n/s"}),
    ("apiregistration.k8s.io", "apiservices", {"spec": {}, "status": {"conditions": [{"type": "Available", "status": "True"}]}}, {"Service": "Local", "Available": "True"}),
    ("apiregistration.k8s.io", "apiservices", {"spec": {"service": {"namespace": "kube-system", "name": "metrics-server"}}, "status": {"conditions": [{"type": "Available", "status": "False", "reason": "MissingEndpoints"}]}}, {"Service": "kube-system/metrics-server", "Available": "False (MissingEndpoints)"}),
    ("", "resourcequotas", {"status": {"hard": {"requests.cpu": "2", "limits.cpu": "4", "pods": "5"}, "used": {"pods": "1"}}}, {"Request": "pods: 1/5, requests.cpu: 0/2", "Limit": "limits.cpu: 0/4"}),
    ("scheduling.k8s.io", "priorityclasses", {"value": 5, "preemptionPolicy": "Never"}, {"Value": 5, "Global-Default": False, "PreemptionPolicy": "Never"}),
    ("apps", "controllerrevisions", {"revision": 2, "metadata": {"ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "pg", "controller": True}]}}, {"Controller": "statefulset.apps/pg", "Revision": "2"}),
    ("apiextensions.k8s.io", "customresourcedefinitions", {}, {"Name": "x", "Created At": ago(minutes=5)}),
    ("example.com", "things", {}, {"Name": "x", "Age": "5m"}),
]  # fmt: skip


@pytest.mark.parametrize(("group", "plural", "obj", "expected"), ROWS)
def test_rows(group: str, plural: str, obj: Json, expected: dict[str, Any]) -> None:
    """Cells are those of the real server."""
    found = row(group, plural, obj)
    assert {name: found[name] for name in expected} == expected


def test_columns_of_custom_resources() -> None:
    """A definition's columns follow the name; a value that is missing or of another type leaves its cell empty."""
    columns: list[Json] = [
        {"name": "Status", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].reason'},
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Since", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        {"name": "Missing", "type": "string", "jsonPath": ".spec.nope", "priority": 1},
        {"name": "All", "type": "string", "jsonPath": ".spec.names[*]"},
        {"name": "Bad", "type": "string", "jsonPath": ".spec["},
    ]
    obj = {
        "spec": {"size": 3, "names": ["a", "b"]},
        "status": {"conditions": [{"type": "Synced", "reason": "No"}, {"type": "Ready", "reason": "SecretSynced"}]},
    }
    assert row("example.com", "things", obj, columns) == {
        "Name": "x",
        "Status": "SecretSynced",
        "Size": 3,
        "Since": "5m",
        "Missing": None,
        "All": "a b",
        "Bad": None,
    }


def test_shape_of_a_table() -> None:
    """A table has columns, and rows with as much of the object as was asked for."""
    obj = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a", "creationTimestamp": ago(days=5)}}
    table = tables.render("", "configmaps", [obj], None, "Metadata", NOW)
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
    assert table == {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": [
            {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0},
            {"name": "Data", "type": "integer", "format": "", "description": "", "priority": 0},
            {"name": "Age", "type": "string", "format": "", "description": "", "priority": 0},
        ],
        "rows": [{"cells": ["a", 0, "5d"], "object": partial}],
    }
    assert tables.render("", "configmaps", [obj], None, "Object", NOW)["rows"][0]["object"] == obj
    assert "object" not in tables.render("", "configmaps", [obj], None, "None", NOW)["rows"][0]


def test_ended_pods_say_so() -> None:
    """The row of a pod that has ended has a condition, so that clients can sort it out."""
    obj = {"kind": "Pod", **pod({"phase": "Succeeded"}), "metadata": {"name": "x"}}
    (found,) = tables.render("", "pods", [obj], None, "None", NOW)["rows"]
    message = "The pod has completed successfully."
    assert found["conditions"] == [{"type": "Completed", "status": "True", "reason": "Succeeded", "message": message}]


def test_each_entry_of_the_table_makes_sense() -> None:
    """Resources in columns.toml are served, functions exist, paths are understood."""
    table = tomllib.loads((definitions.DATA / "columns.toml").read_text())
    served = {f"{e['resource']}.{e['group']}".strip(".") for e in definitions.discovery()}
    served |= {"nodes.metrics.k8s.io", "pods.metrics.k8s.io"}
    columns = [column for entry in table.values() for column in entry.get("columns", ())]
    functions: list[Callable[..., Any]] = [cells.named(each["cell"]) for each in columns if "cell" in each]
    assert all(map(callable, functions))
    assert [jsonpaths.find(each["path"], {}) for each in columns if "path" in each] == [[]] * (
        len(columns) - len(functions)
    )
    assert set(table) - served == set()
    assert {entry["same"] for entry in table.values() if "same" in entry} <= set(table)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".a.b", [1]),
        ("{.a.b}", [1]),
        ("$.a.b", [1]),
        (".a['c.d']", [2]),
        (r".a.c\.d", [2]),
        (".list[0].n", ["x"]),
        (".list[-1].n", ["y"]),
        (".list[*].n", ["x", "y"]),
        ('.list[?(@.n=="y")].v', [2]),
        (".list[?(@.v==1)].n", ["x"]),
        (".list[?(@.n!='y')].v", [1]),
        (".list[?(@.extra)].n", ["y"]),
        (".nope.b", []),
        (".list[9]", []),
    ],
)
def test_paths(path: str, found: list[Any]) -> None:
    """The part of JSONPath that printer columns use."""
    obj = {"a": {"b": 1, "c.d": 2}, "list": [{"n": "x", "v": 1}, {"n": "y", "v": 2, "extra": 0}]}
    assert jsonpaths.find(path, obj) == found
