"""Faults on a whole twin: people see what is documented, and nothing of it is left once it is reverted."""

import json
import os
import signal
from dataclasses import dataclass
from typing import Any

import pytest

from hallmark.cli import recovered
from hallmark.evidence.collect import Source
from hallmark.faults import journal, kinds
from hallmark.faults.journal import State
from hallmark.model import Call
from hallmark.targets.aws import AwsSource
from hallmark.targets.cluster import ClusterSource
from hallmark.waiting import until

FAULTS = [
    ("balancer-security-group", {}),
    ("certificate-replaced", {}),
    ("certificate-replaced", {"expired": True}),
    ("dns-alias-moved", {}),
    ("ingestion-stopped", {}),
    ("role-policy-removed", {}),
    ("role-trust-moved", {}),
    ("web-acl-blocks-ingestion", {}),
]
ROLE = "hallmark-twin-eks-langsmith"
RECOVERS_WITHIN = 180.0
pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("faults-on-twin")]


@dataclass(frozen=True)
class House:
    """A twin that is up, and ways to look at it.

    Attributes:
        twin: The twin, with people in it.
        aws: Its AWS.
    """

    twin: Any
    aws: AwsSource

    def missing(self, kind: kinds.Kind) -> list[str]:
        """Signs of recovery that do not hold now."""
        cluster = ClusterSource(self.twin.profile)
        sources: dict[str, Source] = {"aws": self.aws, "kubernetes": cluster, "platform": self.twin.people}
        return recovered.missing(kind, sources, self.twin.profile)

    def state(self) -> dict[str, Any]:
        """Everything these faults touch, without ids that AWS gives anew."""
        balancer = self._ask("elbv2", "describe_load_balancers")["LoadBalancers"][0]
        front = {"LoadBalancerArn": balancer["LoadBalancerArn"]}
        acl = self._ask("wafv2", "get_web_acl_for_resource", ResourceArn=balancer["LoadBalancerArn"])["WebACL"]
        rules = self._ask("ec2", "describe_security_group_rules")["SecurityGroupRules"]
        stripped = [{k: v for k, v in rule.items() if k != "SecurityGroupRuleId"} for rule in rules]
        zone = self._ask("route53", "list_hosted_zones")["HostedZones"][0]["Id"]
        policies = self._ask("iam", "list_role_policies", RoleName=ROLE)["PolicyNames"]
        return {
            "web ACL": acl,
            "security groups": sorted(json.dumps(each, sort_keys=True) for each in stripped),
            "listeners": self._ask("elbv2", "describe_listeners", **front)["Listeners"],
            "certificates": self._ask("acm", "list_certificates")["CertificateSummaryList"],
            "records": self._ask("route53", "list_resource_record_sets", HostedZoneId=zone)["ResourceRecordSets"],
            "trust": self._ask("iam", "get_role", RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"],
            "policies": [self._ask("iam", "get_role_policy", RoleName=ROLE, PolicyName=each) for each in policies],
        }

    def _ask(self, service: str, operation: str, **params: Any) -> Any:
        found = self.aws.answer(Call.of(service, operation, **params))
        assert found.value is not None, found.message
        return found.value


@pytest.fixture(scope="module")
def house(twin: Any) -> House:
    """A twin with a trace in it."""
    return House(twin, AwsSource(twin.profile))


@pytest.mark.parametrize(("kind", "params"), FAULTS, ids=lambda value: value if isinstance(value, str) else str(value))
def test_people_see_the_symptom_and_twice_in_a_row_nothing_of_it_is_left(
    house: House, kind: str, params: dict[str, Any]
) -> None:
    """Healthy, broken as documented and no other way, healthy; the second time ends where the first did."""
    documented = kinds.load(kind, params).seen
    assert documented
    before = house.state()
    settings = [f"--set={name}={str(value).lower()}" for name, value in params.items()]
    for _ in range(2):
        assert house.twin.sight().is_whole
        house.twin.hallmark("fault", "inject", kind, *settings)
        assert house.twin.sight() == documented
        house.twin.hallmark("revert")
        house.twin.recover()
        assert until(lambda: house.state() == before, RECOVERS_WITHIN, 1)


def test_what_was_accepted_while_nobody_worked_appears_afterwards(house: House) -> None:
    """Traces of the outage are late, not lost."""
    house.twin.hallmark("fault", "inject", "ingestion-stopped")
    paths = [house.twin.send() for _ in range(5)]
    assert {house.twin.client.get(each).status_code for each in paths} == {404}
    house.twin.hallmark("revert")
    arrived = until(lambda: all(house.twin.client.get(each).status_code == 200 for each in paths), RECOVERS_WITHIN, 1)
    assert arrived


def test_a_fault_is_measured_three_times_in_a_row(house: House) -> None:
    """Each time R1 to R9 hold afterwards; the table has one line a kind, with all figures; progress is told aside."""
    before = house.state()
    with house.twin.clone.start("fault", "measure", "--times", "3", "web-acl-blocks-ingestion") as process:
        table, told = process.communicate(timeout=900)
    assert process.returncode == 0, told + table
    row = next(line for line in table.splitlines() if "web-acl-blocks-ingestion" in line)
    assert (row.count(" s "), " 3 " in row) == (3, True)
    assert told.count("web-acl-blocks-ingestion: recovered after") == 3
    assert house.state() == before
    assert journal.active(house.twin.clone.home) == []


def test_what_is_still_there_is_no_recovery(house: House) -> None:
    """Traces go round although the queue is evicted: R9 asks for the change itself."""
    kind = kinds.load("redis-evicting", {})
    house.twin.hallmark("fault", "inject", kind.name)
    assert house.missing(kind) == ["R9: the change is still there"]
    house.twin.hallmark("revert")
    assert house.missing(kind) == []


def test_measuring_that_is_interrupted_reverts(house: House) -> None:
    """Ctrl-C in the middle leaves nothing behind."""
    before = house.state()
    command = ("fault", "measure", "ingestion-stopped")
    with house.twin.begun(*command, until_active=lambda fault: fault.state is State.INJECTING) as process:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(120)
    assert journal.active(house.twin.clone.home) == []
    house.twin.recover()
    assert house.state() == before
