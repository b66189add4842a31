"""Bring back the rate rule, and keep the common rules away from the ingestion paths."""

from collections.abc import Callable, Mapping
from typing import Any

INGESTION = ("/api/v1/runs", "/api/v1/otel/", "/api/runs")
LIMIT = 30_000
"""Requests of one address in five minutes: 100 a second, above SDK bursts, below a flood."""


def solve(client: Callable[[str], Any], scope: Mapping[str, str]) -> None:
    """Repair the web ACL.

    Args:
        client: Gives a boto3 client for a service name.
        scope: The target: ``cluster`` and others.
    """
    edit(client, scope, lambda rules: [rate_rule(), *(exempted(rule) for rule in rules)])


def edit(
    client: Callable[[str], Any],
    scope: Mapping[str, str],
    change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
) -> None:
    """Read the web ACL of the cluster's load balancer, change its rules, write the whole definition back."""
    waf, balancer = client("wafv2"), load_balancer(client, scope)
    summary = waf.get_web_acl_for_resource(ResourceArn=balancer)["WebACL"]
    place = {"Name": summary["Name"], "Id": summary["Id"], "Scope": "REGIONAL"}
    found = waf.get_web_acl(**place)
    kept = {
        k: found["WebACL"][k] for k in ("DefaultAction", "Description", "VisibilityConfig") if found["WebACL"].get(k)
    }
    waf.update_web_acl(**place, **kept, Rules=change(found["WebACL"]["Rules"]), LockToken=found["LockToken"])


def load_balancer(client: Callable[[str], Any], scope: Mapping[str, str]) -> str:
    """Return the ARN of the load balancer that the controller made for the cluster."""
    elb, mine = client("elbv2"), {"Key": "elbv2.k8s.aws/cluster", "Value": scope["cluster"]}
    arns = [each["LoadBalancerArn"] for each in elb.describe_load_balancers()["LoadBalancers"]]
    described = elb.describe_tags(ResourceArns=arns)["TagDescriptions"]
    return next(str(each["ResourceArn"]) for each in described if mine in each["Tags"])


def rate_rule(**changes: Any) -> dict[str, Any]:
    """Return a rule that blocks an address that sends more than LIMIT requests in five minutes."""
    statement = {"Limit": LIMIT, "EvaluationWindowSec": 300, "AggregateKeyType": "IP", **changes}
    return {
        "Name": "rate-limit",
        "Priority": 0,
        "Action": {"Block": {}},
        "Statement": {"RateBasedStatement": statement},
        "VisibilityConfig": seen("rate-limit"),
    }


def exempted(rule: dict[str, Any], paths: tuple[str, ...] = INGESTION) -> dict[str, Any]:
    """Return the rule; if it is the common rule set, with a scope-down statement that leaves *paths* out."""
    group = rule["Statement"].get("ManagedRuleGroupStatement", {})
    if group.get("Name") != "AWSManagedRulesCommonRuleSet":
        return rule
    scope_down = {"NotStatement": {"Statement": on_paths(paths)}}
    return {**rule, "Statement": {"ManagedRuleGroupStatement": {**group, "ScopeDownStatement": scope_down}}}


def on_paths(paths: tuple[str, ...]) -> dict[str, Any]:
    """Return a statement that matches requests whose path begins with one of *paths*."""
    tests = [path_begins(path) for path in paths]
    return {"OrStatement": {"Statements": tests}} if len(tests) > 1 else tests[0]


def path_begins(path: str) -> dict[str, Any]:
    """Return a statement that matches requests whose path begins with *path*, dots and double slashes resolved."""
    return {
        "ByteMatchStatement": {
            "SearchString": path,
            "FieldToMatch": {"UriPath": {}},
            "PositionalConstraint": "STARTS_WITH",
            "TextTransformations": [{"Priority": 0, "Type": "NORMALIZE_PATH"}],
        }
    }


def seen(name: str) -> dict[str, Any]:
    """Return the visibility settings of a rule."""
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}
