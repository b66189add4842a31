"""Floods stop at the edge, traces pass, and everything else is inspected as before."""

import pytest

from hallmark.errors import Miss, Unobservable
from hallmark.views.edge import Edge
from hallmark.views.firewall import BODY_RULES, BODY_SIZE, Rule, WebAcl
from hallmark.views.statements import Sample, matches

TRACE_BYTES = 24 * 1024
"""A common trace: three times what WAF inspects of a body behind a load balancer."""
INGESTION = (
    "/api/v1/runs", "/api/v1/runs/batch", "/api/v1/runs/multipart", "/api/v1/otel/v1/traces",
    "/api/runs", "/api/runs/batch", "/api/runs/multipart",
)  # fmt: skip
"""Where SDKs and OpenTelemetry send traces, with and without the version in the path."""
EVERYDAY = ("/api/v1/login", "/api/v1/sessions", "/api/v1/datasets", "/api/v1/workspaces", "/")
"""What is no trace: signing in, reading, administration, the pages themselves."""
NEARBY = ("/api/v1/annotation-queues/00000000-0000-0000-0000-000000000000/runs", "/api/v1/runs/../login")
"""What is no trace and has a trace's name in its path: further on, or where the server takes it out again."""
FLOOR = 2000 / 300
"""Requests a second below which a limit hits honest clients. One SDK process that flushes four times a second sends
1,200 in five minutes, and the people of an office share one address with it."""
KEPT = (
    "AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet",
)  # fmt: skip
"""Managed groups that were enforcing before the lab and have to enforce after it."""


def _acl(edge: Edge) -> WebAcl:
    if edge.ingress is None or edge.web_acl is None:
        found = "no ingress load balancer" if edge.ingress is None else "no web ACL"
        raise Miss(
            expected="a web ACL on the ingress load balancer",
            observed=found,
            where=edge.scope("cluster") if edge.ingress is None else edge.ingress.arn,
            next="aws wafv2 list-web-acls --scope REGIONAL",
        )
    return edge.web_acl


def _look(edge: Edge) -> str:
    return f"aws wafv2 get-web-acl-for-resource --resource-arn {edge.entrance.arn}"


def _traces(edge: Edge, *provoked: str) -> list[Sample]:
    return [Sample("POST", path, edge.host, TRACE_BYTES, frozenset(provoked)) for path in INGESTION]


def _everyday(edge: Edge, *provoked: str) -> list[Sample]:
    return [Sample("POST", path, edge.host, TRACE_BYTES, frozenset(provoked)) for path in (*EVERYDAY, *NEARBY)]


def _refusal(acl: WebAcl, sample: Sample) -> str:
    refusal = acl.refusal(sample)
    if refusal is None:
        raise Unobservable("undecidable", f"whether {acl.name} blocks {sample} depends on a statement not read here")
    return refusal


def _require_passage(edge: Edge, provoked: str) -> None:
    acl = _acl(edge)
    for trace in _traces(edge, provoked):
        if refusal := _refusal(acl, trace):
            raise Miss(
                expected=f"a trace of {TRACE_BYTES} bytes let through",
                observed=f"{refusal} refuses {trace} ({provoked})",
                where=acl.arn,
                next=_look(edge),
            )


@pytest.mark.check(
    "SB-5",
    "ARCH-4",
    points=5,
    why="Without a limit one client can try passwords, or fill the queue, as fast as it likes.",
)
def test_floods_are_blocked(edge: Edge) -> None:
    """A rate-based rule blocks a client that sends too much, whatever it asks for."""
    acl = _acl(edge)
    reading = [Sample("GET", path, edge.host) for path in EVERYDAY]
    if unlimited := acl.unlimited([*_traces(edge), *_everyday(edge), *reading]):
        limits = [rule for rule in acl.rules if rule.rate]
        seen = [f"{rule.name}: {why}" for rule in limits for why in acl.objections(rule, unlimited[0])]
        raise Miss(
            expected="a rate-based rule with action Block that counts every request",
            observed="; ".join(seen) or "no rate-based rule",
            where=acl.arn,
            next=_look(edge),
        )


@pytest.mark.check(
    "SB-5",
    points=3,
    requires=["floods_are_blocked"],
    why="A limit below what the SDK sends in a burst loses traces, and the SDK only logs it.",
)
def test_limit_leaves_room(edge: Edge) -> None:
    """The limit is well above what an honest client sends in a burst."""
    acl = _acl(edge)
    for rule in acl.rules:
        if rule.rate and rule.action == "Block" and any(_counts(rule, trace) for trace in _traces(edge)):
            window = rule.rate.get("EvaluationWindowSec", 300)  # AWS's default, five minutes
            if rule.rate["Limit"] / window < FLOOR:
                raise Miss(
                    expected=f"at least {FLOOR * window:.0f} requests in {window} s",
                    observed=f"{rule.rate['Limit']} ({rule.name})",
                    where=acl.arn,
                    next=_look(edge),
                )


@pytest.mark.check(
    "ARCH-4",
    "NET-8",
    points=5,
    why="The Common rule set blocks bodies above 8 KB: small traces arrive, real ones get 403.",
)
def test_traces_pass(edge: Edge) -> None:
    """Traces above 8 KB are let through on every ingestion path."""
    _require_passage(edge, BODY_SIZE)


@pytest.mark.check(
    "NET-8",
    points=1,
    requires=["traces_pass"],
    why="Prompts hold HTML, URLs and paths: to a body rule they look like attacks.",
)
def test_traces_with_markup_pass(edge: Edge) -> None:
    """Traces whose text looks like an attack are let through on every ingestion path."""
    for name in BODY_RULES:
        _require_passage(edge, name)


@pytest.mark.check(
    "ARCH-4",
    "NET-8",
    points=4,
    requires=["floods_are_blocked", "traces_pass"],
    why="An exception for everything is the same as no firewall.",
)
def test_exception_is_narrow(edge: Edge) -> None:
    """Bodies of all other requests are still inspected."""
    acl = _acl(edge)
    for name in BODY_RULES:
        for request in _everyday(edge, name):
            if not _refusal(acl, request):
                raise Miss(
                    expected=f"{name} blocks outside the ingestion paths",
                    observed=f"{request} is let through",
                    where=acl.arn,
                    next=_look(edge),
                )


@pytest.mark.check(
    "ARCH-4",
    points=2,
    requires=["floods_are_blocked", "traces_pass"],
    why="A repair that takes down other protection trades one hole for another.",
)
def test_managed_rules_enforce(edge: Edge) -> None:
    """The managed rules that were there still block."""
    acl = _acl(edge)
    for name in KEPT:
        if not any(_enforces(acl, rule, name, request) for rule in acl.rules for request in _everyday(edge)):
            raise Miss(expected=f"{name} that blocks", observed=_actions(acl), where=acl.arn, next=_look(edge))


def _counts(rule: Rule, sample: Sample) -> bool:
    """Whether a rate rule counts *sample*; what cannot be decided may count."""
    scope = rule.rate.get("ScopeDownStatement")
    return not scope or matches(scope, sample) is not False


def _enforces(acl: WebAcl, rule: Rule, name: str, request: Sample) -> bool:
    if rule.managed.get("Name") != name or not rule.filters:
        return False
    scope = rule.managed.get("ScopeDownStatement")
    return not acl.gates(rule, request) and (not scope or matches(scope, request) is True)


def _actions(acl: WebAcl) -> str:
    return ", ".join(f"{rule.name}: {rule.action}" for rule in acl.rules) or "no rule"
