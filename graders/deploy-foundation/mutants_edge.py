"""What can be wrong with the way in, and what only looks wrong."""

import copy
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call


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


def _in_days(edit: Edit, days: int) -> str:
    return (datetime.fromisoformat(edit.snapshot.collected_at) + timedelta(days=days)).isoformat()


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
def rule_takes_the_first_page_only(edit: Edit) -> None:
    """The page opens, and everything below it is answered with 404."""
    for rule in _rules(edit, 443):
        if not rule["IsDefault"]:
            others = [one for one in rule["Conditions"] if one["Field"] != "path-pattern"]
            rule["Conditions"] = [*others, {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/"]}}]


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
