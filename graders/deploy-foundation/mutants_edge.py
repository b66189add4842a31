"""What can be wrong with the way in, and what only looks wrong."""

import copy
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call, Status

COMMON = "AWSManagedRulesCommonRuleSet"
LABEL = "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"
PATHS = ("/api/v1/runs", "/api/v1/otel/", "/api/runs")


def _balancers(edit: Edit) -> Iterator[dict[str, Any]]:
    return edit.each("elbv2", "describe_load_balancers", "LoadBalancers")


def _listeners(edit: Edit, port: int) -> Iterator[dict[str, Any]]:
    found = edit.each("elbv2", "describe_listeners", "Listeners")
    return (listener for listener in found if listener["Port"] == port)


def _rules(edit: Edit, port: int) -> list[dict[str, Any]]:
    arn = next(_listeners(edit, port))["ListenerArn"]
    rules: list[dict[str, Any]] = edit.answers("elbv2", "describe_rules", ListenerArn=arn)[0]["Rules"]
    return rules


def _certificates(edit: Edit) -> Iterator[dict[str, Any]]:
    return edit.each("acm", "describe_certificate", "Certificate")


def _records(edit: Edit) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = edit.answers("route53", "list_resource_record_sets")[0]["ResourceRecordSets"]
    return records


def _host_record(edit: Edit) -> dict[str, Any]:
    return next(one for one in _records(edit) if one["Name"] == f"{edit.scope['host']}." and one["Type"] == "A")


def _acl(edit: Edit) -> dict[str, Any]:
    return next(edit.each("wafv2", "get_web_acl_for_resource", "WebACL"))


def _rate_rule(edit: Edit) -> dict[str, Any]:
    return next(rule for rule in _acl(edit)["Rules"] if "RateBasedStatement" in rule["Statement"])


def _rate(edit: Edit) -> dict[str, Any]:
    rate: dict[str, Any] = _rate_rule(edit)["Statement"]["RateBasedStatement"]
    return rate


def _common_rule(edit: Edit) -> dict[str, Any]:
    return next(rule for rule in _acl(edit)["Rules"] if rule["Name"] == COMMON)


def _common(edit: Edit) -> dict[str, Any]:
    group: dict[str, Any] = _common_rule(edit)["Statement"]["ManagedRuleGroupStatement"]
    return group


def _path(text: str, constraint: str = "STARTS_WITH") -> dict[str, Any]:
    body = {"FieldToMatch": {"UriPath": {}}, "PositionalConstraint": constraint, "SearchString": text}
    return {"ByteMatchStatement": body | {"TextTransformations": [{"Priority": 0, "Type": "NONE"}]}}


def _any_path(*paths: str) -> dict[str, Any]:
    return {"OrStatement": {"Statements": [_path(path) for path in paths]}}


def _not(statement: dict[str, Any]) -> dict[str, Any]:
    return {"NotStatement": {"Statement": statement}}


def _addresses() -> dict[str, Any]:
    return {"IPSetReferenceStatement": {"ARN": "arn:aws:wafv2:us-east-1:111122223333:regional/ipset/office/1"}}


def _rule(name: str, priority: int, action: str, statement: dict[str, Any]) -> dict[str, Any]:
    return {"Name": name, "Priority": priority, "Action": {action: {}}, "Statement": statement}


def _in_days(edit: Edit, days: int) -> str:
    return (datetime.fromisoformat(edit.snapshot.collected_at) + timedelta(days=days)).isoformat()


def _own_group(edit: Edit, rules: list[dict[str, Any]]) -> dict[str, Any]:
    """Put *rules* into a rule group, and return the rule of the web ACL that refers to it."""
    arn = "arn:aws:wafv2:us-east-1:111122223333:regional/rulegroup/own/1"
    group = {"Name": "own", "ARN": arn, "Id": "1", "Capacity": 100, "Rules": rules}
    edit.put(Call.of("wafv2", "get_rule_group", ARN=arn), {"RuleGroup": group})
    statement = {"RuleGroupReferenceStatement": {"ARN": arn}}
    return {"Name": "own", "Priority": 5, "OverrideAction": {"None": {}}, "Statement": statement}


def _another_ingress(edit: Edit, host: str) -> dict[str, Any]:
    """Give the cluster a second ingress load balancer, which serves *host*; return it."""
    first = next(_balancers(edit))
    arn = first["LoadBalancerArn"].replace("k8s-", "k8s-other-")
    second = copy.deepcopy(first) | {"LoadBalancerArn": arn, "LoadBalancerName": "other", "DNSName": "other.elb.test"}
    tags = edit.answers("elbv2", "describe_tags")[0]["TagDescriptions"][0]["Tags"]
    edit.answers("elbv2", "describe_load_balancers")[0]["LoadBalancers"].append(second)
    described = [{"ResourceArn": one, "Tags": tags} for one in (first["LoadBalancerArn"], arn)]
    edit.put(
        Call.of("elbv2", "describe_tags", ResourceArns=[first["LoadBalancerArn"], arn]), {"TagDescriptions": described}
    )
    listener = copy.deepcopy(next(_listeners(edit, 443))) | {"ListenerArn": f"{arn}/443"}
    edit.put(Call.of("elbv2", "describe_listeners", LoadBalancerArn=arn), {"Listeners": [listener]})
    rules = copy.deepcopy(_rules(edit, 443))
    for rule in rules:
        for condition in rule["Conditions"]:
            if condition["Field"] == "host-header":
                condition["HostHeaderConfig"] = {"Values": [host]}
    edit.put(Call.of("elbv2", "describe_rules", ListenerArn=f"{arn}/443"), {"Rules": rules})
    return second


def _classic(edit: Edit, protocol: str, service: str) -> None:
    """Give the cluster a classic load balancer, as Kubernetes makes it for a Service."""
    listener = {"Protocol": protocol, "LoadBalancerPort": 80, "InstancePort": 30080}
    balancer = {
        "LoadBalancerName": "a0123456789",
        "DNSName": "a0123456789.us-east-1.elb.amazonaws.com",
        "Scheme": "internet-facing",
        "VPCId": next(_balancers(edit))["VpcId"],
        "AvailabilityZones": ["us-east-1a"],
        "SecurityGroups": [],
        "ListenerDescriptions": [{"Listener": listener}],
    }
    edit.answers("elb", "describe_load_balancers")[0]["LoadBalancerDescriptions"] = [balancer]
    owned = {"Key": f"kubernetes.io/cluster/{edit.scope['cluster']}", "Value": "owned"}
    tags = [owned, {"Key": "kubernetes.io/service-name", "Value": service}]
    described = {"TagDescriptions": [{"LoadBalancerName": "a0123456789", "Tags": tags}]}
    edit.put(Call.of("elb", "describe_tags", LoadBalancerNames=["a0123456789"]), described)


# ------------------------------------------------------------------------------------------------------ load balancer


@mutant(breaks=["ingress_active"])
def no_load_balancer(edit: Edit) -> None:
    """There is no load balancer."""
    edit.answers("elbv2", "describe_load_balancers")[0]["LoadBalancers"] = []


@mutant(breaks=["ingress_active"])
def load_balancer_of_another_cluster(edit: Edit) -> None:
    """The only ingress load balancer belongs to another cluster."""
    for tag in edit.each("elbv2", "describe_tags", "TagDescriptions.Tags"):
        if tag["Key"] == "elbv2.k8s.aws/cluster":
            tag["Value"] = "another"


@mutant(breaks=["ingress_active"])
def load_balancer_not_made_for_the_ingress(edit: Edit) -> None:
    """A load balancer exists, but no controller made it: the one nobody uses."""
    for description in edit.each("elbv2", "describe_tags", "TagDescriptions"):
        description["Tags"] = [tag for tag in description["Tags"] if not tag["Key"].startswith("ingress.")]


@mutant(breaks=["ingress_active"])
def load_balancer_is_not_ready(edit: Edit) -> None:
    """The load balancer is still being made."""
    for balancer in _balancers(edit):
        balancer["State"] = {"Code": "provisioning"}


@mutant(breaks=["ingress_active"])
def load_balancer_is_a_network_one(edit: Edit) -> None:
    """A network load balancer has no firewall and no host rules."""
    for balancer in _balancers(edit):
        balancer["Type"] = "network"


@mutant(breaks=())
def another_ingress_in_the_cluster(edit: Edit) -> None:
    """A second Ingress with a load balancer of its own, for another host."""
    _another_ingress(edit, "grafana.hallmark.example")


@mutant(breaks=())
def two_ingresses_for_one_host(edit: Edit) -> None:
    """Two load balancers serve the host: the one the record points to is meant."""
    _another_ingress(edit, edit.scope["host"])


@mutant(breaks=["ingress_subnets"])
def load_balancer_in_one_zone(edit: Edit) -> None:
    """The load balancer stands in one zone."""
    for balancer in _balancers(edit):
        balancer["AvailabilityZones"] = balancer["AvailabilityZones"][:1]


@mutant(breaks=["ingress_subnets"])
def load_balancer_faces_the_internet_from_a_private_subnet(edit: Edit) -> None:
    """One of its subnets has no way to the internet."""
    private = next(edit.each("ec2", "describe_instances", "Reservations.Instances"))["SubnetId"]
    next(edit.each("elbv2", "describe_load_balancers", "LoadBalancers.AvailabilityZones"))["SubnetId"] = private


@mutant(breaks=["ingress_subnets", "nodes_reach_out"])
def public_subnets_have_lost_their_gateway(edit: Edit) -> None:
    """The default route of the public subnets is gone; a route for a part of the internet is left."""
    for route in edit.each("ec2", "describe_route_tables", "RouteTables.Routes"):
        if str(route.get("GatewayId", "")).startswith("igw-"):
            route["DestinationCidrBlock"] = "198.51.100.0/24"


@mutant(breaks=["ingress_subnets"])
def internal_load_balancer_in_public_subnets(edit: Edit) -> None:
    """An internal load balancer has no business in public subnets."""
    for balancer in _balancers(edit):
        balancer["Scheme"] = "internal"


@mutant(breaks=())
def internal_load_balancer(edit: Edit) -> None:
    """An internal load balancer in private subnets, in two zones, is as good as a public one (NET-11)."""
    subnets = edit.each("rds", "describe_db_subnet_groups", "DBSubnetGroups.Subnets")
    private = [subnet["SubnetIdentifier"] for subnet in subnets][:2]
    for balancer in _balancers(edit):
        balancer["Scheme"] = "internal"
        balancer["AvailabilityZones"] = [{"ZoneName": f"z{n}", "SubnetId": s} for n, s in enumerate(private)]


# --------------------------------------------------------------------------------------------------------------- DNS


@mutant(breaks=["dns_leads_in"])
def no_record(edit: Edit) -> None:
    """The host has no record."""
    records = _records(edit)
    records[:] = [one for one in records if one["Name"] != f"{edit.scope['host']}."]


@mutant(breaks=["dns_leads_in"])
def no_zone(edit: Edit) -> None:
    """No zone is for the host's domain."""
    for zone in edit.each("route53", "list_hosted_zones", "HostedZones"):
        zone["Name"] = "other.example."


@mutant(breaks=["dns_leads_in"])
def record_points_to_an_unused_load_balancer(edit: Edit) -> None:
    """The record leads to a load balancer that is not the Ingress's."""
    _host_record(edit)["AliasTarget"]["DNSName"] = "dualstack.unused-123.us-east-1.elb.amazonaws.com."


@mutant(breaks=["dns_leads_in"])
def second_record_points_elsewhere(edit: Edit) -> None:
    """IPv4 is right, IPv6 leads elsewhere."""
    elsewhere = {
        "DNSName": "unused-123.us-east-1.elb.amazonaws.com.",
        "HostedZoneId": "Z",
        "EvaluateTargetHealth": True,
    }
    _records(edit).append({"Name": f"{edit.scope['host']}.", "Type": "AAAA", "AliasTarget": elsewhere})


@mutant(breaks=["dns_leads_in"])
def record_is_of_another_type(edit: Edit) -> None:
    """A text record leads nowhere."""
    record = _host_record(edit)
    record.pop("AliasTarget")
    record |= {"Type": "TXT", "ResourceRecords": [{"Value": "x"}]}


@mutant(breaks=())
def record_is_a_cname(edit: Edit) -> None:
    """A CNAME to the load balancer, in other letters."""
    target = next(_balancers(edit))["DNSName"].upper()
    record = _host_record(edit)
    record.pop("AliasTarget")
    record |= {"Type": "CNAME", "TTL": 300, "ResourceRecords": [{"Value": target}]}


@mutant(breaks=())
def record_is_a_wildcard(edit: Edit) -> None:
    """A wildcard record covers the host."""
    _host_record(edit)["Name"] = "\\052." + edit.scope["host"].partition(".")[2] + "."


@mutant(breaks=())
def record_in_a_private_zone(edit: Edit) -> None:
    """The zone is private."""
    for zone in edit.each("route53", "list_hosted_zones", "HostedZones"):
        zone["Config"]["PrivateZone"] = True


@mutant(breaks=())
def failover_page(edit: Edit) -> None:
    """The second half of a failover pair is a maintenance page."""
    _host_record(edit).update({"Failover": "PRIMARY", "SetIdentifier": "1"})
    page = {"DNSName": "s3-website-us-east-1.amazonaws.com.", "HostedZoneId": "Z", "EvaluateTargetHealth": False}
    second = {"Type": "A", "Failover": "SECONDARY", "SetIdentifier": "2", "AliasTarget": page}
    _records(edit).append({"Name": f"{edit.scope['host']}.", **second})


# --------------------------------------------------------------------------------------------------------------- TLS


@mutant(breaks=["https_listener"])
def no_https_listener(edit: Edit) -> None:
    """Only port 80 is open."""
    for answer in edit.answers("elbv2", "describe_listeners"):
        answer["Listeners"] = [one for one in answer["Listeners"] if one["Port"] != 443]


@mutant(breaks=["https_listener"])
def plain_http_on_port_443(edit: Edit) -> None:
    """Port 443 is open, but speaks HTTP."""
    for listener in _listeners(edit, 443):
        listener["Protocol"] = "HTTP"


@mutant(breaks=["https_listener"])
def https_on_another_port(edit: Edit) -> None:
    """HTTPS is on port 8443."""
    for listener in _listeners(edit, 443):
        listener["Port"] = 8443


@mutant(breaks=["host_is_served"])
def rules_ask_for_another_host(edit: Edit) -> None:
    """No rule asks for the host, and the default answer is 404."""
    for rule in _rules(edit, 443):
        for condition in rule["Conditions"]:
            if condition["Field"] == "host-header":
                condition["HostHeaderConfig"] = {"Values": ["langsmith.other.example"]}


@mutant(breaks=["host_is_served"])
def an_earlier_rule_refuses_the_host(edit: Edit) -> None:
    """A rule in front answers for the host itself."""
    rules = _rules(edit, 443)
    refusal = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}
    front = {"RuleArn": "x", "IsDefault": False, "Priority": "1", "Conditions": [], "Actions": [refusal]}
    for rule in rules:
        if not rule["IsDefault"]:
            rule["Priority"] = "10"
    rules.append(front)


@mutant(breaks=["host_is_served"])
def rule_asks_for_a_header(edit: Edit) -> None:
    """Only requests with a certain header are served."""
    header = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "x-secret", "Values": ["1"]}}
    for rule in _rules(edit, 443):
        if not rule["IsDefault"]:
            rule["Conditions"].append(header)


@mutant(breaks=())
def rule_for_a_wildcard_host(edit: Edit) -> None:
    """A host pattern covers the host."""
    for rule in _rules(edit, 443):
        for condition in rule["Conditions"]:
            if condition["Field"] == "host-header":
                condition["HostHeaderConfig"] = {"Values": ["*.Hallmark.example"]}


@mutant(breaks=())
def rule_for_every_host(edit: Edit) -> None:
    """The default action forwards everything."""
    rules = _rules(edit, 443)
    forward = next(rule["Actions"] for rule in rules if not rule["IsDefault"])
    rules[:] = [rule | {"Actions": forward} for rule in rules if rule["IsDefault"]]


@mutant(breaks=["certificate_covers_host"])
def certificate_is_pending(edit: Edit) -> None:
    """The certificate waits for its validation record."""
    for certificate in _certificates(edit):
        certificate["Status"] = "PENDING_VALIDATION"
        del certificate["NotAfter"]


@mutant(breaks=["certificate_covers_host"])
def certificate_for_another_host(edit: Edit) -> None:
    """The certificate is for another name."""
    for certificate in _certificates(edit):
        certificate["DomainName"] = "www.hallmark.example"
        certificate["SubjectAlternativeNames"] = ["www.hallmark.example"]


@mutant(breaks=["certificate_covers_host"])
def wildcard_one_label_too_high(edit: Edit) -> None:
    """A wildcard stands for one label, not for two."""
    for certificate in _certificates(edit):
        certificate["DomainName"], certificate["SubjectAlternativeNames"] = "*.example", ["*.example"]


@mutant(breaks=["certificate_covers_host"])
def certificate_is_not_from_acm(edit: Edit) -> None:
    """The listener has a certificate uploaded to IAM, which nobody renews."""
    uploaded = "arn:aws:iam::111122223333:server-certificate/langsmith"
    for listener in _listeners(edit, 443):
        listener["Certificates"] = [{"CertificateArn": uploaded}]
    for certificate in edit.each("elbv2", "describe_listener_certificates", "Certificates"):
        certificate["CertificateArn"] = uploaded


@mutant(breaks=())
def wildcard_certificate(edit: Edit) -> None:
    """A wildcard certificate covers the host."""
    for certificate in _certificates(edit):
        certificate["DomainName"] = "*.Hallmark.example"
        certificate["SubjectAlternativeNames"] = ["*.Hallmark.example"]


@mutant(breaks=())
def certificate_chosen_by_name(edit: Edit) -> None:
    """The default certificate is for another host, the right one is chosen by SNI."""
    own = next(_certificates(edit))
    other = {**own, "CertificateArn": "arn:aws:acm:us-east-1:111122223333:certificate/other"}
    other |= {"DomainName": "www.hallmark.example", "SubjectAlternativeNames": [], "NotAfter": "2020-01-01T00:00:00Z"}
    edit.put(Call.of("acm", "describe_certificate", CertificateArn=other["CertificateArn"]), {"Certificate": other})
    for listener in _listeners(edit, 443):
        listener["Certificates"] = [{"CertificateArn": other["CertificateArn"]}]


@mutant(breaks=["certificate_lasts"])
def certificate_ends_soon(edit: Edit) -> None:
    """The certificate is valid for 30 days to the second."""
    for certificate in _certificates(edit):
        certificate["NotAfter"] = _in_days(edit, 30)


@mutant(breaks=["certificate_lasts"])
def certificate_has_ended(edit: Edit) -> None:
    """ACM still calls it issued, but it has ended."""
    for certificate in _certificates(edit):
        certificate["NotAfter"] = _in_days(edit, -1)


@mutant(breaks=())
def certificate_lasts_31_days(edit: Edit) -> None:
    """31 days are enough."""
    for certificate in _certificates(edit):
        certificate["NotAfter"] = _in_days(edit, 31)


@mutant(breaks=["tls_policy"])
def tls_policy_takes_tls_1_0(edit: Edit) -> None:
    """The controller's default policy."""
    for listener in _listeners(edit, 443):
        listener["SslPolicy"] = "ELBSecurityPolicy-2016-08"


@mutant(breaks=["tls_policy"])
def tls_policy_sounds_modern(edit: Edit) -> None:
    """A policy with TLS13 in its name that takes TLS 1.1."""
    for listener in _listeners(edit, 443):
        listener["SslPolicy"] = "ELBSecurityPolicy-TLS13-1-1-2021-06"


@mutant(breaks=["tls_policy"])
def tls_policy_is_unknown(edit: Edit) -> None:
    """AWS has no such policy."""
    for listener in _listeners(edit, 443):
        listener["SslPolicy"] = "ELBSecurityPolicy-TLS13-1-2-Mine"


@mutant(breaks=())
def tls_1_3_only(edit: Edit) -> None:
    """TLS 1.3 only is stricter than what is asked for."""
    for listener in _listeners(edit, 443):
        listener["SslPolicy"] = "ELBSecurityPolicy-TLS13-1-3-2021-06"


@mutant(breaks=["no_plaintext"])
def port_80_forwards(edit: Edit) -> None:
    """Port 80 serves the application."""
    forward = [{"Type": "forward", "TargetGroupArn": "x"}]
    next(_listeners(edit, 80))["DefaultActions"] = forward
    for rule in _rules(edit, 80):
        rule["Actions"] = forward


@mutant(breaks=["no_plaintext"])
def one_rule_of_port_80_forwards(edit: Edit) -> None:
    """Port 80 redirects, except for one path."""
    exception = {"RuleArn": "x", "IsDefault": False, "Priority": "1", "Conditions": []}
    _rules(edit, 80).append(exception | {"Actions": [{"Type": "forward", "TargetGroupArn": "x"}]})


@mutant(breaks=["no_plaintext"])
def port_80_redirects_to_http(edit: Edit) -> None:
    """The redirect stays on HTTP."""
    for listener in _listeners(edit, 80):
        listener["DefaultActions"][0]["RedirectConfig"]["Protocol"] = "#{protocol}"


@mutant(breaks=())
def no_port_80(edit: Edit) -> None:
    """Without port 80 there is nothing to redirect."""
    for answer in edit.answers("elbv2", "describe_listeners"):
        answer["Listeners"] = [one for one in answer["Listeners"] if one["Port"] == 443]


@mutant(breaks=["no_plaintext", "no_way_around"])
def frontend_service_has_a_load_balancer(edit: Edit) -> None:
    """The chart's default: a classic load balancer that serves the application on plain HTTP."""
    _classic(edit, "TCP", f"{edit.scope['namespace']}/langsmith-frontend")


@mutant(breaks=["no_way_around"])
def frontend_service_has_an_encrypted_load_balancer(edit: Edit) -> None:
    """Encrypted, but past the firewall."""
    _classic(edit, "HTTPS", f"{edit.scope['namespace']}/langsmith-frontend")


@mutant(breaks=["no_plaintext"])
def another_service_speaks_plainly(edit: Edit) -> None:
    """A load balancer of the cluster for something else serves plain HTTP."""
    _classic(edit, "HTTP", "monitoring/grafana")


@mutant(breaks=())
def another_service_is_encrypted(edit: Edit) -> None:
    """A load balancer of the cluster for something else is encrypted."""
    _classic(edit, "SSL", "monitoring/grafana")


# ---------------------------------------------------------------------------------------------------------- firewall


@mutant(breaks=["firewall_attached"])
def web_acl_is_not_attached(edit: Edit) -> None:
    """AWS answers without a web ACL."""
    for answer in edit.answers("wafv2", "get_web_acl_for_resource"):
        del answer["WebACL"]


@mutant(breaks=["firewall_attached"])
def web_acl_is_absent(edit: Edit) -> None:
    """AWS answers that there is none."""
    edit.status("wafv2", "get_web_acl_for_resource", Status.ABSENT, "WAFNonexistentItemException")


@mutant(breaks=["rate_limited"])
def no_rate_rule(edit: Edit) -> None:
    """The web ACL has no rate-based rule."""
    _acl(edit)["Rules"].remove(_rate_rule(edit))


@mutant(breaks=["rate_limited"])
def rate_rule_only_counts(edit: Edit) -> None:
    """The rate rule is in count mode."""
    _rate_rule(edit)["Action"] = {"Count": {}}


@mutant(breaks=["rate_limited"])
def rate_limit_is_out_of_reach(edit: Edit) -> None:
    """The limit is the highest AWS takes."""
    _rate(edit)["Limit"] = 2_000_000_000


@mutant(breaks=["rate_limited"])
def rate_limit_is_just_beyond_reason(edit: Edit) -> None:
    """A little more than 1000 requests a second."""
    _rate(edit)["Limit"] = 300_001


@mutant(breaks=())
def rate_limit_is_generous(edit: Edit) -> None:
    """1000 requests a second."""
    _rate(edit)["Limit"] = 300_000


@mutant(breaks=["rate_limited"])
def rate_limit_in_a_short_window(edit: Edit) -> None:
    """The same limit in a fifth of the time is five times as much."""
    _rate(edit).update({"Limit": 300_000, "EvaluationWindowSec": 60})


@mutant(breaks=["rate_limited"])
def rate_rule_covers_one_path(edit: Edit) -> None:
    """Only signing in is limited."""
    _rate(edit)["ScopeDownStatement"] = _path("/api/v1/login", "EXACTLY")


@mutant(breaks=["rate_limited"])
def rate_rule_leaves_ingestion_out(edit: Edit) -> None:
    """Ingestion is exempt from the limit, not from the body rules."""
    _rate(edit)["ScopeDownStatement"] = _not(_any_path(*PATHS))


@mutant(breaks=["rate_limited"])
def rate_rule_covers_known_addresses(edit: Edit) -> None:
    """Only addresses on a list are limited."""
    _rate(edit)["ScopeDownStatement"] = _addresses()


@mutant(breaks=["rate_limited"])
def rate_rule_covers_some_countries(edit: Edit) -> None:
    """Clients elsewhere are not limited."""
    _rate(edit)["ScopeDownStatement"] = {"GeoMatchStatement": {"CountryCodes": ["DE"]}}


@mutant(breaks=["rate_limited"])
def rate_rule_spares_some_countries(edit: Edit) -> None:
    """Clients of one country are not limited."""
    _rate(edit)["ScopeDownStatement"] = _not({"GeoMatchStatement": {"CountryCodes": ["DE"]}})


@mutant(breaks=["rate_limited"])
def rate_rule_counts_by_header(edit: Edit) -> None:
    """A client starts anew with every new header."""
    header = {"Header": {"Name": "x-api-key", "TextTransformations": [{"Priority": 0, "Type": "NONE"}]}}
    _rate(edit).update({"AggregateKeyType": "CUSTOM_KEYS", "CustomKeys": [header]})


@mutant(breaks=["rate_limited"])
def ingestion_is_allowed_before_it_is_counted(edit: Edit) -> None:
    """A rule in front lets ingestion through, so that nothing behind it counts."""
    _rate_rule(edit)["Priority"] = 2
    _acl(edit)["Rules"].append(_rule("let-traces-in", 1, "Allow", _any_path(*PATHS)))


@mutant(breaks=["rate_limited"])
def everything_is_allowed_first(edit: Edit) -> None:
    """A rule in front lets everything through that asks for the host."""
    _rate_rule(edit)["Priority"] = 2
    _acl(edit)["Rules"].append(_rule("let-all-in", 1, "Allow", _path("/")))


@mutant(breaks=())
def rate_rule_spares_the_office(edit: Edit) -> None:
    """Addresses on a list are not limited."""
    _rate(edit)["ScopeDownStatement"] = _not(_addresses())


@mutant(breaks=())
def office_is_allowed_first(edit: Edit) -> None:
    """Addresses on a list pass before anything else."""
    _rate_rule(edit)["Priority"] = 2
    _acl(edit)["Rules"].append(_rule("office", 1, "Allow", _addresses()))


@mutant(breaks=())
def rate_rule_by_address_and_path(edit: Edit) -> None:
    """Each address has its count for each path."""
    path = {"UriPath": {"TextTransformations": [{"Priority": 0, "Type": "NONE"}]}}
    _rate(edit).update({"AggregateKeyType": "CUSTOM_KEYS", "CustomKeys": [path, {"IP": {}}]})


@mutant(breaks=())
def rate_rule_by_forwarded_address(edit: Edit) -> None:
    """Counting by a header is right behind a proxy: a remark."""
    _rate(edit)["AggregateKeyType"] = "FORWARDED_IP"


@mutant(breaks=())
def rate_rule_without_window(edit: Edit) -> None:
    """Without a window AWS counts over five minutes."""
    del _rate(edit)["EvaluationWindowSec"]


@mutant(breaks=())
def two_rate_rules_share_the_work(edit: Edit) -> None:
    """One limit for ingestion, one for everything else."""
    _rate(edit)["ScopeDownStatement"] = _not(_any_path(*PATHS))
    other = copy.deepcopy(_rate_rule(edit)) | {"Name": "ingestion", "Priority": 1}
    other["Statement"]["RateBasedStatement"]["ScopeDownStatement"] = _any_path(*PATHS)
    _acl(edit)["Rules"].append(other)


@mutant(breaks=())
def rate_rule_in_a_rule_group(edit: Edit) -> None:
    """The rate rule is kept in a rule group of the organisation."""
    rule = _rate_rule(edit)
    _acl(edit)["Rules"].remove(rule)
    _acl(edit)["Rules"].append(_own_group(edit, [rule]))


@mutant(breaks=["rate_limited"])
def rate_rule_in_a_rule_group_that_only_counts(edit: Edit) -> None:
    """The web ACL sets the whole rule group to count."""
    rule = _rate_rule(edit)
    _acl(edit)["Rules"].remove(rule)
    _acl(edit)["Rules"].append(_own_group(edit, [rule]) | {"OverrideAction": {"Count": {}}})


@mutant(breaks=["rate_limited"])
def rate_rule_in_a_rule_group_is_overridden(edit: Edit) -> None:
    """The web ACL sets the rule of the group to count."""
    rule = _rate_rule(edit)
    _acl(edit)["Rules"].remove(rule)
    reference = _own_group(edit, [rule])
    override = {"Name": rule["Name"], "ActionToUse": {"Count": {}}}
    reference["Statement"]["RuleGroupReferenceStatement"]["RuleActionOverrides"] = [override]
    _acl(edit)["Rules"].append(reference)


@mutant(breaks=["firewall_filters"])
def managed_rules_only_count(edit: Edit) -> None:
    """All managed rule groups are in count mode."""
    for rule in _acl(edit)["Rules"]:
        if "OverrideAction" in rule:
            rule["OverrideAction"] = {"Count": {}}


@mutant(breaks=["firewall_filters"])
def only_the_rate_rule_is_left(edit: Edit) -> None:
    """Nothing but the rate limit."""
    _acl(edit)["Rules"] = [_rate_rule(edit)]


@mutant(breaks=())
def one_own_rule_blocks(edit: Edit) -> None:
    """One rule of one's own is enough to filter."""
    own = _rule("no-admin", 3, "Block", _path("/admin"))
    _acl(edit)["Rules"] = [_rate_rule(edit), own]


@mutant(breaks=["ingestion_passes_firewall"])
def traces_are_blocked_by_size(edit: Edit) -> None:
    """The Common rule set looks at every path."""
    del _common(edit)["ScopeDownStatement"]


@mutant(breaks=["ingestion_passes_firewall"])
def one_ingestion_path_is_forgotten(edit: Edit) -> None:
    """The exception leaves out OpenTelemetry."""
    _common(edit)["ScopeDownStatement"] = _not(_any_path("/api/v1/runs", "/api/runs"))


@mutant(breaks=["ingestion_passes_firewall"])
def exception_is_for_the_exact_path(edit: Edit) -> None:
    """Batches and multipart have longer paths."""
    _common(edit)["ScopeDownStatement"] = _not(_path("/api/v1/runs", "EXACTLY"))


@mutant(breaks=["ingestion_passes_firewall"])
def exception_is_the_wrong_way_round(edit: Edit) -> None:
    """The Common rule set looks at ingestion and nothing else."""
    _common(edit)["ScopeDownStatement"] = _any_path(*PATHS)


@mutant(breaks=["ingestion_passes_firewall"])
def another_rule_of_the_set_is_overridden(edit: Edit) -> None:
    """The wrong rule is set to count."""
    group = _common(edit)
    del group["ScopeDownStatement"]
    group["RuleActionOverrides"] = [{"Name": "SizeRestrictions_QUERYSTRING", "ActionToUse": {"Count": {}}}]


@mutant(breaks=["ingestion_passes_firewall"])
def own_rule_limits_the_body(edit: Edit) -> None:
    """A rule of one's own blocks bodies larger than WAF can read."""
    large = {"FieldToMatch": {"Body": {"OversizeHandling": "MATCH"}}, "ComparisonOperator": "GT", "Size": 8192}
    large |= {"TextTransformations": [{"Priority": 0, "Type": "NONE"}]}
    _acl(edit)["Rules"].append(_rule("size", 40, "Block", {"SizeConstraintStatement": large}))


@mutant(breaks=["ingestion_passes_firewall"])
def web_acl_blocks_by_default(edit: Edit) -> None:
    """Only what a rule allows gets through, and no rule allows traces."""
    _acl(edit)["DefaultAction"] = {"Block": {}}


@mutant(breaks=())
def size_rule_counts(edit: Edit) -> None:
    """The size rule is overridden to count for every path."""
    group = _common(edit)
    del group["ScopeDownStatement"]
    group["RuleActionOverrides"] = [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]


@mutant(breaks=())
def size_rule_is_excluded(edit: Edit) -> None:
    """The same in the older spelling."""
    group = _common(edit)
    del group["ScopeDownStatement"]
    group["ExcludedRules"] = [{"Name": "SizeRestrictions_BODY"}]


@mutant(breaks=())
def size_rule_blocks_by_label_elsewhere(edit: Edit) -> None:
    """The size rule counts, and a rule behind it blocks what it labelled, except on the ingestion paths."""
    size_rule_counts.edit(edit)
    labelled = {"LabelMatchStatement": {"Scope": "LABEL", "Key": LABEL}}
    both = {"AndStatement": {"Statements": [labelled, _not(_any_path(*PATHS))]}}
    _acl(edit)["Rules"].append(_rule("large-bodies", 40, "Block", both))


@mutant(breaks=["ingestion_passes_firewall"])
def size_rule_blocks_by_label_everywhere(edit: Edit) -> None:
    """The size rule counts, and a rule behind it blocks what it labelled all the same."""
    size_rule_counts.edit(edit)
    labelled = {"LabelMatchStatement": {"Scope": "LABEL", "Key": LABEL}}
    _acl(edit)["Rules"].append(_rule("large-bodies", 40, "Block", labelled))


@mutant(breaks=())
def traces_are_allowed_behind_the_rate_rule(edit: Edit) -> None:
    """Ingestion is counted first, then allowed past the Common rule set."""
    del _common(edit)["ScopeDownStatement"]
    _acl(edit)["Rules"].append(_rule("let-traces-in", 25, "Allow", _any_path(*PATHS)))


@mutant(breaks=())
def exception_by_pattern(edit: Edit) -> None:
    """The exception is written as a regular expression."""
    pattern: dict[str, Any] = {"FieldToMatch": {"UriPath": {}}, "RegexString": "^/api/(v1/)?(runs|otel/)"}
    pattern |= {"TextTransformations": [{"Priority": 0, "Type": "LOWERCASE"}]}
    _common(edit)["ScopeDownStatement"] = _not({"RegexMatchStatement": pattern})


# ------------------------------------------------------------------------------------------------------------ access


def _admit(edit: Edit, kind: str, source: dict[str, str]) -> None:
    """Let *source* in to port 443 of the load balancer, and nobody else."""
    own = next(_balancers(edit))["SecurityGroups"]
    for group in edit.each("ec2", "describe_security_groups", "SecurityGroups"):
        if group["GroupId"] in own:
            group["IpPermissions"] = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, kind: [source]}]


@mutant(breaks=["entrance_restricted"])
def entrance_is_open(edit: Edit) -> None:
    """Everybody may connect."""
    _admit(edit, "IpRanges", {"CidrIp": "0.0.0.0/0"})


@mutant(breaks=["entrance_restricted"])
def entrance_is_open_by_ipv6(edit: Edit) -> None:
    """Everybody may connect by IPv6."""
    _admit(edit, "Ipv6Ranges", {"CidrIpv6": "::/0"})


@mutant(breaks=["entrance_restricted"])
def entrance_has_no_security_group(edit: Edit) -> None:
    """Without a group nothing is known of who may connect."""
    for balancer in _balancers(edit):
        balancer["SecurityGroups"] = []


@mutant(breaks=())
def entrance_for_one_network(edit: Edit) -> None:
    """One network may connect."""
    _admit(edit, "IpRanges", {"CidrIp": "192.0.2.0/24"})
