"""The web ACL has managed rules, no rate limit, and blocks traces above 8 KB.

Nobody notices the missing rate limit: it is an audit finding (sharp edge SE-15). The user interface works and small
traces arrive, but larger ones get 403 with an HTML page from the load balancer, because the body size rule of the
common rule set has lost its exception for the ingestion paths (sharp edge SE-14). The load balancer, its web ACL
association and every other rule are untouched.

The fault rewrites the rules of the web ACL in one call. Its inverse writes the recorded definition back.
"""

from collections.abc import Mapping
from typing import Any

from hallmark.errors import Absent
from hallmark.faults import balancers
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.faults.sight import Sight

Rule = Mapping[str, Any]
SHOWS_WITHIN = 180.0
"""A changed web ACL takes from seconds to minutes to be everywhere (AWS WAF developer guide)."""
_WORDS = "POST /api/v1/runs with 64 KB: 403, an HTML page of awselb/2.0; with 1 KB: 202"
SEEN = Sight("large_run", "refused", 403, by_balancer=True, words=_WORDS)
COMMON = "AWSManagedRulesCommonRuleSet"
_CORE_LABEL = "awswaf:managed:aws:core-rule-set:"
_EXCEPTIONS = ("ScopeDownStatement", "RuleActionOverrides", "ExcludedRules")


def plan(read: Reader) -> list[Step]:
    """Write the definition without rate rules and without exceptions; the inverse writes the recorded one."""
    acl, token = balancers.web_acl(read)
    rules = [bare for rule in acl["Rules"] if (bare := _without_protection(rule))]
    if not any(_is_common(rule) for rule in rules):
        raise Absent(f"the web ACL {acl['Name']} has no enforcing {COMMON}")
    gone = sorted(rule["Name"] for rule in acl["Rules"] if not _without_protection(rule))
    what = f"drop {', '.join(gone) or 'no rule'}; drop the exceptions of {COMMON}"
    return [balancers.rewrite(acl, token, rules, what)]


def observe(read: Reader) -> Observation:
    """Look whether rate rule and exceptions are gone, and at the rest of the web ACL."""
    acl, _ = balancers.web_acl(read)
    rules = acl["Rules"]
    symptom = any(_is_common(rule) for rule in rules) and all(_without_protection(rule) == rule for rule in rules)
    unaffected = {
        "the web ACL": {name: acl.get(name) for name in balancers.DEFINITION if name != "Rules"},
        "its other rules": [bare for rule in rules if (bare := _without_protection(rule))],
    }
    return Observation(symptom, unaffected)


def _without_protection(rule: Rule) -> Rule | None:
    """Return the rule as the fault leaves it: nothing for a rate rule or an exception, the common rules bare."""
    statement = rule["Statement"]
    if _mentions(statement, "RateBasedStatement") or _reads_core_label(statement):
        return None
    if not _is_common(rule):
        return rule
    group = {k: v for k, v in statement["ManagedRuleGroupStatement"].items() if k not in _EXCEPTIONS}
    return {**rule, "Statement": {"ManagedRuleGroupStatement": group}}


def _is_common(rule: Rule) -> bool:
    group = rule["Statement"].get("ManagedRuleGroupStatement", {})
    return group.get("Name") == COMMON and "None" in rule.get("OverrideAction", {})


def _mentions(value: Any, name: str) -> bool:
    if isinstance(value, dict):
        return name in value or any(_mentions(item, name) for item in value.values())
    return isinstance(value, list) and any(_mentions(item, name) for item in value)


def _reads_core_label(value: Any) -> bool:
    if isinstance(value, dict):
        key = value.get("LabelMatchStatement", {}).get("Key", "")
        return _CORE_LABEL in key or any(_reads_core_label(item) for item in value.values())
    return isinstance(value, list) and any(_reads_core_label(item) for item in value)
