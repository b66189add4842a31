"""The exception covers every path with a word in it."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def exempted(rule: dict[str, Any]) -> dict[str, Any]:
    """Return the rule; if it is the common rule set, without paths that have one of two words anywhere."""
    group = rule["Statement"].get("ManagedRuleGroupStatement", {})
    if group.get("Name") != "AWSManagedRulesCommonRuleSet":
        return rule
    tests = [author.path_begins(word) for word in ("/runs", "/otel")]
    for test in tests:
        test["ByteMatchStatement"]["PositionalConstraint"] = "CONTAINS"
    scope_down = {"NotStatement": {"Statement": {"OrStatement": {"Statements": tests}}}}
    return {**rule, "Statement": {"ManagedRuleGroupStatement": {**group, "ScopeDownStatement": scope_down}}}


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Leave out whatever contains /runs or /otel, annotation queues among it."""
    author.edit(client, scope, lambda rules: [author.rate_rule(), *map(exempted, rules)])
