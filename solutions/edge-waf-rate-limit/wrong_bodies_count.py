"""The size rule only counts, everywhere."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def counted(rule: dict[str, Any]) -> dict[str, Any]:
    """Return the rule; if it is the common rule set, with its size rule set to Count."""
    group = rule["Statement"].get("ManagedRuleGroupStatement", {})
    if group.get("Name") != "AWSManagedRulesCommonRuleSet":
        return rule
    overrides = [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]
    return {**rule, "Statement": {"ManagedRuleGroupStatement": {**group, "RuleActionOverrides": overrides}}}


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Override the size rule to Count without a rule that blocks by its label."""
    author.edit(client, scope, lambda rules: [author.rate_rule(), *map(counted, rules)])
