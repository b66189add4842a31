"""Deletion: at once, after a grace period, held by finalizers, with preconditions."""

from collections.abc import Callable
from typing import Any

import pytest

from hallmark.twin.cluster.client import Client

Json = dict[str, Any]


def test_an_object_goes_at_once(client: Client, core: str, configmap: Callable[..., Json]) -> None:
    """And the answer says which one it was."""
    uid = client.post(f"{core}/configmaps", configmap("a")).body["metadata"]["uid"]

    answer = client.delete(f"{core}/configmaps/a")

    assert (answer.code, answer.body["status"]) == (200, "Success")
    assert answer.body["details"] == {"name": "a", "kind": "configmaps", "uid": uid}
    assert client.get(f"{core}/configmaps/a").code == 404
    assert client.delete(f"{core}/configmaps/a").code == 404


def test_a_finalizer_holds(client: Client, core: str, configmap: Callable[..., Json]) -> None:
    """Until somebody takes it away; none may be added meanwhile."""
    client.post(f"{core}/configmaps", configmap("a", finalizers=["example.com/hold"]))
    path = f"{core}/configmaps/a"

    held = client.delete(path).body

    assert held["metadata"]["deletionTimestamp"] >= held["metadata"]["creationTimestamp"]
    assert held["metadata"]["deletionGracePeriodSeconds"] == 0
    assert client.delete(path).body == held
    more = client.patch(path, {"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}})
    assert more.code == 422
    assert "no new finalizers can be added if the object is being deleted" in more.body["message"]
    assert client.patch(path, {"metadata": {"finalizers": None}}).code == 200
    assert client.get(path).code == 404


def test_preconditions_must_hold(client: Client, core: str, configmap: Callable[..., Json]) -> None:
    """Of uid and revision."""
    metadata = client.post(f"{core}/configmaps", configmap("a")).body["metadata"]
    path = f"{core}/configmaps/a"

    wrong = client.delete(path, {"preconditions": {"uid": "other"}})

    assert wrong.code == 409
    assert "Precondition failed: UID in precondition: other" in wrong.body["message"]
    assert client.delete(path, {"preconditions": {"resourceVersion": "1"}}).code == 409
    right = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
    assert client.delete(path, {"preconditions": right}).code == 200


def test_an_unknown_policy_is_refused(client: Client, core: str, configmap: Callable[..., Json]) -> None:
    """As invalid."""
    client.post(f"{core}/configmaps", configmap("a"))

    assert client.delete(f"{core}/configmaps/a", {"propagationPolicy": "Some"}).code == 422


def test_a_pod_without_a_node_goes_at_once(client: Client, core: str, pod: Callable[..., Json]) -> None:
    """Nobody has it in hand."""
    client.post(f"{core}/pods", pod("a"))

    assert client.delete(f"{core}/pods/a").body["kind"] == "Pod"
    assert client.get(f"{core}/pods/a").code == 404


def test_a_pod_on_a_node_waits_for_its_kubelet(client: Client, core: str, pod: Callable[..., Json]) -> None:
    """It has its grace period, a shorter one if asked, and goes when the kubelet says so."""
    client.post(f"{core}/pods", pod("a", nodeName="n1", terminationGracePeriodSeconds=60))
    path = f"{core}/pods/a"

    first = client.delete(path).body["metadata"]
    second = client.delete(path, {"gracePeriodSeconds": 5}).body["metadata"]
    third = client.delete(path, {"gracePeriodSeconds": 50}).body["metadata"]

    assert (first["deletionGracePeriodSeconds"], first["generation"]) == (60, 2)
    assert (second["deletionGracePeriodSeconds"], second["generation"]) == (5, 2)
    assert second["deletionTimestamp"] < first["deletionTimestamp"]
    assert third == second
    assert client.delete(path, {"gracePeriodSeconds": 0}).code == 200
    assert client.get(path).code == 404


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_goes_at_once(client: Client, core: str, pod: Callable[..., Json], phase: str) -> None:
    """There is nothing to wait for."""
    client.post(f"{core}/pods", pod("a", nodeName="n1"))
    client.patch(f"{core}/pods/a/status", {"status": {"phase": phase}})

    client.delete(f"{core}/pods/a")

    assert client.get(f"{core}/pods/a").code == 404


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_the_clusters_own_namespaces_stay(client: Client, name: str) -> None:
    """Whoever asks."""
    answer = client.delete(f"/api/v1/namespaces/{name}")

    assert (answer.code, answer.body["message"]) == (
        403,
        f'namespaces "{name}" is forbidden: this namespace may not be deleted',
    )


def test_a_job_leaves_its_pods_and_says_so(client: Client, namespace: str) -> None:
    """Unless the client decides."""
    container = {"name": "c", "image": "busybox:1"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    client.post(path, {"metadata": {"name": "j"}, "spec": {"template": template}})
    client.post(path, {"metadata": {"name": "k"}, "spec": {"template": template}})

    assert "child pods are preserved by default" in client.delete(f"{path}/j").headers["Warning"]
    assert client.delete(f"{path}/k", {"propagationPolicy": "Background"}).headers["Warning"] is None


@pytest.mark.parametrize(
    "options",
    [{"gracePeriodSeconds": "x"}, {"propagationPolicy": []}, {"preconditions": [None]}, {"preconditions": {"uid": 5}}],
)
def test_options_have_their_types(client: Client, core: str, configmap: Callable[..., Json], options: Json) -> None:
    """Otherwise nothing is deleted."""
    client.post(f"{core}/configmaps", configmap("a"))

    assert client.delete(f"{core}/configmaps/a", options).code == 400
    assert client.get(f"{core}/configmaps/a").code == 200
    assert client.delete(f"{core}/configmaps/a?gracePeriodSeconds=x").code == 400
