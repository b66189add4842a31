"""A shorter window, and one pattern in place of three."""

import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))


def limit() -> dict[str, Any]:
    """Return the rate rule with the same rate, counted over one minute."""
    rule: dict[str, Any] = author.rate_rule(Limit=6000, EvaluationWindowSec=60)
    return rule


def exempted(rule: dict[str, Any]) -> dict[str, Any]:
    """Return the rule; if it is the common rule set, without the paths of the pattern."""
    group = rule["Statement"].get("ManagedRuleGroupStatement", {})
    if group.get("Name") != "AWSManagedRulesCommonRuleSet":
        return rule
    pattern = {
        "RegexString": "^/api/(v1/)?(runs|otel/)",
        "FieldToMatch": {"UriPath": {}},
        "TextTransformations": [{"Priority": 0, "Type": "NORMALIZE_PATH"}],
    }
    scope_down = {"NotStatement": {"Statement": {"RegexMatchStatement": pattern}}}
    return {**rule, "Statement": {"ManagedRuleGroupStatement": {**group, "ScopeDownStatement": scope_down}}}


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Count a minute, by address; leave out the ingestion paths by a regular expression."""
    author.edit(client, scope, lambda rules: [limit(), *map(exempted, rules)])
