"""The firewall: on the right load balancer, limiting, filtering, and letting traces through."""

import pytest

from hallmark.errors import Miss, Unobservable
from hallmark.views.balancers import Balancer
from hallmark.views.edge import Edge
from hallmark.views.firewall import BODY_RULES, BODY_SIZE
from hallmark.views.statements import Sample

TRACE_BYTES = 24 * 1024
"""A common trace: three times what WAF looks at."""
INGESTION = ("/api/v1/runs", "/api/v1/runs/batch", "/api/v1/runs/multipart", "/api/v1/otel/v1/traces", "/api/runs")


def _traces(edge: Edge, provokes: str) -> list[Sample]:
    return [Sample("POST", path, edge.host, TRACE_BYTES, frozenset({provokes})) for path in INGESTION]


def _reading(edge: Edge) -> list[Sample]:
    """Signing in, and reading."""
    return [Sample("POST", "/api/v1/login", edge.host), Sample("GET", "/api/v1/sessions", edge.host)]


def _everyday(edge: Edge) -> list[Sample]:
    """What an attacker would repeat: signing in, reading, and sending traces."""
    return [*_reading(edge), *_traces(edge, BODY_SIZE)]


def _show_acl(balancer: Balancer) -> str:
    return f"aws wafv2 get-web-acl-for-resource --resource-arn {balancer.arn}"


@pytest.mark.check(
    "ARCH-4",
    "NET-8",
    points=3,
    requires=["ingress_active"],
    why="A web ACL on a load balancer nobody uses protects nothing.",
)
def test_firewall_attached(edge: Edge) -> None:
    """A web ACL is associated with the ingress load balancer itself."""
    if edge.web_acl is None:
        raise Miss(
            expected="a web ACL on the ingress load balancer",
            observed="none",
            where=edge.entrance.arn,
            next=_show_acl(edge.entrance),
        )


@pytest.mark.check(
    "SB-5",
    "ARCH-4",
    points=4,
    requires=["firewall_attached"],
    why="Without a limit one client can try passwords, or fill the queue, as fast as it likes.",
)
def test_rate_limited(edge: Edge) -> str:
    """The firewall blocks a client that sends too many requests, whatever it asks for."""
    acl = edge.firewall
    if unlimited := acl.unlimited(_everyday(edge)):
        limits = [rule for rule in acl.rules if rule.rate]
        seen = [f"{rule.name}: {why}" for rule in limits for why in acl.objections(rule, unlimited[0])]
        raise Miss(
            expected="a rate-based rule that blocks, and counts signing in, reading and ingestion",
            observed="; ".join(seen) or "no rate-based rule",
            where=acl.arn,
            next=_show_acl(edge.entrance),
        )
    forwarded = any(rule.rate.get("AggregateKeyType") == "FORWARDED_IP" for rule in acl.rules)
    return "A limit by forwarded address holds only behind a proxy that sets the header." if forwarded else ""


@pytest.mark.check(
    "NET-8",
    points=1,
    requires=["firewall_attached"],
    why="A rate limit alone lets a single bad request through.",
)
def test_firewall_filters(edge: Edge) -> None:
    """The firewall blocks bad requests, not only too many."""
    acl = edge.firewall
    filters = acl.filters(_reading(edge))
    if filters is None:
        raise Unobservable("undecidable", f"whether {acl.name} filters anything depends on a statement not read here")
    if not filters:
        raise Miss(
            expected="a rule or managed rule group that blocks, and is asked before a rule allows everything",
            observed=", ".join(f"{rule.name}: {rule.action}" for rule in acl.rules) or "no rule",
            where=acl.arn,
            next=_show_acl(edge.entrance),
        )


@pytest.mark.check(
    "ARCH-4",
    "NET-8",
    points=3,
    requires=["firewall_attached"],
    why="The Common rule set blocks bodies above 8 KB: small traces arrive, real ones get 403.",
)
def test_ingestion_passes_firewall(edge: Edge) -> str:
    """The firewall lets traces of usual size through on the ingestion paths."""
    acl = edge.firewall
    for trace in _traces(edge, BODY_SIZE):
        refusal = acl.refusal(trace)
        if refusal is None:
            raise Unobservable("undecidable", f"whether {acl.name} blocks {trace} depends on a statement not read here")
        if refusal:
            raise Miss(
                expected=f"a body of {TRACE_BYTES} bytes let through",
                observed=f"{refusal} refuses {trace}",
                where=acl.arn,
                next=_show_acl(edge.entrance),
            )
    touchy = [name for name in BODY_RULES if any(acl.refusal(trace) for trace in _traces(edge, name))]
    return f"Traces whose text looks like an attack are still blocked by {', '.join(touchy)}." if touchy else ""
