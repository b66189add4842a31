"""``kubectl describe`` of every kind there is in a release, its add-ons and the cluster."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from hallmark.waiting import until

KINDS = Path(__file__).with_name("kinds.yaml")
OPTIONAL = {"ScaledObject"}
"""Custom resources of the chart: KEDA has to be there."""
PIECES = {
    "ServiceAccount": "eks.amazonaws.com/role-arn: arn:aws:iam::123456789012:role/one",
    "ConfigMap": "color:\n----\nred",
    "Secret": "password:  6 bytes",
    "Service": "TargetPort:               80/TCP\nEndpoints:                10.244.",
    "Deployment": "Replicas:               1 desired | 1 updated | 1 total | 1 available | 0 unavailable",
    "StatefulSet": "Pods Status:        1 Running / 0 Waiting / 0 Succeeded / 0 Failed",
    "DaemonSet": "Desired Number of Nodes Scheduled: 2",
    "Job": "Pods Statuses:    0 Active (0 Ready) / 1 Succeeded / 0 Failed",
    "CronJob": "Schedule:                      0 0 1 1 *",
    "HorizontalPodAutoscaler": "resource cpu on pods  (as a percentage of request):  <unknown> / 80%",
    "PodDisruptionBudget": "Min available:  1",
    "Ingress": "one.example.com  \n                   /   one:80 (10.244.",
    "NetworkPolicy": "PodSelector: <none>",
    "Role": "pods       []                 []              [get list]",
    "RoleBinding": "User  one",
    "ResourceQuota": "Resource    Used  Hard",
    "LimitRange": "Container   memory    -    -    64Mi             64Mi",
    "ReplicaSet": "Controlled By:  Deployment/one",
    "Pod": "PASSWORD:  <set to the key 'password' in secret 'one'>  Optional: false",
    "PersistentVolumeClaim": "Status:        Bound",
    "EndpointSlice": "Addresses:  10.244.",
    "Event": "Reason: ",
}
"""Kinds in the namespace, and a piece of what is said of them."""
GLOBAL = {
    "node node-a": "Allocated resources:",
    "namespace default": "Status:       Active",
    "storageclass gp3": "IsDefaultClass:        Yes",
    "pv": "Claim:           test-",
    "clusterrole cluster-admin": "*.*",
    "clusterrolebinding cluster-admin": "system:masters",
    "priorityclass system-node-critical": "Value:",
    "lease node-a -n kube-node-lease": "Holder Identity:",
}


@pytest.fixture(scope="module")
def described(module_cluster: Any) -> Any:
    """A cluster with one object of each kind, all of them at work."""
    module_cluster.kubectl("apply", "-f", str(KINDS))
    module_cluster.kubectl("rollout", "status", "deploy/one", "--timeout=30s")
    module_cluster.kubectl("rollout", "status", "sts/one", "--timeout=30s")
    module_cluster.kubectl("rollout", "status", "ds/one", "--timeout=30s")
    module_cluster.kubectl("wait", "job/one", "--for=condition=Complete", "--timeout=30s")
    return module_cluster


def test_everything_in_a_release_is_described() -> None:
    """The objects of these tests have every kind that the chart makes."""
    templates = files("hallmark.twin.release").joinpath("chart", "templates")
    found = {
        kind
        for each in templates.iterdir()
        for kind in re.findall(r"^kind: (\w+)$", each.read_text(encoding="utf-8"), re.MULTILINE)
    }

    made = set(re.findall(r"^kind: (\w+)$", KINDS.read_text(encoding="utf-8"), re.MULTILINE))
    assert {"Deployment", "StatefulSet"} <= found
    assert found - OPTIONAL <= made <= PIECES.keys()


@pytest.mark.parametrize("kind", PIECES)
def test_describe(described: Any, kind: str) -> None:
    """Each says what there is to say, once the controllers have said it."""
    said = [""]

    def says() -> bool:
        said[0] = described.kubectl("describe", kind)
        return PIECES[kind] in said[0]

    assert until(says, 10), said[0]
    assert "hidden" not in said[0]


@pytest.mark.parametrize("what", GLOBAL)
def test_describe_what_is_outside_namespaces(described: Any, what: str) -> None:
    """Nodes, volumes, classes, roles of the whole cluster."""
    assert GLOBAL[what] in described.kubectl("describe", *what.split())
