"""What stands in front of the platform: load balancers that the controller made for the cluster, and their web ACL."""

from typing import Any

from hallmark.errors import Absent, GuardRefused
from hallmark.faults.journal import Step
from hallmark.faults.reader import Reader
from hallmark.model import Call

DEFINITION = (
    "Name", "Id", "Description", "DefaultAction", "VisibilityConfig", "DataProtectionConfig", "Rules",
    "CustomResponseBodies", "CaptchaConfig", "ChallengeConfig", "TokenDomains", "AssociationConfig",
    "OnSourceDDoSProtectionConfig", "ApplicationConfig",
)  # fmt: skip
"""What UpdateWebACL takes: it replaces the whole definition (AWS WAF API reference)."""
CLUSTER = "elbv2.k8s.aws/cluster"
"""The tag by which AWS Load Balancer Controller says for which cluster it made a thing."""
_TAG_BATCH = 20
"""Load balancers that DescribeTags takes in one call (Elastic Load Balancing API reference)."""


def own(read: Reader) -> list[dict[str, Any]]:
    """Return the application load balancers of the cluster.

    Raises:
        Absent: There is none.
    """
    found = _applications(read)
    ours = _of_cluster(read, [each["LoadBalancerArn"] for each in found])
    kept = [each for each in found if each["LoadBalancerArn"] in ours]
    if not kept:
        raise Absent(f"{read.scope['cluster']} has no application load balancer")
    return kept


def web_acl(read: Reader) -> tuple[dict[str, Any], str]:
    """Return the web ACL of the cluster's load balancer, and its lock token.

    Raises:
        Absent: There is none.
        GuardRefused: It is not the lab's alone.
    """
    arns = [each["LoadBalancerArn"] for each in _applications(read)]
    ours = _of_cluster(read, arns)
    by_acl: dict[str, set[str]] = {}
    names: dict[str, dict[str, str]] = {}
    for arn in arns:
        summary = read.ask_or({}, "wafv2", "get_web_acl_for_resource", ResourceArn=arn).get("WebACL")
        if summary:
            by_acl.setdefault(summary["ARN"], set()).add(arn)
            names[summary["ARN"]] = {"Name": summary["Name"], "Id": summary["Id"]}
    found = sorted(acl for acl, holders in by_acl.items() if holders & ours)
    if not found:
        raise Absent(f"no load balancer of {read.scope['cluster']} has a web ACL")
    if len(found) > 1 or by_acl[found[0]] - ours:
        hint = "Give the lab's load balancer a web ACL of its own."
        raise GuardRefused(f"the web ACL {found[0]} is not the lab's alone.", hint)
    answer = read.ask("wafv2", "get_web_acl", Scope="REGIONAL", **names[found[0]])
    return answer["WebACL"], answer["LockToken"]


def rewrite(acl: dict[str, Any], token: str, rules: list[Any], what: str) -> Step:
    """Write other rules into a web ACL; the inverse writes the recorded definition back."""
    recorded = {name: acl[name] for name in DEFINITION if acl.get(name)} | {"Scope": "REGIONAL"}
    return Step(
        what=what,
        back=f"write back the recorded definition: {', '.join(rule['Name'] for rule in acl['Rules'])}",
        resource=f"web ACL {acl['Name']}",
        do=Call.of("wafv2", "update_web_acl", **{**recorded, "Rules": rules, "LockToken": token}),
        undo=Call.of("wafv2", "update_web_acl", **recorded),
    )


def _applications(read: Reader) -> list[dict[str, Any]]:
    everywhere = read.ask("elbv2", "describe_load_balancers")["LoadBalancers"]
    return [each for each in everywhere if each["Type"] == "application"]


def _of_cluster(read: Reader, arns: list[str]) -> set[str]:
    """Keep what AWS Load Balancer Controller made for the cluster in scope; it says so in a tag."""
    mine = {"Key": CLUSTER, "Value": read.scope["cluster"]}
    described: list[dict[str, Any]] = []
    for first in range(0, len(arns), _TAG_BATCH):
        batch = arns[first : first + _TAG_BATCH]
        described += read.ask("elbv2", "describe_tags", ResourceArns=batch)["TagDescriptions"]
    return {each["ResourceArn"] for each in described if mine in each["Tags"]}
