"""Pods: what admission adds to a new one, how it gets to a node, and who may evict it."""

from collections.abc import Callable
from typing import Any

import pytest

from hallmark.twin.cluster.client import Client

Json = dict[str, Any]

MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def test_a_pod_gets_a_token(client: Client, core: str, pod: Callable[..., Json]) -> None:
    """A volume with token, certificate and namespace, mounted in each container."""
    spec = client.post(f"{core}/pods", pod("a")).body["spec"]

    assert (spec["serviceAccountName"], spec["serviceAccount"]) == ("default", "default")
    volume = spec["volumes"][0]
    assert volume["name"].startswith("kube-api-access-")
    assert volume["projected"] == {
        "defaultMode": 420,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {
                "downwardAPI": {
                    "items": [
                        {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
                    ]
                }
            },
        ],
    }
    mount = {"name": volume["name"], "readOnly": True, "mountPath": MOUNT}
    assert spec["containers"][0]["volumeMounts"] == [mount]


def test_a_pod_may_do_without(client: Client, core: str, pod: Callable[..., Json]) -> None:
    """If it says so, or its account; its own word counts."""
    client.post(f"{core}/serviceaccounts", {"metadata": {"name": "shy"}, "automountServiceAccountToken": False})

    own = client.post(f"{core}/pods", pod("a", automountServiceAccountToken=False)).body["spec"]
    account = client.post(f"{core}/pods", pod("b", serviceAccountName="shy")).body["spec"]
    against = client.post(f"{core}/pods", pod("c", serviceAccountName="shy", automountServiceAccountToken=True)).body[
        "spec"
    ]

    assert "volumes" not in own
    assert "volumes" not in account
    assert against["volumes"][0]["name"].startswith("kube-api-access-")


def test_an_account_must_exist(client: Client, core: str, namespace: str, pod: Callable[..., Json]) -> None:
    """As must a priority class."""
    answer = client.post(f"{core}/pods", pod("a", serviceAccountName="nope"))
    priority = client.post(f"{core}/pods", pod("a", priorityClassName="nope"))

    assert (answer.code, answer.body["reason"]) == (403, "Forbidden")
    assert answer.body["message"] == (
        f'pods "a" is forbidden: error looking up service account {namespace}/nope: serviceaccount "nope" not found'
    )
    assert priority.body["message"] == 'pods "a" is forbidden: no PriorityClass with name nope was found'


def test_pull_secrets_come_from_the_account(client: Client, core: str, pod: Callable[..., Json]) -> None:
    """Unless the pod has its own."""
    account = {"metadata": {"name": "puller"}, "imagePullSecrets": [{"name": "registry"}]}
    client.post(f"{core}/serviceaccounts", account)

    spec = client.post(f"{core}/pods", pod("a", serviceAccountName="puller")).body["spec"]

    assert spec["imagePullSecrets"] == [{"name": "registry"}]


def test_a_pod_has_a_priority(client: Client, core: str, pod: Callable[..., Json]) -> None:
    """That of its class, or none."""
    plain = client.post(f"{core}/pods", pod("a")).body["spec"]
    critical = client.post(f"{core}/pods", pod("b", priorityClassName="system-node-critical")).body["spec"]

    assert (plain["priority"], plain["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    assert critical["priority"] == 2000001000


def test_a_pod_tolerates_trouble_for_a_while(client: Client, core: str, pod: Callable[..., Json]) -> None:
    """Five minutes, unless it says otherwise."""
    own = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 9}

    tolerations = client.post(f"{core}/pods", pod("a", tolerations=[own])).body["spec"]["tolerations"]

    unreachable = {**own, "key": "node.kubernetes.io/unreachable", "tolerationSeconds": 300}
    assert tolerations == [own, unreachable]


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
    ],
)
def test_a_new_pod_is_pending(
    client: Client, core: str, pod: Callable[..., Json], resources: Json, expected: str
) -> None:
    """Whatever the client says, with its class of service."""
    body = pod("a", containers=[{"name": "c", "image": "busybox:1", "resources": resources}])

    status = client.post(f"{core}/pods", {**body, "status": {"phase": "Running"}}).body["status"]

    assert status == {"phase": "Pending", "qosClass": expected}


def test_a_pod_is_bound_once(client: Client, core: str, pod: Callable[..., Json]) -> None:
    """To the first node."""
    client.post(f"{core}/pods", pod("a"))
    binding = {"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "n1"}}

    first = client.post(f"{core}/pods/a/binding", binding)
    second = client.post(f"{core}/pods/a/binding", binding)
    body = client.get(f"{core}/pods/a").body

    assert (first.code, first.body["status"]) == (201, "Success")
    assert second.code == 409
    assert 'pod a is already assigned to node "n1"' in second.body["message"]
    assert body["spec"]["nodeName"] == "n1"
    assert [(one["type"], one["status"]) for one in body["status"]["conditions"]] == [("PodScheduled", "True")]


def test_a_budget_forbids_eviction(client: Client, core: str, namespace: str, pod: Callable[..., Json]) -> None:
    """Once it is used up; each eviction uses one."""
    budgets = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    client.post(
        budgets, {"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "x"}}}}
    )
    counted = {
        "disruptionsAllowed": 1,
        "currentHealthy": 2,
        "desiredHealthy": 1,
        "expectedPods": 2,
        "observedGeneration": 1,
    }
    client.patch(f"{budgets}/b/status", {"status": counted})
    for name in ("one", "two"):
        body = pod(name)
        body["metadata"]["labels"] = {"app": "x"}
        client.post(f"{core}/pods", body)
        client.patch(f"{core}/pods/{name}/status", {"status": {"phase": "Running"}})

    first = client.post(f"{core}/pods/one/eviction", {"metadata": {"name": "one"}})
    second = client.post(f"{core}/pods/two/eviction", {"metadata": {"name": "two"}})

    assert first.code == 201
    assert client.get(f"{core}/pods/one").code == 404
    assert (second.code, second.body["reason"], "Retry-After" in second.headers) == (429, "TooManyRequests", False)
    assert second.body["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
    assert (
        second.body["details"]["causes"][0]["message"]
        == "The disruption budget b needs 1 healthy pods and has 2 currently"
    )


def test_a_pod_without_a_budget_is_evicted(client: Client, core: str, pod: Callable[..., Json]) -> None:
    """As it is deleted."""
    client.post(f"{core}/pods", pod("a", nodeName="n1"))

    assert client.post(f"{core}/pods/a/eviction", {"metadata": {"name": "a"}}).code == 201
    assert "deletionTimestamp" in client.get(f"{core}/pods/a").body["metadata"]
