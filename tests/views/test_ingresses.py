"""The way in as Kubernetes describes it: whose Ingress it is, and what it takes."""

from typing import Any

import pytest

from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views.all import Views
from hallmark.views.ingresses import Entry, Ingresses, Route


def ingresses(ingress: dict[str, Any], classes: dict[str, str] | None = None) -> Ingresses:
    """A view over one Ingress and the classes of the cluster."""
    made = [{"metadata": {"name": name}, "spec": {"controller": by}} for name, by in (classes or {}).items()]
    place = {"group": "networking.k8s.io", "version": "v1"}
    answers = {
        Call.of("kubernetes", "list", resource="ingresses", namespace="n", **place): {"items": [ingress]},
        Call.of("kubernetes", "list", resource="ingressclasses", **place): {"items": made},
    }
    observed = {call.key: Answer(Status.OBSERVED, value) for call, value in answers.items()}
    return Views(Snapshot(observed, {"namespace": "n"})).ingresses


def ingress(annotations: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    """An Ingress as the API gives it."""
    return {"metadata": {"name": "i", "namespace": "n", "annotations": annotations or {}}, "spec": spec}


ALB = "ingress.k8s.aws/alb"


@pytest.mark.parametrize(
    ("raw", "classes", "is_alb"),
    [
        (ingress(ingressClassName="alb"), {"alb": ALB}, True),
        (ingress(ingressClassName="public"), {"public": ALB}, True),
        (ingress(ingressClassName="alb"), {}, True),
        (ingress({"kubernetes.io/ingress.class": "alb"}), {}, True),
        (ingress(ingressClassName="alb"), {"alb": "example.com/other"}, False),
        (ingress(ingressClassName="public"), {}, False),
        (ingress(ingressClassName="nginx"), {"nginx": "k8s.io/ingress-nginx", "alb": ALB}, False),
        (ingress(), {"alb": ALB}, False),
    ],
    ids=["usual", "other name", "no class object", "annotation", "other controller", "unknown", "nginx", "none"],
)
def test_an_ingress_is_of_the_controller_that_its_class_names(
    raw: dict[str, Any],
    classes: dict[str, str],
    is_alb: bool,  # noqa: FBT001  (what is expected)
) -> None:
    """The class decides, not what it is called."""
    (entry,) = ingresses(raw, classes).all
    assert entry.is_alb is is_alb


@pytest.mark.parametrize(
    ("asked", "host", "takes"),
    [
        ("a.example.com", "a.example.com", True),
        ("b.example.com", "a.example.com", False),
        ("", "a.example.com", True),
        ("*.example.com", "a.example.com", True),
        ("*.example.com", "b.a.example.com", False),
        ("*.example.com", "example.com", False),
    ],
)
def test_a_wildcard_stands_for_one_label(asked: str, host: str, takes: bool) -> None:  # noqa: FBT001  (what is expected)
    """As the Ingress documentation has it."""
    assert Route(asked, "/", is_prefix=True, service="s").takes(host) is takes


def test_routes_come_from_rules_and_from_the_default_backend() -> None:
    """A path that leads to something else than a Service leads nowhere that is known."""
    backend = {"service": {"name": "s", "port": {"number": 80}}}
    paths = [
        {"path": "/", "pathType": "Prefix", "backend": backend},
        {"path": "/x", "pathType": "Exact", "backend": backend},
        {"path": "/bucket", "pathType": "Prefix", "backend": {"resource": {"kind": "StorageBucket", "name": "b"}}},
        {"pathType": "ImplementationSpecific", "backend": backend},
        {"path": "/*", "pathType": "ImplementationSpecific", "backend": backend},
        {"path": "/api/*", "pathType": "ImplementationSpecific", "backend": backend},
        {"path": "/", "pathType": "ImplementationSpecific", "backend": backend},
    ]
    raw = ingress(
        defaultBackend={"service": {"name": "d"}}, rules=[{"host": "A.example.com", "http": {"paths": paths}}, {}]
    )
    (entry,) = ingresses(raw).all

    assert [(one.host, one.path, one.is_prefix, one.service) for one in entry.routes] == [
        ("a.example.com", "/", True, "s"),
        ("a.example.com", "/x", False, "s"),
        ("a.example.com", "/", True, "s"),
        ("a.example.com", "/", True, "s"),
        ("a.example.com", "/api", True, "s"),
        ("a.example.com", "/", False, "s"),
        ("", "/", True, "d"),
    ]


@pytest.mark.parametrize(
    ("routes", "leads"),
    [
        ([Route("a.example.com", "/", is_prefix=True, service="front")], True),
        ([Route("", "/", is_prefix=True, service="front")], True),
        ([Route("a.example.com", "/", is_prefix=False, service="front")], False),
        ([Route("b.example.com", "/", is_prefix=True, service="front")], False),
        ([Route("b.example.com", "/", is_prefix=True, service="front"),
          Route("a.example.com", "/x", is_prefix=True, service="front")], False),
        ([Route("a.example.com", "/", is_prefix=True, service="echo"),
          Route("", "/", is_prefix=True, service="front")], False),
    ],
    ids=["host", "any host", "one page", "another host", "another host and one path", "another Service first"],
)  # fmt: skip
def test_a_host_is_led_to_the_frontend_as_a_whole(routes: list[Route], leads: bool) -> None:  # noqa: FBT001  (what is expected)
    """The route that takes all its paths has to be of that host, and the first."""
    assert Entry("i", "n", True, "alb", tuple(routes), ()).leads("a.example.com", {"front"}) is leads  # noqa: FBT003


@pytest.mark.parametrize(
    ("status", "addresses"),
    [
        ({"loadBalancer": {"ingress": [{"hostname": "x.elb.amazonaws.com"}]}}, ("x.elb.amazonaws.com",)),
        ({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}, ()),
        ({"loadBalancer": {}}, ()),
        ({}, ()),
    ],
    ids=["name", "address", "empty", "new"],
)
def test_the_address_is_the_name_that_the_controller_wrote(status: dict[str, Any], addresses: tuple[str, ...]) -> None:
    """Without one nobody has made a load balancer yet."""
    (entry,) = ingresses(ingress(ingressClassName="alb") | {"status": status}).all
    assert entry.addresses == addresses


@pytest.mark.parametrize(
    ("group", "is_left"),
    [
        ({"GroupName": "k8s-elb-a0123", "Tags": {"kubernetes.io/cluster/c": "owned"}}, True),
        ({"GroupName": "k8s-elb-a4567", "Tags": {"kubernetes.io/cluster/c": "owned"}}, True),
        ({"GroupName": "k8s-elb-a89ab", "Tags": {"kubernetes.io/cluster/c": "owned"}}, False),
        ({"GroupName": "k8s-elb-a0123", "Tags": {"kubernetes.io/cluster/other": "owned"}}, False),
        ({"GroupName": "eks-cluster-sg-c", "Tags": {"kubernetes.io/cluster/c": "owned"}}, False),
        ({"GroupName": "k8s-n-s-0123", "Tags": {"service.k8s.aws/stack": "n/s"}}, True),
        ({"GroupName": "k8s-other-s-0123", "Tags": {"service.k8s.aws/stack": "other/s"}}, False),
    ],
    ids=["of a Service", "of a Service that is gone", "of another namespace", "of another cluster", "of the cluster",
         "of the controller", "of the controller, another namespace"],
)  # fmt: skip
def test_a_security_group_of_a_service_is_known(group: dict[str, Any], is_left: bool) -> None:  # noqa: FBT001  (what is expected)
    """The cloud provider writes the uid of the Service into the name; the controller tags namespace and name."""
    services = [{"metadata": {"name": "s", "namespace": space, "uid": uid}} for space, uid in
                (("n", "01-23"), ("other", "89-ab"))]  # fmt: skip
    tags = [{"Key": key, "Value": value} for key, value in group["Tags"].items()]
    filters = [{"Name": "vpc-id", "Values": ["v"]}]
    answers: dict[Call, Any] = {
        Call.of("kubernetes", "list", resource="services", version="v1"): {"items": services},
        Call.of("eks", "describe_cluster", name="c"): {"cluster": {"resourcesVpcConfig": {"vpcId": "v"}}},
        Call.of("ec2", "describe_security_groups", Filters=filters): {
            "SecurityGroups": [{"GroupId": "sg", "GroupName": group["GroupName"], "Tags": tags}]
        },
    }
    observed = {call.key: Answer(Status.OBSERVED, value) for call, value in answers.items()}
    views = Views(Snapshot(observed, {"namespace": "n", "cluster": "c"}))
    assert views.ingresses.service_groups == (("sg",) if is_left else ())
