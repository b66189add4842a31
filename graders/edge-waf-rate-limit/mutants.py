"""One change at a time to the solved web ACL."""

from collections.abc import Iterator
from typing import Any

from hallmark.grading.mutation import Edit, mutant

EVERYTHING = ["floods_are_blocked", "limit_leaves_room", "traces_pass", "traces_with_markup_pass"]
REST = ["exception_is_narrow", "managed_rules_enforce"]


def acls(edit: Edit) -> Iterator[dict[str, Any]]:
    """Yield the web ACL of each load balancer."""
    yield from edit.each("wafv2", "get_web_acl_for_resource", "WebACL")


def rate_rules(edit: Edit) -> Iterator[dict[str, Any]]:
    """Yield the rate rules."""
    yield from (rule for acl in acls(edit) for rule in acl["Rules"] if "RateBasedStatement" in rule["Statement"])


def common(edit: Edit) -> Iterator[dict[str, Any]]:
    """Yield the rules that refer to the Common rule set."""
    for acl in acls(edit):
        for rule in acl["Rules"]:
            if rule["Statement"].get("ManagedRuleGroupStatement", {}).get("Name") == "AWSManagedRulesCommonRuleSet":
                yield rule


def paths(edit: Edit) -> Iterator[dict[str, Any]]:
    """Yield the path tests of the exception."""
    for rule in common(edit):
        scope = rule["Statement"]["ManagedRuleGroupStatement"]["ScopeDownStatement"]
        for test in scope["NotStatement"]["Statement"]["OrStatement"]["Statements"]:
            yield test["ByteMatchStatement"]


@mutant(breaks=[*EVERYTHING, *REST])
def load_balancer_is_gone(edit: Edit) -> None:
    """There is no load balancer."""
    for answer in edit.answers("elbv2", "describe_load_balancers"):
        answer["LoadBalancers"] = []


@mutant(breaks=[*EVERYTHING, *REST])
def web_acl_is_detached(edit: Edit) -> None:
    """The load balancer has no web ACL."""
    for answer in edit.answers("wafv2", "get_web_acl_for_resource"):
        del answer["WebACL"]


@mutant(breaks=["floods_are_blocked", "limit_leaves_room", *REST])
def rate_rule_is_gone(edit: Edit) -> None:
    """There is no rate rule."""
    for acl in acls(edit):
        acl["Rules"] = [rule for rule in acl["Rules"] if "RateBasedStatement" not in rule["Statement"]]


@mutant(breaks=["floods_are_blocked", "limit_leaves_room", *REST])
def rate_rule_counts(edit: Edit) -> None:
    """The rate rule only counts."""
    for rule in rate_rules(edit):
        rule["Action"] = {"Count": {}}


def count_only(edit: Edit, field: str, text: str) -> None:
    """Have the rate rule count nothing but requests with *text* in a field."""
    test = {
        "SearchString": text,
        "FieldToMatch": {field: {}},
        "PositionalConstraint": "EXACTLY",
        "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
    }
    for rule in rate_rules(edit):
        rule["Statement"]["RateBasedStatement"]["ScopeDownStatement"] = {"ByteMatchStatement": test}


@mutant(breaks=["floods_are_blocked", "limit_leaves_room", *REST])
def rate_rule_ignores_traces(edit: Edit) -> None:
    """The rate rule counts one path only."""
    count_only(edit, "UriPath", "/api/v1/login")


@mutant(breaks=["floods_are_blocked", "limit_leaves_room", *REST])
def rate_rule_ignores_reading(edit: Edit) -> None:
    """The rate rule counts what is sent, not what is asked for."""
    count_only(edit, "Method", "POST")


@mutant(breaks=["limit_leaves_room"])
def limit_is_one_below_the_floor(edit: Edit) -> None:
    """The limit is one request below the floor."""
    for rule in rate_rules(edit):
        rule["Statement"]["RateBasedStatement"]["Limit"] = 1999


@mutant(breaks=())
def limit_is_at_the_floor(edit: Edit) -> None:
    """The limit is exactly the floor."""
    for rule in rate_rules(edit):
        rule["Statement"]["RateBasedStatement"]["Limit"] = 2000


@mutant(breaks=["limit_leaves_room"])
def limit_is_low_for_its_window(edit: Edit) -> None:
    """The floor of five minutes, counted over ten: half the rate."""
    for rule in rate_rules(edit):
        rule["Statement"]["RateBasedStatement"] |= {"Limit": 2000, "EvaluationWindowSec": 600}


@mutant(breaks=["floods_are_blocked", "limit_leaves_room", *REST])
def limit_is_beyond_any_client(edit: Edit) -> None:
    """The limit is one request above the ceiling."""
    for rule in rate_rules(edit):
        rule["Statement"]["RateBasedStatement"]["Limit"] = 300_001


@mutant(breaks=())
def limit_is_at_the_ceiling(edit: Edit) -> None:
    """The limit is exactly the ceiling."""
    for rule in rate_rules(edit):
        rule["Statement"]["RateBasedStatement"]["Limit"] = 300_000


@mutant(breaks=())
def addresses_are_forwarded(edit: Edit) -> None:
    """The limit counts the forwarded address."""
    for rule in rate_rules(edit):
        settings = {"HeaderName": "X-Forwarded-For", "FallbackBehavior": "MATCH"}
        rule["Statement"]["RateBasedStatement"] |= {"AggregateKeyType": "FORWARDED_IP", "ForwardedIPConfig": settings}


@mutant(breaks=["traces_pass", "traces_with_markup_pass", *REST])
def exception_is_gone(edit: Edit) -> None:
    """The Common rule set has no exception."""
    for rule in common(edit):
        del rule["Statement"]["ManagedRuleGroupStatement"]["ScopeDownStatement"]


@mutant(breaks=["traces_pass", "traces_with_markup_pass", *REST])
def one_path_is_forgotten(edit: Edit) -> None:
    """OpenTelemetry is not excepted."""
    for test in paths(edit):
        test["SearchString"] = test["SearchString"].replace("otel", "trace")


@mutant(breaks=["traces_pass", "traces_with_markup_pass", *REST])
def exception_is_exact(edit: Edit) -> None:
    """The exception holds for the bare paths, not for what is below them."""
    for test in paths(edit):
        test["PositionalConstraint"] = "EXACTLY"


@mutant(breaks=["exception_is_narrow", "managed_rules_enforce"])
def exception_covers_everything(edit: Edit) -> None:
    """The exception holds for every path."""
    for test in paths(edit):
        test["SearchString"] = "/"


@mutant(breaks=["exception_is_narrow"])
def exception_covers_the_api(edit: Edit) -> None:
    """The exception holds for the whole API."""
    for test in paths(edit):
        test["SearchString"] = "/api/"


@mutant(breaks=["exception_is_narrow"])
def exception_covers_names_anywhere(edit: Edit) -> None:
    """The exception holds for whatever has runs or otel in its path."""
    for test in paths(edit):
        word = "otel" if "otel" in test["SearchString"] else "runs"
        test |= {"PositionalConstraint": "CONTAINS", "SearchString": word}


@mutant(breaks=["exception_is_narrow"])
def exception_takes_paths_as_they_are_written(edit: Edit) -> None:
    """/api/v1/runs/../login begins like a trace, and the server signs somebody in."""
    for test in paths(edit):
        test["TextTransformations"] = [{"Priority": 0, "Type": "NONE"}]


@mutant(breaks=["traces_with_markup_pass"])
def only_the_size_is_excepted(edit: Edit) -> None:
    """Traces may be long, and still must not look like an attack."""
    for rule in common(edit):
        group = rule["Statement"]["ManagedRuleGroupStatement"]
        scope = group.pop("ScopeDownStatement")
        group["RuleActionOverrides"] = [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]
        label = "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"
        tests = [{"LabelMatchStatement": {"Scope": "LABEL", "Key": label}}, scope]
        for acl in acls(edit):
            acl["Rules"].append(
                {
                    "Name": "long-bodies-elsewhere",
                    "Priority": 90,
                    "Action": {"Block": {}},
                    "Statement": {"AndStatement": {"Statements": tests}},
                    "VisibilityConfig": rule["VisibilityConfig"],
                }
            )


@mutant(breaks=["exception_is_narrow", "managed_rules_enforce"])
def common_rules_count(edit: Edit) -> None:
    """The Common rule set only counts."""
    for rule in common(edit):
        rule["OverrideAction"] = {"Count": {}}


@mutant(breaks=["exception_is_narrow"])
def one_body_rule_counts(edit: Edit) -> None:
    """One body rule counts everywhere."""
    for rule in common(edit):
        override = {"Name": "CrossSiteScripting_BODY", "ActionToUse": {"Count": {}}}
        rule["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"] = [override]


@mutant(breaks=["managed_rules_enforce"])
def known_bad_inputs_are_gone(edit: Edit) -> None:
    """The group against known bad inputs was deleted."""
    for acl in acls(edit):
        acl["Rules"] = [rule for rule in acl["Rules"] if "KnownBadInputs" not in str(rule["Statement"])]


@mutant(breaks=["managed_rules_enforce"])
def bad_addresses_are_let_in(edit: Edit) -> None:
    """The list of bad addresses was deleted."""
    for acl in acls(edit):
        acl["Rules"] = [rule for rule in acl["Rules"] if "IpReputation" not in str(rule["Statement"])]


@mutant(breaks=["traces_pass", "traces_with_markup_pass", *REST])
def default_action_blocks(edit: Edit) -> None:
    """What no rule allows is blocked."""
    for acl in acls(edit):
        acl["DefaultAction"] = {"Block": {}}


@mutant(breaks=())
def rules_have_other_names(edit: Edit) -> None:
    """Names say nothing."""
    for acl in acls(edit):
        for rule in acl["Rules"]:
            rule["Name"] = f"x-{rule['Priority']}"
