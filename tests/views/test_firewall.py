"""AWS WAF's evaluation: statements in three truths, rules in order, actions overridden."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from hallmark.views.firewall import BODY_SIZE, COMMON_RULES, WebAcl, web_acl
from hallmark.views.statements import Sample, ip_sets, matches, with_addresses

TRACE = Sample("POST", "/api/v1/runs/batch", "langsmith.example", 20_000, frozenset({BODY_SIZE}))
PLAIN = [{"Priority": 0, "Type": "NONE"}]


def byte_match(text: str, constraint: str = "STARTS_WITH", change: str = "NONE", **field: Any) -> dict[str, Any]:
    """A byte match statement on the path, unless another field is given."""
    body = {"SearchString": text, "PositionalConstraint": constraint, "FieldToMatch": field or {"UriPath": {}}}
    return {"ByteMatchStatement": body | {"TextTransformations": [{"Priority": 0, "Type": change}]}}


def size(operator: str, limit: int, **field: Any) -> dict[str, Any]:
    """A size constraint statement."""
    body = {"ComparisonOperator": operator, "Size": limit, "FieldToMatch": field, "TextTransformations": PLAIN}
    return {"SizeConstraintStatement": body}


def pattern(text: str) -> dict[str, Any]:
    """A regex match statement on the path."""
    return {"RegexMatchStatement": {"RegexString": text, "FieldToMatch": {"UriPath": {}}, "TextTransformations": PLAIN}}


def both(*statements: dict[str, Any]) -> dict[str, Any]:
    """All of the statements."""
    return {"AndStatement": {"Statements": list(statements)}}


def either(*statements: dict[str, Any]) -> dict[str, Any]:
    """Any of the statements."""
    return {"OrStatement": {"Statements": list(statements)}}


def no(statement: dict[str, Any]) -> dict[str, Any]:
    """Not the statement."""
    return {"NotStatement": {"Statement": statement}}


YES, NO = byte_match("/api"), byte_match("/admin")
MAYBE = {"GeoMatchStatement": {"CountryCodes": ["DE"]}}
LISTED = {"IPSetReferenceStatement": {"ARN": "arn"}}


@pytest.mark.parametrize(
    ("statement", "truth"),
    [
        (byte_match("/api/v1/runs/batch", "EXACTLY"), True),
        (byte_match("/api/v1/runs", "EXACTLY"), False),
        (byte_match("batch", "ENDS_WITH"), True),
        (byte_match("v1/runs", "CONTAINS"), True),
        (byte_match("run", "CONTAINS_WORD"), False),
        (byte_match("runs", "CONTAINS_WORD"), True),
        (byte_match("/API"), False),
        (byte_match("post", "EXACTLY", "LOWERCASE", Method={}), True),
        (byte_match("POST", "EXACTLY", Method={}), True),
        (byte_match("langsmith.example", "EXACTLY", SingleHeader={"Name": "Host"}), True),
        (byte_match("x", SingleHeader={"Name": "user-agent"}), None),
        (byte_match("x", "CONTAINS", Body={}), None),
        (byte_match("a", "EXACTLY", QueryString={}), False),
        (byte_match("/api", change="BASE64_DECODE"), None),
        (byte_match("/api", change="NORMALIZE_PATH"), True),
        (pattern("^/api/(v1/)?runs"), True),
        (pattern("^/ui"), False),
        (pattern("(a|b)+c"), None),
        (pattern("a*b*c*d*e*"), None),
        (pattern("(?P<"), None),
        (size("GT", 8192, Body={}), False),
        (size("GE", 8192, Body={}), True),
        (size("GT", 8192, Body={"OversizeHandling": "MATCH"}), True),
        (size("GT", 100, Body={"OversizeHandling": "NO_MATCH"}), False),
        (size("LT", 100, UriPath={}), True),
        (size("GT", 1, Cookies={}), None),
        (LISTED, False),
        (MAYBE, None),
        ({"SqliMatchStatement": {}}, None),
        (no(MAYBE), None),
        (no(NO), True),
        (both(YES, MAYBE), None),
        (both(NO, MAYBE), False),
        (either(YES, MAYBE), True),
        (either(NO, MAYBE), None),
        (either(NO, NO), False),
    ],
)
def test_statements_are_true_false_or_undecidable(statement: dict[str, Any], *, truth: bool | None) -> None:
    """What a sample does not say stays open."""
    assert matches(statement, TRACE) is truth


@pytest.mark.parametrize(("change", "truth"), [("NONE", True), ("NORMALIZE_PATH", False)])
def test_dots_in_a_path_count_until_they_are_taken_out(change: str, *, truth: bool) -> None:
    """A path that goes up again begins like a trace, and ends somewhere else."""
    assert matches(byte_match("/api/v1/runs", change=change), Sample("POST", "/api/v1/runs/../login", "h")) is truth


@pytest.mark.parametrize(
    ("scope", "key", "truth"),
    [
        ("LABEL", "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body", True),
        ("LABEL", "SizeRestrictions_Body", True),
        ("LABEL", "Restrictions_Body", False),
        ("NAMESPACE", "awswaf:managed:aws:core-rule-set:", True),
        ("NAMESPACE", "core-rule-set:", True),
        ("NAMESPACE", "awswaf:managed:aws:bot-control:", False),
    ],
)
def test_labels_match_by_their_end_and_namespaces_by_their_parts(scope: str, key: str, *, truth: bool) -> None:
    """As the developer guide describes label match statements."""
    label = "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"
    assert matches({"LabelMatchStatement": {"Scope": scope, "Key": key}}, TRACE, {label: True}) is truth


@pytest.mark.parametrize(
    ("addresses", "truth"),
    [
        (["198.51.100.0/24", "2001:db8::/32"], False),
        ([], False),
        (["10.0.0.0/8"], False),
        (["0.0.0.0/1"], None),
        (["2000::/3"], None),
        (["0.0.0.0/1", "128.0.0.0/1"], True),
    ],
)
def test_an_ordinary_client_is_on_no_list_but_that_of_everybody(addresses: list[str], *, truth: bool | None) -> None:
    """WAF takes no /0, so that everybody is written in halves."""
    rules = with_addresses([{"Statement": no(LISTED)}, {"Statement": LISTED}], {"arn": addresses})

    assert ip_sets([no(both(LISTED, YES))]) == {"arn"}
    assert [matches(one["Statement"], TRACE) for one in rules] == [None if truth is None else not truth, truth]


def acl(*rules: dict[str, Any], default: str = "Allow", groups: Mapping[str, Any] = MappingProxyType({})) -> WebAcl:
    """A web ACL of the given rules, whose priorities are their order."""
    ordered = [{"Name": f"r{number}", "Priority": number, **one} for number, one in enumerate(rules)]
    raw = {"Name": "acl", "ARN": "arn", "DefaultAction": {default: {}}, "Rules": ordered}
    return web_acl(raw, groups, {"arn": ["198.51.100.0/24", "2001:db8::/32"]})


def common(override: str = "None", **more: Any) -> dict[str, Any]:
    """The Common rule set."""
    body = {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet", **more}
    return {"OverrideAction": {override: {}}, "Statement": {"ManagedRuleGroupStatement": body}}


def own(action: str, statement: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A rule of one's own."""
    return {"Action": {action: {}}, "Statement": statement, **more}


def group(name: str, override: str = "None", **more: Any) -> dict[str, Any]:
    """A reference to a rule group of one's own."""
    return {"OverrideAction": {override: {}}, "Statement": {"RuleGroupReferenceStatement": {"ARN": name, **more}}}


def to(name: str, action: str) -> list[dict[str, Any]]:
    """An override of one rule's action."""
    return [{"Name": name, "ActionToUse": {action: {}}}]


OWN: dict[str, Any] = {"g": {"Rules": [{"Name": "in", "Priority": 0, **own("Block", YES)}]}}


@pytest.mark.parametrize(
    ("subject", "refusal"),
    [
        (acl(common()), "r0"),
        (acl(common("Count")), ""),
        (acl(common(ScopeDownStatement=NO)), ""),
        (acl(common(ScopeDownStatement=no(YES))), ""),
        (acl(common(ScopeDownStatement=MAYBE)), None),
        (acl(common(RuleActionOverrides=to(BODY_SIZE, "Count"))), ""),
        (acl(common(RuleActionOverrides=to(BODY_SIZE, "Captcha"))), "r0"),
        (acl(common(RuleActionOverrides=to(BODY_SIZE, "Allow")), own("Block", YES)), ""),
        (acl(common(VendorName="Other")), ""),
        (acl(own("Allow", YES), common()), ""),
        (acl(own("Allow", MAYBE), common()), "r1"),
        (acl(own("Count", YES), common()), "r1"),
        (acl(own("Block", MAYBE)), ""),
        (acl(own("Block", YES)), "r0"),
        (acl(own("Challenge", YES)), "r0"),
        (acl(own("Allow", NO), default="Block"), "the default action"),
        (acl(own("Allow", YES), default="Block"), ""),
        (acl(group("g"), groups=OWN), "r0/in"),
        (acl(group("g", "Count"), groups=OWN), ""),
        (acl(group("g", RuleActionOverrides=to("in", "Count")), groups=OWN), ""),
        (acl(group("g", ExcludedRules=[{"Name": "in"}]), groups=OWN), ""),
        (
            acl(
                own("Count", YES, RuleLabels=[{"Name": "mine:seen"}]),
                own("Block", {"LabelMatchStatement": {"Scope": "LABEL", "Key": "mine:seen"}}),
            ),
            "r1",
        ),
    ],
)
def test_the_first_rule_that_decides_ends_the_evaluation(subject: WebAcl, refusal: str | None) -> None:
    """A trace of 20 KB on an ingestion path: who refuses it."""
    assert subject.refusal(TRACE) == refusal


def test_rules_are_tried_by_priority_not_by_place() -> None:
    """AWS lists rules in any order."""
    late, early = own("Block", YES, Priority=9, Name="late"), own("Allow", YES, Priority=1, Name="early")
    assert acl(late, early).refusal(TRACE) == ""


def rate(limit: int = 2000, action: str = "Block", **more: Any) -> dict[str, Any]:
    """A rate-based rule."""
    return own(action, {"RateBasedStatement": {"Limit": limit, "AggregateKeyType": "IP", **more}})


@pytest.mark.parametrize(
    ("subject", "limited"),
    [
        (acl(rate()), True),
        (acl(rate(action="Count")), False),
        (acl(rate(action="Challenge")), False),
        (acl(rate(300_000)), True),
        (acl(rate(300_001)), False),
        (acl(rate(60_001, EvaluationWindowSec=60)), False),
        (acl(rate(ScopeDownStatement=YES)), True),
        (acl(rate(ScopeDownStatement=NO)), False),
        (acl(rate(ScopeDownStatement=MAYBE)), False),
        (acl(rate(ScopeDownStatement=no(LISTED))), True),
        (acl(rate(AggregateKeyType="CONSTANT", ScopeDownStatement=YES)), True),
        (acl(rate(AggregateKeyType="CUSTOM_KEYS", CustomKeys=[{"Cookie": {"Name": "session"}}])), False),
        (acl(rate(AggregateKeyType="CUSTOM_KEYS", CustomKeys=[{"HTTPMethod": {}}, {"IP": {}}])), True),
        (acl(own("Allow", YES), rate()), False),
        (acl(own("Allow", MAYBE), rate()), False),
        (acl(own("Allow", LISTED), rate()), True),
        (acl(rate(), own("Allow", YES)), True),
        (acl(rate(ScopeDownStatement=NO), rate(ScopeDownStatement=no(NO))), True),
        (acl(common()), False),
    ],
)
def test_a_client_is_limited_when_one_rate_rule_surely_counts_it(subject: WebAcl, *, limited: bool) -> None:
    """Whatever is undecidable does not count as a limit."""
    assert bool(subject.unlimited([TRACE])) is not limited


NEVER = [one for name in COMMON_RULES for one in to(name, "Count")]
"""Overrides that leave nothing of the Common rule set."""
SEEN = own("Count", byte_match("/"), RuleLabels=[{"Name": "mine:seen"}])
PERHAPS = own("Count", MAYBE, RuleLabels=[{"Name": "mine:seen"}])


def labelled(key: str) -> dict[str, Any]:
    """A label match statement."""
    return {"LabelMatchStatement": {"Scope": "LABEL", "Key": key}}


@pytest.mark.parametrize(
    ("subject", "filters"),
    [
        (acl(common()), True),
        (acl(own("Block", NO)), True),
        (acl(group("g"), groups=OWN), True),
        (acl(rate(), common("Count"), own("Count", YES), own("Allow", YES)), False),
        (acl(common(RuleActionOverrides=NEVER)), False),
        (acl(common(RuleActionOverrides=NEVER[1:])), True),
        (acl(common(RuleActionOverrides=NEVER, Name="AWSManagedRulesSQLiRuleSet")), True),
        (acl(own("Allow", byte_match("/")), common()), False),
        (acl(own("Allow", no(LISTED)), common()), False),
        (acl(own("Allow", size("GE", 0, UriPath={})), common()), False),
        (acl(own("Allow", byte_match("/api/v1/runs/b")), common()), True),
        (acl(own("Allow", both(LISTED, byte_match("/health"))), common()), True),
        (acl(own("Allow", LISTED), common()), True),
        (acl(common(), own("Allow", byte_match("/"))), True),
        (acl(own("Allow", MAYBE), common()), None),
        (acl(SEEN, own("Allow", labelled("mine:seen")), common()), False),
        (acl(PERHAPS, own("Allow", labelled("mine:seen")), common()), None),
        (acl(own("Allow", labelled("mine:seen")), common()), True),
        (acl(own("Allow", labelled("awswaf:clientip:geo:country:DE")), common()), None),
    ],
)
def test_a_filter_refuses_for_what_a_request_is_before_all_are_let_in(subject: WebAcl, *, filters: bool | None) -> None:
    """A rate rule is none, nor one that only counts, nor one behind a rule that allows everything."""
    assert subject.filters([TRACE, Sample("GET", "/api/v1/sessions", "langsmith.example")]) is filters


def test_a_limit_counts_by_the_labels_of_rules_before_it() -> None:
    """What spares the labelled spares everybody when everybody is labelled."""
    seen = labelled("mine:seen")
    assert acl(SEEN, rate(ScopeDownStatement=no(seen))).unlimited([TRACE])
    assert not acl(SEEN, rate(ScopeDownStatement=seen)).unlimited([TRACE])
    assert not acl(rate(ScopeDownStatement=no(seen)), SEEN).unlimited([TRACE])


@pytest.mark.parametrize(
    "first",
    [
        [SEEN, own("Allow", labelled("mine:seen"))],
        [PERHAPS, own("Allow", labelled("mine:seen"))],
        [common(RuleActionOverrides=to(BODY_SIZE, "Allow"))],
        [common(RuleActionOverrides=to("NoUserAgent_HEADER", "Allow"))],
    ],
)
def test_what_lets_a_client_in_before_it_is_counted(first: list[dict[str, Any]]) -> None:
    """By a label an earlier rule set, or by an override of a managed rule: then nobody counts."""
    assert acl(*first, rate()).unlimited([TRACE])
    assert not acl(rate(), *first).unlimited([TRACE])
