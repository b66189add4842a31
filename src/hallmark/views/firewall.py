"""What a web ACL does to a request: AWS WAF's evaluation, as far as a grade needs it.

Rules are tried in the order of their priority until one decides.

Left out: Firewall Manager's rule groups, bot and fraud control, and what managed rules do other than those of the
Common rule set that look into bodies (AWS WAF developer guide, "Core rule set").
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hallmark.views.statements import Sample, Truth, ip_sets, matches, with_addresses

CEILING = 1000
"""Requests a second of one client above which a limit limits nothing: more than the largest documented profile
of the platform takes from all clients together, about 1000 traces a second."""
BODY_SIZE = "SizeRestrictions_BODY"
BODY_RULES = (BODY_SIZE, "CrossSiteScripting_BODY", "GenericLFI_BODY", "GenericRFI_BODY", "EC2MetaDataSSRF_BODY")
"""Rules of the Common rule set that look into bodies; each labels what it matches."""
COMMON_RULES = frozenset({
    *BODY_RULES, "NoUserAgent_HEADER", "UserAgent_BadBots_HEADER",
    "SizeRestrictions_QUERYSTRING", "SizeRestrictions_Cookie_HEADER", "SizeRestrictions_URIPATH",
    "EC2MetaDataSSRF_COOKIE", "EC2MetaDataSSRF_URIPATH", "EC2MetaDataSSRF_QUERYARGUMENTS",
    "GenericLFI_QUERYARGUMENTS", "GenericLFI_URIPATH", "GenericRFI_QUERYARGUMENTS", "GenericRFI_URIPATH",
    "RestrictedExtensions_URIPATH", "RestrictedExtensions_QUERYARGUMENTS",
    "CrossSiteScripting_COOKIE", "CrossSiteScripting_QUERYARGUMENTS", "CrossSiteScripting_URIPATH",
})  # fmt: skip
"""All rules of the Common rule set."""
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

    @property
    def is_common(self) -> bool:
        """Whether it is AWS's Common rule set, the one whose rules are known here."""
        return bool(self.managed) and (self.managed["VendorName"], self.managed["Name"]) == _COMMON

    @property
    def filters(self) -> bool:
        """Whether it refuses requests for what they are, not for how many there are."""
        tamed = {name for name, action in self.overrides.items() if action not in _REFUSING}
        return self.action in _REFUSING and not self.rate and not (self.is_common and tamed >= COMMON_RULES)


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

    def filters(self, samples: Iterable[Sample]) -> Truth:
        """Whether one of *samples* meets a rule that filters; None when an earlier rule may let each of them in."""
        ways = [self.gates(rule, sample).values() for sample in samples for rule in self.rules if rule.filters]
        return True if any(not way for way in ways) else None if any(True not in way for way in ways) else False

    def gates(self, rule: Rule, sample: Sample) -> dict[str, Truth]:
        """Return names of rules that let *sample* in before *rule* sees it: surely, or (None) perhaps."""
        return self._before(rule, sample)[0]

    def refusal(self, sample: Sample) -> str | None:
        """Return the name of what refuses *sample*: empty when nothing does, None when that is undecidable.

        A rule of one's own that is undecidable counts as not matching: it asks for what the sample does not say.
        """
        labels: dict[str, Truth] = {}
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
        gates, labels = self._before(rule, sample)
        scope = rule.rate.get("ScopeDownStatement")
        if scope and not matches(scope, sample, labels):
            found.append(f"its scope-down statement does not surely cover {sample}")
        return [*found, *(f"rule {name} may allow {sample} before it counts" for name in gates)]

    def _before(self, rule: Rule, sample: Sample) -> tuple[dict[str, Truth], dict[str, Truth]]:
        """Which rules before *rule* let *sample* in, see :meth:`gates`, and the labels they set."""
        labels: dict[str, Truth] = {}
        earlier = self.rules[: self.rules.index(rule)]
        found = {one.name: _lets_in(one, sample, labels) for one in earlier}
        return {name: truth for name, truth in found.items() if truth is not False}, labels


def web_acl(
    raw: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]], sets: Mapping[str, Sequence[str]]
) -> WebAcl:
    """Read a web ACL.

    Args:
        raw: As ``wafv2.get_web_acl_for_resource`` gives it.
        groups: Rule groups it refers to, by ARN (see :func:`group_arns`).
        sets: Addresses of the IP sets that it and they refer to, by ARN (see :func:`set_arns`).
    """
    own, theirs = with_addresses(raw["Rules"], sets), with_addresses(dict(groups), sets)
    rules = tuple(rule for one in _by_priority(own) for rule in _written_out(one, theirs))
    return WebAcl(raw["Name"], raw["ARN"], next(iter(raw["DefaultAction"])), rules)


def group_arns(raw: Mapping[str, Any]) -> list[str]:
    """ARNs of the customer's own rule groups a web ACL refers to."""
    statements = [rule["Statement"] for rule in raw["Rules"]]
    return sorted({s["RuleGroupReferenceStatement"]["ARN"] for s in statements if "RuleGroupReferenceStatement" in s})


def set_arns(raw: Mapping[str, Any], groups: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """ARNs of the IP sets that a web ACL and its rule groups refer to."""
    return sorted(ip_sets([raw["Rules"], *groups.values()]))


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


def _lets_in(rule: Rule, sample: Sample, labels: dict[str, Truth]) -> Truth:
    """Whether *rule* ends the evaluation of *sample* by allowing it."""
    if not rule.managed:
        truth = _labelled(rule, sample, labels)
        return truth if rule.action == "Allow" else False
    action = _managed(rule, sample, labels)
    allows = rule.action != "Count" and "Allow" in rule.overrides.values()
    return True if action == "Allow" else None if allows else False


def _managed(rule: Rule, sample: Sample, labels: dict[str, Truth]) -> str | None:
    """Return the action a managed group takes: empty for none, None when undecidable."""
    if not rule.is_common:
        return ""
    scope = rule.managed.get("ScopeDownStatement")
    applies = matches(scope, sample, labels) if scope else True
    for name in BODY_RULES if applies is not False else ():
        if name in sample.provokes:
            labels[_LABEL + name.replace("_BODY", "_Body")] = applies
            action = "Count" if rule.action == "Count" else rule.overrides.get(name, "Block")
            if action != "Count":
                return action if applies else None
    return ""


def _own(rule: Rule, sample: Sample, labels: dict[str, Truth]) -> str:
    return rule.action if _labelled(rule, sample, labels) and rule.action != "Count" else ""


def _labelled(rule: Rule, sample: Sample, labels: dict[str, Truth]) -> Truth:
    """Whether *sample* matches *rule*, which then labels it."""
    truth = matches(rule.statement, sample, labels)
    if truth is not False:
        labels.update({name: labels.get(name) or truth for name in rule.labels})
    return truth


def _by_address(rate: Mapping[str, Any]) -> bool:
    """Whether a client cannot start counting anew by changing a header or a path."""
    keys = rate.get("CustomKeys", [])
    return rate["AggregateKeyType"] != "CUSTOM_KEYS" or any({"IP", "ForwardedIP"} & set(key) for key in keys)
