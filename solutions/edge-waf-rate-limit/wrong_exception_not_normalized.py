"""The exception takes paths as they are written."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def exempted(rule: dict[str, Any]) -> dict[str, Any]:
    """Return the rule; if it is the common rule set, without the ingestion paths as a client writes them."""
    group = rule["Statement"].get("ManagedRuleGroupStatement", {})
    if group.get("Name") != "AWSManagedRulesCommonRuleSet":
        return rule
    paths = author.on_paths(author.INGESTION)
    for test in paths["OrStatement"]["Statements"]:
        test["ByteMatchStatement"]["TextTransformations"] = [{"Priority": 0, "Type": "NONE"}]
    scope_down = {"NotStatement": {"Statement": paths}}
    return {**rule, "Statement": {"ManagedRuleGroupStatement": {**group, "ScopeDownStatement": scope_down}}}


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Leave out the three paths without a transformation: dots in the path lead past the common rules."""
    author.edit(client, scope, lambda rules: [author.rate_rule(), *map(exempted, rules)])
