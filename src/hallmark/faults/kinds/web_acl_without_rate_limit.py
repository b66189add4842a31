"""The web ACL has managed rules, no rate limit, and blocks traces above 8 KB.

Nobody notices the missing rate limit: it is an audit finding (sharp edge SE-15). The user interface works and small
traces arrive, but larger ones get 403 with an HTML page from the load balancer, because the body size rule of the
common rule set has lost its exception for the ingestion paths (sharp edge SE-14). The load balancer, its web ACL
association and every other rule are untouched.

The fault rewrites the rules of the web ACL in one call. Its inverse writes the recorded definition back.
"""

from collections.abc import Mapping
from typing import Any

from hallmark.errors import Absent, GuardRefused
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.model import Call

Rule = Mapping[str, Any]
COMMON = "AWSManagedRulesCommonRuleSet"
_CORE_LABEL = "awswaf:managed:aws:core-rule-set:"
_EXCEPTIONS = ("ScopeDownStatement", "RuleActionOverrides", "ExcludedRules")
_DEFINITION = (
    "Name", "Id", "Description", "DefaultAction", "VisibilityConfig", "DataProtectionConfig", "Rules",
    "CustomResponseBodies", "CaptchaConfig", "ChallengeConfig", "TokenDomains", "AssociationConfig",
    "OnSourceDDoSProtectionConfig", "ApplicationConfig",
)  # fmt: skip
"""What UpdateWebACL takes: it replaces the whole definition (AWS WAF API reference)."""
_TAG_BATCH = 20
"""Load balancers that DescribeTags takes in one call (Elastic Load Balancing API reference)."""


def plan(read: Reader) -> list[Step]:
    """Write the definition without rate rules and without exceptions; the inverse writes the recorded one."""
    acl, token = _acl(read)
    recorded = {name: acl[name] for name in _DEFINITION if acl.get(name)} | {"Scope": "REGIONAL"}
    rules = [bare for rule in acl["Rules"] if (bare := _without_protection(rule))]
    if not any(_is_common(rule) for rule in rules):
        raise Absent(f"the web ACL {acl['Name']} has no enforcing {COMMON}")
    gone = sorted(rule["Name"] for rule in acl["Rules"] if not _without_protection(rule))
    step = Step(
        what=f"drop {', '.join(gone) or 'no rule'}; drop the exceptions of {COMMON}",
        back=f"write back the recorded definition: {', '.join(rule['Name'] for rule in acl['Rules'])}",
        resource=f"web ACL {acl['Name']}",
        do=Call.of("wafv2", "update_web_acl", **{**recorded, "Rules": rules, "LockToken": token}),
        undo=Call.of("wafv2", "update_web_acl", **recorded),
    )
    return [step]


def observe(read: Reader) -> Observation:
    """Look whether rate rule and exceptions are gone, and at the rest of the web ACL."""
    acl, _ = _acl(read)
    rules = acl["Rules"]
    symptom = any(_is_common(rule) for rule in rules) and all(_without_protection(rule) == rule for rule in rules)
    unaffected = {
        "the web ACL": {name: acl.get(name) for name in _DEFINITION if name != "Rules"},
        "its other rules": [bare for rule in rules if (bare := _without_protection(rule))],
    }
    return Observation(symptom, unaffected)


def _acl(read: Reader) -> tuple[dict[str, Any], str]:
    """Return the web ACL of the cluster's load balancer, and its lock token."""
    everywhere = read.ask("elbv2", "describe_load_balancers")["LoadBalancers"]
    arns = [each["LoadBalancerArn"] for each in everywhere if each["Type"] == "application"]
    ours = _of_cluster(read, arns)
    by_acl: dict[str, set[str]] = {}
    names: dict[str, dict[str, str]] = {}
    for arn in arns:
        summary = read.ask_or({}, "wafv2", "get_web_acl_for_resource", ResourceArn=arn).get("WebACL")
        if summary:
            by_acl.setdefault(summary["ARN"], set()).add(arn)
            names[summary["ARN"]] = {"Name": summary["Name"], "Id": summary["Id"]}
    found = sorted(acl for acl, holders in by_acl.items() if holders & ours)
    if not found:
        raise Absent(f"no load balancer of {read.scope['cluster']} has a web ACL")
    if len(found) > 1 or by_acl[found[0]] - ours:
        hint = "Give the lab's load balancer a web ACL of its own."
        raise GuardRefused(f"the web ACL {found[0]} is not the lab's alone.", hint)
    answer = read.ask("wafv2", "get_web_acl", Scope="REGIONAL", **names[found[0]])
    return answer["WebACL"], answer["LockToken"]


def _of_cluster(read: Reader, arns: list[str]) -> set[str]:
    """Keep what AWS Load Balancer Controller made for the cluster in scope; it says so in a tag."""
    mine = {"Key": "elbv2.k8s.aws/cluster", "Value": read.scope["cluster"]}
    described: list[dict[str, Any]] = []
    for first in range(0, len(arns), _TAG_BATCH):
        batch = arns[first : first + _TAG_BATCH]
        described += read.ask("elbv2", "describe_tags", ResourceArns=batch)["TagDescriptions"]
    return {each["ResourceArn"] for each in described if mine in each["Tags"]}


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
