"""Namespaces: what they come with, and how they go."""

from collections.abc import Callable
from typing import Any

from hallmark.twin.cluster.client import Client
from hallmark.waiting import until

Json = dict[str, Any]
SECONDS = 5.0


def _conditions(client: Client, namespace: str) -> dict[str, tuple[str, str]]:
    status = client.get(f"/api/v1/namespaces/{namespace}").body.get("status", {})
    return {one["type"]: (one["status"], one["message"]) for one in status.get("conditions", [])}


def test_a_namespace_is_furnished_from_its_first_moment(client: Client, core: str, namespace: str) -> None:
    """With its label, a default service account and the cluster's certificate."""
    body = client.get(f"/api/v1/namespaces/{namespace}").body

    assert body["metadata"]["labels"] == {"kubernetes.io/metadata.name": namespace}
    assert (body["spec"], body["status"]) == ({"finalizers": ["kubernetes"]}, {"phase": "Active"})
    assert client.get(f"{core}/serviceaccounts/default").code == 200
    assert client.get(f"{core}/configmaps/kube-root-ca.crt").body["data"]["ca.crt"].startswith("-----BEGIN CERTIFICATE")


def test_the_furniture_comes_back(client: Client, core: str) -> None:
    """Whoever takes it away."""
    client.delete(f"{core}/serviceaccounts/default")
    client.delete(f"{core}/configmaps/kube-root-ca.crt")

    assert client.get(f"{core}/serviceaccounts/default").code == 200
    assert client.get(f"{core}/configmaps/kube-root-ca.crt").code == 200


def test_a_namespace_takes_everything_along(
    client: Client, core: str, namespace: str, configmap: Callable[..., Json]
) -> None:
    """Then it is gone."""
    client.post(f"{core}/configmaps", configmap("a"))

    answer = client.delete(f"/api/v1/namespaces/{namespace}")

    assert answer.body["status"]["phase"] == "Terminating"
    assert until(lambda: client.get(f"/api/v1/namespaces/{namespace}").code == 404, SECONDS)
    assert client.get(f"{core}/configmaps/a").code == 404
    assert client.get(f"{core}/configmaps").body["items"] == []


def test_a_namespace_waits_for_what_is_held(
    client: Client, core: str, namespace: str, configmap: Callable[..., Json]
) -> None:
    """Its conditions say for what; nothing new is made in it meanwhile."""
    client.post(f"{core}/configmaps", configmap("a", finalizers=["example.com/hold"]))
    client.delete(f"/api/v1/namespaces/{namespace}")
    assert until(lambda: "NamespaceContentRemaining" in _conditions(client, namespace), SECONDS)

    refused = client.post(f"{core}/configmaps", configmap("b"))

    assert _conditions(client, namespace) == {
        "NamespaceDeletionDiscoveryFailure": ("False", "All resources successfully discovered"),
        "NamespaceDeletionGroupVersionParsingFailure": ("False", "All legacy kube types successfully parsed"),
        "NamespaceDeletionContentFailure": (
            "False",
            "All content successfully deleted, may be waiting on finalization",
        ),
        "NamespaceContentRemaining": ("True", "Some resources are remaining: configmaps. has 1 resource instances"),
        "NamespaceFinalizersRemaining": (
            "True",
            "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
        ),
    }
    assert (refused.code, refused.body["reason"]) == (403, "Forbidden")
    assert refused.body["message"] == (
        f'configmaps "b" is forbidden: unable to create new content in namespace {namespace} '
        "because it is being terminated"
    )
    assert refused.body["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    client.patch(f"{core}/configmaps/a", {"metadata": {"finalizers": None}})
    assert until(lambda: client.get(f"/api/v1/namespaces/{namespace}").code == 404, SECONDS)


def test_a_namespace_waits_for_its_pods(client: Client, core: str, namespace: str, pod: Callable[..., Json]) -> None:
    """They get their grace period."""
    client.post(f"{core}/pods", pod("a", nodeName="n1"))
    client.delete(f"/api/v1/namespaces/{namespace}")
    assert until(lambda: "deletionTimestamp" in client.get(f"{core}/pods/a").body["metadata"], SECONDS)

    client.delete(f"{core}/pods/a", {"gracePeriodSeconds": 0})

    assert until(lambda: client.get(f"/api/v1/namespaces/{namespace}").code == 404, SECONDS)


def test_finalizers_of_a_namespace_have_a_door_of_their_own(client: Client, core: str, namespace: str) -> None:
    """What others hold it by is not taken away with the server's own."""
    path = f"/api/v1/namespaces/{namespace}"
    body = client.get(path).body
    body["spec"]["finalizers"].append("example.com/hold")
    client.put(f"{path}/finalize", body)
    client.delete(path)
    assert until(lambda: client.get(path).body["spec"]["finalizers"] == ["example.com/hold"], SECONDS)

    client.put(f"{path}/finalize", {**client.get(path).body, "spec": {"finalizers": []}})

    assert client.get(path).code == 404
    assert client.get(f"{core}/serviceaccounts/default").code == 404
