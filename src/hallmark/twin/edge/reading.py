"""Reading a load balancer and everything around it from the emulated AWS; blocking."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from hallmark.twin.clients import Clients
from hallmark.twin.edge import names, paths
from hallmark.twin.edge.records import Balancer, Certificate, Checked, Listener, Protection, State, Target, TargetGroup

SECURE, TRAFFIC = "HTTPS", "traffic-port"


def zones(clients: Clients) -> list[names.Zone]:
    """All hosted zones with their records."""
    route53 = clients("route53")
    found = _all(route53, "list_hosted_zones", "HostedZones")
    return [
        names.zone(each, _all(route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=each["Id"]))
        for each in found
    ]


def balancers(clients: Clients) -> dict[str, Balancer]:
    """Application load balancers by DNS name."""
    found = _all(clients("elbv2"), "describe_load_balancers", "LoadBalancers")
    return {
        names.canonical(each["DNSName"]): Balancer(
            arn=each["LoadBalancerArn"],
            name=each["LoadBalancerName"],
            dns=names.canonical(each["DNSName"]),
            scheme=each["Scheme"],
            vpc=each["VpcId"],
            subnets=tuple(zone["SubnetId"] for zone in each["AvailabilityZones"]),
            groups=tuple(each.get("SecurityGroups") or ()),
        )
        for each in found
        if each["Type"] == "application"
    }


def state(clients: Clients, balancer: Balancer) -> State:
    """All that decides what a load balancer does."""
    elb = clients("elbv2")
    found = elb.describe_load_balancer_attributes(LoadBalancerArn=balancer.arn)["Attributes"]
    described = elb.describe_listeners(LoadBalancerArn=balancer.arn)["Listeners"]
    listeners = {each["Port"]: _listener(clients, each) for each in described}
    targets, network = _targets(elb, listeners.values()), _network(clients("ec2"), balancer.vpc)
    return State(
        balancer=balancer,
        attributes={each["Key"]: str(each["Value"]) for each in found},
        listeners=listeners,
        targets=targets,
        inbound=paths.inbound(network, balancer),
        sources=paths.sources(network, balancer),
        barred=paths.barred(network, balancer, (each for group in targets.values() for each in _of_pods(group))),
        protection=_protection(clients("wafv2"), balancer),
    )


def checked(clients: Clients) -> list[Checked]:
    """Target groups whose targets a load balancer checks."""
    elb, places = clients("elbv2"), {each.arn: each for each in balancers(clients).values()}
    found = _all(elb, "describe_target_groups", "TargetGroups")
    used = [(each, places[arn]) for each in found for arn in each["LoadBalancerArns"][:1] if arn in places]
    networks = {vpc: _network(clients("ec2"), vpc) for vpc in {balancer.vpc for _, balancer in used}}
    return [_checked(elb, each, networks[balancer.vpc], balancer) for each, balancer in used]


def _checked(elb: Any, group: Mapping[str, Any], network: paths.Network, balancer: Balancer) -> Checked:
    targets = tuple(_registered(elb, group["TargetGroupArn"]))
    is_of_pods = group["TargetType"] == "ip"
    port = str(group.get("HealthCheckPort", TRAFFIC))
    return Checked(
        arn=group["TargetGroupArn"],
        kind=group["TargetType"],
        protocol=group["HealthCheckProtocol"],
        path=group.get("HealthCheckPath") or "/",
        port=0 if port == TRAFFIC else int(port),
        codes=group.get("Matcher", {}).get("HttpCode") or "200",
        every=float(group["HealthCheckIntervalSeconds"]),
        patience=float(group["HealthCheckTimeoutSeconds"]),
        healthy=int(group["HealthyThresholdCount"]),
        unhealthy=int(group["UnhealthyThresholdCount"]),
        targets=targets,
        sources=paths.sources(network, balancer),
        barred=paths.barred(network, balancer, targets if is_of_pods else ()),
    )


def _all(client: Any, operation: str, key: str, **arguments: Any) -> list[dict[str, Any]]:
    return [each for page in client.get_paginator(operation).paginate(**arguments) for each in page[key]]


def _listener(clients: Clients, described: Mapping[str, Any]) -> Listener:
    elb, arn = clients("elbv2"), described["ListenerArn"]
    rules = elb.describe_rules(ListenerArn=arn)["Rules"]
    rules.sort(key=lambda rule: (rule["IsDefault"], 0 if rule["IsDefault"] else int(rule["Priority"])))
    versions: tuple[str, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    if described["Protocol"] == SECURE:
        policies = elb.describe_ssl_policies(Names=[described["SslPolicy"]])["SslPolicies"]
        versions = tuple(version for policy in policies for version in policy["SslProtocols"])
        certificates = tuple(_certificates(clients, described))
    return Listener(described["Port"], described["Protocol"], versions, certificates, tuple(rules))


def _certificates(clients: Clients, listener: Mapping[str, Any]) -> Iterator[Certificate]:
    more = clients("elbv2").describe_listener_certificates(ListenerArn=listener["ListenerArn"])["Certificates"]
    arns = [each["CertificateArn"] for each in (*listener.get("Certificates", ()), *more)]
    for arn in dict.fromkeys(arns):
        try:
            found = clients("acm").describe_certificate(CertificateArn=arn)["Certificate"]
        except ClientError:
            continue  # deleted under the listener's feet
        given = dict.fromkeys([found["DomainName"], *found.get("SubjectAlternativeNames", ())])
        yield Certificate(arn, tuple(given), found.get("NotBefore"), found.get("NotAfter"))


def _targets(elb: Any, listeners: Iterable[Listener]) -> dict[str, TargetGroup]:
    wanted = {arn for each in listeners for rule in each.rules for arn in _forwards(rule)}
    found = _all(elb, "describe_target_groups", "TargetGroups") if wanted else []
    return {
        each["TargetGroupArn"]: TargetGroup(
            arn=each["TargetGroupArn"],
            kind=each["TargetType"],
            protocol=each["Protocol"],
            targets=tuple(_registered(elb, each["TargetGroupArn"])),
        )
        for each in found
        if each["TargetGroupArn"] in wanted
    }


def _forwards(rule: Mapping[str, Any]) -> Iterator[str]:
    for action in rule["Actions"]:
        if "TargetGroupArn" in action:
            yield action["TargetGroupArn"]
        yield from (each["TargetGroupArn"] for each in action.get("ForwardConfig", {}).get("TargetGroups", ()))


def _registered(elb: Any, arn: str) -> Iterator[Target]:
    for each in elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]:
        yield Target(each["Target"]["Id"], int(each["Target"]["Port"]), each["TargetHealth"]["State"])


def _of_pods(group: TargetGroup) -> tuple[Target, ...]:
    return group.targets if group.kind == "ip" else ()


def _network(ec2: Any, vpc: str) -> paths.Network:
    mine = {"Name": "vpc-id", "Values": [vpc]}
    running = {"Name": "instance-state-name", "Values": ["running"]}
    found = _all(ec2, "describe_instances", "Reservations", Filters=[mine, running])
    return paths.Network(
        subnets={
            each["SubnetId"]: each["CidrBlock"] for each in _all(ec2, "describe_subnets", "Subnets", Filters=[mine])
        },
        groups={
            each["GroupId"]: each for each in _all(ec2, "describe_security_groups", "SecurityGroups", Filters=[mine])
        },
        instances=[each for reservation in found for each in reservation["Instances"]],
    )


def _protection(waf: Any, balancer: Balancer) -> Protection | None:
    acl = waf.get_web_acl_for_resource(ResourceArn=balancer.arn).get("WebACL")
    if not acl:
        return None
    references: dict[str, Any] = {}
    _refer(waf, acl["Rules"], references)
    return Protection(acl, references)


def _refer(waf: Any, thing: Any, into: dict[str, Any]) -> None:
    """Read what is referred to by ARN, wherever in the rules that is."""
    for value in thing.values() if isinstance(thing, dict) else thing:
        if isinstance(value, (dict, list)):
            _refer(waf, value, into)
    arn = thing.get("ARN", "") if isinstance(thing, dict) else ""
    if arn and arn not in into:
        into[arn] = _reference(waf, arn)
        _refer(waf, into[arn].get("Rules", []), into)


def _reference(waf: Any, arn: str) -> dict[str, Any]:
    kind, name, identifier = arn.rpartition(":")[2].split("/")[1:4]
    read = {"ipset": "IPSet", "regexpatternset": "RegexPatternSet", "rulegroup": "RuleGroup"}
    call = {"ipset": waf.get_ip_set, "regexpatternset": waf.get_regex_pattern_set, "rulegroup": waf.get_rule_group}
    found: dict[str, Any] = call[kind](Name=name, Scope="REGIONAL", Id=identifier)[read[kind]]
    return found
