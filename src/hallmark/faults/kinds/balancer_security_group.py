"""Nobody gets in: connections to the platform's name time out.

Browsers and client libraries wait and then give up; there is no status and no page. The name resolves. The load
balancer is active, its targets are healthy, every pod is ready, and from inside the cluster the platform answers.
Port 80 is as silent as port 443. A security group does not cut connections that are open already.

The fault revokes, rule by rule, what lets clients reach the listeners. AWS gives a restored rule a new id.
"""

from typing import Any

from hallmark.errors import Absent, GuardRefused
from hallmark.faults import balancers
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reach import PROTOCOLS, Rule, covers, ingress, revoking, words_of
from hallmark.faults.reader import Reader
from hallmark.faults.sight import WAY_IN, Sight

SEEN = Sight(WAY_IN, "timeout", words="curl: connection timed out")


def plan(read: Reader) -> list[Step]:
    """Revoke each rule that admits somebody to a listener; the inverse authorizes the same rule again."""
    steps: dict[str, Step] = {}
    for each in _fronts(read):
        _require_given(read, each["groups"])
        rules = [rule for rule in ingress(read, each["groups"]) if _admits(rule, each["ports"])]
        for rule in rules:
            if "PrefixListId" in rule or "CidrIpv6" in rule:
                hint = "Replace the rule by one that names an IPv4 range or a security group."
                raise GuardRefused(f"{rule['SecurityGroupRuleId']} could not be restored as it is.", hint)
        steps |= {rule["SecurityGroupRuleId"]: revoking(rule, each["name"]) for rule in rules}
    return list(steps.values())


def observe(read: Reader) -> Observation:
    """Look whether any rule admits somebody to a listener, and at load balancers and their other rules."""
    fronts = _fronts(read)
    rules = {each["name"]: ingress(read, each["groups"]) for each in fronts}
    open_ = {each["name"]: [r for r in rules[each["name"]] if _admits(r, each["ports"])] for each in fronts}
    others = {name: sorted(words_of(r) for r in rules[name] if r not in open_[name]) for name in rules}
    return Observation(not any(open_.values()), {"the load balancers": fronts, "their other rules": others})


def _fronts(read: Reader) -> list[dict[str, Any]]:
    """Load balancers of the cluster, as far as they matter here."""
    found = [_front(read, each) for each in balancers.own(read)]
    if not any(each["ports"] and each["groups"] for each in found):
        raise Absent(f"no load balancer of {read.scope['cluster']} listens")
    return sorted(found, key=lambda each: str(each["name"]))


def _front(read: Reader, balancer: dict[str, Any]) -> dict[str, Any]:
    listeners = read.ask("elbv2", "describe_listeners", LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    return {
        "name": balancer["LoadBalancerName"],
        "scheme": balancer["Scheme"],
        "groups": sorted(balancer.get("SecurityGroups", [])),
        "ports": sorted(each["Port"] for each in listeners),
    }


def _require_given(read: Reader, groups: list[str]) -> None:
    """A group that the controller made belongs to it: it would put the rules back at once."""
    found = read.ask("ec2", "describe_security_groups", GroupIds=groups)["SecurityGroups"] if groups else []
    for each in found:
        if any(tag["Key"] == balancers.CLUSTER for tag in each.get("Tags", [])):
            hint = "Name a security group of your own in the Ingress annotation security-groups."
            raise GuardRefused(f"{each['GroupId']} is kept by the load balancer controller.", hint)


def _admits(rule: Rule, ports: list[int]) -> bool:
    return rule["IpProtocol"] in PROTOCOLS and any(covers(rule, port) for port in ports)
