"""The way in, where it is not as in the solution: several load balancers, zones and certificates."""

from typing import Any

import pytest

from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views.all import Views
from hallmark.views.edge import Certificate, Edge

HOST = "langsmith.hallmark.example"
OURS = {"elbv2.k8s.aws/cluster": "c", "ingress.k8s.aws/resource": "LoadBalancer"}
FORWARD = {"Type": "forward", "TargetGroupArn": "tg"}
REFUSE = {"Type": "fixed-response"}
PATTERN = {
    "Priority": "1", "IsDefault": False, "Actions": [FORWARD],
    "Conditions": [{"Field": "host-header", "HostHeaderConfig": {"RegexValues": ["^other"]}}],
}  # fmt: skip
"""A rule whose host is a regular expression."""


def rule(priority: str, actions: list[Any], hosts: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """A listener rule; *more* gives further conditions by field, with underscores for hyphens."""
    conditions = [{"Field": "host-header", "HostHeaderConfig": {"Values": list(hosts)}}] if hosts else []
    conditions += [{"Field": name.replace("_", "-"), "Values": values} for name, values in more.items()]
    return {"Priority": priority, "IsDefault": priority == "default", "Conditions": conditions, "Actions": actions}


class System:
    """Evidence of a made-up edge, in which each load balancer has one HTTPS listener."""

    def __init__(self) -> None:
        self.answers: dict[Call, Any] = {
            Call.of("elb", "describe_load_balancers"): {"LoadBalancerDescriptions": []},
            Call.of("route53", "list_hosted_zones"): {"HostedZones": []},
        }
        self.balancers: list[dict[str, Any]] = []
        self.tags: list[dict[str, Any]] = []

    def balancer(
        self, name: str, tags: dict[str, str], *rules: dict[str, Any], scheme: str = "internet-facing"
    ) -> None:
        """Add a load balancer."""
        self.balancers.append({
            "LoadBalancerArn": name, "LoadBalancerName": name, "Type": "application", "Scheme": scheme,
            "State": {"Code": "active"}, "VpcId": "v", "DNSName": f"{name}.elb.test", "AvailabilityZones": [],
        })  # fmt: skip
        self.tags.append({"ResourceArn": name, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]})
        listener = {"ListenerArn": f"{name}/443", "Port": 443, "Protocol": "HTTPS", "DefaultActions": [REFUSE]}
        self.answers[Call.of("elbv2", "describe_listeners", LoadBalancerArn=name)] = {"Listeners": [listener]}
        every = [*rules, rule("default", [REFUSE])]
        self.answers[Call.of("elbv2", "describe_rules", ListenerArn=f"{name}/443")] = {"Rules": every}

    def zone(self, name: str, *targets: str, record: str = HOST, private: bool = False) -> None:
        """Add a zone with one alias record a target."""
        zones = self.answers[Call.of("route53", "list_hosted_zones")]["HostedZones"]
        zones.append({"Id": f"Z{len(zones)}", "Name": f"{name}.", "Config": {"PrivateZone": private}})
        records = [{"Name": f"{record}.", "Type": "A", "AliasTarget": {"DNSName": target}} for target in targets]
        call = Call.of("route53", "list_resource_record_sets", HostedZoneId=zones[-1]["Id"])
        self.answers[call] = {"ResourceRecordSets": records}

    @property
    def edge(self) -> Edge:
        """The view."""
        self.answers[Call.of("elbv2", "describe_load_balancers")] = {"LoadBalancers": self.balancers}
        for start in range(0, len(self.balancers), 20):
            some = [one["LoadBalancerArn"] for one in self.balancers[start : start + 20]]
            described = {"TagDescriptions": self.tags[start : start + 20]}
            self.answers[Call.of("elbv2", "describe_tags", ResourceArns=some)] = described
        observed = {call.key: Answer(Status.OBSERVED, value) for call, value in self.answers.items()}
        return Views(Snapshot(observed, {"cluster": "c", "host": HOST}, "2026-01-01T00:00:00Z")).edge


def found(system: System) -> str:
    """Name of the ingress load balancer, or empty."""
    return system.edge.ingress.name if system.edge.ingress else ""


def test_of_twenty_five_load_balancers_the_one_with_the_tags_is_found() -> None:
    """Tags are asked for in batches, because AWS takes twenty names at once."""
    system = System()
    for number in range(24):
        system.balancer(f"other-{number}", {})
    system.balancer("ours", OURS)
    assert found(system) == "ours"


def test_a_load_balancer_of_another_cluster_is_not_ours() -> None:
    """The controller names the cluster."""
    system = System()
    system.balancer("theirs", OURS | {"elbv2.k8s.aws/cluster": "d"})
    assert found(system) == ""


def test_of_several_ingresses_the_one_that_asks_for_the_host_is_meant() -> None:
    """No record is needed to tell them apart."""
    system = System()
    system.balancer("grafana", OURS, rule("1", [FORWARD], ("grafana.example",)))
    system.balancer("langsmith", OURS, rule("1", [FORWARD], (HOST,)))
    assert found(system) == "langsmith"


def test_of_several_for_the_host_the_one_the_record_leads_to_is_meant() -> None:
    """Two Ingresses ask for the host; users reach one of them."""
    system = System()
    for name in ("old", "new"):
        system.balancer(name, OURS, rule("1", [FORWARD], (HOST,)))
    system.zone("hallmark.example", "dualstack.new.elb.test.")
    assert found(system) == "new"


def test_when_it_cannot_be_told_none_is_meant() -> None:
    """Guessing would grade the wrong one."""
    system = System()
    for name in ("one", "two"):
        system.balancer(name, OURS)
    assert found(system) == ""


@pytest.mark.parametrize(
    ("rules", "served"),
    [
        ([rule("1", [FORWARD], (HOST,))], True),
        ([rule("1", [FORWARD], ("*.hallmark.example",))], True),
        ([rule("1", [FORWARD], (HOST,), path_pattern=["/*"])], True),
        ([rule("1", [FORWARD], (HOST,), path_pattern=["/api/*"])], False),
        ([rule("1", [FORWARD], (HOST,), path_pattern=["/"])], False),
        ([rule("1", [FORWARD], (HOST,), path_pattern=["/"]), rule("2", [FORWARD], path_pattern=["/*"])], True),
        ([rule("1", [REFUSE], path_pattern=["/api/*"]), rule("2", [FORWARD], (HOST,))], False),
        ([PATTERN], False),
        ([rule("1", [FORWARD], (HOST,), source_ip=["192.0.2.0/24"])], False),
        ([rule("1", [REFUSE], (HOST,)), rule("2", [FORWARD], (HOST,))], False),
        ([rule("10", [REFUSE], (HOST,)), rule("9", [FORWARD], (HOST,))], True),
        ([rule("1", [REFUSE], ("other.example",)), rule("2", [FORWARD])], True),
        ([], False),
    ],
)
def test_the_first_rule_that_takes_the_host_decides(rules: list[dict[str, Any]], *, served: bool) -> None:
    """Rules are tried by number, not by the order of the answer."""
    system = System()
    system.balancer("lb", OURS, *rules)
    edge = system.edge
    assert edge.https is not None
    assert edge.forwards_host(edge.https) is served


def test_the_most_specific_zone_that_has_the_record_counts() -> None:
    """A record in the parent zone is never asked for when the child zone has one."""
    system = System()
    system.balancer("lb", OURS)
    system.zone("hallmark.example", "lb.elb.test")
    system.zone(HOST, "unused.elb.test")
    assert [system.edge.leads_in(record) for record in system.edge.effective_records] == [False]


@pytest.mark.parametrize(("weights", "lead"), [((1, 0), [True]), ((1, 1), [True, False]), ((0, 0), [True, False])])
def test_a_record_of_no_weight_is_not_met(weights: tuple[int, int], lead: list[bool]) -> None:
    """What was weighted down before it is removed leads nobody astray."""
    system = System()
    system.balancer("lb", OURS)
    system.zone("hallmark.example", "lb.elb.test", "old.elb.test")
    (answer,) = (value for call, value in system.answers.items() if call.operation == "list_resource_record_sets")
    for record, weight in zip(answer["ResourceRecordSets"], weights, strict=True):
        record["Weight"] = weight
    assert [system.edge.leads_in(record) for record in system.edge.effective_records] == lead


def test_a_zone_whose_name_only_ends_alike_is_another_zone() -> None:
    """``mark.example`` is no parent of ``hallmark.example``."""
    system = System()
    system.balancer("lb", OURS)
    system.zone("mark.example", "lb.elb.test")
    assert system.edge.records == ()


@pytest.mark.parametrize(("scheme", "zone"), [("internet-facing", "public"), ("internal", "private")])
def test_users_of_a_public_load_balancer_meet_the_public_record(scheme: str, zone: str) -> None:
    """With a zone of each kind, the one its users ask counts."""
    system = System()
    system.balancer("lb", OURS, scheme=scheme)
    system.zone("hallmark.example", "public")
    system.zone("hallmark.example", "private", private=True)
    assert [record.targets for record in system.edge.effective_records] == [(zone,)]


@pytest.mark.parametrize(
    ("name", "covered"),
    [
        (HOST, True),
        ("LangSmith.Hallmark.Example", True),
        ("*.hallmark.example", True),
        ("*.example", False),
        ("hallmark.example", False),
        ("*.langsmith.hallmark.example", False),
    ],
)
def test_a_wildcard_stands_for_exactly_one_label(name: str, *, covered: bool) -> None:
    """As TLS clients see it (RFC 6125, section 6.4.3)."""
    assert Certificate("arn", "ISSUED", (name,), "").covers(HOST) is covered


def test_days_are_counted_from_the_evidence_not_from_the_clock() -> None:
    """Stored evidence gives the same answer for ever."""
    certificate = Certificate("arn", "ISSUED", (HOST,), "2026-01-31T12:00:00Z")
    assert System().edge.days_left(certificate) == 30.5
