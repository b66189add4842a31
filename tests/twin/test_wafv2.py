"""WAF: association, listings, updates, and references to what does not exist."""

from typing import Any

import pytest

from hallmark.twin.clients import Clients

SEEN = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}
RATE = {"RateBasedStatement": {"Limit": 2000, "AggregateKeyType": "IP"}}


def _rule(statement: Any, name: str = "one", **action: Any) -> Any:
    return {"Name": name, "Priority": 1, "Statement": statement, "VisibilityConfig": SEEN, **action}


def _group(name: str) -> Any:
    return {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": name}}


def _create(aws: Clients, *rules: Any, name: str = "acl") -> Any:
    return aws("wafv2").create_web_acl(
        Name=name, Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=SEEN, Rules=list(rules)
    )["Summary"]


def _read(aws: Clients, acl: Any) -> Any:
    return aws("wafv2").get_web_acl(Name=acl["Name"], Scope="REGIONAL", Id=acl["Id"])


@pytest.fixture
def balancer(aws: Clients, network: Any) -> str:
    """ARN of a load balancer to protect."""
    arn: str = aws("elbv2").create_load_balancer(Name="edge", Subnets=network.subnets)["LoadBalancers"][0][
        "LoadBalancerArn"
    ]
    return arn


def test_an_acl_names_what_it_protects(aws: Clients, balancer: str) -> None:
    """From the ACL to the balancer and back."""
    waf, acl = aws("wafv2"), _create(aws, _rule(RATE, Action={"Block": {}}))

    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=balancer)

    assert waf.list_resources_for_web_acl(WebACLArn=acl["ARN"])["ResourceArns"] == [balancer]
    assert waf.get_web_acl_for_resource(ResourceArn=balancer)["WebACL"]["Name"] == "acl"
    waf.disassociate_web_acl(ResourceArn=balancer)
    assert waf.list_resources_for_web_acl(WebACLArn=acl["ARN"])["ResourceArns"] == []


def test_a_second_acl_takes_the_place_of_the_first(aws: Clients, balancer: str) -> None:
    """A balancer has one ACL."""
    waf, first, second = aws("wafv2"), _create(aws), _create(aws, name="other")

    for acl in (first, second):
        waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=balancer)

    assert waf.get_web_acl_for_resource(ResourceArn=balancer)["WebACL"]["Name"] == "other"
    assert waf.list_resources_for_web_acl(WebACLArn=first["ARN"])["ResourceArns"] == []


def test_an_acl_in_use_cannot_be_deleted(aws: Clients, balancer: str, refused: Any) -> None:
    """First the association goes, then the ACL."""
    waf, acl = aws("wafv2"), _create(aws)
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=balancer)
    named = {"Name": "acl", "Scope": "REGIONAL", "Id": acl["Id"], "LockToken": _read(aws, acl)["LockToken"]}

    with refused("WAFAssociatedItemException", "being used by another resource"):
        waf.delete_web_acl(**named)
    waf.disassociate_web_acl(ResourceArn=balancer)
    waf.delete_web_acl(**named)
    assert waf.list_web_acls(Scope="REGIONAL")["WebACLs"] == []


@pytest.mark.parametrize("rules", [[], [_rule(RATE, "two", Action={"Block": {}})]])
def test_an_update_replaces_all_rules(aws: Clients, rules: list[Any]) -> None:
    """By others, or by none."""
    acl = _create(aws, _rule(_group("AWSManagedRulesCommonRuleSet"), OverrideAction={"None": {}}))

    aws("wafv2").update_web_acl(
        Name="acl",
        Scope="REGIONAL",
        Id=acl["Id"],
        LockToken=_read(aws, acl)["LockToken"],
        DefaultAction={"Allow": {}},
        VisibilityConfig=SEEN,
        Rules=rules,
    )

    assert [rule["Name"] for rule in _read(aws, acl)["WebACL"]["Rules"]] == [rule["Name"] for rule in rules]


def test_an_unknown_managed_group_is_refused(aws: Clients, refused: Any) -> None:
    """AWS's groups are listed; others of AWS there are not."""
    offered = aws("wafv2").list_available_managed_rule_groups(Scope="REGIONAL")["ManagedRuleGroups"]
    assert "AWSManagedRulesCommonRuleSet" in [group["Name"] for group in offered]

    with refused("WAFInvalidParameterException", "A reference in your rule statement is not valid., field: RULE"):
        _create(aws, _rule(_group("AWSManagedRulesNonsense"), OverrideAction={"None": {}}))


def test_a_rate_waf_does_not_count_is_refused(aws: Clients, refused: Any) -> None:
    """Two thousand million requests are the most."""
    many = {"RateBasedStatement": {"Limit": 2_000_000_001, "AggregateKeyType": "IP"}}

    with refused("WAFInvalidParameterException", "field: RATE_BASED_STATEMENT"):
        _create(aws, _rule(many, Action={"Block": {}}))
