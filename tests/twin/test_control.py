"""The control paths: snapshot, restore, drop and clone of whole accounts, for those who have the token."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from hallmark.errors import EnvironmentFault, UsageError
from hallmark.twin.aws.versions import versions
from hallmark.twin.clients import Clients
from hallmark.twin.control import Control

OTHER = "555566667777"


def _fill(aws: Clients, network: Any) -> str:
    """One thing of every kind that is hard to write down: keys, certificates, parameters, references."""
    aws("kms").create_key()
    aws("acm").request_certificate(DomainName="edge.example", ValidationMethod="DNS")
    aws("ssm").put_parameter(Name="/a/b", Value="one", Type="String")
    aws("secretsmanager").create_secret(Name="s", SecretString="hidden")
    aws("logs").create_log_group(logGroupName="/aws/eks/lab")
    aws("sns").create_topic(Name="alarms")
    aws("ecr").create_repository(repositoryName="app")  # moto keeps a lock with it, which only dill can pickle
    aws("cloudwatch").put_metric_alarm(
        AlarmName="a", MetricName="m", Namespace="n", EvaluationPeriods=1, Threshold=1, Statistic="Sum",
        Period=60, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    arn: str = aws("elbv2").create_load_balancer(Name="edge", Subnets=network.subnets)["LoadBalancers"][0][
        "LoadBalancerArn"
    ]
    return arn


def _facts(aws: Clients) -> Any:
    """What is compared before and after."""
    return {
        "vpcs": aws("ec2").describe_vpcs()["Vpcs"],
        "subnets": aws("ec2").describe_subnets()["Subnets"],
        "interfaces": aws("ec2").describe_network_interfaces()["NetworkInterfaces"],
        "balancers": aws("elbv2").describe_load_balancers()["LoadBalancers"],
        "keys": aws("kms").list_keys()["Keys"],
        "certificates": aws("acm").list_certificates()["CertificateSummaryList"],
        "parameter": aws("ssm").get_parameter(Name="/a/b")["Parameter"]["Value"],
        "secret": aws("secretsmanager").get_secret_value(SecretId="s")["SecretString"],
        "groups": aws("logs").describe_log_groups()["logGroups"],
        "repositories": aws("ecr").describe_repositories()["repositories"],
        "alarms": [alarm["AlarmName"] for alarm in aws("cloudwatch").describe_alarms()["MetricAlarms"]],
    }


def test_a_restored_account_is_as_it_was(aws: Clients, account: str, network: Any, emulator: Any) -> None:
    """Changed and emptied in between."""
    arn = _fill(aws, network)
    before = _facts(aws)

    sealed = emulator.control.snapshot(account)
    aws("elbv2").delete_load_balancer(LoadBalancerArn=arn)
    emulator.control.drop(account)
    assert aws("elbv2").describe_load_balancers()["LoadBalancers"] == []
    emulator.control.restore(account, sealed)

    assert _facts(aws) == before


def test_a_restored_account_lives_on(aws: Clients, account: str, network: Any, emulator: Any) -> None:
    """References between services hold: a balancer still finds its subnets."""
    _fill(aws, network)
    emulator.control.restore(account, emulator.control.snapshot(account))

    balancer = aws("elbv2").describe_load_balancers()["LoadBalancers"][0]
    aws("elbv2").delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])

    assert aws("ec2").describe_network_interfaces()["NetworkInterfaces"] == []


def test_an_account_comes_back_in_another_process(
    aws: Clients, network: Any, emulator: Any, serve: Any, tmp_path: Path
) -> None:
    """Given the same key."""
    _fill(aws, network)
    before = _facts(aws)
    (tmp_path / "key").write_bytes((emulator.state / "key").read_bytes())

    with serve(tmp_path, "--no-autosave") as other:
        other.control.restore(aws.account, emulator.control.snapshot(aws.account))
        assert _facts(Clients(other.endpoint, aws.account, "us-east-1")) == before


def test_buckets_belong_to_the_account_they_are_restored_to(aws: Clients, account: str, emulator: Any) -> None:
    """A dropped account's names are free; a restored one has its objects again."""
    s3, name = aws("s3"), f"bucket-{account}"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a", Body=b"x")
    sealed = emulator.control.snapshot(account)

    emulator.control.drop(account)
    s3.create_bucket(Bucket=name)
    emulator.control.restore(account, sealed)

    assert s3.get_object(Bucket=name, Key="a")["Body"].read() == b"x"


def test_a_clone_is_the_same_in_another_account(aws: Clients, account: str, network: Any, emulator: Any) -> None:
    """Ids stay, the account number in every ARN changes, and the two live apart."""
    arn = _fill(aws, network)
    emulator.control.clone(account, OTHER)
    other = Clients(emulator.endpoint, OTHER, "us-east-1")

    copy = other("elbv2").describe_load_balancers()["LoadBalancers"][0]
    assert copy["LoadBalancerArn"] == arn.replace(account, OTHER)
    assert other("ec2").describe_subnets(SubnetIds=network.subnets)["Subnets"][0]["OwnerId"] == OTHER

    other("elbv2").delete_load_balancer(LoadBalancerArn=copy["LoadBalancerArn"])
    assert len(aws("elbv2").describe_load_balancers()["LoadBalancers"]) == 1


def test_the_snapshot_of_another_account_is_refused(aws: Clients, account: str, emulator: Any) -> None:
    """The learner is told which account it is of."""
    aws("sns").create_topic(Name="x")
    sealed = emulator.control.snapshot(account)

    with pytest.raises(UsageError, match=f"is of account {account}, not of {OTHER}"):
        emulator.control.restore(OTHER, sealed)


def test_a_foreign_snapshot_is_refused_by_the_server(aws: Clients, account: str, emulator: Any) -> None:
    """Its message reaches the caller, and nothing was changed."""
    aws("sns").create_topic(Name="x")

    with pytest.raises(UsageError, match="not a snapshot of the twin"):
        emulator.control.restore(account, b"\x80\x05.")
    assert len(aws("sns").list_topics()["Topics"]) == 1


@pytest.mark.parametrize("bad", ["", "1234", "../../etc/pas", "1111222233334"])
def test_what_is_no_account_is_refused(emulator: Any, bad: str) -> None:
    """An account number has 12 digits."""
    with pytest.raises(UsageError, match="has 12 digits"):
        emulator.control.drop(bad)


def test_without_the_token_nothing_is_done(aws: Clients, account: str, emulator: Any) -> None:
    """A restored snapshot runs code, so not everybody on this machine may restore one."""
    aws("sns").create_topic(Name="x")
    stranger = Control(emulator.port, "0" * 64)

    with pytest.raises(UsageError, match="token is missing or wrong"):
        stranger.drop(account)
    assert stranger.health() is None
    assert len(aws("sns").list_topics()["Topics"]) == 1


def test_health_names_the_versions(emulator: Any) -> None:
    """Of moto, the extension and Python inside the process."""
    assert emulator.control.health()["versions"] == versions()


def test_an_unknown_action_is_not_found(emulator: Any) -> None:
    """And says so in JSON."""
    url, token = f"{emulator.endpoint}/_hallmark/nonsense", emulator.control.token
    request = urllib.request.Request(url, headers={"X-Hallmark-Token": token})  # noqa: S310  (loopback)

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)  # noqa: S310  (loopback)
    with caught.value as answer:
        assert (answer.code, json.loads(answer.read())["message"]) == (404, "There is no control action 'nonsense'.")


def test_a_server_that_is_gone_is_said_to_be(emulator: Any) -> None:
    """With the command that brings it back."""
    nobody = Control(1, emulator.control.token)

    assert nobody.health() is None
    with pytest.raises(EnvironmentFault, match="does not answer") as caught:
        nobody.drop("111122223333")
    assert caught.value.hint == "hallmark twin up"
