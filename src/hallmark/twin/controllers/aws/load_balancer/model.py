"""What a group of Ingresses asks for, as plain records. Pure: reads objects, calls nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hallmark.twin.controllers.aws.load_balancer.annotations import DEFAULT_POLICY, Annotations, Unusable
from hallmark.twin.controllers.aws.load_balancer.naming import Group, balancer_name, target_group_name
from hallmark.twin.kube.kinds import Object

Lookup = Mapping[tuple[str, str], Object]
"""Objects by namespace and name."""
_NOTHING = {"Type": "fixed-response", "FixedResponseConfig": {"ContentType": "text/plain", "StatusCode": "404"}}


@dataclass(frozen=True)
class TargetGroup:
    """One port of a Service as the target of a load balancer.

    Attributes:
        name: Name in AWS.
        resource: The controller's name for it.
        namespace, service: The Service.
        port: Service port, by number or name.
        settings: Arguments of ``create_target_group`` that can never be changed.
        health: Arguments of its health check.
    """

    name: str
    resource: str
    namespace: str
    service: str
    port: int | str
    settings: Mapping[str, Any]
    health: Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """One rule of a listener; *target* is the name of a target group."""

    host: str
    paths: tuple[str, ...]
    target: str

    @property
    def conditions(self) -> list[dict[str, Any]]:
        """The rule's conditions as AWS takes them."""
        hosts = [{"Field": "host-header", "HostHeaderConfig": {"Values": [self.host]}}] if self.host else []
        return [*hosts, {"Field": "path-pattern", "PathPatternConfig": {"Values": list(self.paths)}}]


@dataclass(frozen=True)
class Listener:
    """One port of the load balancer."""

    port: int
    protocol: str
    certificates: tuple[str, ...]
    policy: str
    default: Mapping[str, Any]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Model:
    """A load balancer as a group of Ingresses wants it.

    Attributes:
        group: Whose it is.
        name: Its name in AWS.
        scheme: ``internet-facing`` or ``internal``.
        subnets: Given ids or names; empty: to be discovered.
        security_groups: Given ids or names; empty: the controller makes one.
        inbound: Address ranges let in when the controller makes the security group.
        attributes: Load balancer attributes.
        web_acl: ARN of the web ACL; ``none`` removes it, empty leaves it as it is.
        tags: Tags besides the controller's own.
        listeners: Its ports.
        targets: Target groups by name.
    """

    group: Group
    name: str
    scheme: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    inbound: tuple[str, ...]
    attributes: Mapping[str, str]
    web_acl: str
    tags: Mapping[str, str]
    listeners: tuple[Listener, ...]
    targets: Mapping[str, TargetGroup] = field(default_factory=dict)


def build(cluster: str, group: Group, ingresses: Sequence[Object], services: Lookup) -> Model:
    """Build the model of a group.

    Raises:
        Unusable: An annotation or a backend is wrong; in the controller's words.
    """
    settings = Annotations(ingresses)
    scheme = settings.text("scheme", "internal")
    if scheme not in {"internal", "internet-facing"}:
        raise Unusable(f"unknown scheme: {scheme}")
    targets: dict[str, TargetGroup] = {}
    rules = tuple(rule for each in ingresses for rule in _rules(cluster, group, each, services, targets))
    return Model(
        group=group,
        name=settings.text("load-balancer-name") or balancer_name(cluster, group, scheme),
        scheme=scheme,
        subnets=tuple(settings.list("subnets")),
        security_groups=tuple(settings.list("security-groups")),
        inbound=tuple(settings.list("inbound-cidrs")) or ("0.0.0.0/0",),
        attributes=settings.mapping("load-balancer-attributes"),
        web_acl=settings.text("wafv2-acl-arn"),
        tags=settings.mapping("tags"),
        listeners=_listeners(settings, rules),
        targets=targets,
    )


def _listeners(settings: Annotations, rules: tuple[Rule, ...]) -> tuple[Listener, ...]:
    certificates = tuple(settings.list("certificate-arn"))
    ports = settings.ports(secure=bool(certificates))
    if "HTTPS" in ports.values() and not certificates:
        raise Unusable("no certificate found for host")
    redirect = settings.number("ssl-redirect", 0)
    if redirect and ports.get(redirect) != "HTTPS":
        raise Unusable(f"listener does not exist for SSLRedirect port: {redirect}")
    policy = settings.text("ssl-policy", DEFAULT_POLICY)
    secure = [
        Listener(p, "HTTPS", certificates, policy, _NOTHING, rules) for p, kind in ports.items() if kind == "HTTPS"
    ]
    plain = [_plain(port, redirect, rules) for port, kind in ports.items() if kind == "HTTP"]
    return tuple(sorted([*secure, *plain], key=lambda each: each.port))


def _plain(port: int, redirect: int, rules: tuple[Rule, ...]) -> Listener:
    if not redirect:
        return Listener(port, "HTTP", (), "", _NOTHING, rules)
    away = {"Protocol": "HTTPS", "Port": str(redirect), "StatusCode": "HTTP_301"}
    return Listener(port, "HTTP", (), "", {"Type": "redirect", "RedirectConfig": away}, ())


def _rules(
    cluster: str, group: Group, ingress: Object, services: Lookup, targets: dict[str, TargetGroup]
) -> list[Rule]:
    """Rules of one Ingress: exact paths before prefixes, longer ones first, then patterns as they come."""
    found: list[tuple[tuple[int, int], Rule]] = []
    for rule in ingress["spec"].get("rules") or []:
        for path in (rule.get("http") or {}).get("paths") or []:
            target = _target(cluster, group, ingress, path["backend"], services)
            targets[target.name] = target
            found.append((_order(path), Rule(rule.get("host", ""), _patterns(path), target.name)))
    if backend := ingress["spec"].get("defaultBackend"):
        target = _target(cluster, group, ingress, backend, services)
        targets[target.name] = target
        found.append(((3, 0), Rule("", ("/*",), target.name)))
    return [rule for _, rule in sorted(found, key=lambda pair: pair[0])]


def _order(path: Mapping[str, Any]) -> tuple[int, int]:
    match path.get("pathType"):
        case "Exact":
            return 0, 0
        case "Prefix":
            return 1, -len(path.get("path", "/"))
        case _:
            return 2, 0


def _patterns(path: Mapping[str, Any]) -> tuple[str, ...]:
    text = path.get("path") or "/*"
    if path.get("pathType") != "Prefix":
        return (text,)
    stem = text.rstrip("/")
    return (stem, f"{stem}/*") if stem else ("/*",)


def _target(cluster: str, group: Group, ingress: Object, backend: Mapping[str, Any], services: Lookup) -> TargetGroup:
    namespace, wanted = ingress["metadata"]["namespace"], backend["service"]
    service = services.get((namespace, wanted["name"]))
    if service is None:
        raise Unusable(f'ingress: {namespace}/{ingress["metadata"]["name"]}: Service "{wanted["name"]}" not found')
    reference = wanted["port"].get("number") or wanted["port"]["name"]
    port = _port(service, reference)
    settings = Annotations([ingress, service])
    kind = settings.text("target-type", "instance")
    protocol = settings.text("backend-protocol", "HTTP").upper()
    number = port["targetPort"] if kind == "ip" and isinstance(port.get("targetPort"), int) else port["port"]
    identity = (str(group), str(reference), str(number), kind, protocol, "HTTP1")
    return TargetGroup(
        name=target_group_name(cluster, namespace, wanted["name"], *identity),
        resource=f"{namespace}/{ingress['metadata']['name']}-{wanted['name']}:{reference}",
        namespace=namespace,
        service=wanted["name"],
        port=reference,
        settings={"Protocol": protocol, "ProtocolVersion": "HTTP1", "Port": number, "TargetType": kind},
        health=_health(settings, protocol),
    )


def _port(service: Object, reference: int | str) -> Mapping[str, Any]:
    for port in service["spec"].get("ports") or []:
        if reference in (port["port"], port.get("name")):
            found: Mapping[str, Any] = port
            return found
    name = f"{service['metadata']['namespace']}/{service['metadata']['name']}"
    raise Unusable(f"unable to find port {reference} on service {name}")


def _health(settings: Annotations, protocol: str) -> dict[str, Any]:
    return {
        "HealthCheckProtocol": settings.text("healthcheck-protocol", protocol),
        "HealthCheckPort": settings.text("healthcheck-port", "traffic-port"),
        "HealthCheckPath": settings.text("healthcheck-path", "/"),
        "HealthCheckIntervalSeconds": settings.number("healthcheck-interval-seconds", 15),
        "HealthCheckTimeoutSeconds": settings.number("healthcheck-timeout-seconds", 5),
        "HealthyThresholdCount": settings.number("healthy-threshold-count", 2),
        "UnhealthyThresholdCount": settings.number("unhealthy-threshold-count", 2),
        "Matcher": {"HttpCode": settings.text("success-codes", "200")},
    }
