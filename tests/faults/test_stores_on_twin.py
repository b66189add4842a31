"""Faults at the stores and in the secrets on a whole twin: what people and logs say, and that all of it comes back."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hallmark.faults import journal, kinds, runner
from hallmark.faults.definition import Fault
from hallmark.faults.runner import Runner
from hallmark.faults.target import Target
from hallmark.model import Call
from hallmark.targets.aws import AwsSource
from hallmark.twin.deployment import kubectl
from hallmark.waiting import until

LOGS = {
    "database-password-wrong": ("platform-backend", "password authentication failed"),
    "redis-token-changed": ("platform-backend", "WRONGPASS"),
    "database-stopped": ("backend", "Connection refused"),
    "clickhouse-memory-lowered": ("ingest-queue", "clickhouse"),
    "api-key-salt-changed": ("", ""),
}
"""Component and words of its log; empty: no log says anything, which is the point."""
pytestmark = [pytest.mark.proof, pytest.mark.xdist_group("stores-on-twin")]


@dataclass(frozen=True)
class House:
    """A twin that is up, and ways to look at it.

    Attributes:
        twin: The twin, with people in it.
    """

    twin: Any

    def inject(self, kind: str, **params: Any) -> journal.Journal:
        """Break it; the engine itself looks as people do."""
        fault = Fault("by-hand", kind, timedelta(minutes=30), "symptom", params=params)
        return Runner(self.twin.profile, self.twin.clone.home, people=self.twin.people).inject(fault)

    def revert(self) -> None:
        """Take every active fault back."""
        runner.revert(self.twin.clone.home, self.twin.profile)

    def log(self, component: str) -> str:
        """What the pods of a component say, those that crashed included."""
        which = f"app.kubernetes.io/component=langsmith-{component}"
        words = [*("-n", "langsmith", "logs", "-l", which, "--tail=200"), "--prefix"]
        environment = {**os.environ, **self.twin.clone.twin.environment()}
        done = [
            subprocess.run([kubectl(), *words, *more], env=environment, capture_output=True, text=True, check=False)
            for more in ([], ["--previous"])
        ]
        return "".join(one.stdout for one in done)

    def state(self) -> Mapping[str, Any]:
        """Everything these faults touch, values of secrets included: they are compared and never shown."""
        aws = AwsSource(self.twin.profile)
        manager = aws.client("secretsmanager")
        secrets = aws.answer(Call.of("secretsmanager", "list_secrets")).value["SecretList"]
        cache = aws.answer(Call.of("elasticache", "describe_cache_parameter_groups")).value["CacheParameterGroups"]
        databases = aws.answer(Call.of("rds", "describe_db_instances")).value["DBInstances"]
        listed = Target(self.twin.profile).answer(
            Call.of("kubernetes", "list", version="v1", group="apps", resource="statefulsets", namespace="langsmith")
        )
        return {
            "values": {
                one["Name"]: hash(manager.get_secret_value(SecretId=one["Name"])["SecretString"]) for one in secrets
            },
            "databases": {one["DBInstanceIdentifier"]: one["DBInstanceStatus"] for one in databases},
            "parameters": {
                one["CacheParameterGroupName"]: aws.answer(
                    Call.of(
                        "elasticache", "describe_cache_parameters",
                        CacheParameterGroupName=one["CacheParameterGroupName"],
                    )
                ).value
                for one in cache
            },
            "memory": [one["spec"]["template"]["spec"]["containers"][0]["resources"] for one in listed.value["items"]],
        }  # fmt: skip


@pytest.fixture(scope="module")
def house(twin: Any) -> House:
    """A twin with a trace in it."""
    return House(twin)


@pytest.mark.parametrize("kind", LOGS)
def test_people_and_logs_tell_the_symptom_and_all_of_it_comes_back_twice(house: House, kind: str) -> None:
    """Healthy, broken as documented within the documented time, healthy; and again, to the same end."""
    before, documented = house.state(), kinds.load(kind, {}).seen
    component, words = LOGS[kind]
    for _ in range(2):
        assert house.twin.sight().is_whole
        injected = house.inject(kind)
        assert until(lambda: house.twin.sight() == documented, 30, 1), house.twin.sight()
        assert not component or until(lambda: words in house.log(component), 60, 1)
        _hides_secrets(house, injected)
        house.revert()
        house.twin.recover()
        assert house.state() == before


def test_an_evicting_queue_looks_well_and_gets_its_policy_back(house: House) -> None:
    """Green all the time: until memory is full, the policy is the only thing that tells."""
    before = house.state()
    for _ in range(2):
        house.inject("redis-evicting")
        assert house.twin.sight().is_whole
        assert house.state() != before
        house.revert()
        assert house.state() == before
    house.twin.recover()


def test_a_stopped_database_is_measured_three_times_in_a_row(house: House) -> None:
    """Each time R1 to R9 hold afterwards, and the end is the beginning."""
    before = house.state()
    with house.twin.clone.start("fault", "measure", "--times", "3", "database-stopped") as process:
        table, told = process.communicate(timeout=1800)
    assert process.returncode == 0, told + table
    assert told.count("database-stopped: recovered after") == 3
    house.twin.recover()
    assert house.state() == before


def _hides_secrets(house: House, injected: journal.Journal) -> None:
    """Neither a URL with a password nor a token is in what was written down."""
    text = "\n".join(
        file.read_text() for file in Path(house.twin.clone.home, journal.FOLDER).rglob("*") if file.is_file()
    )
    told = text + "".join(step.describe() + step.describe_inverse() for step in injected.steps)
    assert not re.search(r"://[^\s/@]*:[^\s@]+@", told)
