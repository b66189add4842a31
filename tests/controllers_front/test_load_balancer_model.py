"""What a group of Ingresses asks for; and the controller's words when it cannot be built."""

from typing import Any

import pytest

from hallmark.twin.controllers.aws.load_balancer import targets
from hallmark.twin.controllers.aws.load_balancer.annotations import DEFAULT_POLICY, Annotations, Unusable, is_for_alb
from hallmark.twin.controllers.aws.load_balancer.model import Model, build
from hallmark.twin.controllers.aws.load_balancer.naming import Group

CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/c"
GROUP = Group("shop", "web")
SERVICE = {
    "metadata": {"name": "front", "namespace": "shop"},
    "spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8080, "nodePort": 31080}]},
}


def ingress(
    paths: list[dict[str, Any]] | None = None, host: str = "shop.example", **annotations: str
) -> dict[str, Any]:
    """An Ingress `shop/web` with these annotations of the controller; dashes are written as underscores."""
    backend = {"service": {"name": "front", "port": {"number": 80}}}
    found = paths or [{"path": "/", "pathType": "Prefix", "backend": backend}]
    return {
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "annotations": {f"alb.ingress.kubernetes.io/{k.replace('_', '-')}": v for k, v in annotations.items()},
        },
        "spec": {"ingressClassName": "alb", "rules": [{"host": host, "http": {"paths": found}}]},
    }


def model(*ingresses: dict[str, Any], group: Group = GROUP) -> Model:
    """Build the model of a group."""
    return build("lab", group, ingresses or [ingress()], {("shop", "front"): SERVICE})


def test_defaults_are_the_controllers_own() -> None:
    """Internal, plain HTTP, instances, and nothing said about a web ACL."""
    found = model()
    (target,) = found.targets.values()

    assert found.scheme == "internal"
    assert [(each.port, each.protocol) for each in found.listeners] == [(80, "HTTP")]
    assert found.web_acl == ""
    assert (target.settings["TargetType"], target.settings["Port"]) == ("instance", 80)
    assert target.health["HealthCheckPath"] == "/"


def test_a_certificate_brings_a_secure_listener_with_the_old_policy() -> None:
    """SE-11: without the annotation the policy still admits TLS 1.0."""
    (listener,) = model(ingress(certificate_arn=CERTIFICATE)).listeners

    assert (listener.port, listener.protocol, listener.policy) == (443, "HTTPS", DEFAULT_POLICY)
    assert listener.certificates == (CERTIFICATE,)


def test_a_redirect_takes_the_rules_away_from_the_plain_listener() -> None:
    """Every HTTP listener redirects; the rules are on HTTPS alone."""
    ports = '[{"HTTP": 80}, {"HTTPS": 443}]'
    plain, secure = model(ingress(certificate_arn=CERTIFICATE, listen_ports=ports, ssl_redirect="443")).listeners

    assert plain.default["RedirectConfig"] == {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    assert plain.rules == ()
    assert len(secure.rules) == 1
    assert secure.default["FixedResponseConfig"]["StatusCode"] == "404"


def test_rules_carry_the_host_and_exact_paths_come_first() -> None:
    """SE-08: a request with another host meets the default 404."""
    backend = {"service": {"name": "front", "port": {"name": "http"}}}
    paths = [
        {"path": "/", "pathType": "Prefix", "backend": backend},
        {"path": "/api", "pathType": "Prefix", "backend": backend},
        {"path": "/", "pathType": "ImplementationSpecific", "backend": backend},
        {"path": "/ui/*", "pathType": "ImplementationSpecific", "backend": backend},
        {"path": "/health", "pathType": "Exact", "backend": backend},
    ]
    (listener,) = model(ingress(paths)).listeners

    assert [rule.paths for rule in listener.rules] == [("/health",), ("/api", "/api/*"), ("/*",), ("/",), ("/ui/*",)]
    assert listener.rules[0].conditions[0] == {
        "Field": "host-header",
        "HostHeaderConfig": {"Values": ["shop.example"]},
    }


def test_names_depend_on_the_group_and_not_on_chance() -> None:
    """SE-07: an Ingress of its own group gets another name than one of a named group; each is stable."""
    own, named = model().name, model(group=Group("", "platform")).name

    assert own.startswith("k8s-shop-web-")
    assert named.startswith("k8s-platform-")
    assert (own, named) == (model().name, model(group=Group("", "platform")).name)
    assert model(ingress(load_balancer_name="mine")).name == "mine"


@pytest.mark.parametrize(
    ("annotations", "words"),
    [
        ({"scheme": "public"}, "unknown scheme: public"),
        ({"listen_ports": "443"}, "failed to parse listen-ports configuration: `443`"),
        ({"listen_ports": '[{"HTTPS": 443}]'}, "no certificate found for host"),
        ({"ssl_redirect": "443"}, "listener does not exist for SSLRedirect port: 443"),
        ({"healthcheck_interval_seconds": "often"}, "failed to parse int64 annotation"),
    ],
)
def test_what_cannot_be_built_is_said_in_the_controllers_words(annotations: dict[str, Any], words: str) -> None:
    """They end up in a FailedBuildModel event."""
    with pytest.raises(Unusable, match=words.replace("`", ".")):
        model(ingress(**annotations))


def test_a_missing_service_or_port_is_named() -> None:
    """By name, as the controller does."""
    wrong = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "front", "port": {"number": 81}}}}

    with pytest.raises(Unusable, match='Service "front" not found'):
        build("lab", GROUP, [ingress()], {})
    with pytest.raises(Unusable, match="unable to find port 81 on service shop/front"):
        model(ingress([wrong]))


def test_members_of_a_group_may_not_contradict_each_other() -> None:
    """One load balancer has one scheme."""
    with pytest.raises(Unusable, match="conflicting scheme"):
        model(ingress(scheme="internal"), ingress(scheme="internet-facing"))


def test_lists_of_a_group_are_joined() -> None:
    """Certificates of all members, each once."""
    settings = Annotations([ingress(certificate_arn="a,b"), ingress(certificate_arn="b, c")])

    assert settings.list("certificate-arn") == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("name", "legacy", "ours"),
    [("alb", None, True), ("nginx", None, False), (None, "alb", True), ("alb", "nginx", False), (None, None, False)],
)
def test_only_its_own_class_concerns_the_controller(name: str | None, legacy: str | None, ours: bool) -> None:  # noqa: FBT001  (a parameter of the table)
    """SE-04: with the wrong class nobody makes a load balancer."""
    annotations = {"kubernetes.io/ingress.class": legacy} if legacy else {}
    thing = {"metadata": {"annotations": annotations}, "spec": {"ingressClassName": name} if name else {}}

    assert is_for_alb(thing, {"alb": "ingress.k8s.aws/alb", "nginx": "k8s.io/ingress-nginx"}) is ours


def test_only_ready_pods_are_targets() -> None:
    """By the port of the Service, at the pods' own addresses."""
    (group,) = model(ingress(target_type="ip")).targets.values()
    piece = {
        "metadata": {"namespace": "shop", "labels": {"kubernetes.io/service-name": "front"}},
        "ports": [{"name": "http", "port": 8080}, {"name": "metrics", "port": 9000}],
        "endpoints": [
            {"addresses": ["10.0.1.5"], "conditions": {"ready": True}},
            {"addresses": ["10.0.1.6"], "conditions": {"ready": False}},
        ],
    }
    other = {**piece, "metadata": {"namespace": "shop", "labels": {"kubernetes.io/service-name": "back"}}}

    assert targets.of_pods(group, SERVICE, [piece, other]) == [("10.0.1.5", 8080)]


def test_ready_nodes_are_targets_by_their_node_port() -> None:
    """Instance targets."""
    (group,) = model().targets.values()
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    nodes = [
        {"spec": {"providerID": "aws:///us-east-1a/i-1"}, "status": ready},
        {"spec": {"providerID": "aws:///us-east-1a/i-2"}, "status": {"conditions": []}},
    ]

    assert targets.of_instances(group, SERVICE, nodes) == [("i-1", 31080)]
