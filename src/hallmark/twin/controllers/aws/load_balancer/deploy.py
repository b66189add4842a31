"""Bringing AWS towards a model: the load balancer, its target groups, listeners, rules and web ACL."""

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from hallmark.twin.controllers.aws.load_balancer.model import Listener, Model, TargetGroup
from hallmark.twin.controllers.aws.load_balancer.naming import CLUSTER, RESOURCE, STACK, Group, as_list, tags
from hallmark.twin.controllers.aws.load_balancer.network import Network

Targets = Mapping[str, Sequence[tuple[str, int]]]
"""Addresses and ports by name of target group."""


class Deployer:
    """Makes, changes and removes what belongs to one cluster's Ingresses.

    Args:
        elb, waf: boto3 clients of ``elbv2`` and ``wafv2``, acting as the controller's role.
        network: The cluster's VPC.
        cluster: Name of the cluster.
    """

    def __init__(self, elb: Any, waf: Any, network: Network, cluster: str) -> None:
        self._elb = elb
        self._waf = waf
        self._network = network
        self._cluster = cluster

    def deploy(self, model: Model, targets: Targets) -> str:
        """Make AWS as the model says.

        Returns:
            The load balancer's DNS name.

        Raises:
            Unusable: Subnets or security groups cannot be found.
            ClientError: AWS refused something.
        """
        balancer = self._balancer(model)
        arns = {name: self._target_group(model, wanted) for name, wanted in model.targets.items()}
        for name, arn in arns.items():
            self._register(arn, targets.get(name, ()))
        self._listen(model, balancer["LoadBalancerArn"], arns)
        self._protect(model, balancer["LoadBalancerArn"])
        self._drop_target_groups(model.group, keep=set(arns))
        dns: str = balancer["DNSName"]
        return dns

    def remove(self, group: Group) -> None:
        """Remove everything a group had; what is gone already is left so."""
        for balancer in self._balancers(group):
            self._waf.disassociate_web_acl(ResourceArn=balancer["LoadBalancerArn"])
            self._elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
            self._network.remove_managed(balancer["LoadBalancerName"])
        self._drop_target_groups(group, keep=set())

    def _balancers(self, group: Group) -> list[dict[str, Any]]:
        everything = self._elb.describe_load_balancers()["LoadBalancers"]
        return self._mine(everything, "LoadBalancerArn", {STACK: str(group), RESOURCE: "LoadBalancer"})

    def _mine(self, everything: list[dict[str, Any]], arn: str, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
        if not everything:
            return []
        described = self._elb.describe_tags(ResourceArns=[each[arn] for each in everything])["TagDescriptions"]
        labels = {each["ResourceArn"]: {tag["Key"]: tag["Value"] for tag in each["Tags"]} for each in described}
        asked = {**wanted, CLUSTER: self._cluster}.items()
        return [each for each in everything if asked <= labels.get(each[arn], {}).items()]

    def _balancer(self, model: Model) -> dict[str, Any]:
        subnets, groups = self._network.subnets(model), self._network.security_groups(model)
        present = self._balancers(model.group)
        for other in [each for each in present if each["Scheme"] != model.scheme]:
            self._elb.delete_load_balancer(LoadBalancerArn=other["LoadBalancerArn"])
        found = next((each for each in present if each["Scheme"] == model.scheme), None)
        if found is None:
            found = self._create(model, subnets, groups)
        arn = found["LoadBalancerArn"]
        if sorted(zone["SubnetId"] for zone in found["AvailabilityZones"]) != subnets:
            self._elb.set_subnets(LoadBalancerArn=arn, Subnets=subnets)
        if sorted(found.get("SecurityGroups", [])) != groups:
            self._elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=groups)
        attributes = [{"Key": key, "Value": value} for key, value in model.attributes.items()]
        if attributes:
            self._elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)
        return found

    def _create(self, model: Model, subnets: list[str], groups: list[str]) -> dict[str, Any]:
        created: dict[str, Any] = self._elb.create_load_balancer(
            Name=model.name,
            Subnets=subnets,
            SecurityGroups=groups,
            Scheme=model.scheme,
            Type="application",
            IpAddressType="ipv4",
            Tags=as_list(dict(model.tags) | tags(self._cluster, model.group, "LoadBalancer")),
        )["LoadBalancers"][0]
        return created

    def _target_group(self, model: Model, wanted: TargetGroup) -> str:
        try:
            found = self._elb.describe_target_groups(Names=[wanted.name])["TargetGroups"][0]
        except ClientError as error:
            if error.response["Error"]["Code"] != "TargetGroupNotFound":
                raise
            labels = as_list(dict(model.tags) | tags(self._cluster, model.group, wanted.resource))
            arguments = {**wanted.settings, **wanted.health, "VpcId": self._network.vpc}
            found = self._elb.create_target_group(Name=wanted.name, Tags=labels, **arguments)["TargetGroups"][0]
        arn: str = found["TargetGroupArn"]
        if any(str(found.get(key)) != str(value) for key, value in wanted.health.items()):
            self._elb.modify_target_group(TargetGroupArn=arn, **wanted.health)
        return arn

    def _register(self, arn: str, wanted: Sequence[tuple[str, int]]) -> None:
        described = self._elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        present = {(each["Target"]["Id"], each["Target"]["Port"]) for each in described}
        new, old = set(wanted) - present, present - set(wanted)
        if new:
            self._elb.register_targets(TargetGroupArn=arn, Targets=_targets(new))
        if old:
            self._elb.deregister_targets(TargetGroupArn=arn, Targets=_targets(old))

    def _listen(self, model: Model, balancer: str, arns: Mapping[str, str]) -> None:
        present = {each["Port"]: each for each in self._elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]}
        for port in present.keys() - {each.port for each in model.listeners}:
            self._elb.delete_listener(ListenerArn=present[port]["ListenerArn"])
        for wanted in model.listeners:
            arn = self._listener(model, balancer, wanted, present.get(wanted.port))
            self._rules(model, arn, wanted, arns)

    def _listener(self, model: Model, balancer: str, wanted: Listener, present: dict[str, Any] | None) -> str:
        settings: dict[str, Any] = {"Protocol": wanted.protocol, "DefaultActions": [wanted.default]}
        if wanted.protocol == "HTTPS":
            settings |= {"SslPolicy": wanted.policy, "Certificates": [{"CertificateArn": wanted.certificates[0]}]}
        if present is None:
            labels = as_list(tags(self._cluster, model.group, str(wanted.port)))
            created = self._elb.create_listener(LoadBalancerArn=balancer, Port=wanted.port, Tags=labels, **settings)
            arn: str = created["Listeners"][0]["ListenerArn"]
        else:
            arn = present["ListenerArn"]
            if any(present.get(key) != value for key, value in settings.items()):
                self._elb.modify_listener(ListenerArn=arn, Port=wanted.port, **settings)
        if wanted.certificates[1:]:
            more = [{"CertificateArn": each} for each in wanted.certificates[1:]]
            self._elb.add_listener_certificates(ListenerArn=arn, Certificates=more)
        return arn

    def _rules(self, model: Model, listener: str, wanted: Listener, arns: Mapping[str, str]) -> None:
        present = [each for each in self._elb.describe_rules(ListenerArn=listener)["Rules"] if not each["IsDefault"]]
        asked = [(rule.conditions, arns[rule.target]) for rule in wanted.rules]
        if [_meaning(each) for each in sorted(present, key=lambda each: int(each["Priority"]))] == asked:
            return
        for rule in present:
            self._elb.delete_rule(RuleArn=rule["RuleArn"])
        for priority, (conditions, target) in enumerate(asked, start=1):
            self._elb.create_rule(
                ListenerArn=listener,
                Priority=priority,
                Conditions=conditions,
                Actions=[{"Type": "forward", "TargetGroupArn": target}],
                Tags=as_list(tags(self._cluster, model.group, f"{wanted.port}:{priority}")),
            )

    def _protect(self, model: Model, balancer: str) -> None:
        """Without the annotation the controller leaves the association alone."""
        if model.web_acl == "none":
            self._waf.disassociate_web_acl(ResourceArn=balancer)
        elif model.web_acl:
            present = self._waf.get_web_acl_for_resource(ResourceArn=balancer).get("WebACL") or {}
            if present.get("ARN") != model.web_acl:
                self._waf.associate_web_acl(WebACLArn=model.web_acl, ResourceArn=balancer)

    def _drop_target_groups(self, group: Group, keep: set[str]) -> None:
        everything = self._elb.describe_target_groups()["TargetGroups"]
        for each in self._mine(everything, "TargetGroupArn", {STACK: str(group)}):
            if each["TargetGroupName"] not in keep:
                self._elb.delete_target_group(TargetGroupArn=each["TargetGroupArn"])


def _targets(addresses: set[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"Id": address, "Port": port} for address, port in sorted(addresses)]


def _meaning(rule: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """Conditions and target of a rule, without the second spelling AWS adds to each condition."""
    plain = [{key: value for key, value in each.items() if key != "Values"} for each in rule["Conditions"]]
    plain.sort(key=lambda each: str(each["Field"]))
    return plain, rule["Actions"][0].get("TargetGroupArn", "")
