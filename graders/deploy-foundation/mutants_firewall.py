"""What can be wrong with the firewall, and what only looks wrong."""

import copy
from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call, Status
from hallmark.views.firewall import COMMON_RULES

COMMON = "AWSManagedRulesCommonRuleSet"
LABEL = "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"
PATHS = ("/api/v1/runs", "/api/v1/otel/", "/api/runs")


def _acl(edit: Edit) -> dict[str, Any]:
    return next(edit.each("wafv2", "get_web_acl_for_resource", "WebACL"))


def _rate_rule(edit: Edit) -> dict[str, Any]:
    return next(rule for rule in _acl(edit)["Rules"] if "RateBasedStatement" in rule["Statement"])


def _rate(edit: Edit) -> dict[str, Any]:
    rate: dict[str, Any] = _rate_rule(edit)["Statement"]["RateBasedStatement"]
    return rate


def _common_rule(edit: Edit) -> dict[str, Any]:
    return next(rule for rule in _acl(edit)["Rules"] if rule["Name"] == COMMON)


def _common(edit: Edit) -> dict[str, Any]:
    group: dict[str, Any] = _common_rule(edit)["Statement"]["ManagedRuleGroupStatement"]
    return group


def _path(text: str, constraint: str = "STARTS_WITH") -> dict[str, Any]:
    body = {"FieldToMatch": {"UriPath": {}}, "PositionalConstraint": constraint, "SearchString": text}
    return {"ByteMatchStatement": body | {"TextTransformations": [{"Priority": 0, "Type": "NONE"}]}}


def _any_path(*paths: str) -> dict[str, Any]:
    return {"OrStatement": {"Statements": [_path(path) for path in paths]}}


def _not(statement: dict[str, Any]) -> dict[str, Any]:
    return {"NotStatement": {"Statement": statement}}


def _addresses(edit: Edit, *addresses: str) -> dict[str, Any]:
    """Refer to a list of *addresses*, or of an office's."""
    call = Call.of("wafv2", "get_ip_set", Name="office", Scope="REGIONAL", Id="1")
    edit.put(call, {"IPSet": {"Name": "office", "Addresses": list(addresses) or ["198.51.100.0/24"]}})
    return {"IPSetReferenceStatement": {"ARN": "arn:aws:wafv2:us-east-1:111122223333:regional/ipset/office/1"}}


def _rule(name: str, priority: int, action: str, statement: dict[str, Any]) -> dict[str, Any]:
    return {"Name": name, "Priority": priority, "Action": {action: {}}, "Statement": statement}


def _own_group(edit: Edit, rules: list[dict[str, Any]]) -> dict[str, Any]:
    """Put *rules* into a rule group, and return the rule of the web ACL that refers to it."""
    arn = "arn:aws:wafv2:us-east-1:111122223333:regional/rulegroup/own/1"
    group = {"Name": "own", "ARN": arn, "Id": "1", "Capacity": 100, "Rules": rules}
    edit.put(Call.of("wafv2", "get_rule_group", ARN=arn), {"RuleGroup": group})
    statement = {"RuleGroupReferenceStatement": {"ARN": arn}}
    return {"Name": "own", "Priority": 5, "OverrideAction": {"None": {}}, "Statement": statement}


@mutant(breaks=["firewall_attached"])
def web_acl_is_not_attached(edit: Edit) -> None:
    """AWS answers without a web ACL."""
    for answer in edit.answers("wafv2", "get_web_acl_for_resource"):
        del answer["WebACL"]


@mutant(breaks=["firewall_attached"])
def web_acl_is_absent(edit: Edit) -> None:
    """AWS answers that there is none."""
    edit.status("wafv2", "get_web_acl_for_resource", Status.ABSENT, "WAFNonexistentItemException")


@mutant(breaks=["rate_limited"])
def no_rate_rule(edit: Edit) -> None:
    """The web ACL has no rate-based rule."""
    _acl(edit)["Rules"].remove(_rate_rule(edit))


@mutant(breaks=["rate_limited"])
def rate_rule_only_counts(edit: Edit) -> None:
    """The rate rule is in count mode."""
    _rate_rule(edit)["Action"] = {"Count": {}}


@mutant(breaks=["rate_limited"])
def rate_limit_is_out_of_reach(edit: Edit) -> None:
    """The limit is the highest AWS takes."""
    _rate(edit)["Limit"] = 2_000_000_000


@mutant(breaks=["rate_limited"])
def rate_limit_is_just_beyond_reason(edit: Edit) -> None:
    """A little more than 1000 requests a second."""
    _rate(edit)["Limit"] = 300_001


@mutant(breaks=())
def rate_limit_is_generous(edit: Edit) -> None:
    """1000 requests a second."""
    _rate(edit)["Limit"] = 300_000


@mutant(breaks=["rate_limited"])
def rate_limit_in_a_short_window(edit: Edit) -> None:
    """The same limit in a fifth of the time is five times as much."""
    _rate(edit).update({"Limit": 300_000, "EvaluationWindowSec": 60})


@mutant(breaks=["rate_limited"])
def rate_rule_covers_one_path(edit: Edit) -> None:
    """Only signing in is limited."""
    _rate(edit)["ScopeDownStatement"] = _path("/api/v1/login", "EXACTLY")


@mutant(breaks=["rate_limited"])
def rate_rule_leaves_ingestion_out(edit: Edit) -> None:
    """Ingestion is exempt from the limit, not from the body rules."""
    _rate(edit)["ScopeDownStatement"] = _not(_any_path(*PATHS))


@mutant(breaks=["rate_limited"])
def rate_rule_covers_known_addresses(edit: Edit) -> None:
    """Only addresses on a list are limited."""
    _rate(edit)["ScopeDownStatement"] = _addresses(edit)


@mutant(breaks=["rate_limited"])
def rate_rule_covers_some_countries(edit: Edit) -> None:
    """Clients elsewhere are not limited."""
    _rate(edit)["ScopeDownStatement"] = {"GeoMatchStatement": {"CountryCodes": ["DE"]}}


@mutant(breaks=["rate_limited"])
def rate_rule_spares_some_countries(edit: Edit) -> None:
    """Clients of one country are not limited."""
    _rate(edit)["ScopeDownStatement"] = _not({"GeoMatchStatement": {"CountryCodes": ["DE"]}})


@mutant(breaks=["rate_limited"])
def rate_rule_counts_by_header(edit: Edit) -> None:
    """A client starts anew with every new header."""
    header = {"Header": {"Name": "x-api-key", "TextTransformations": [{"Priority": 0, "Type": "NONE"}]}}
    _rate(edit).update({"AggregateKeyType": "CUSTOM_KEYS", "CustomKeys": [header]})


@mutant(breaks=["rate_limited"])
def ingestion_is_allowed_before_it_is_counted(edit: Edit) -> None:
    """A rule in front lets ingestion through, so that nothing behind it counts."""
    _rate_rule(edit)["Priority"] = 2
    _acl(edit)["Rules"].append(_rule("let-traces-in", 1, "Allow", _any_path(*PATHS)))


@mutant(breaks=["rate_limited", "firewall_filters"])
def everything_is_allowed_first(edit: Edit) -> None:
    """A rule in front lets everything through that asks for the host."""
    _rate_rule(edit)["Priority"] = 2
    _acl(edit)["Rules"].append(_rule("let-all-in", 1, "Allow", _path("/")))


@mutant(breaks=["rate_limited", "firewall_filters"])
def everybody_is_on_the_list(edit: Edit) -> None:
    """The list that passes before anything else is the whole internet, which has to be written in two halves."""
    _rate_rule(edit)["Priority"] = 2
    everybody = _addresses(edit, "0.0.0.0/1", "128.0.0.0/1")
    _acl(edit)["Rules"].append(_rule("office", 1, "Allow", everybody))


@mutant(breaks=())
def rate_rule_spares_the_office(edit: Edit) -> None:
    """Addresses on a list are not limited."""
    _rate(edit)["ScopeDownStatement"] = _not(_addresses(edit))


@mutant(breaks=())
def office_is_allowed_first(edit: Edit) -> None:
    """Addresses on a list pass before anything else."""
    _rate_rule(edit)["Priority"] = 2
    _acl(edit)["Rules"].append(_rule("office", 1, "Allow", _addresses(edit)))


@mutant(breaks=())
def rate_rule_by_address_and_path(edit: Edit) -> None:
    """Each address has its count for each path."""
    path = {"UriPath": {"TextTransformations": [{"Priority": 0, "Type": "NONE"}]}}
    _rate(edit).update({"AggregateKeyType": "CUSTOM_KEYS", "CustomKeys": [path, {"IP": {}}]})


@mutant(breaks=())
def rate_rule_by_forwarded_address(edit: Edit) -> None:
    """Counting by a header is right behind a proxy: a remark."""
    _rate(edit)["AggregateKeyType"] = "FORWARDED_IP"


@mutant(breaks=())
def rate_rule_without_window(edit: Edit) -> None:
    """Without a window AWS counts over five minutes."""
    del _rate(edit)["EvaluationWindowSec"]


@mutant(breaks=())
def two_rate_rules_share_the_work(edit: Edit) -> None:
    """One limit for ingestion, one for everything else."""
    _rate(edit)["ScopeDownStatement"] = _not(_any_path(*PATHS))
    other = copy.deepcopy(_rate_rule(edit)) | {"Name": "ingestion", "Priority": 1}
    other["Statement"]["RateBasedStatement"]["ScopeDownStatement"] = _any_path(*PATHS)
    _acl(edit)["Rules"].append(other)


@mutant(breaks=())
def rate_rule_in_a_rule_group(edit: Edit) -> None:
    """The rate rule is kept in a rule group of the organisation."""
    rule = _rate_rule(edit)
    _acl(edit)["Rules"].remove(rule)
    _acl(edit)["Rules"].append(_own_group(edit, [rule]))


@mutant(breaks=["rate_limited"])
def rate_rule_in_a_rule_group_that_only_counts(edit: Edit) -> None:
    """The web ACL sets the whole rule group to count."""
    rule = _rate_rule(edit)
    _acl(edit)["Rules"].remove(rule)
    _acl(edit)["Rules"].append(_own_group(edit, [rule]) | {"OverrideAction": {"Count": {}}})


@mutant(breaks=["rate_limited"])
def rate_rule_in_a_rule_group_is_overridden(edit: Edit) -> None:
    """The web ACL sets the rule of the group to count."""
    rule = _rate_rule(edit)
    _acl(edit)["Rules"].remove(rule)
    reference = _own_group(edit, [rule])
    override = {"Name": rule["Name"], "ActionToUse": {"Count": {}}}
    reference["Statement"]["RuleGroupReferenceStatement"]["RuleActionOverrides"] = [override]
    _acl(edit)["Rules"].append(reference)


@mutant(breaks=["firewall_filters"])
def managed_rules_only_count(edit: Edit) -> None:
    """All managed rule groups are in count mode."""
    for rule in _acl(edit)["Rules"]:
        if "OverrideAction" in rule:
            rule["OverrideAction"] = {"Count": {}}


@mutant(breaks=["firewall_filters"])
def only_the_rate_rule_is_left(edit: Edit) -> None:
    """Nothing but the rate limit."""
    _acl(edit)["Rules"] = [_rate_rule(edit)]


@mutant(breaks=["firewall_filters"])
def everything_is_allowed_before_the_filters(edit: Edit) -> None:
    """A rule behind the rate limit lets everything through, so that nothing behind it filters."""
    _acl(edit)["Rules"].append(_rule("let-all-in", 1, "Allow", _path("/")))


@mutant(breaks=["firewall_filters"])
def every_managed_rule_is_overridden(edit: Edit) -> None:
    """The Common rule set is in place, and each of its rules counts."""
    overrides = [{"Name": name, "ActionToUse": {"Count": {}}} for name in sorted(COMMON_RULES)]
    _common(edit)["RuleActionOverrides"] = overrides
    _acl(edit)["Rules"] = [_rate_rule(edit), _common_rule(edit)]


@mutant(breaks=())
def health_checks_are_allowed_before_the_filters(edit: Edit) -> None:
    """One path, for addresses on a list."""
    narrow = {"AndStatement": {"Statements": [_addresses(edit), _path("/api/v1/ok", "EXACTLY")]}}
    _acl(edit)["Rules"].append(_rule("health", 1, "Allow", narrow))


@mutant(breaks=())
def one_own_rule_blocks(edit: Edit) -> None:
    """One rule of one's own is enough to filter."""
    own = _rule("no-admin", 3, "Block", _path("/admin"))
    _acl(edit)["Rules"] = [_rate_rule(edit), own]


@mutant(breaks=["ingestion_passes_firewall"])
def traces_are_blocked_by_size(edit: Edit) -> None:
    """The Common rule set looks at every path."""
    del _common(edit)["ScopeDownStatement"]


@mutant(breaks=["ingestion_passes_firewall"])
def one_ingestion_path_is_forgotten(edit: Edit) -> None:
    """The exception leaves out OpenTelemetry."""
    _common(edit)["ScopeDownStatement"] = _not(_any_path("/api/v1/runs", "/api/runs"))


@mutant(breaks=["ingestion_passes_firewall"])
def exception_is_for_the_exact_path(edit: Edit) -> None:
    """Batches and multipart have longer paths."""
    _common(edit)["ScopeDownStatement"] = _not(_path("/api/v1/runs", "EXACTLY"))


@mutant(breaks=["ingestion_passes_firewall"])
def exception_is_the_wrong_way_round(edit: Edit) -> None:
    """The Common rule set looks at ingestion and nothing else."""
    _common(edit)["ScopeDownStatement"] = _any_path(*PATHS)


@mutant(breaks=["ingestion_passes_firewall"])
def another_rule_of_the_set_is_overridden(edit: Edit) -> None:
    """The wrong rule is set to count."""
    group = _common(edit)
    del group["ScopeDownStatement"]
    group["RuleActionOverrides"] = [{"Name": "SizeRestrictions_QUERYSTRING", "ActionToUse": {"Count": {}}}]


@mutant(breaks=["ingestion_passes_firewall"])
def own_rule_limits_the_body(edit: Edit) -> None:
    """A rule of one's own blocks bodies larger than WAF can read."""
    large = {"FieldToMatch": {"Body": {"OversizeHandling": "MATCH"}}, "ComparisonOperator": "GT", "Size": 8192}
    large |= {"TextTransformations": [{"Priority": 0, "Type": "NONE"}]}
    _acl(edit)["Rules"].append(_rule("size", 40, "Block", {"SizeConstraintStatement": large}))


@mutant(breaks=["ingestion_passes_firewall"])
def web_acl_blocks_by_default(edit: Edit) -> None:
    """Only what a rule allows gets through, and no rule allows traces."""
    _acl(edit)["DefaultAction"] = {"Block": {}}


@mutant(breaks=())
def size_rule_counts(edit: Edit) -> None:
    """The size rule is overridden to count for every path."""
    group = _common(edit)
    del group["ScopeDownStatement"]
    group["RuleActionOverrides"] = [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]


@mutant(breaks=())
def size_rule_is_excluded(edit: Edit) -> None:
    """The same in the older spelling."""
    group = _common(edit)
    del group["ScopeDownStatement"]
    group["ExcludedRules"] = [{"Name": "SizeRestrictions_BODY"}]


@mutant(breaks=())
def size_rule_blocks_by_label_elsewhere(edit: Edit) -> None:
    """The size rule counts, and a rule behind it blocks what it labelled, except on the ingestion paths."""
    size_rule_counts.edit(edit)
    labelled = {"LabelMatchStatement": {"Scope": "LABEL", "Key": LABEL}}
    both = {"AndStatement": {"Statements": [labelled, _not(_any_path(*PATHS))]}}
    _acl(edit)["Rules"].append(_rule("large-bodies", 40, "Block", both))


@mutant(breaks=["ingestion_passes_firewall"])
def size_rule_blocks_by_label_everywhere(edit: Edit) -> None:
    """The size rule counts, and a rule behind it blocks what it labelled all the same."""
    size_rule_counts.edit(edit)
    labelled = {"LabelMatchStatement": {"Scope": "LABEL", "Key": LABEL}}
    _acl(edit)["Rules"].append(_rule("large-bodies", 40, "Block", labelled))


@mutant(breaks=())
def traces_are_allowed_behind_the_rate_rule(edit: Edit) -> None:
    """Ingestion is counted first, then allowed past the Common rule set."""
    del _common(edit)["ScopeDownStatement"]
    _acl(edit)["Rules"].append(_rule("let-traces-in", 25, "Allow", _any_path(*PATHS)))


@mutant(breaks=())
def exception_by_pattern(edit: Edit) -> None:
    """The exception is written as a regular expression."""
    pattern: dict[str, Any] = {"FieldToMatch": {"UriPath": {}}, "RegexString": "^/api/(v1/)?(runs|otel/)"}
    pattern |= {"TextTransformations": [{"Priority": 0, "Type": "LOWERCASE"}]}
    _common(edit)["ScopeDownStatement"] = _not({"RegexMatchStatement": pattern})
