"""WAF: what a web ACL protects, AWS's managed rule groups, and references to groups that do not exist."""

import json
from collections.abc import Iterator
from typing import Any

from moto.elbv2.models import elbv2_backends
from moto.wafv2.exceptions import WAFNonexistentItemException, WAFv2ClientError
from moto.wafv2.models import WAFV2Backend
from moto.wafv2.responses import WAFV2Response

from hallmark.twin.aws.extension.patching import Function, around, extend, parameter

MANAGED_GROUPS = {
    "AWSManagedRulesCommonRuleSet": 700,
    "AWSManagedRulesAdminProtectionRuleSet": 100,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesSQLiRuleSet": 200,
    "AWSManagedRulesLinuxRuleSet": 200,
    "AWSManagedRulesUnixRuleSet": 100,
    "AWSManagedRulesWindowsRuleSet": 200,
    "AWSManagedRulesPHPRuleSet": 100,
    "AWSManagedRulesWordPressRuleSet": 100,
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesAnonymousIpList": 50,
    "AWSManagedRulesBotControlRuleSet": 50,
    "AWSManagedRulesATPRuleSet": 50,
    "AWSManagedRulesACFPRuleSet": 50,
    "AWSManagedRulesAntiDDoSRuleSet": 50,
}
"""AWS's rule groups and their capacity in WCU (WAF developer guide, "AWS Managed Rules rule groups list")."""
RATE_LIMITS = range(10, 2_000_000_001)


def install() -> None:
    """Add two listings; refuse unknown groups, impossible rates and the deletion of an ACL in use."""
    around(WAFV2Backend, "associate_web_acl")(_associate_web_acl)
    around(WAFV2Backend, "create_web_acl")(_create_web_acl)
    around(WAFV2Backend, "update_web_acl")(_update_web_acl)
    around(WAFV2Backend, "delete_web_acl")(_delete_web_acl)
    extend(WAFV2Response, list_resources_for_web_acl, list_available_managed_rule_groups)


def _associate_web_acl(original: Function, backend: WAFV2Backend, acl_arn: str, resource_arn: str) -> None:
    # A resource has one ACL: the new one takes the place of the old.
    backend.get_web_acl(acl_arn, None, None)
    backend.disassociate_web_acl(resource_arn)
    original(backend, acl_arn, resource_arn)


def _create_web_acl(original: Function, backend: WAFV2Backend, *args: Any) -> Any:
    _refuse_rules(args[6])
    return original(backend, *args)


def _update_web_acl(original: Function, backend: WAFV2Backend, *args: Any) -> Any:
    name, identifier, _, rules, *_ = args
    _refuse_rules(rules or [])
    token = original(backend, *args)
    if not rules:
        # An update replaces all rules; moto takes "none" for "as before".
        backend.get_web_acl(None, name, identifier).rules = []
    return token


def _delete_web_acl(original: Function, backend: WAFV2Backend, name: str, scope: str, *more: Any) -> Any:
    acl = backend.get_web_acl(None, name, more[0])
    if resources_of(backend, acl.arn):
        raise WAFv2ClientError(
            "WAFAssociatedItemException",
            "AWS WAF couldn\u2019t perform the operation because your resource is being used by another resource or "
            "it\u2019s associated with another resource.",
        )
    return original(backend, name, scope, *more)


def resources_of(backend: WAFV2Backend, acl_arn: str) -> list[str]:
    """ARNs of the load balancers an ACL protects."""
    balancers = elbv2_backends[backend.account_id][backend.region_name].load_balancers
    protected = ((arn, backend.get_web_acl_for_resource(arn)) for arn in balancers)
    return [arn for arn, acl in protected if acl and acl.arn == acl_arn]


def _refuse_rules(rules: list[dict[str, Any]]) -> None:
    for rule in rules:
        for statement in _statements(rule["Statement"]):
            _refuse_group(statement.get("ManagedRuleGroupStatement"))
            _refuse_rate(statement.get("RateBasedStatement"))


def _statements(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    # The statement and all that are nested in it: And, Or, Not, and the scope-down of a rate or a group.
    yield statement
    for inner in statement.values():
        if isinstance(inner, dict):
            nested = [*inner.get("Statements", []), inner.get("Statement"), inner.get("ScopeDownStatement")]
            for one in filter(None, nested):
                yield from _statements(one)


def _refuse_group(group: dict[str, Any] | None) -> None:
    if group and group["VendorName"] == "AWS" and group["Name"] not in MANAGED_GROUPS:
        _refuse("A reference in your rule statement is not valid.", "RULE", "Statement")


def _refuse_rate(rate: dict[str, Any] | None) -> None:
    if rate and int(rate["Limit"]) not in RATE_LIMITS:
        reason = "You have exceeded or fallen below the limit for a rate-based rule."
        _refuse(reason, "RATE_BASED_STATEMENT", str(rate["Limit"]))


def _refuse(reason: str, field: str, parameter: str) -> None:
    message = f"Error reason: {reason}, field: {field}, parameter: {parameter}"
    raise WAFv2ClientError("WAFInvalidParameterException", message)


def list_resources_for_web_acl(request: Any) -> tuple[int, dict[str, str], str]:
    """ListResourcesForWebACL: the load balancers it is associated with."""
    backend, arn = request.wafv2_backend, parameter(request, "WebACLArn")
    if arn not in backend.wacls:
        raise WAFNonexistentItemException
    return _json({"ResourceArns": resources_of(backend, arn)})


def list_available_managed_rule_groups(_request: Any) -> tuple[int, dict[str, str], str]:
    """ListAvailableManagedRuleGroups."""
    groups = [{"VendorName": "AWS", "Name": name, "VersioningSupported": True} for name in MANAGED_GROUPS]
    return _json({"ManagedRuleGroups": groups})


def _json(content: dict[str, Any]) -> tuple[int, dict[str, str], str]:
    return 200, {"Content-Type": "application/json"}, json.dumps(content)
