"""Faults on a whole twin: people see what is documented, and nothing of it is left once it is reverted."""

import json
import os
import signal
import ssl
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from hallmark.cli import recovered
from hallmark.evidence.collect import Source
from hallmark.faults import journal, kinds
from hallmark.faults.journal import State
from hallmark.faults.reader import Reader
from hallmark.faults.sight import PATIENCE, Sight, look
from hallmark.model import Call
from hallmark.targets.aws import AwsSource
from hallmark.targets.cluster import ClusterSource
from hallmark.targets.platform import PlatformSource
from hallmark.targets.profile import Profile
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
        clone: Runs commands.
        profile: How it is reached.
        aws: Its AWS.
        platform: Its platform, as people meet it.
        client: Comes in by the public name, with a key.
        run: Path of a run that was there from the beginning.
    """

    clone: Any
    profile: Profile
    aws: AwsSource
    platform: PlatformSource
    client: httpx.Client
    run: str

    def hallmark(self, *arguments: str) -> str:
        """Run a command to its end."""
        done = self.clone.run(*arguments)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    def sight(self) -> Sight:
        """What people see now."""
        return look(Reader(self.platform, self.profile.scope()))

    def missing(self, kind: kinds.Kind) -> list[str]:
        """Signs of recovery that do not hold now."""
        cluster = ClusterSource(self.profile)
        sources: dict[str, Source] = {"aws": self.aws, "kubernetes": cluster, "platform": self.platform}
        return recovered.missing(kind, sources, self.profile)

    def is_recovered(self) -> bool:
        """Whether traces go round, and go round again."""
        return self.sight().is_whole and self.sight().is_whole

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
def house(clone: Callable[[], Any]) -> Iterator[House]:
    """A twin with a trace in it."""
    made = clone()
    made.twin.up()
    entrance, key = made.twin.entrance(), _key(made.run("twin", "env", "--langsmith").stdout)
    profile = Profile(endpoint=made.twin.endpoint, account=made.twin.account)
    way = replace(profile, proxy=entrance.proxy, ca=str(entrance.authority))
    trust = ssl.create_default_context(cafile=entrance.authority)
    headers = {"x-api-key": key}
    with httpx.Client(
        base_url=entrance.url, proxy=entrance.proxy, verify=trust, headers=headers, timeout=30, trust_env=False
    ) as client:
        built = House(made, profile, AwsSource(profile), PlatformSource(way, key, PATIENCE), client, _trace(client))
        assert until(built.is_recovered, RECOVERS_WITHIN, 1)
        yield built
        made.run("revert")
    made.twin.down()


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
        assert house.sight().is_whole
        house.hallmark("fault", "inject", kind, *settings)
        assert house.sight() == documented
        house.hallmark("revert")
        assert until(house.is_recovered, RECOVERS_WITHIN, 1), house.sight()
        assert until(lambda: house.state() == before, RECOVERS_WITHIN, 1)
        assert house.client.get(house.run).json()["inputs"] == {"text": "was there before"}


def test_what_was_accepted_while_nobody_worked_appears_afterwards(house: House) -> None:
    """Traces of the outage are late, not lost."""
    house.hallmark("fault", "inject", "ingestion-stopped")
    paths = [_sent(house.client) for _ in range(5)]
    assert {house.client.get(each).status_code for each in paths} == {404}
    house.hallmark("revert")
    arrived = until(lambda: all(house.client.get(each).status_code == 200 for each in paths), RECOVERS_WITHIN, 1)
    assert arrived


@pytest.mark.parametrize("kind", ["certificate-replaced", "role-trust-moved"])
def test_a_command_killed_in_the_middle_is_reverted(house: House, kind: str) -> None:
    """SIGKILL as soon as the first call is on the books: revert brings back what was recorded."""
    before = house.state()
    with house.clone.start("fault", "inject", kind) as process:
        assert until(lambda: any(each.state is State.INJECTING for each in journal.active(house.clone.home)), 60)
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
    assert "Reverted" in house.hallmark("revert")
    assert until(house.is_recovered, RECOVERS_WITHIN, 1), house.sight()
    assert until(lambda: house.state() == before, RECOVERS_WITHIN, 1)
    assert journal.active(house.clone.home) == []


def test_a_fault_is_measured_three_times_in_a_row(house: House) -> None:
    """Each time R1 to R9 hold afterwards; the table has one line a kind, with all figures; progress is told aside."""
    before = house.state()
    with house.clone.start("fault", "measure", "--times", "3", "web-acl-blocks-ingestion") as process:
        table, told = process.communicate(timeout=900)
    assert process.returncode == 0, told + table
    row = next(line for line in table.splitlines() if "web-acl-blocks-ingestion" in line)
    assert (row.count(" s "), " 3 " in row) == (3, True)
    assert told.count("web-acl-blocks-ingestion: recovered after") == 3
    assert house.state() == before
    assert journal.active(house.clone.home) == []


def test_what_is_still_there_is_no_recovery(house: House) -> None:
    """Traces go round although the queue is evicted: R9 asks for the change itself."""
    kind = kinds.load("redis-evicting", {})
    house.hallmark("fault", "inject", kind.name)
    assert house.missing(kind) == ["R9: the change is still there"]
    house.hallmark("revert")
    assert house.missing(kind) == []


def test_measuring_that_is_interrupted_reverts(house: House) -> None:
    """Ctrl-C in the middle leaves nothing behind."""
    before = house.state()
    with house.clone.start("fault", "measure", "ingestion-stopped") as process:
        assert until(lambda: any(each.state is State.INJECTING for each in journal.active(house.clone.home)), 120)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(120)
    assert journal.active(house.clone.home) == []
    assert until(house.is_recovered, RECOVERS_WITHIN, 1), house.sight()
    assert house.state() == before


def _key(exports: str) -> str:
    found = dict(line.removeprefix("export ").split("=", 1) for line in exports.splitlines())
    return found["LANGSMITH_API_KEY"]


def _trace(client: httpx.Client) -> str:
    path = _sent(client)
    assert until(lambda: client.get(path).status_code == 200, RECOVERS_WITHIN, 1)
    return path


def _sent(client: httpx.Client) -> str:
    """Send a run and return where it will be."""
    new, now = str(uuid.uuid4()), datetime.now(UTC)
    run = {
        "id": new, "trace_id": new, "dotted_order": f"{now:%Y%m%dT%H%M%S%fZ}{new}", "name": "before",
        "run_type": "chain", "inputs": {"text": "was there before"}, "start_time": now.isoformat(),
        "session_name": "before-the-fault",
    }  # fmt: skip
    assert client.post("/api/v1/runs", json=run).status_code == 202
    return f"/api/v1/runs/{new}"
