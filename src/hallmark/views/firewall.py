"""What a web ACL does to a request: AWS WAF's evaluation, as far as a grade needs it.

Rules are tried in the order of their priority until one decides.

Left out: Firewall Manager's rule groups, bot and fraud control, and what managed rules do other than those of the
Common rule set that look into bodies (AWS WAF developer guide, "Core rule set").
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hallmark.views.statements import Sample, matches

CEILING = 1000
"""Requests a second of one client above which a limit limits nothing: more than the largest documented profile
of the platform takes from all clients together, about 1000 traces a second."""
BODY_SIZE = "SizeRestrictions_BODY"
BODY_RULES = (BODY_SIZE, "CrossSiteScripting_BODY", "GenericLFI_BODY", "GenericRFI_BODY", "EC2MetaDataSSRF_BODY")
"""Rules of the Common rule set that look into bodies; each labels what it matches."""
_COMMON = ("AWS", "AWSManagedRulesCommonRuleSet")
_LABEL = "awswaf:managed:aws:core-rule-set:"
_REFUSING = frozenset({"Block", "Captcha", "Challenge"})
"""A program cannot solve a puzzle: to it, all three are a refusal."""


@dataclass(frozen=True)
class Rule:
    """One rule as it takes effect.

    Attributes:
        name: Its name, behind that of its rule group.
        action: ``Allow``, ``Block``, ``Count``, ``Captcha`` or ``Challenge``; of a managed group, what its rules do.
        statement: What it matches.
        labels: Labels it sets.
        overrides: Action by rule name, for a managed group.
    """

    name: str
    action: str
    statement: Mapping[str, Any]
    labels: tuple[str, ...] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)

    @property
    def rate(self) -> Mapping[str, Any]:
        """Its rate-based statement, empty when it has none."""
        rate: Mapping[str, Any] = self.statement.get("RateBasedStatement", {})
        return rate

    @property
    def managed(self) -> Mapping[str, Any]:
        """Its managed rule group statement, empty when it has none."""
        managed: Mapping[str, Any] = self.statement.get("ManagedRuleGroupStatement", {})
        return managed


@dataclass(frozen=True)
class WebAcl:
    """A web ACL with the rules of its own rule groups written out, in the order of evaluation.

    Attributes:
        name: Its name.
        arn: ARN.
        default: What happens to a request no rule decides: ``Allow`` or ``Block``.
        rules: The rules.
    """

    name: str
    arn: str
    default: str
    rules: tuple[Rule, ...]

    @property
    def filters(self) -> list[Rule]:
        """Rules that refuse requests for what they are, not for how many there are."""
        return [rule for rule in self.rules if rule.action in _REFUSING and not rule.rate]

    def refusal(self, sample: Sample) -> str | None:
        """Return the name of what refuses *sample*: empty when nothing does, None when that is undecidable.

        A rule of one's own that is undecidable counts as not matching: it asks for what the sample does not say.
        """
        labels: set[str] = set()
        for rule in self.rules:
            if rule.rate:
                continue
            verdict = _managed(rule, sample, labels) if rule.managed else _own(rule, sample, labels)
            if verdict is None:
                return None
            if verdict:
                return f"{rule.name}" if verdict in _REFUSING else ""
        return "the default action" if self.default in _REFUSING else ""

    def unlimited(self, samples: Iterable[Sample]) -> list[Sample]:
        """Return those *samples* that a client may send without any limit."""
        return [s for s in samples if not any(not self.objections(r, s) for r in self.rules if r.rate)]

    def objections(self, rule: Rule, sample: Sample) -> list[str]:
        """Say why rate rule *rule* does not hold a client back that sends *sample* over and over."""
        found = [] if rule.action == "Block" else [f"its action is {rule.action}, not Block"]
        if rule.rate["Limit"] > CEILING * rule.rate.get("EvaluationWindowSec", 300):
            found.append(f"its limit of {rule.rate['Limit']} is beyond any client")
        if not _by_address(rule.rate):
            found.append("it counts by what the client itself chooses")
        scope = rule.rate.get("ScopeDownStatement")
        if scope and not matches(scope, sample):
            found.append(f"its scope-down statement does not surely cover {sample}")
        earlier = self.rules[: self.rules.index(rule)]
        if gates := [r.name for r in earlier if r.action == "Allow" and matches(r.statement, sample) is not False]:
            found.append(f"rule {gates[0]} may allow {sample} before it counts")
        return found


def web_acl(raw: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]]) -> WebAcl:
    """Read a web ACL.

    Args:
        raw: As ``wafv2.get_web_acl_for_resource`` gives it.
        groups: Rule groups it refers to, by ARN (see :func:`group_arns`).
    """
    rules = tuple(rule for one in _by_priority(raw["Rules"]) for rule in _written_out(one, groups))
    return WebAcl(raw["Name"], raw["ARN"], next(iter(raw["DefaultAction"])), rules)


def group_arns(raw: Mapping[str, Any]) -> list[str]:
    """ARNs of the customer's own rule groups a web ACL refers to."""
    statements = [rule["Statement"] for rule in raw["Rules"]]
    return sorted({s["RuleGroupReferenceStatement"]["ARN"] for s in statements if "RuleGroupReferenceStatement" in s})


def _written_out(raw: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]]) -> list[Rule]:
    statement = raw["Statement"]
    if reference := statement.get("RuleGroupReferenceStatement"):
        overrides = _overrides(reference)
        counted = _is_counted(raw)
        return [
            _of_group(raw["Name"], rule, overrides, counted=counted)
            for rule in _by_priority(groups[reference["ARN"]]["Rules"])
        ]
    if managed := statement.get("ManagedRuleGroupStatement"):
        action = "Count" if _is_counted(raw) else "Block"
        return [Rule(raw["Name"], action, statement, overrides=_overrides(managed))]
    return [Rule(raw["Name"], _action(raw["Action"]), statement, _labels(raw))]


def _of_group(group: str, raw: Mapping[str, Any], overrides: Mapping[str, str], *, counted: bool) -> Rule:
    action = "Count" if counted else overrides.get(raw["Name"], _action(raw["Action"]))
    return Rule(f"{group}/{raw['Name']}", action, raw["Statement"], _labels(raw))


def _overrides(reference: Mapping[str, Any]) -> dict[str, str]:
    # ExcludedRules is the older way to write an override to Count.
    excluded = {one["Name"]: "Count" for one in reference.get("ExcludedRules", [])}
    return excluded | {one["Name"]: _action(one["ActionToUse"]) for one in reference.get("RuleActionOverrides", [])}


def _is_counted(raw: Mapping[str, Any]) -> bool:
    return "Count" in raw["OverrideAction"]


def _action(raw: Mapping[str, Any]) -> str:
    return next(iter(raw))


def _labels(raw: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(label["Name"] for label in raw.get("RuleLabels", []))


def _by_priority(rules: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(rules, key=lambda rule: int(rule["Priority"]))


def _managed(rule: Rule, sample: Sample, labels: set[str]) -> str | None:
    """Return the action a managed group takes: empty for none, None when undecidable."""
    if (rule.managed["VendorName"], rule.managed["Name"]) != _COMMON:
        return ""
    scope = rule.managed.get("ScopeDownStatement")
    applies = matches(scope, sample, labels) if scope else True
    if applies is None:
        return None
    for name in BODY_RULES if applies else ():
        if name in sample.provokes:
            labels.add(_LABEL + name.replace("_BODY", "_Body"))
            action = "Count" if rule.action == "Count" else rule.overrides.get(name, "Block")
            if action != "Count":
                return action
    return ""


def _own(rule: Rule, sample: Sample, labels: set[str]) -> str:
    if not matches(rule.statement, sample, labels):
        return ""
    labels.update(rule.labels)
    return "" if rule.action == "Count" else rule.action


def _by_address(rate: Mapping[str, Any]) -> bool:
    """Whether a client cannot start counting anew by changing a header or a path."""
    keys = rate.get("CustomKeys", [])
    return rate["AggregateKeyType"] != "CUSTOM_KEYS" or any({"IP", "ForwardedIP"} & set(key) for key in keys)
