"""Injecting, reverting, and everything that may come in between."""

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hallmark.errors import EnvironmentFault, GuardRefused, UsageError
from hallmark.faults import journal, kinds, runner
from hallmark.faults.definition import Fault
from hallmark.faults.journal import State
from hallmark.faults.runner import Runner
from hallmark.model import Call
from hallmark.targets.writer import AwsWriter, NotWritten, Outcome

DATABASE, WEB_ACL = "database-security-group", "web-acl-without-rate-limit"
PARAMS = tomllib.loads(Path(__file__).with_name("params.toml").read_text())


def fault(kind: str) -> Fault:
    """A fault that would last five minutes."""
    return Fault("lab", kind, timedelta(minutes=5), "what an operator sees", params=PARAMS.get(kind, {}))


class Disturbed(AwsWriter):
    """A writer in whose way something happens before or after its n-th write."""

    count = 0
    at = 1
    before: Callable[[], None] = staticmethod(lambda: None)
    after: Callable[[], None] = staticmethod(lambda: None)

    def write(self, call: Call) -> Outcome:
        """Make the write, disturbed."""
        self.count += 1
        if self.count == self.at:
            self.before()
        outcome = super().write(call)
        if self.count == self.at:
            self.after()
        return outcome


@pytest.mark.parametrize("kind", kinds.names())
def test_inject_and_revert_three_times_each_are_idempotent(system: Any, kind: str) -> None:
    """The second and third inject change nothing, nor do the second and third revert; the end is the beginning."""
    before = system.state()
    first = system.runner().inject(fault(kind))
    broken = system.state()
    assert broken != before
    assert [system.runner().inject(fault(kind)).id for _ in range(2)] == [first.id] * 2
    assert system.state() == broken
    assert [each.id for each in runner.active(system.home)] == [first.id]
    assert [len(runner.revert(system.home, system.profile)) for _ in range(3)] == [1, 0, 0]
    assert system.runner().revert(first).state is State.REVERTED
    system.revert()
    assert system.state() == before


def test_the_database_fault_takes_away_what_admits_the_nodes_and_nothing_else(system: Any) -> None:
    """The rule for the nodes' group and the one for their subnet go; the bastion's rule stays."""
    system.runner().inject(fault(DATABASE))
    assert [rule["CidrIpv4"] for rule in system.rules()] == ["10.9.77.0/24"]
    runner.revert(system.home, system.profile)


def test_a_restored_rule_has_its_peer_description_and_tags(system: Any) -> None:
    """Every recorded property comes back; only AWS's own rule id is new."""
    before = system.rules()
    system.runner().inject(fault(DATABASE))
    runner.revert(system.home, system.profile)
    assert system.rules() == before
    assert {rule["Description"] for rule in before} >= {"PostgreSQL from nodes and pods", "from the first subnet"}
    assert all(rule["Tags"] for rule in before)


def test_the_web_acl_fault_drops_rate_rule_and_exception_and_nothing_else(system: Any) -> None:
    """Managed rules, default action and association stay."""
    before = system.web_acl()
    system.runner().inject(fault(WEB_ACL))
    after = system.web_acl()
    assert [rule["Name"] for rule in after["Rules"]] == [rule["Name"] for rule in before["Rules"][1:]]
    assert "ScopeDownStatement" not in json.dumps(after)
    assert {k: v for k, v in after.items() if k != "Rules"} == {k: v for k, v in before.items() if k != "Rules"}
    runner.revert(system.home, system.profile)


@pytest.mark.parametrize("kind", kinds.names())
def test_a_dry_run_shows_the_plan_and_writes_nothing(request: pytest.FixtureRequest, kind: str) -> None:
    """Calls and inverses are there, the target and the state directory are untouched."""
    # What writes nothing can share an account; only the role is of one namespace.
    system = request.getfixturevalue("system" if kind == "role-trust-moved" else "staged")
    before = system.state()
    plan = system.runner().plan(fault(kind))
    assert plan.steps
    assert all(step.describe() and step.describe_inverse() for step in plan.steps)
    assert system.state() == before
    assert not system.home.exists()


def test_a_reverted_journal_is_put_away(system: Any) -> None:
    """It is kept for the record, and no later command has to read it."""
    injected = system.runner().inject(fault(DATABASE))
    folder = system.home / journal.FOLDER
    assert [file.stem for file in folder.glob("*.json")] == [injected.id]
    runner.revert(system.home, system.profile)
    assert list(folder.glob("*.json")) == []
    assert journal.read(system.home, injected.id).state is State.REVERTED


def test_two_faults_live_side_by_side(system: Any) -> None:
    """Each is listed, and `only` reverts the one that is named."""
    before = system.state()
    one = system.runner().inject(fault(DATABASE))
    two = system.runner().inject(fault(WEB_ACL))
    assert [each.id for each in runner.active(system.home)] == [one.id, two.id]
    assert [each.id for each in runner.revert(system.home, system.profile, only=one.id)] == [one.id]
    assert system.rules() == before["rules"]
    assert [each.id for each in runner.active(system.home)] == [two.id]
    runner.revert(system.home, system.profile)
    assert system.state() == before


def test_only_expired_faults_are_reverted_when_asked_so(system: Any) -> None:
    """A fault whose time is not over is left alone."""
    system.runner().inject(fault(DATABASE))
    assert runner.expired(system.home) == []
    assert runner.revert(system.home, system.profile, expired_only=True) == []
    assert len(runner.revert(system.home, system.profile)) == 1


def test_a_target_restored_from_outside_is_broken_anew(system: Any) -> None:
    """A snapshot was restored under the fault: the next inject notices and does not take the old journal for true."""
    before = system.rules()
    first = system.runner().inject(fault(DATABASE))
    for step in first.steps:
        AwsWriter(system.profile).write(step.undo)
    second = system.runner().inject(fault(DATABASE))
    assert second.id != first.id
    assert len(system.rules()) == 1
    runner.revert(system.home, system.profile)
    assert system.rules() == before


def test_a_rule_added_meanwhile_survives_the_revert(system: Any) -> None:
    """Revert undoes what the fault did, and does not delete what it did not make."""
    before = system.rules()
    system.runner().inject(fault(DATABASE))
    extra = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "10.9.2.0/24"}]}
    system.aws.client("ec2").authorize_security_group_ingress(GroupId=system.database_group, IpPermissions=[extra])
    runner.revert(system.home, system.profile)
    after = system.rules()
    assert [rule for rule in after if rule.get("CidrIpv4") != "10.9.2.0/24"] == before
    assert len(after) == len(before) + 1


def test_a_rule_restored_meanwhile_counts_as_reverted(system: Any) -> None:
    """The learner put back the very rule: AWS says Duplicate, and that is success."""
    before = system.rules()
    injected = system.runner().inject(fault(DATABASE))
    AwsWriter(system.profile).write(injected.steps[0].undo)
    (done,) = runner.revert(system.home, system.profile)
    assert [step.outcome for step in done.steps] == ["already so", "restored"]
    assert system.rules() == before


def test_a_resource_deleted_meanwhile_counts_as_reverted(system: Any) -> None:
    """What is gone cannot be restored, and is not left on the books for ever."""
    system.runner().inject(fault(DATABASE))
    system.aws.client("rds").delete_db_instance(DBInstanceIdentifier="lab-pg", SkipFinalSnapshot=True)
    system.aws.client("ec2").delete_security_group(GroupId=system.database_group)
    (done,) = runner.revert(system.home, system.profile)
    assert [step.outcome for step in done.steps] == ["gone", "gone"]
    assert runner.active(system.home) == []


def edit_web_acl(system: Any, limit: int) -> None:
    """Somebody else writes the web ACL, so that its lock token moves on."""
    waf = system.aws.client("wafv2")
    found = waf.get_web_acl(**system.acl)
    kept = {k: found["WebACL"][k] for k in ("DefaultAction", "VisibilityConfig", "Description")}
    size = {"FieldToMatch": {"UriPath": {}}, "ComparisonOperator": "GT", "Size": limit}
    statement = {"SizeConstraintStatement": {**size, "TextTransformations": [{"Priority": 0, "Type": "NONE"}]}}
    seen = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "mine"}
    mine = {"Name": "mine", "Priority": 99, "Statement": statement, "Action": {"Block": {}}, "VisibilityConfig": seen}
    rules = [rule for rule in found["WebACL"]["Rules"] if rule["Name"] != "mine"]
    waf.update_web_acl(**system.acl, **kept, Rules=[*rules, mine], LockToken=found["LockToken"])


def test_a_web_acl_edited_meanwhile_is_brought_back_with_a_fresh_token(system: Any) -> None:
    """The learner tried something of his own; the recorded definition comes back whole."""
    before = system.web_acl()
    system.runner().inject(fault(WEB_ACL))
    edit_web_acl(system, 100)
    runner.revert(system.home, system.profile)
    assert system.web_acl() == before


def test_a_revert_that_loses_the_race_for_the_lock_token_tries_again(system: Any) -> None:
    """Somebody writes between reading the token and using it."""

    class Raced(AwsWriter):
        raced = False

        def _send(self, service: str, operation: str, arguments: dict[str, Any]) -> Outcome:
            if not self.raced:
                self.raced = True
                edit_web_acl(system, 200)
            return super()._send(service, operation, arguments)

    before = system.web_acl()
    injected = system.runner().inject(fault(WEB_ACL))
    assert Runner(system.profile, system.home, Raced(system.profile)).revert(injected).state is State.REVERTED
    assert system.web_acl() == before


def test_an_edit_between_plan_and_call_wins_over_the_fault(system: Any) -> None:
    """AWS refuses the stale lock token; the fault fails and does not write over the edit when it cleans up."""
    aws = Disturbed(system.profile)
    aws.before = lambda: edit_web_acl(system, 300)
    with pytest.raises(EnvironmentFault, match="WAFOptimisticLockException"):
        Runner(system.profile, system.home, aws).inject(fault(WEB_ACL))
    assert "mine" in [rule["Name"] for rule in system.web_acl()["Rules"]]
    assert runner.active(system.home) == []


@pytest.mark.parametrize("refused", [1, 2])
def test_a_refused_call_undoes_the_calls_before_it(system: Any, refused: int) -> None:
    """AWS denies the n-th call: the target is as it was, and nothing is left on the books."""

    def deny() -> None:
        raise NotWritten("UnauthorizedOperation", certain=True)

    before = system.state()
    aws = Disturbed(system.profile)
    aws.at, aws.before = refused, deny
    with pytest.raises(EnvironmentFault, match="UnauthorizedOperation"):
        Runner(system.profile, system.home, aws).inject(fault(DATABASE))
    assert system.state() == before
    assert runner.active(system.home) == []


def test_ctrl_c_in_the_middle_undoes_the_calls_made(system: Any) -> None:
    """An interrupted inject cleans up before it goes."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    before = system.state()
    aws = Disturbed(system.profile)
    aws.after = interrupt
    with pytest.raises(KeyboardInterrupt):
        Runner(system.profile, system.home, aws).inject(fault(DATABASE))
    assert system.state() == before
    assert runner.active(system.home) == []


def test_a_revert_that_fails_half_way_goes_on_next_time(system: Any) -> None:
    """One inverse is refused: the other is made, the journal stays, and the next revert finishes."""

    def deny() -> None:
        raise NotWritten("Throttling")

    before = system.state()
    injected = system.runner().inject(fault(DATABASE))
    aws = Disturbed(system.profile)
    aws.before = deny
    with pytest.raises(EnvironmentFault, match=r"not fully reverted.*Throttling"):
        Runner(system.profile, system.home, aws).revert(injected)
    assert [each.state for each in runner.active(system.home)] == [State.REVERTING]
    assert len(system.rules()) == 2
    runner.revert(system.home, system.profile)
    assert system.state() == before


def test_a_symptom_that_does_not_show_is_a_failure(system: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something puts the rule back at once: the engine says so, and leaves the target as it was."""
    before = system.state()
    plan = system.runner().plan(fault(DATABASE))

    def put_back() -> None:
        AwsWriter(system.profile).write(plan.steps[0].undo)

    aws = Disturbed(system.profile)
    aws.at, aws.after = 2, put_back
    monkeypatch.setattr(runner, "PROOF_SECONDS", 0.2)
    with pytest.raises(EnvironmentFault, match="did not show its symptom"):
        Runner(system.profile, system.home, aws).inject(fault(DATABASE))
    assert system.state() == before


def test_a_second_symptom_is_a_failure(system: Any) -> None:
    """Database and cache share a rule, so Redis would be cut off too: the fault is taken back."""
    ec2, cache = system.aws.client("ec2"), system.aws.client("elasticache")
    everything = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": system.node_group}]}]
    ec2.authorize_security_group_ingress(GroupId=system.database_group, IpPermissions=everything)
    cache.create_replication_group(
        ReplicationGroupId="second", ReplicationGroupDescription="shares the group", Engine="redis", NumCacheClusters=1,
        CacheNodeType="cache.m6g.large", CacheSubnetGroupName="lab", SecurityGroupIds=[system.database_group],
    )  # fmt: skip
    before = system.state()
    with pytest.raises(EnvironmentFault, match="also changed the rules of the caches"):
        system.runner().inject(fault(DATABASE))
    assert system.state() == before
    assert runner.active(system.home) == []


def test_a_target_that_is_broken_already_is_refused(system: Any) -> None:
    """No steady state, no experiment."""
    ec2 = system.aws.client("ec2")
    mine = [{"Name": "group-id", "Values": [system.database_group]}]
    rules = ec2.describe_security_group_rules(Filters=mine)["SecurityGroupRules"]
    ids = [rule["SecurityGroupRuleId"] for rule in rules if not rule["IsEgress"]]
    ec2.revoke_security_group_ingress(GroupId=system.database_group, SecurityGroupRuleIds=ids)
    with pytest.raises(UsageError, match="symptom of database-security-group already"):
        system.runner().inject(fault(DATABASE))


def test_a_target_without_a_database_is_refused(system: Any) -> None:
    """There is nothing to break."""
    system.aws.client("rds").delete_db_instance(DBInstanceIdentifier="lab-pg", SkipFinalSnapshot=True)
    with pytest.raises(UsageError, match="nothing to break"):
        system.runner().inject(fault(DATABASE))


def test_a_fault_is_undone_only_in_its_own_account(system: Any) -> None:
    """Credentials of another account are refused before any call."""
    injected = system.runner().inject(fault(DATABASE))
    moved = journal.save(system.home, replace(injected, account="999999999999"))
    with pytest.raises(GuardRefused, match="belongs to account 999999999999"):
        runner.revert(system.home, system.profile)
    journal.save(system.home, replace(moved, account=injected.account))
    runner.revert(system.home, system.profile)


def test_a_revert_finds_an_emulator_that_moved_to_another_port(system: Any) -> None:
    """The journal says which account; today's profile says where the emulator answers."""
    before = system.state()
    injected = system.runner().inject(fault(DATABASE))
    stale = {**injected.target, "endpoint": "http://127.0.0.1:9"}
    journal.save(system.home, replace(injected, target=stale))
    runner.revert(system.home, system.profile)
    assert system.state() == before


def test_a_state_directory_that_cannot_be_written_stops_the_fault(system: Any, tmp_path: Path) -> None:
    """No journal, no call."""
    before = system.state()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentFault, match="cannot write"):
        Runner(system.profile, tmp_path / "file" / "home").inject(fault(DATABASE))
    assert system.state() == before
