"""The guard refuses whatever is not plainly a lab, and says what is missing."""

import itertools
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hallmark.errors import GuardRefused
from hallmark.faults import guard, runner
from hallmark.faults.definition import Fault
from hallmark.faults.reader import Reader
from hallmark.model import Answer, Call, Status
from hallmark.targets.aws import AwsSource
from hallmark.targets.profile import Profile

MARKS = {"hallmark:lab": "l2", "hallmark:owner": "ada", "hallmark:expires": "2099-12-31"}
YESTERDAY = f"{datetime.now(UTC).date() - timedelta(days=1)}"
TODAY = f"{datetime.now(UTC).date()}"
_accounts = itertools.count(820000000000 + os.getpid() % 90000 * 100000)

REFUSED: dict[str, tuple[dict[str, str], dict[str, Any], str]] = {
    "no marks at all": ({}, {}, "no tag hallmark:lab"),
    "no lab": ({**MARKS, "hallmark:lab": ""}, {}, "no tag hallmark:lab"),
    "no owner": ({**MARKS, "hallmark:owner": ""}, {}, "no tag hallmark:owner"),
    "no end": ({**MARKS, "hallmark:expires": ""}, {}, "no tag hallmark:expires"),
    "expired": ({**MARKS, "hallmark:expires": YESTERDAY}, {}, "expired on"),
    "an end that is no date": ({**MARKS, "hallmark:expires": "never"}, {}, "is not a date"),
    "somebody else's": (MARKS, {"learner": "grace"}, "belongs to 'ada', you are 'grace'"),
    "an account that is not listed": (MARKS, {"lab_accounts": "000000000001"}, "is not listed as a lab account"),
    "no account listed": (MARKS, {"lab_accounts": ""}, "is not listed as a lab account"),
    "another region": (MARKS, {"region": "eu-west-1"}, "cannot see whether the target is a lab"),
    "another cluster": (MARKS, {"cluster": "other"}, "cannot see whether the target is a lab"),
    "a production tag": ({**MARKS, "environment": "production"}, {}, "'environment=production' looks like production"),
    "a live stage": ({**MARKS, "stage": "eu-live-1"}, {}, "looks like production"),
    "a production host": (MARKS, {"host": "langsmith.prod.example"}, "looks like production"),
}


@pytest.fixture
def account(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh account, reached the way real AWS is: through the SDK's own settings."""
    number = f"{next(_accounts):012d}"
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": number,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    return number


def profile_of(account: str, **settings: Any) -> Profile:
    """A profile of real AWS whose account is listed, unless *settings* say otherwise."""
    return Profile(**{"target": "aws", "cluster": "lab-eks", "learner": "ada", "lab_accounts": account, **settings})


def make_cluster(account: str, tags: dict[str, str], name: str = "lab-eks") -> None:
    """A cluster and nothing around it."""
    source = AwsSource(profile_of(account))
    ec2 = source.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    zones = [("10.9.1.0/24", "us-east-1a"), ("10.9.2.0/24", "us-east-1b")]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=c, AvailabilityZone=z)["Subnet"]["SubnetId"] for c, z in zones]
    role = source.client("iam").create_role(RoleName="eks", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    source.client("eks").create_cluster(name=name, roleArn=role, resourcesVpcConfig={"subnetIds": subnets}, tags=tags)


@pytest.mark.parametrize("case", REFUSED)
def test_an_unmarked_target_is_refused(account: str, case: str) -> None:
    """Each missing mark is refused by name, with the command that sets it."""
    tags, settings, reason = REFUSED[case]
    make_cluster(account, {name: value for name, value in tags.items() if value})
    profile = profile_of(account, **settings)
    with pytest.raises(GuardRefused, match=reason) as refusal:
        guard.require_lab(profile, Reader(AwsSource(profile), profile.scope()))
    assert refusal.value.hint.startswith("aws eks tag-resource --resource-arn ")


@pytest.mark.parametrize("expires", [TODAY, "2099-12-31"])
def test_a_marked_target_is_accepted(account: str, expires: str) -> None:
    """All marks in place, the last day included: the account is returned."""
    make_cluster(account, {**MARKS, "hallmark:expires": expires})
    profile = profile_of(account, lab_accounts=f"000000000001, {account}")
    assert guard.require_lab(profile, Reader(AwsSource(profile), profile.scope())) == account


@pytest.mark.parametrize("name", ["prod", "langsmith-prod-eks", "PROD1", "live.eu", "production", "eu-prd-2"])
def test_a_name_that_looks_like_production_is_refused(account: str, name: str) -> None:
    """Even with every mark in place."""
    make_cluster(account, MARKS, name.replace(".", "-"))
    profile = profile_of(account, cluster=name.replace(".", "-"))
    with pytest.raises(GuardRefused, match="looks like production"):
        guard.require_lab(profile, Reader(AwsSource(profile), profile.scope()))


@pytest.mark.parametrize("name", ["product-lab", "liveness", "alive", "deliver", "hallmark-twin-eks"])
def test_a_name_that_only_contains_the_letters_is_accepted(account: str, name: str) -> None:
    """Whole words count, not letters."""
    make_cluster(account, MARKS, name)
    profile = profile_of(account, cluster=name)
    assert guard.require_lab(profile, Reader(AwsSource(profile), profile.scope())) == account


@pytest.mark.parametrize("status", [Status.DENIED, Status.FAILED, Status.ABSENT])
@pytest.mark.parametrize("operation", ["get_caller_identity", "describe_cluster"])
def test_what_cannot_be_read_counts_as_unmarked(account: str, operation: str, status: Status) -> None:
    """Fail closed: denied, throttled or absent answers refuse the fault."""
    make_cluster(account, MARKS)

    class Blind(AwsSource):
        def answer(self, call: Call) -> Answer:
            hidden = Answer(status, None, "denied", f"{call.operation}: {status}")
            return hidden if call.operation == operation else super().answer(call)

    profile = profile_of(account)
    with pytest.raises(GuardRefused, match="cannot see whether the target is a lab"):
        guard.require_lab(profile, Reader(Blind(profile), profile.scope()))


def fault() -> Fault:
    """The database fault, for five minutes."""
    return Fault("lab", "database-security-group", timedelta(minutes=5), "symptom")


def test_an_emulator_of_another_account_is_refused(system: Any) -> None:
    """Locally the account is the access key: a mismatch means that somebody else's emulator answers."""
    with pytest.raises(GuardRefused, match="is not listed as a lab account"):
        guard.require_lab(
            Profile(**{**vars(system.profile), "account": "111122223333"}), Reader(system.aws, system.profile.scope())
        )


@pytest.mark.parametrize(
    "note",
    [
        "postgresql://langsmith:hunter2pass@db.internal:5432/langsmith",
        "password=hunter2",
        "the password hunter2",
        "opened with token: abcdef",
        "key AKIAIOSFODNN7EXAMPLE",
        "planted-secret-of-the-process",
    ],
)
def test_a_rule_whose_description_looks_like_a_secret_stops_the_fault(
    system: Any, note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The inverse would need it in the journal, so nothing is recorded and nothing is changed."""
    monkeypatch.setenv("PLANTED_TOKEN", "planted-secret-of-the-process")
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}
    peer = {"IpRanges": [{"CidrIp": "10.9.2.0/24", "Description": note}]}
    system.aws.client("ec2").authorize_security_group_ingress(
        GroupId=system.database_group, IpPermissions=[{**rule, **peer}]
    )
    before = system.state()
    with pytest.raises(GuardRefused, match="looks like a secret") as refusal:
        system.runner().inject(fault())
    assert note not in f"{refusal.value.message} {refusal.value.hint}"
    assert system.state() == before
    assert note not in everything_in(system.home)


def test_the_journal_holds_no_planted_secret(system: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords of database and cache, and secrets of this process, are in no file the engine writes."""
    monkeypatch.setenv("LANGSMITH_LICENSE_KEY", "lsv2_sk_planted_licence_0123456789")
    system.runner().inject(fault())
    runner.revert(system.home, system.profile)
    text = everything_in(system.home)
    assert "revoke_security_group_ingress" in text
    for planted in ("a-planted-password", "a-planted-token-of-the-cache", "lsv2_sk_planted_licence_0123456789"):
        assert planted not in text


def everything_in(folder: Path) -> str:
    """The text of all files below *folder*."""
    return "\n".join(file.read_text() for file in folder.rglob("*") if file.is_file())


def test_a_database_that_looks_like_production_stops_the_fault(system: Any) -> None:
    """A lab cluster may share its VPC with something that is not a lab."""
    rds = system.aws.client("rds")
    rds.modify_db_instance(DBInstanceIdentifier="lab-pg", NewDBInstanceIdentifier="prod-pg", ApplyImmediately=True)
    with pytest.raises(GuardRefused, match="prod-pg looks like production"):
        system.runner().inject(fault())


def test_a_database_in_the_nodes_own_group_stops_the_fault(system: Any) -> None:
    """Its rules are the nodes' rules: taking them away would cut the cluster itself."""
    system.aws.client("rds").modify_db_instance(
        DBInstanceIdentifier="lab-pg", VpcSecurityGroupIds=[system.node_group], ApplyImmediately=True
    )
    with pytest.raises(GuardRefused, match=r"shares sg-.* with the nodes"):
        system.runner().inject(fault())


def test_a_web_acl_that_others_use_stops_the_fault(system: Any) -> None:
    """The same web ACL before a load balancer that is not the cluster's."""
    elb, waf = system.aws.client("elbv2"), system.aws.client("wafv2")
    ours = elb.describe_load_balancers()["LoadBalancers"][0]
    subnets = [zone["SubnetId"] for zone in ours["AvailabilityZones"]]
    other = elb.create_load_balancer(Name="shop", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    acl = waf.get_web_acl(**system.acl)["WebACL"]["ARN"]
    waf.associate_web_acl(WebACLArn=acl, ResourceArn=other)
    with pytest.raises(GuardRefused, match="is not the lab's alone"):
        system.runner().inject(Fault("lab", "web-acl-without-rate-limit", timedelta(minutes=5), "symptom"))


def test_a_web_acl_that_looks_for_a_shared_secret_stops_the_fault(system: Any) -> None:
    """What a header has to hold would stand in the journal; a path may."""
    waf = system.aws.client("wafv2")
    found = waf.get_web_acl(**system.acl)
    seen = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "origin"}
    match = {
        "SearchString": "origin-verify-5e4d3c2b",
        "FieldToMatch": {"SingleHeader": {"Name": "x-origin-verify"}},
        "PositionalConstraint": "EXACTLY",
        "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
    }
    rule = {"Name": "origin", "Priority": 90, "Action": {"Count": {}}, "VisibilityConfig": seen}
    rules = [*found["WebACL"]["Rules"], {**rule, "Statement": {"ByteMatchStatement": match}}]
    kept = {name: found["WebACL"][name] for name in ("DefaultAction", "VisibilityConfig")}
    waf.update_web_acl(**system.acl, **kept, Rules=rules, LockToken=found["LockToken"])
    before = system.state()
    with pytest.raises(GuardRefused, match="looks like a secret"):
        system.runner().inject(Fault("lab", "web-acl-without-rate-limit", timedelta(minutes=5), "symptom"))
    assert system.state() == before
    assert "origin-verify" not in everything_in(system.home)
