"""Count the body rules, and block by their labels everywhere but on the ingestion paths."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))

BODY_RULES = (
    "SizeRestrictions_BODY", "CrossSiteScripting_BODY", "GenericLFI_BODY", "GenericRFI_BODY", "EC2MetaDataSSRF_BODY",
)  # fmt: skip


def counted(rule: dict[str, Any]) -> dict[str, Any]:
    """Return the rule; if it is the common rule set, with its body rules set to Count."""
    group = rule["Statement"].get("ManagedRuleGroupStatement", {})
    if group.get("Name") != "AWSManagedRulesCommonRuleSet":
        return rule
    overrides = [{"Name": name, "ActionToUse": {"Count": {}}} for name in BODY_RULES]
    return {**rule, "Statement": {"ManagedRuleGroupStatement": {**group, "RuleActionOverrides": overrides}}}


def by_label() -> dict[str, Any]:
    """Return a rule that blocks what a body rule has labelled, unless it is a trace."""
    labels = [
        {
            "LabelMatchStatement": {
                "Scope": "LABEL",
                "Key": f"awswaf:managed:aws:core-rule-set:{name.replace('_BODY', '_Body')}",
            }
        }
        for name in BODY_RULES
    ]
    elsewhere = {"NotStatement": {"Statement": author.on_paths(author.INGESTION)}}
    return {
        "Name": "bodies-outside-ingestion",
        "Priority": 40,
        "Action": {"Block": {}},
        "Statement": {"AndStatement": {"Statements": [{"OrStatement": {"Statements": labels}}, elsewhere]}},
        "VisibilityConfig": author.seen("bodies-outside-ingestion"),
    }


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Override the five body rules to Count; one rule of our own blocks what they label."""
    author.edit(client, scope, lambda rules: [author.rate_rule(), *map(counted, rules), by_label()])
