"""A web ACL's decision about one request.

Rules run by priority until one terminates; Count adds labels and goes on; a group ends with its first rule that
terminates, and the ACL's override turns that into Count (WAF developer guide, "How WAF processes rules").
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hallmark.twin.edge.waf.managed import GROUPS, PREFIX
from hallmark.twin.edge.waf.rates import Rates
from hallmark.twin.edge.waf.request import Inspected
from hallmark.twin.edge.waf.statements import Evaluation

COUNT = "Count"
DEFAULT = "Default_Action"
"""What WAF calls the rule when none terminated."""
Action = Mapping[str, Any]


@dataclass
class Decision:
    """What becomes of a request.

    Attributes:
        action: ``Allow``, ``Block``, ``Captcha`` or ``Challenge``.
        settings: Of that action: a custom response, headers to insert.
        rule: What terminated: a rule, or ``group: rule``.
        counted: Rules that matched and only counted.
        labels: Labels of the request.
    """

    action: str = "Allow"
    settings: Action = field(default_factory=dict)
    rule: str = ""
    counted: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


def decide(
    acl: Mapping[str, Any], request: Inspected, rates: Rates, references: Mapping[str, Any] | None = None
) -> Decision:
    """Run a request through a web ACL.

    Args:
        acl: As ``GetWebACL`` describes it.
        request: The request.
        rates: Counts so far.
        references: Address sets, pattern sets and rule groups by ARN.
    """
    evaluation, decision = Evaluation(request, rates, references or {}), Decision()
    decision.labels = evaluation.labels
    namespace = acl.get("LabelNamespace") or f"awswaf:webacl:{acl['Name']}:"
    for rule in sorted(acl["Rules"], key=lambda each: int(each["Priority"])):
        name, action = _outcome(rule, evaluation, decision, namespace)
        if not action:
            continue
        if COUNT in action:
            decision.counted.append(name)
            continue
        decision.rule = name
        decision.action, decision.settings = _split(action)
        return decision
    decision.rule = DEFAULT
    decision.action, decision.settings = _split(acl["DefaultAction"])
    return decision


def _outcome(
    rule: Mapping[str, Any], evaluation: Evaluation, decision: Decision, namespace: str
) -> tuple[str, Action | None]:
    """A rule's name and its action if it matches."""
    statement = rule["Statement"]
    group = statement.get("ManagedRuleGroupStatement") or statement.get("RuleGroupReferenceStatement")
    if not group:
        return rule["Name"], _single(rule, evaluation, namespace)
    within = group.get("ScopeDownStatement")
    if within and not evaluation.matches(within):
        return rule["Name"], None
    found = _group(group, evaluation)
    decision.counted += [f"{rule['Name']}: {name}" for name, action in found if COUNT in action]
    name, action = next(((name, action) for name, action in found if COUNT not in action), ("", None))
    if action and COUNT in (rule.get("OverrideAction") or {}):
        action = {COUNT: {}}
    return f"{rule['Name']}: {name}" if name else rule["Name"], action


def _single(rule: Mapping[str, Any], evaluation: Evaluation, namespace: str) -> Action | None:
    if not evaluation.matches(rule["Statement"]):
        return None
    evaluation.labels += [namespace + each["Name"] for each in rule.get("RuleLabels") or ()]
    return rule.get("Action") or {"Block": {}}


def _group(group: Mapping[str, Any], evaluation: Evaluation) -> list[tuple[str, Action]]:
    """What matched in a group, up to the first that terminates."""
    changed: dict[str, Action] = {each["Name"]: {COUNT: {}} for each in group.get("ExcludedRules") or ()}
    changed |= {each["Name"]: each["ActionToUse"] for each in group.get("RuleActionOverrides") or ()}
    matching = _custom(group["ARN"], evaluation) if "ARN" in group else _managed(group, evaluation)
    found: list[tuple[str, Action]] = []
    for name, action in matching:
        found.append((name, changed.get(name, action)))
        if COUNT not in found[-1][1]:
            break
    return found


def _managed(group: Mapping[str, Any], evaluation: Evaluation) -> Iterable[tuple[str, Action]]:
    for rule in GROUPS.get(group["Name"], ()) if group["VendorName"] == "AWS" else ():
        if rule.matches(evaluation.request):
            evaluation.labels.append(PREFIX + rule.label)
            yield rule.name, {"Block": {}}


def _custom(arn: str, evaluation: Evaluation) -> Iterable[tuple[str, Action]]:
    group = evaluation.references.get(arn) or {"Rules": []}
    for rule in sorted(group["Rules"], key=lambda each: int(each["Priority"])):
        action = _single(rule, evaluation, group.get("LabelNamespace", ""))
        if action:
            yield rule["Name"], action


def _split(action: Action) -> tuple[str, Action]:
    name, settings = next((key, value) for key, value in action.items() if value is not None)
    return name, settings or {}
