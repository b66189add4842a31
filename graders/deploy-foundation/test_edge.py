"""The way in: DNS, load balancer and TLS, and nothing that leads around them."""

import pytest

from hallmark.errors import Miss
from hallmark.views.balancers import Balancer
from hallmark.views.edge import Edge
from hallmark.views.network import Network

DAYS = 30
"""Days a certificate must still be valid."""
MODERN = frozenset({"TLSv1.2", "TLSv1.3"})


def _show_listeners(balancer: Balancer) -> str:
    if balancer.kind == "classic":
        return f"aws elb describe-load-balancers --load-balancer-names {balancer.name}"
    return f"aws elbv2 describe-listeners --load-balancer-arn {balancer.arn}"


@pytest.mark.check("ARCH-3", points=4, why="Without it nobody reaches the platform.")
def test_ingress_active(edge: Edge) -> None:
    """The Application Load Balancer of the Ingress exists and is active."""
    if edge.ingress is None:
        raise Miss(
            expected=f"one load balancer made for the Ingress of {edge.host}",
            observed="none that can be told",
            where=edge.scope("cluster"),
            next="aws elbv2 describe-load-balancers",
        )
    if (edge.ingress.kind, edge.ingress.state) != ("application", "active"):
        raise Miss(
            expected="an application load balancer in state active",
            observed=f"{edge.ingress.kind}, {edge.ingress.state}",
            where=edge.ingress.arn,
            next=f"aws elbv2 describe-load-balancers --load-balancer-arns {edge.ingress.arn}",
        )


@pytest.mark.check(
    "NET-3",
    "NET-11",
    points=3,
    requires=["ingress_active", "single_vpc"],
    why="In the wrong subnets it answers nobody, in one zone only it fails with that zone.",
)
def test_ingress_subnets(edge: Edge, network: Network) -> None:
    """The load balancer spans two zones, in public subnets if it faces the internet, else in private ones."""
    balancer = edge.entrance
    subnets = [network.subnets[subnet] for subnet in balancer.zones.values()]
    wanted = "private" if balancer.scheme == "internal" else "public"
    wrong = [s.id for s in subnets if not (s.is_private if wanted == "private" else s.is_public)]
    zones = {subnet.zone for subnet in subnets}
    if wrong or len(zones) < 2:
        raise Miss(
            expected=f"{wanted} subnets in two zones or more",
            observed=f"zones {', '.join(sorted(zones)) or 'none'}; not {wanted}: {', '.join(wrong) or 'none'}",
            where=balancer.arn,
            next=f"aws ec2 describe-route-tables --filters Name=vpc-id,Values={network.vpc_id}",
        )


@pytest.mark.check(
    "ARCH-2",
    points=3,
    requires=["ingress_active"],
    why="A record that points elsewhere sends users past firewall and platform, or to a dead name.",
)
def test_dns_leads_in(edge: Edge) -> None:
    """The Route 53 record of the host points to the ingress load balancer."""
    if not edge.effective_records:
        raise Miss(
            expected=f"an alias or CNAME record of {edge.host}",
            observed="none",
            where=edge.host,
            next="aws route53 list-hosted-zones",
        )
    for record in edge.effective_records:
        if not edge.leads_in(record):
            raise Miss(
                expected=edge.entrance.dns,
                observed=f"{record.kind} to {', '.join(record.targets) or 'nothing'}",
                where=f"{edge.host} in zone {record.zone}",
                next=f"aws route53 list-hosted-zones-by-name --dns-name {record.zone}",
            )


@pytest.mark.check(
    "NET-9",
    points=3,
    requires=["ingress_active"],
    why="Without HTTPS at the load balancer, keys and traces cross the internet readable.",
)
def test_https_listener(edge: Edge) -> None:
    """The load balancer listens for HTTPS on port 443."""
    if edge.https is None:
        ports = [f"{one.protocol} {one.port}" for one in edge.listeners(edge.entrance)]
        raise Miss(
            expected="an HTTPS listener on port 443",
            observed=", ".join(ports) or "no listener",
            where=edge.entrance.arn,
            next=_show_listeners(edge.entrance),
        )


@pytest.mark.check(
    "ARCH-3",
    points=2,
    requires=["https_listener"],
    why="When no rule asks for the host, the load balancer answers 404 itself.",
)
def test_host_is_served(edge: Edge) -> None:
    """Requests for the host are forwarded to targets."""
    if edge.https and not edge.forwards_host(edge.https):
        raise Miss(
            expected=f"a rule of the HTTPS listener that forwards {edge.host}",
            observed="none",
            where=edge.https.arn,
            next=f"aws elbv2 describe-rules --listener-arn {edge.https.arn}",
        )


@pytest.mark.check(
    "NET-9",
    points=3,
    requires=["https_listener"],
    why="Clients refuse a certificate that is for another name.",
)
def test_certificate_covers_host(edge: Edge) -> None:
    """The listener has a certificate from ACM that is issued and for the host."""
    good = [one for one in edge.certificates if one.status == "ISSUED" and one.covers(edge.host)]
    if not good:
        seen = [f"{one.status} for {', '.join(one.names)}" for one in edge.certificates]
        raise Miss(
            expected=f"an issued ACM certificate for {edge.host}",
            observed="; ".join(seen) or "no ACM certificate",
            where=edge.entrance.arn,
            next="aws acm list-certificates --includes keyTypes=RSA_2048,EC_prime256v1",
        )


@pytest.mark.check(
    "NET-9",
    points=2,
    requires=["certificate_covers_host"],
    why="A certificate that ends stops every client at once; ACM renews 60 days before, or has failed to.",
)
def test_certificate_lasts(edge: Edge) -> None:
    """The certificate is valid for more than 30 days."""
    for one in edge.certificates:
        if one.status == "ISSUED" and one.covers(edge.host) and edge.days_left(one) <= DAYS:
            raise Miss(
                expected=f"more than {DAYS} days of validity",
                observed=f"{edge.days_left(one):.1f} days, until {one.expires}",
                where=one.arn,
                next=f"aws acm describe-certificate --certificate-arn {one.arn}",
            )


@pytest.mark.check(
    "SB-1",
    points=3,
    requires=["https_listener"],
    why="TLS 1.0 and 1.1 can be broken; the controller's default policy still takes them.",
)
def test_tls_policy(edge: Edge) -> None:
    """No listener of the ingress load balancer takes a TLS version below 1.2."""
    for listener in (one for one in edge.listeners(edge.entrance) if one.protocol == "HTTPS"):
        protocols = edge.tls_protocols.get(listener.policy, frozenset())
        if not protocols or not protocols <= MODERN:
            raise Miss(
                expected="a TLS policy with TLS 1.2 and 1.3 only, such as ELBSecurityPolicy-TLS13-1-2-2021-06",
                observed=f"{listener.policy}: {', '.join(sorted(protocols)) or 'unknown to AWS'}",
                where=listener.arn,
                next=f"aws elbv2 describe-ssl-policies --names {listener.policy}",
            )


@pytest.mark.check(
    "SB-1",
    points=3,
    requires=["https_listener"],
    why="One port that speaks plain HTTP is enough to leak a key.",
)
def test_no_plaintext(edge: Edge) -> None:
    """No load balancer of the cluster serves anything without TLS, except a redirect to HTTPS."""
    for balancer in edge.balancers:
        for listener in edge.listeners(balancer):
            if edge.speaks_plainly(balancer, listener):
                raise Miss(
                    expected="TLS, or on port 80 a redirect to HTTPS",
                    observed=f"{listener.protocol} on port {listener.port}",
                    where=balancer.arn,
                    next=_show_listeners(balancer),
                )


@pytest.mark.check(
    "ARCH-4",
    points=3,
    requires=["ingress_active"],
    why="The chart's frontend Service makes a second load balancer unless told not to: around TLS and firewall.",
)
def test_no_way_around(edge: Edge) -> None:
    """No Service of the release has a load balancer of its own, past the firewall."""
    for balancer in edge.balancers:
        if balancer.service.startswith(f"{edge.scope('namespace')}/"):
            raise Miss(
                expected="the ingress load balancer as the only way in",
                observed=f"{balancer.kind} load balancer of Service {balancer.service}",
                where=balancer.arn,
                next=f"kubectl -n {edge.scope('namespace')} get service {balancer.service.partition('/')[2]}",
            )


@pytest.mark.check(
    "SB-6",
    points=1,
    requires=["ingress_active", "single_vpc"],
    why="What strangers cannot reach, strangers cannot attack.",
)
def test_entrance_restricted(edge: Edge, network: Network) -> None:
    """The load balancer is internal, or admits given networks only."""
    balancer = edge.entrance
    if balancer.scheme == "internal":
        return
    ports = [listener.port for listener in edge.listeners(balancer)]
    wide = [str(o) for port in ports for o in network.openings(balancer.groups, port) if o.is_everybody]
    if wide or not ports or not balancer.groups:
        raise Miss(
            expected="an internal load balancer, or security groups that admit given networks",
            observed="; ".join(wide) or "no listener or no security group",
            where=balancer.arn,
            next=f"aws ec2 describe-security-groups --group-ids {' '.join(balancer.groups)}",
        )
