"""The way in: an Ingress that the load balancer controller serves, and no other."""

import pytest

from hallmark.errors import Miss
from hallmark.model import Call
from hallmark.views.balancers import Balancer
from hallmark.views.cluster import name_of
from hallmark.views.controllers import Controllers
from hallmark.views.edge import Edge
from hallmark.views.ingresses import Entry, Ingresses
from hallmark.views.network import Network


def _entry(ingresses: Ingresses) -> Entry:
    """Return the Ingress; the check that requires it has seen to it."""
    if ingresses.entry is None:
        raise Miss(expected="an Ingress for the host", observed="none", where=ingresses.scope("namespace"))
    return ingresses.entry


def _balancer(ingresses: Ingresses) -> Balancer:
    if ingresses.balancer is None:
        raise Miss(expected="a load balancer of the Ingress", observed="none", where=ingresses.scope("namespace"))
    return ingresses.balancer


@pytest.mark.check(
    "ARCH-5",
    points=4,
    requires=["release_deployed"],
    why="Without an Ingress of class alb nobody makes the load balancer that firewall, certificate and name belong to.",
)
def test_ingress_routes(ingresses: Ingresses) -> None:
    """An Ingress of class alb leads everything to the frontend's Service."""
    if not ingresses.entries:
        seen = [f"{one.name} of class {one.class_name or 'none'}" for one in ingresses.all]
        raise Miss(
            expected="an Ingress of class alb that routes / to the Service of the frontend",
            observed=", ".join(seen) or "no Ingress",
            where=ingresses.scope("namespace"),
            next=f"kubectl -n {ingresses.scope('namespace')} get ingress,service",
        )


@pytest.mark.check(
    "ARCH-5",
    points=2,
    requires=["ingress_routes"],
    why="The load balancer answers 404 for every host that no rule names.",
)
def test_ingress_takes_host(ingresses: Ingresses, edge: Edge) -> str:
    """The Ingress has a rule for the host."""
    if ingresses.entry is None:
        hosts = sorted({route.host for one in ingresses.entries for route in one.routes})
        raise Miss(
            expected=f"a rule for {edge.host}",
            observed=f"rules for {', '.join(hosts)}",
            where=f"Ingress {ingresses.entries[0].name}",
            next=ingresses.entries[0].look,
        )
    named = any(route.host for route in ingresses.entry.routes)
    return "" if named else "The Ingress answers any host, scanners included: set config.hostname."


@pytest.mark.check(
    "ARCH-3",
    points=4,
    requires=["ingress_takes_host"],
    why="An Ingress without an address is a wish: subnet tags, class, or the controller's role are wrong.",
)
def test_ingress_has_balancer(ingresses: Ingresses) -> None:
    """The Ingress got an Application Load Balancer, and it is active."""
    entry, balancer = _entry(ingresses), ingresses.balancer
    if balancer is None:
        raise Miss(
            expected="the DNS name of a load balancer of this cluster in the Ingress's status",
            observed=", ".join(entry.addresses) or "no address",
            where=f"Ingress {entry.name}",
            next=entry.look,
        )
    if (balancer.kind, balancer.state) != ("application", "active"):
        raise Miss(
            expected="an application load balancer in state active",
            observed=f"{balancer.kind}, {balancer.state}",
            where=balancer.arn,
            next=f"aws elbv2 describe-load-balancers --load-balancer-arns {balancer.arn}",
        )


@pytest.mark.check(
    "ARCH-2",
    points=3,
    requires=["ingress_has_balancer"],
    why="A name that points to another load balancer answers 404, or leads past the firewall.",
)
def test_name_leads_to_ingress(ingresses: Ingresses, edge: Edge) -> None:
    """The Route 53 record of the host points to the load balancer of the Ingress."""
    dns = _balancer(ingresses).dns
    wrong = [record for record in ingresses.records if record.targets != (dns,)]
    if wrong or not ingresses.records:
        found = [f"{one.kind} to {', '.join(one.targets) or 'nothing'}" for one in wrong]
        raise Miss(
            expected=f"an alias or CNAME to {dns}",
            observed="; ".join(found) or "no record",
            where=edge.host,
            next=f"aws route53 list-hosted-zones-by-name --dns-name {edge.host.partition('.')[2]}",
        )


@pytest.mark.check(
    "ARCH-4",
    points=3,
    requires=["ingress_has_balancer"],
    why="A web ACL on a load balancer nobody uses protects nobody: the controller makes one of its own.",
)
def test_firewall_in_path(ingresses: Ingresses, edge: Edge) -> None:
    """The load balancer of the Ingress has a web ACL, and so has that of every other Ingress of the namespace."""
    arns = list(dict.fromkeys(one.arn for one in (_balancer(ingresses), *ingresses.balancers)))
    calls = [Call.of("wafv2", "get_web_acl_for_resource", ResourceArn=arn) for arn in arns]
    for arn, answer in zip(arns, edge.ask_all_or({}, calls), strict=True):
        if not answer.get("WebACL"):
            raise Miss(
                expected="a web ACL, by the annotation alb.ingress.kubernetes.io/wafv2-acl-arn",
                observed="none",
                where=arn,
                next=f"aws wafv2 get-web-acl-for-resource --resource-arn {arn}",
            )


@pytest.mark.check(
    "SB-1",
    "NET-9",
    points=3,
    requires=["ingress_has_balancer"],
    why="Without the annotations for certificate and redirect the controller opens plain HTTP on port 80.",
)
def test_entrance_encrypted(ingresses: Ingresses, edge: Edge) -> None:
    """The load balancer of the Ingress listens for HTTPS, and everything without TLS is sent there."""
    balancer = _balancer(ingresses)
    listeners = edge.listeners(balancer)
    plain = [f"{one.protocol} on port {one.port}" for one in listeners if edge.speaks_plainly(balancer, one)]
    secure = [one for one in listeners if (one.protocol, one.port) == ("HTTPS", 443) and one.certificate]
    if plain or not secure:
        raise Miss(
            expected="HTTPS on port 443 with a certificate, and on port 80 nothing but a redirect to it",
            observed=", ".join(plain) or "no HTTPS listener",
            where=balancer.arn,
            next=f"aws elbv2 describe-listeners --load-balancer-arn {balancer.arn}",
        )


@pytest.mark.check(
    "SB-1",
    "ARCH-4",
    points=3,
    requires=["application_ready"],
    why="The chart's frontend Service makes a second load balancer unless told not to: without TLS and firewall.",
)
def test_no_other_entrance(ingresses: Ingresses) -> None:
    """No Service of the namespace has a load balancer of its own, and no other controller leads to the frontend."""
    if not ingresses.frontends:
        raise Miss(
            expected="a Service that selects the pods of the frontend",
            observed="none",
            where=ingresses.scope("namespace"),
            next=f"kubectl -n {ingresses.scope('namespace')} get services",
        )
    for service in ingresses.exposed:
        raise Miss(
            expected="type ClusterIP",
            observed="type LoadBalancer",
            where=f"Service {name_of(service)}",
            next=f"kubectl -n {ingresses.scope('namespace')} get service {name_of(service)}",
        )
    for one in ingresses.others:
        raise Miss(
            expected="the Ingress of class alb as the only way in",
            observed=f"class {one.class_name or 'none'}, at {', '.join(one.addresses)}",
            where=f"Ingress {one.name}",
            next=one.look,
        )


@pytest.mark.check(
    "ARCH-5",
    "EXC-2",
    points=2,
    requires=["ingress_routes"],
    why="A gateway in the path has rules of its own, which this reference does not know and does not grade.",
)
def test_no_gateway(controllers: Controllers) -> str:
    """No gateway route and no virtual service carries the platform's traffic."""
    if controllers.routes_around:
        raise Miss(
            expected="the Ingress as the only way in",
            observed=", ".join(controllers.routes_around),
            where=controllers.scope("namespace"),
            next=f"kubectl -n {controllers.scope('namespace')} get httproutes,virtualservices",
        )
    others = controllers.gateway_classes
    return f"Outside the reference: gateway class {', '.join(others)} is set up in this cluster." if others else ""


@pytest.mark.check(
    "SB-6",
    points=1,
    requires=["ingress_has_balancer"],
    why="What strangers cannot reach, strangers cannot attack.",
)
def test_entrance_limited(ingresses: Ingresses, edge: Edge, network: Network) -> None:
    """The load balancer of the Ingress is internal, or admits given networks only."""
    balancer = _balancer(ingresses)
    if balancer.scheme == "internal":
        return
    ports = [listener.port for listener in edge.listeners(balancer)]
    wide = [str(o) for port in ports for o in network.openings(balancer.groups, port) if o.is_everybody]
    if wide or not ports or not balancer.groups:
        raise Miss(
            expected="scheme internal, or the annotation inbound-cidrs or security-groups with given networks",
            observed="; ".join(wide) or "no listener or no security group",
            where=balancer.arn,
            next=f"aws ec2 describe-security-groups --group-ids {' '.join(balancer.groups)}",
        )
