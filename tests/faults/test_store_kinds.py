"""Kinds of fault at the stores and in the secrets: what they change, what they never show, and whole ways back."""

import runpy
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hallmark.errors import EnvironmentFault, GuardRefused, UsageError
from hallmark.faults import runner
from hallmark.faults.definition import Fault
from hallmark.faults.journal import State
from hallmark.model import Call
from hallmark.targets import stores
from hallmark.targets.writer import NotWritten, Outcome

vault = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("vault.py"))))
CLICKHOUSE, BACKEND = "apps/v1/statefulsets/langsmith-clickhouse", "apps/v1/deployments/langsmith-backend"
SPOILING = {"database-password-wrong": "lab/postgres-first", "api-key-salt-changed": "lab/salt-first"}
"""Kinds that change a value, and which."""
ALL = (*SPOILING, "redis-token-changed", "redis-evicting", "database-stopped", "clickhouse-memory-lowered")


@pytest.fixture
def system(staged: Any) -> Any:
    """A fresh namespace is enough."""
    return staged


@pytest.fixture
def tokens(system: Any, emulated: Any) -> Callable[[], list[str]]:
    """Tokens that the cache lets in; AWS tells nobody, but the emulator tells who runs the cache's server."""
    return lambda: emulated.control.store_secrets(system.profile.account)["caches"][0]["tokens"]


def fault(kind: str, **params: Any) -> Fault:
    """A fault that would last five minutes."""
    return Fault("lab", kind, timedelta(minutes=5), "symptom", params=params)


def written(system: Any) -> str:
    """All that the engine has written down."""
    return "\n".join(file.read_text() for file in system.home.rglob("*") if file.is_file())


@pytest.mark.parametrize("kind", ALL)
def test_twice_in_a_row_ends_as_it_began(system: Any, kind: str) -> None:
    """Injected, reverted, and the same again: nothing piles up."""
    before = system.state()
    for _ in range(2):
        assert system.runner().inject(fault(kind)).state is State.INJECTED
        system.revert()
        assert system.state() == before


@pytest.mark.parametrize("kind", ALL)
def test_a_second_inject_finds_the_first(system: Any, kind: str) -> None:
    """What is broken already is not broken again."""
    first = system.runner().inject(fault(kind))
    assert system.runner().inject(fault(kind)).id == first.id


@pytest.mark.parametrize(("kind", "secret"), SPOILING.items())
def test_a_value_is_changed_and_told_to_nobody(system: Any, kind: str, secret: str) -> None:
    """Neither the old nor the new value is in a journal, a step or a planned call; the other values stay."""
    before = vault.values(system.aws)
    journal = system.runner().inject(fault(kind))
    after = vault.values(system.aws)
    assert {name for name in before if before[name] != after[name]} == {secret}
    told = written(system) + "".join(step.describe() + step.describe_inverse() for step in journal.steps)
    system.revert()
    for value in (before[secret], after[secret], "a-planted"):
        assert value not in told + written(system)


def test_only_the_password_of_a_url_is_changed(system: Any) -> None:
    """User, host, port and database stay: the pods reach the database and are refused."""
    system.runner().inject(fault("database-password-wrong"))
    value = vault.values(system.aws)["lab/postgres-first"]
    assert value.startswith("postgresql://langsmith:")
    assert value.endswith("@lab-pg.example:5432/langsmith")
    assert "a-planted-password" not in value


@pytest.mark.parametrize(
    ("url", "before", "after"),
    [
        ("rediss://:p@h:6379", "rediss://:", "@h:6379"),
        ("user:p@ss@host/db?x=1", "user:", "@host/db?x=1"),
        ("postgresql+asyncpg://u:p%40q@h/d", "postgresql+asyncpg://u:", "@h/d"),
    ],
)
def test_the_password_is_found_in_every_form_of_url(url: str, before: str, after: str) -> None:
    """With and without scheme, without user, with an at sign."""
    spoiled = stores._spoiled(url, stores.PASSWORD)
    assert spoiled.startswith(before)
    assert spoiled.endswith(after)
    assert spoiled != url


def test_a_value_without_password_is_left_alone(system: Any) -> None:
    """Nothing is written; the message names the reason and not the value."""
    made = system.aws.client("secretsmanager").create_secret(Name="lab/plain", SecretString="a-planted-text")
    which = {"secret": "lab/plain", "recorded": made["VersionId"]}
    call = Call.of("secretsmanager", "spoil_secret_value", **which, part="password")
    with pytest.raises(NotWritten, match="NoPassword") as refusal:
        system.aws.write(call)
    assert refusal.value.certain


def test_a_new_password_put_in_by_the_learner_goes_back_to_the_recorded_one(system: Any) -> None:
    """Two versions later the recorded one has no label any more, and is restored all the same."""
    before, manager = system.state(), system.aws.client("secretsmanager")
    system.runner().inject(fault("database-password-wrong"))
    for attempt in ("one", "two"):
        manager.put_secret_value(SecretId="lab/postgres-first", SecretString=f"postgresql://u:{attempt}@h/d")
    system.revert()
    assert system.state() == before


def test_a_secret_that_is_gone_counts_as_reverted_and_a_version_that_is_gone_does_not(system: Any) -> None:
    """Nobody can restore the first; the second would be a wrong value under a journal that says restored."""
    gone = Call.of("secretsmanager", "restore_secret_version", secret="nobody", recorded="x" * 32)
    assert system.aws.write(gone) is Outcome.GONE
    with pytest.raises(NotWritten):
        system.aws.write(
            Call.of("secretsmanager", "restore_secret_version", secret="lab/salt-first", recorded="x" * 32)
        )


def test_the_token_of_the_recorded_version_is_let_in_again(system: Any, tokens: Callable[[], list[str]]) -> None:
    """Rotated and set, both ways; one token is left."""
    system.runner().inject(fault("redis-token-changed"))
    assert tokens() != ["a-planted-token-of-the-cache"]
    system.revert()
    assert tokens() == ["a-planted-token-of-the-cache"]


def test_a_policy_that_nobody_had_set_goes_back_to_the_default(system: Any) -> None:
    """Reset, not set to what the default is today."""
    cache, group = system.aws.client("elasticache"), {"CacheParameterGroupName": vault.PARAMETERS}
    cache.reset_cache_parameter_group(**group, ParameterNameValues=[vault.POLICY])
    system.runner().inject(fault("redis-evicting"))
    assert vault.state(system.aws)["parameters"] == {"maxmemory-policy": "allkeys-lru"}
    system.revert()
    assert vault.state(system.aws)["parameters"] == {}
    cache.modify_cache_parameter_group(**group, ParameterNameValues=[vault.POLICY])


def test_a_parameter_group_that_others_use_is_left_alone(system: Any) -> None:
    """They would evict, too."""
    cache = system.aws.client("elasticache")
    cache.create_cache_cluster(
        CacheClusterId="another", Engine="redis", CacheNodeType="cache.t4g.small", NumCacheNodes=1,
        CacheParameterGroupName=vault.PARAMETERS,
    )  # fmt: skip
    with pytest.raises(GuardRefused, match="another has the same parameter group"):
        system.runner().inject(fault("redis-evicting"))
    cache.delete_cache_cluster(CacheClusterId="another")


def test_a_database_that_is_stopped_is_started_once(system: Any) -> None:
    """A repair that the learner made is found."""
    system.runner().inject(fault("database-stopped"))
    system.aws.client("rds").start_db_instance(DBInstanceIdentifier="lab-pg")
    (done,) = runner.revert(system.home, system.profile)
    assert [step.outcome for step in done.steps] == ["already so"]


def test_a_database_that_is_just_stopping_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """RDS takes minutes, and does not start what is not stopped."""
    states = iter(["stopping", "stopping", "stopping", "stopped", "stopped", "starting", "available"])
    monkeypatch.setattr(stores, "LOOKS_EVERY", 0.0)

    class Rds:
        started = 0

        def describe_db_instances(self, **_: str) -> Any:
            return {"DBInstances": [{"DBInstanceStatus": next(states)}]}

        def start_db_instance(self, **_: str) -> None:
            self.started += 1

    rds = Rds()
    assert stores.OPERATIONS["start_db_instance"](lambda _: rds, instance="lab-pg")
    assert rds.started == 1


def test_limit_and_request_are_lowered_and_come_back(system: Any) -> None:
    """Only memory of the one container; its CPU and everything else stay."""

    def container() -> Any:
        return system.stage.get(CLICKHOUSE)["spec"]["template"]["spec"]["containers"][0]

    before = container()
    system.runner().inject(fault("clickhouse-memory-lowered"))
    assert container()["resources"] == {"limits": {"memory": "2Gi"}, "requests": {"cpu": "1", "memory": "2Gi"}}
    system.revert()
    assert container() == before


def test_a_limit_that_is_low_already_cannot_be_lowered(system: Any) -> None:
    """The fault would raise it, and prove nothing."""
    with pytest.raises(UsageError, match="which is no more than 16Gi"):
        system.runner().inject(fault("clickhouse-memory-lowered", memory="16Gi"))


def test_a_value_of_which_others_are_a_part_is_left_alone(system: Any) -> None:
    """One secret with several properties: a wrong whole would break more than the fault says."""
    external = "external-secrets.io/v1/externalsecrets/langsmith-stores"
    data = system.stage.get(external)["spec"]["data"]
    data[0]["remoteRef"]["property"] = "salt"
    system.stage.patch(external, {"spec": {"data": data}})
    with pytest.raises(GuardRefused, match="is one property of several"):
        system.runner().inject(fault("api-key-salt-changed"))


def test_a_variable_that_comes_from_elsewhere_is_no_source(system: Any) -> None:
    """Without External Secrets there is nothing to follow."""
    with pytest.raises(UsageError, match="gets no NOTHING from a Secret"):
        system.runner().inject(fault("api-key-salt-changed", variable="NOTHING"))


def test_a_token_that_is_refused_half_way_is_undone(
    system: Any, tokens: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After ROTATE both tokens are let in; SET fails, and the way back leaves the recorded one."""
    client, failures = system.aws.client("elasticache"), iter([True])
    modify = client.modify_replication_group

    def failing(**arguments: Any) -> Any:
        if arguments["AuthTokenUpdateStrategy"] == "SET" and next(failures, False):
            raise ClientError({"Error": {"Code": "InvalidReplicationGroupState"}}, "ModifyReplicationGroup")
        return modify(**arguments)

    monkeypatch.setattr(client, "modify_replication_group", failing)
    with pytest.raises(EnvironmentFault):
        system.runner().inject(fault("redis-token-changed"))
    assert tokens() == ["a-planted-token-of-the-cache"]
