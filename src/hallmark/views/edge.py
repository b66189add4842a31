"""The way in: ingress load balancer, listeners, certificates, web ACL, DNS, and any way around it.

The ingress load balancer belongs to the Kubernetes Ingress. It is found by the tags the AWS Load Balancer
Controller puts on what it makes, never by name; of several, the one that serves the host is meant.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hallmark.errors import Absent
from hallmark.model import Call
from hallmark.views.balancers import (
    Balancer,
    Listener,
    ListenerRule,
    goes_to_https,
    plain_name,
    read_balancer,
    read_classic,
    read_classic_listener,
    read_listener,
    read_rule,
)
from hallmark.views.base import View, cached_property, tags
from hallmark.views.firewall import WebAcl, group_arns, set_arns, web_acl

ENCRYPTED = frozenset({"HTTPS", "TLS", "SSL"})
PATHS = ("/", "/api/v1/runs/batch")
"""What people and programs ask for: the pages, and the API below them."""
_TAGS_AT_ONCE = 20
"""Load balancers whose tags one call may ask for."""


@dataclass(frozen=True)
class Certificate:
    """One ACM certificate: its state, the names it is for, and its last second."""

    arn: str
    status: str
    names: tuple[str, ...]
    expires: str

    def covers(self, host: str) -> bool:
        """Whether it is for *host*; a wildcard stands for exactly one label."""
        parent = "*." + host.partition(".")[2]
        return any(name.lower() in {host, parent} for name in self.names)


@dataclass(frozen=True)
class Record:
    """One DNS record of the host: where it is kept and where it leads."""

    zone: str
    is_private: bool
    kind: str
    targets: tuple[str, ...]


class Edge(View):
    """The way in, and ways around it."""

    @property
    def host(self) -> str:
        """Public host name, lower case."""
        return self.scope("host").lower().rstrip(".")

    @cached_property
    def balancers(self) -> tuple[Balancer, ...]:
        """All load balancers that carry the cluster's tags, classic ones too."""
        new, classic = self.ask_all([
            Call.of("elbv2", "describe_load_balancers"), Call.of("elb", "describe_load_balancers"),
        ])  # fmt: skip
        arns = [raw["LoadBalancerArn"] for raw in new["LoadBalancers"]]
        names = [raw["LoadBalancerName"] for raw in classic["LoadBalancerDescriptions"]]
        calls = [Call.of("elbv2", "describe_tags", ResourceArns=some) for some in _batches(arns)]
        calls += [Call.of("elb", "describe_tags", LoadBalancerNames=some) for some in _batches(names)]
        described = [one for answer in self.ask_all(calls) for one in answer["TagDescriptions"]]
        tagged = {one.get("ResourceArn") or one["LoadBalancerName"]: tags(one) for one in described}
        found = [read_balancer(raw, tagged[raw["LoadBalancerArn"]]) for raw in new["LoadBalancers"]]
        found += [read_classic(raw, tagged[raw["LoadBalancerName"]]) for raw in classic["LoadBalancerDescriptions"]]
        return tuple(one for one in found if self._is_ours(one))

    @cached_property
    def ingress(self) -> Balancer | None:
        """The load balancer made for the Ingress of the host; None when there is none, or none can be told."""
        candidates = [balancer for balancer in self.balancers if balancer.is_ingress]
        if len(candidates) > 1:
            candidates = self._serving(candidates) or candidates
        if len(candidates) > 1:
            candidates = [one for one in candidates if any(_leads(record, one) for record in self.records)]
        return candidates[0] if len(candidates) == 1 else None

    @cached_property
    def entrance(self) -> Balancer:
        """The ingress load balancer, where a check has already seen that there is one.

        Raises:
            Absent: There is none.
        """
        if self.ingress is None:
            raise Absent(f"no ingress load balancer for {self.host}")
        return self.ingress

    @cached_property
    def https(self) -> Listener | None:
        """The HTTPS listener of the ingress load balancer on port 443."""
        listeners = self.listeners(self.entrance)
        return next((one for one in listeners if (one.port, one.protocol) == (443, "HTTPS")), None)

    @cached_property
    def certificates(self) -> tuple[Certificate, ...]:
        """ACM certificates of the HTTPS listener: the default one, and those chosen by name."""
        if self.https is None:
            return ()
        default = [self.https.certificate] if _is_acm(self.https.certificate) else []
        listed = Call.of("elbv2", "describe_listener_certificates", ListenerArn=self.https.arn)
        answers = self.ask_all([listed, *map(_certificate_call, default)])
        others = {one["CertificateArn"] for one in answers[0]["Certificates"]} - set(default)
        answers += self.ask_all(_certificate_call(arn) for arn in sorted(others) if _is_acm(arn))
        return tuple(_certificate(answer["Certificate"]) for answer in answers[1:])

    @cached_property
    def tls_protocols(self) -> dict[str, frozenset[str]]:
        """Protocol versions by TLS policy, for all policies AWS offers."""
        policies = self.ask("elbv2", "describe_ssl_policies")["SslPolicies"]
        return {policy["Name"]: frozenset(policy["SslProtocols"]) for policy in policies}

    @cached_property
    def web_acl(self) -> WebAcl | None:
        """The web ACL of the ingress load balancer; None when it has none."""
        answer = self.ask_or({}, "wafv2", "get_web_acl_for_resource", ResourceArn=self.entrance.arn)
        raw = answer.get("WebACL")
        if raw is None:
            return None
        arns = group_arns(raw)
        answers = self.ask_all(Call.of("wafv2", "get_rule_group", ARN=arn) for arn in arns)
        groups = {arn: found["RuleGroup"] for arn, found in zip(arns, answers, strict=True)}
        lists = set_arns(raw, groups)
        answers = self.ask_all(map(_ip_set_call, lists))
        sets = {arn: found["IPSet"]["Addresses"] for arn, found in zip(lists, answers, strict=True)}
        return web_acl(raw, groups, sets)

    @cached_property
    def firewall(self) -> WebAcl:
        """The web ACL, where a check has already seen that there is one.

        Raises:
            Absent: There is none.
        """
        if self.web_acl is None:
            raise Absent(f"no web ACL on {self.entrance.name}")
        return self.web_acl

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """Address records of the host in the most specific public zone that has any, and the same for private."""
        zones = self.ask("route53", "list_hosted_zones")["HostedZones"]
        ours = [zone for zone in zones if f".{self.host}".endswith(f".{plain_name(zone['Name'])}")]
        calls = [Call.of("route53", "list_resource_record_sets", HostedZoneId=zone["Id"]) for zone in ours]
        pairs = zip(ours, self.ask_all(calls), strict=True)
        found = [record for zone, answer in pairs for record in self._of_host(zone, answer["ResourceRecordSets"])]
        return tuple(r for private in (False, True) for r in _most_specific(found, private=private))

    @property
    def effective_records(self) -> list[Record]:
        """The records that users meet: for an internal load balancer the private ones first, else the public."""
        internal = self.entrance.scheme == "internal"
        first = [record for record in self.records if record.is_private == internal]
        return first or list(self.records)

    def leads_in(self, record: Record) -> bool:
        """Whether *record* leads to the ingress load balancer and nowhere else."""
        return _leads(record, self.entrance)

    def listeners(self, balancer: Balancer) -> list[Listener]:
        """Return the listeners of *balancer*."""
        if balancer.kind == "classic":
            classic = self.ask("elb", "describe_load_balancers")["LoadBalancerDescriptions"]
            raw = next(one for one in classic if one["LoadBalancerName"] == balancer.name)
            return [read_classic_listener(balancer.name, one["Listener"]) for one in raw["ListenerDescriptions"]]
        answer = self.ask("elbv2", "describe_listeners", LoadBalancerArn=balancer.arn)
        return [read_listener(raw) for raw in answer["Listeners"]]

    def rules(self, listener: Listener) -> list[ListenerRule]:
        """Return the rules of *listener* in the order they are tried, the default one last."""
        raw = self.ask("elbv2", "describe_rules", ListenerArn=listener.arn)["Rules"]
        return [read_rule(one) for one in sorted(raw, key=lambda one: (one["IsDefault"], _priority(one)))]

    def forwards_host(self, listener: Listener) -> bool:
        """Whether the rules of *listener* that decide about the host hand its requests on to targets."""
        rules = self.rules(listener)
        deciding = [next((rule for rule in rules if rule.takes(self.host, path)), None) for path in PATHS]
        return all(rule is not None and rule.forwards for rule in deciding)

    def speaks_plainly(self, balancer: Balancer, listener: Listener) -> bool:
        """Whether *listener* does anything without TLS but to send the client to HTTPS."""
        if listener.protocol in ENCRYPTED:
            return False
        if balancer.kind != "application":
            return True
        actions = [*listener.default, *(action for rule in self.rules(listener) for action in rule.actions)]
        return not actions or not all(goes_to_https(action) for action in actions)

    def days_left(self, certificate: Certificate) -> float:
        """Return the days from the time of the evidence to the end of *certificate*."""
        return (_time(certificate.expires) - _time(self.evidence.collected_at)).total_seconds() / 86400

    def _is_ours(self, balancer: Balancer) -> bool:
        cluster = self.scope("cluster")
        by_controller = balancer.tags.get("elbv2.k8s.aws/cluster") == cluster
        return by_controller or f"kubernetes.io/cluster/{cluster}" in balancer.tags

    def _serving(self, balancers: Iterable[Balancer]) -> list[Balancer]:
        """Those with a rule that names the host."""
        wanted = list(balancers)
        calls = [Call.of("elbv2", "describe_listeners", LoadBalancerArn=one.arn) for one in wanted]
        self.evidence.need(calls)
        ports = {one.arn: self.listeners(one) for one in wanted}
        self.evidence.need(
            Call.of("elbv2", "describe_rules", ListenerArn=port.arn) for one in wanted for port in ports[one.arn]
        )
        return [one for one in wanted if any(self._names_host(port) for port in ports[one.arn])]

    def _names_host(self, listener: Listener) -> bool:
        return any(rule.hosts and rule.takes(self.host) for rule in self.rules(listener))

    def _of_host(self, zone: dict[str, Any], records: list[dict[str, Any]]) -> list[Record]:
        exact = [raw for raw in records if plain_name(raw["Name"]) == self.host]
        # Route 53 writes the asterisk of a wildcard as an octal escape. It answers where no exact name does.
        wildcard = "\\052." + self.host.partition(".")[2]
        found = exact or [raw for raw in records if plain_name(raw["Name"]) == wildcard]
        # The second half of a failover pair may be a page that says "down for maintenance".
        first = [raw for raw in found if raw["Type"] in {"A", "AAAA", "CNAME"} and raw.get("Failover") != "SECONDARY"]
        # A weight of zero is never answered with, unless all weights are (Route 53, "Weighted routing").
        chosen = [raw for raw in first if raw.get("Weight") != 0] or first
        return [_record(zone, raw) for raw in chosen]


def _batches(names: list[str]) -> Iterable[list[str]]:
    return (names[start : start + _TAGS_AT_ONCE] for start in range(0, len(names), _TAGS_AT_ONCE))


def _priority(rule: dict[str, Any]) -> int:
    return 0 if rule["IsDefault"] else int(rule["Priority"])


def _is_acm(arn: str) -> bool:
    return ":acm:" in arn


def _ip_set_call(arn: str) -> Call:
    # …:regional/ipset/<name>/<id>; there is no way to ask by ARN.
    name, identifier = arn.split("/")[-2:]
    return Call.of("wafv2", "get_ip_set", Name=name, Scope="REGIONAL", Id=identifier)


def _certificate_call(arn: str) -> Call:
    return Call.of("acm", "describe_certificate", CertificateArn=arn)


def _certificate(raw: dict[str, Any]) -> Certificate:
    names = {raw["DomainName"], *raw.get("SubjectAlternativeNames", [])}
    # A certificate that was never issued has no end.
    return Certificate(raw["CertificateArn"], raw["Status"], tuple(sorted(names)), raw.get("NotAfter", ""))


def _record(zone: dict[str, Any], raw: dict[str, Any]) -> Record:
    alias = [raw["AliasTarget"]["DNSName"]] if "AliasTarget" in raw else []
    targets = [*alias, *(one["Value"] for one in raw.get("ResourceRecords", []))]
    private = zone["Config"]["PrivateZone"]
    return Record(
        plain_name(zone["Name"]),
        private,
        raw["Type"],
        tuple(plain_name(target) for target in targets),
    )


def _most_specific(records: list[Record], *, private: bool) -> list[Record]:
    ours = [record for record in records if record.is_private == private]
    longest = max((len(record.zone) for record in ours), default=0)
    return [record for record in ours if len(record.zone) == longest]


def _leads(record: Record, balancer: Balancer) -> bool:
    return record.targets == (balancer.dns,)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
