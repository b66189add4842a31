"""The objects of a cluster as lists: what is served, what a selector takes, what may be missing."""

from typing import Any

import pytest

from hallmark.errors import NotApplicable, Unobservable
from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views.all import Views
from hallmark.views.cluster import Cluster, selects

DISCOVERY = Call.of("kubernetes", "discovery")


def cluster(answers: dict[Call, Any]) -> Cluster:
    """A view over the given answers."""
    observed = {call.key: Answer(Status.OBSERVED, value) for call, value in answers.items()}
    return Views(Snapshot(observed, {"namespace": "n"})).cluster


@pytest.mark.parametrize(
    ("selector", "takes"),
    [
        ({"matchLabels": {"app": "a"}}, True),
        ({"matchLabels": {"app": "a", "tier": "x"}}, False),
        ({"app": "a"}, True),
        ({"app": "b"}, False),
        ({}, False),
        (None, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "b"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]}, False),
        ({"matchExpressions": [{"key": "gone", "operator": "NotIn", "values": ["a"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
        ({"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "env", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_a_selector_takes_what_kubernetes_says(selector: dict[str, Any] | None, takes: bool) -> None:  # noqa: FBT001  (what is expected)
    """Labels, expressions, and a Service's plain map; an empty one takes nothing."""
    assert selects(selector, {"app": "a", "env": "e"}) is takes


@pytest.mark.parametrize(
    ("versions", "chosen"),
    [
        (["v1beta1", "v1"], "v1"),
        (["v1alpha1", "v1beta1"], "v1beta1"),
        (["v1beta1"], "v1beta1"),
        ([], ""),
    ],
)
def test_the_stable_version_of_a_custom_resource_is_asked_for(versions: list[str], chosen: str) -> None:
    """Operators serve several while they migrate."""
    served = {f"external-secrets.io/{version}": ["externalsecrets"] for version in versions}
    answers = {DISCOVERY: {"resources": {"v1": ["pods"], **served}}}

    assert cluster(answers).served_version("external-secrets.io", "externalsecrets") == chosen


def test_a_resource_that_is_not_installed_has_no_objects() -> None:
    """Nothing is asked of the API server that it would not know."""
    assert cluster({DISCOVERY: {"resources": {}}}).custom("external-secrets.io", "externalsecrets") == []


def test_a_resource_that_may_not_be_listed_is_not_an_empty_one() -> None:
    """Without permission nothing is known."""
    call = Call.of("kubernetes", "list", version="v1", resource="pods")
    denied = Answer(Status.DENIED, None, "denied", "kubernetes.list pods: HTTP 403")
    with pytest.raises(Unobservable):
        _ = Views(Snapshot({call.key: denied})).cluster.pods


def test_what_a_kind_of_cluster_cannot_have_does_not_apply() -> None:
    """A resource that is part of the API server, and not of this one."""
    with pytest.raises(NotApplicable, match=r"no apiservices of apiregistration\.k8s\.io"):
        cluster({DISCOVERY: {"resources": {"v1": ["pods"]}}}).require(
            "apiregistration.k8s.io", "apiservices", "a Metrics Server"
        )


def test_pods_that_have_ended_count_no_more() -> None:
    """Kubernetes keeps them for their logs."""
    pods = [
        {"metadata": {"name": phase}, "status": {"phase": phase}}
        for phase in ("Running", "Succeeded", "Failed", "Pending")
    ]
    view = cluster({Call.of("kubernetes", "list", version="v1", resource="pods"): {"items": pods}})

    assert [pod["metadata"]["name"] for pod in view.pods] == ["Running", "Pending"]


def test_addresses_are_those_of_services_pods_and_nodes() -> None:
    """Of both families, and those of load balancers; a Service without one has none."""
    balancer = {"loadBalancer": {"ingress": [{"hostname": "X.elb.example"}]}}
    services = [
        {"metadata": {"name": "a"}, "spec": {"clusterIPs": ["10.1.0.1", "fd00::1"]}, "status": balancer},
        {"metadata": {"name": "b"}, "spec": {"clusterIP": "10.1.0.2", "externalIPs": ["10.9.0.1"]}},
    ]
    pods = [{"metadata": {"name": "p"}, "status": {"podIPs": [{"ip": "10.0.0.7"}]}}, {"metadata": {}, "status": {}}]
    nodes = [{"metadata": {"name": "n"}, "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.4"}]}}]
    lists = {"services": services, "pods": pods, "nodes": nodes}
    asked = {Call.of("kubernetes", "list", version="v1", resource=name): {"items": i} for name, i in lists.items()}
    wanted = {"10.1.0.1", "fd00::1", "x.elb.example", "10.1.0.2", "10.9.0.1", "10.0.0.7", "10.0.0.4"}

    assert cluster(asked).addresses == wanted


@pytest.mark.parametrize(
    ("text", "version"), [("v1.35.2", (1, 35)), ("v1.35.2-eks-4136f65", (1, 35)), ("v1.31.4+k3s1", (1, 31))]
)
def test_the_version_is_that_of_the_server(text: str, version: tuple[int, int]) -> None:
    """Whatever a distribution writes behind it."""
    assert cluster({Call.of("kubernetes", "version"): {"gitVersion": text}}).version == version
