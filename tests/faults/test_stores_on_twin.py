"""Faults at the stores and in the secrets on a whole twin: what people and logs say, and that all of it comes back."""

import os
import re
import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from hallmark.faults import journal, kinds, runner
from hallmark.faults.definition import Fault
from hallmark.faults.journal import State
from hallmark.faults.reader import Reader
from hallmark.faults.runner import Runner
from hallmark.faults.sight import PATIENCE, Sight, look
from hallmark.faults.target import Target
from hallmark.model import Call
from hallmark.targets.aws import AwsSource
from hallmark.targets.platform import PlatformSource
from hallmark.targets.profile import Profile
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
RECOVERS_WITHIN = 240.0
pytestmark = [
    pytest.mark.proof,
    pytest.mark.xdist_group("stores-on-twin"),
    # The way in hands its authority's file to httpx, which would rather have a context.
    pytest.mark.filterwarnings("ignore:.*verify=<str>:DeprecationWarning"),
]


@dataclass(frozen=True)
class House:
    """A twin that is up, and ways to look at it.

    Attributes:
        clone: Holds the twin and its state directory.
        profile: How it is reached.
        people: Its platform, as people meet it, with a key that was made before any fault.
        client: Comes in by the public name with that key.
        run: Path of a run that was there from the beginning.
    """

    clone: Any
    profile: Profile
    people: PlatformSource
    client: httpx.Client
    run: str

    def inject(self, kind: str, **params: Any) -> journal.Journal:
        """Break it; the engine itself looks as people do."""
        fault = Fault("by-hand", kind, timedelta(minutes=30), "symptom", params=params)
        return Runner(self.profile, self.clone.home, people=self.people).inject(fault)

    def revert(self) -> None:
        """Take every active fault back."""
        runner.revert(self.clone.home, self.profile)

    def sight(self) -> Sight:
        """What people see now."""
        return look(Reader(self.people, self.profile.scope()))

    def recover(self) -> None:
        """Traces go round, twice in a row, and what was there before is there."""
        assert until(lambda: self.sight().is_whole and self.sight().is_whole, RECOVERS_WITHIN, 1), self.sight()
        assert self.client.get(self.run).json()["inputs"] == {"text": "was there before"}

    def log(self, component: str) -> str:
        """What the pods of a component say, those that crashed included."""
        which = f"app.kubernetes.io/component=langsmith-{component}"
        words = [*("-n", "langsmith", "logs", "-l", which, "--tail=200"), "--prefix"]
        environment = {**os.environ, **self.clone.twin.environment()}
        done = [
            subprocess.run([kubectl(), *words, *more], env=environment, capture_output=True, text=True, check=False)
            for more in ([], ["--previous"])
        ]
        return "".join(one.stdout for one in done)

    def state(self) -> Mapping[str, Any]:
        """Everything these faults touch, values of secrets included: they are compared and never shown."""
        aws = AwsSource(self.profile)
        manager = aws.client("secretsmanager")
        secrets = aws.answer(Call.of("secretsmanager", "list_secrets")).value["SecretList"]
        cache = aws.answer(Call.of("elasticache", "describe_cache_parameter_groups")).value["CacheParameterGroups"]
        databases = aws.answer(Call.of("rds", "describe_db_instances")).value["DBInstances"]
        listed = Target(self.profile).answer(
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
def house(clone: Callable[[], Any]) -> Iterator[House]:
    """A twin with a trace in it."""
    made = clone()
    made.twin.up()
    entrance, key = made.twin.entrance(), made.twin.api_key()
    profile = Profile(endpoint=made.twin.endpoint, account=made.twin.account)
    way = replace(profile, proxy=entrance.proxy, ca=str(entrance.authority))
    with entrance.client() as client:
        client.headers["x-api-key"] = key
        built = House(made, profile, PlatformSource(way, key, PATIENCE), client, _trace(client))
        built.recover()
        yield built
        built.revert()
    made.twin.down()


@pytest.mark.parametrize("kind", LOGS)
def test_people_and_logs_tell_the_symptom_and_all_of_it_comes_back_twice(house: House, kind: str) -> None:
    """Healthy, broken as documented within the documented time, healthy; and again, to the same end."""
    before, documented = house.state(), kinds.load(kind, {}).seen
    component, words = LOGS[kind]
    for _ in range(2):
        assert house.sight().is_whole
        injected = house.inject(kind)
        assert until(lambda: house.sight() == documented, 30, 1), house.sight()
        assert not component or until(lambda: words in house.log(component), 60, 1)
        _hides_secrets(house, injected)
        house.revert()
        house.recover()
        assert house.state() == before


def test_an_evicting_queue_looks_well_and_gets_its_policy_back(house: House) -> None:
    """Green all the time: until memory is full, the policy is the only thing that tells."""
    before = house.state()
    for _ in range(2):
        house.inject("redis-evicting")
        assert house.sight().is_whole
        assert house.state() != before
        house.revert()
        assert house.state() == before
    house.recover()


def test_a_stopped_database_is_measured_three_times_in_a_row(house: House) -> None:
    """Each time R1 to R9 hold afterwards, and the end is the beginning."""
    before = house.state()
    with house.clone.start("fault", "measure", "--times", "3", "database-stopped") as process:
        table, told = process.communicate(timeout=1800)
    assert process.returncode == 0, told + table
    assert told.count("database-stopped: recovered after") == 3
    house.recover()
    assert house.state() == before


@pytest.mark.parametrize("kind", ["database-password-wrong", "redis-token-changed", "clickhouse-memory-lowered"])
def test_an_inject_that_is_killed_is_reverted(house: House, kind: str) -> None:
    """SIGKILL as soon as something may have been changed; `hallmark revert` mends it."""
    before = house.state()
    folder = house.clone.root / "graders" / "deploy-langsmith"
    (folder / "fault.toml").write_text(
        f'kind = "{kind}"\nttl_minutes = 30\nsymptom = "none"\nphases = ["repair"]\n', encoding="utf-8"
    )
    with house.clone.start("fault", "inject", "deploy-langsmith") as process:
        assert until(lambda: any(each.state is State.INJECTING for each in journal.active(house.clone.home)), 120)
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
    done = house.clone.run("revert")
    assert (done.returncode, "Reverted" in done.stdout) == (0, True), done.stderr
    house.recover()
    assert house.state() == before
    assert journal.active(house.clone.home) == []


def _hides_secrets(house: House, injected: journal.Journal) -> None:
    """Neither a URL with a password nor a token is in what was written down."""
    text = "\n".join(file.read_text() for file in Path(house.clone.home, journal.FOLDER).rglob("*") if file.is_file())
    told = text + "".join(step.describe() + step.describe_inverse() for step in injected.steps)
    assert not re.search(r"://[^\s/@]*:[^\s@]+@", told)


def _trace(client: httpx.Client) -> str:
    """Send a run, wait until it is there, and return where."""
    new, now = str(uuid.uuid4()), datetime.now(UTC)
    run = {
        "id": new, "trace_id": new, "dotted_order": f"{now:%Y%m%dT%H%M%S%fZ}{new}", "name": "before",
        "run_type": "chain", "inputs": {"text": "was there before"}, "start_time": now.isoformat(),
        "session_name": "before-the-fault",
    }  # fmt: skip
    assert until(lambda: client.post("/api/v1/runs", json=run).status_code == 202, RECOVERS_WITHIN, 1)
    assert until(lambda: client.get(f"/api/v1/runs/{new}").status_code == 200, RECOVERS_WITHIN, 1)
    return f"/api/v1/runs/{new}"
