"""RDS and ElastiCache from a pod: reachable, let in, or not, as the emulated AWS says."""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.aws.seal import Seal
from hallmark.twin.clients import Clients
from hallmark.twin.control import Control
from hallmark.twin.kubelet.datastores import admits
from hallmark.waiting import until

Json = dict[str, Any]
REGION = "us-east-1"
PASSWORD, TOKEN = "correct-horse-battery", "a-token-of-sixteen-letters"
_numbers = itertools.count(310_000_000_000)


@dataclass(frozen=True)
class Account:
    """An account with a database, a cache and a node's instance."""

    clients: Clients
    control: Control
    folder: Path
    instance: str
    node_group: str
    store_group: str
    database: str
    cache: str

    def allow(self, *, revoke: bool = False) -> None:
        """Let the node's group reach the stores, or no longer; it may be so already."""
        ec2 = self.clients("ec2")
        act = ec2.revoke_security_group_ingress if revoke else ec2.authorize_security_group_ingress
        pair = [{"GroupId": self.node_group}]
        rule = {"IpProtocol": "tcp", "UserIdGroupPairs": pair}
        with suppress(ec2.exceptions.ClientError):
            act(GroupId=self.store_group, IpPermissions=[{**rule, "FromPort": 5432, "ToPort": 6379}])


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An emulated AWS with one prepared account."""
    folder = tmp_path_factory.mktemp("aws")
    command = [sys.executable, "-m", "hallmark.twin.aws.server", "--port", "0", "--state", str(folder), "--no-autosave"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            assert until((folder / "server.json").exists, 60)
            port = json.loads((folder / "server.json").read_text())["port"]
            control = Control(port, Seal.of(folder).token)
            assert until(control.health, 60)
            clients = Clients(f"http://127.0.0.1:{port}", str(next(_numbers)), REGION)
            yield _prepared(clients, control, folder)
        finally:
            process.terminate()


def _prepared(clients: Clients, control: Control, folder: Path) -> Account:
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("ab")
    ]
    nodes, stores = (
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        for name in ("nodes", "stores")
    )
    instance = ec2.run_instances(
        ImageId="ami-0a1b2c3d4e5f67890", MinCount=1, MaxCount=1, SubnetId=subnets[0], SecurityGroupIds=[nodes]
    )["Instances"][0]["InstanceId"]
    clients("rds").create_db_subnet_group(DBSubnetGroupName="g", DBSubnetGroupDescription="g", SubnetIds=subnets)
    database = clients("rds").create_db_instance(
        DBInstanceIdentifier="pg", Engine="postgres", EngineVersion="16.4", DBInstanceClass="db.t4g.medium",
        AllocatedStorage=20, MasterUsername="ann", MasterUserPassword=PASSWORD, DBName="app",
        VpcSecurityGroupIds=[stores], DBSubnetGroupName="g",
    )["DBInstance"]  # fmt: skip
    assert database["DBInstanceIdentifier"] == "pg"
    endpoint = clients("rds").describe_db_instances()["DBInstances"][0]["Endpoint"]["Address"]
    clients("elasticache").create_cache_subnet_group(
        CacheSubnetGroupName="g", CacheSubnetGroupDescription="g", SubnetIds=subnets
    )
    clients("elasticache").create_replication_group(
        ReplicationGroupId="cache", ReplicationGroupDescription="c", Engine="redis", CacheNodeType="cache.t4g.small",
        NumCacheClusters=2, TransitEncryptionEnabled=True, AuthToken=TOKEN, SecurityGroupIds=[stores],
        CacheSubnetGroupName="g", AutomaticFailoverEnabled=True,
    )  # fmt: skip
    group = clients("elasticache").describe_replication_groups()["ReplicationGroups"][0]
    cache = group["NodeGroups"][0]["PrimaryEndpoint"]["Address"]
    return Account(clients, control, folder, instance, nodes, stores, endpoint, cache)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {"outcome": "accepted", "message": ""}),
        (
            {"password": "wrong"},
            {"outcome": "denied", "message": 'FATAL:  password authentication failed for user "ann"'},
        ),
        (
            {"user": "bob"},
            {"outcome": "denied", "message": 'FATAL:  password authentication failed for user "bob"'},
        ),
        ({"database": "no"}, {"outcome": "denied", "message": 'FATAL:  database "no" does not exist'}),
        (
            {"tls": False},
            {
                "outcome": "denied",
                "message": "FATAL:  no pg_hba.conf entry for "
                'host "10.7.0.9", user "ann", database "app", no encryption',
            },
        ),
        ({"host": "other.rds.amazonaws.com"}, {"outcome": "unknown host", "message": ""}),
    ],
)
def test_logins_to_postgres(account: Account, change: Json, expected: Json) -> None:
    """The emulated RDS says whom it lets in, in PostgreSQL's words and without the password."""
    asked = {"host": account.database, "user": "ann", "password": PASSWORD, "database": "app", "tls": True}
    answer = account.control.login(account.clients.account, {**asked, "address": "10.7.0.9", **change})

    assert answer == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {"outcome": "accepted", "message": ""}),
        ({"password": ""}, {"outcome": "denied", "message": "NOAUTH Authentication required."}),
        (
            {"password": "wrong"},
            {"outcome": "denied", "message": "WRONGPASS invalid username-password pair or user is disabled."},
        ),
        ({"tls": False}, {"outcome": "reset", "message": ""}),
    ],
)
def test_logins_to_redis(account: Account, change: Json, expected: Json) -> None:
    """The emulated ElastiCache says whom it lets in, in Redis' words."""
    asked = {"host": account.cache, "user": "", "password": TOKEN, "tls": True}

    assert account.control.login(account.clients.account, {**asked, **change}) == expected


def test_rotated_tokens(account: Account) -> None:
    """ROTATE lets the old token in beside the new one; SET ends that."""
    elasticache = account.clients("elasticache")

    def lets_in(token: str) -> bool:
        asked = {"host": account.cache, "user": "", "password": token, "tls": True}
        return account.control.login(account.clients.account, asked)["outcome"] == "accepted"

    new = "another-token-of-letters"
    change = {"ReplicationGroupId": "cache", "AuthToken": new, "ApplyImmediately": True}
    elasticache.modify_replication_group(**change, AuthTokenUpdateStrategy="ROTATE")
    assert (lets_in(TOKEN), lets_in(new)) == (True, True)
    elasticache.modify_replication_group(**change, AuthTokenUpdateStrategy="SET")
    assert (lets_in(TOKEN), lets_in(new)) == (False, True)
    elasticache.modify_replication_group(**change | {"AuthToken": TOKEN}, AuthTokenUpdateStrategy="SET")


def test_logins_need_the_control_token(account: Account) -> None:
    """Nobody without the control token can try passwords."""
    stranger = Control(account.control.port, "wrong")
    with pytest.raises(Exception, match="control token is missing or wrong"):
        stranger.login(account.clients.account, {"host": account.database})


@pytest.mark.parametrize(
    ("rule", "admitted"),
    [
        ({"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": "sg-n"}]}, True),
        ({"IpProtocol": "tcp", "FromPort": 5000, "ToPort": 6000, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}, True),
        ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, True),
        ({"IpProtocol": "tcp", "FromPort": 5433, "ToPort": 5433, "UserIdGroupPairs": [{"GroupId": "sg-n"}]}, False),
        ({"IpProtocol": "udp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": "sg-n"}]}, False),
        ({"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": "sg-x"}]}, False),
        ({"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "10.9.0.0/16"}]}, False),
    ],
)
def test_rules_of_security_groups(rule: Json, admitted: bool) -> None:  # noqa: FBT001  (a column)
    """A rule admits by protocol, port and source: the node's groups, or an address of pod or node."""
    assert admits(rule, 5432, {"sg-n"}, {"10.0.1.9", "10.0.0.5"}) is admitted


@pytest.fixture(scope="module")
def lab(account: Account, tmp_path_factory: pytest.TempPathFactory, run_cluster: Any) -> Iterator[Any]:
    """A cluster whose node is the account's instance, with a pod to try connections from."""
    options = ["--endpoint", account.clients.endpoint, "--account", account.clients.account]
    options += ["--region", REGION, "--aws-state", str(account.folder)]
    with run_cluster(tmp_path_factory.mktemp("lab"), *options) as running:
        running.node("n1", "10.7.0.5")
        running.merge("/api/v1/nodes/n1", {"spec": {"providerID": f"aws:///{REGION}a/{account.instance}"}})
        path = running.pod("try", {"containers": [{"name": "c", "image": "busybox:1.36", "command": ["sleep", "600"]}]})
        running.when(path, lambda pod: pod["status"]["phase"] == "Running")
        yield running


def _let_in(account: Account, lab: Any) -> None:
    account.allow()
    assert until(lambda: lab.exec("try", "nc", "-z", account.database, "5432")[0] == 0, 10)


def test_a_connection_follows_the_security_group(account: Account, lab: Any) -> None:
    """Without a rule it times out, with one it stands, on a wrong port it is refused, unknown names are not found."""
    account.allow(revoke=True)
    assert until(lambda: "timed out" in lab.exec("try", "nc", "-z", account.database, "5432")[2], 10)
    _let_in(account, lab)
    assert lab.exec("try", "nc", "-z", account.cache, "6379")[0] == 0
    assert "Connection refused" in lab.exec("try", "nc", "-z", account.database, "5433")[2]
    assert "bad address" in lab.exec("try", "nc", "-z", "no.rds.amazonaws.com", "5432")[2]


def test_a_stopped_database_refuses(account: Account, lab: Any) -> None:
    """A stopped instance is refused, and a started one answers again."""
    _let_in(account, lab)
    account.clients("rds").stop_db_instance(DBInstanceIdentifier="pg")
    try:
        refused = "Connection refused"
        assert until(lambda: refused in lab.exec("try", "nc", "-z", account.database, "5432")[2], 10)
    finally:
        account.clients("rds").start_db_instance(DBInstanceIdentifier="pg")
    assert until(lambda: lab.exec("try", "nc", "-z", account.database, "5432")[0] == 0, 10)


def test_policies_count_where_the_add_on_enforces_them(account: Account, lab: Any) -> None:
    """On EKS a NetworkPolicy is only stored until vpc-cni is told to enforce it; then it closes the way."""
    _let_in(account, lab)
    policies = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "out"}}
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": []}
    eks = account.clients("eks")
    group = account.clients("rds").describe_db_subnet_groups()["DBSubnetGroups"][0]
    subnets = [each["SubnetIdentifier"] for each in group["Subnets"]]
    role = f"arn:aws:iam::{account.clients.account}:role/cluster"
    eks.create_cluster(name="lab", roleArn=role, resourcesVpcConfig={"subnetIds": subnets})
    eks.create_addon(clusterName="lab", addonName="vpc-cni", configurationValues="{}")

    def reached() -> bool:
        return bool(lab.exec("try", "nc", "-z", account.database, "5432")[0] == 0)

    try:
        lab.create(policies, {**kind, "spec": spec})
        assert not until(lambda: not reached(), 4)
        told = json.dumps({"enableNetworkPolicy": "true"})
        eks.update_addon(clusterName="lab", addonName="vpc-cni", configurationValues=told)
        assert until(lambda: "timed out" in lab.exec("try", "nc", "-z", account.database, "5432")[2], 10)
        vpc = {"to": [{"ipBlock": {"cidr": "10.7.0.0/16"}}], "ports": [{"port": 5432}]}
        lab.merge(f"{policies}/out", {"spec": {"egress": [vpc]}})
        assert until(reached, 10)
        assert "timed out" in lab.exec("try", "nc", "-z", account.cache, "6379")[2]
    finally:
        lab.call("DELETE", f"{policies}/out")
        eks.delete_addon(clusterName="lab", addonName="vpc-cni")


def platform(account: Account, password: str) -> Json:
    """A pod of the platform backend."""
    env = {
        "LANGSMITH_LICENSE_KEY": "k",
        "API_KEY_SALT": "s",
        "POSTGRES_DATABASE_URI": f"ann:{password}@{account.database}:5432/app",
        "REDIS_DATABASE_URI": f"rediss://:{TOKEN}@{account.cache}:6379",
        "CLICKHOUSE_HOST": "ls-clickhouse",
        "CLICKHOUSE_PORT": "8123",
    }
    probe = {"httpGet": {"path": "/ok", "port": 1986}, "periodSeconds": 10, "failureThreshold": 1}
    container = {
        "name": "langsmith-platform-backend",
        "image": "langchain/langsmith-backend:0.16.45",
        "command": ["smith_go_entrypoint.sh"],
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "readinessProbe": probe,
    }
    return {"containers": [container]}


def ready(pod: Json) -> bool:
    """Whether the pod's container is ready."""
    return bool(pod["status"].get("containerStatuses", [{}])[0].get("ready"))


def test_a_workload_lives_by_its_stores(account: Account, lab: Any) -> None:
    """With the right password it is ready; revoking the rule does not cut what stands; stopping the database does."""
    _let_in(account, lab)
    path = lab.pod("platform", platform(account, PASSWORD))
    lab.when(path, ready)
    log = lab.logged("platform", "clickhouse error: ")
    assert "postgres: connected" in log
    assert "Failed to resolve 'ls-clickhouse'" in log

    account.allow(revoke=True)
    try:
        assert until(lambda: lab.exec("try", "nc", "-z", account.database, "5432")[0] == 1, 10)
        newer = lab.pod("newer", platform(account, PASSWORD))
        assert "Connection timed out" in lab.logged("newer", "startup error: postgres")
        assert ready(lab.get(path))
        lab.call("DELETE", newer)
    finally:
        account.allow()

    account.clients("rds").stop_db_instance(DBInstanceIdentifier="pg")
    try:
        lab.when(path, lambda pod: not ready(pod))
        assert "Connection refused" in lab.logged("platform", "ERROR postgres error")
    finally:
        account.clients("rds").start_db_instance(DBInstanceIdentifier="pg")
    lab.when(path, ready)


def test_a_wrong_password(account: Account, lab: Any) -> None:
    """A wrong password ends the workload with PostgreSQL's words, and no password in the log."""
    _let_in(account, lab)
    lab.pod("mistaken", platform(account, "not-the-password"))
    log = lab.logged("mistaken", 'FATAL:  password authentication failed for user "ann"')

    assert "startup error: postgres" in log
    assert "not-the-password" not in log
