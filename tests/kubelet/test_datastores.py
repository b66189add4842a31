"""RDS and ElastiCache from a pod: reachable, let in, or not, as the emulated AWS says."""

import json
from typing import Any

import pytest

from hallmark.twin.control import Control
from hallmark.twin.kubelet.datastores import admits
from hallmark.waiting import until

Json = dict[str, Any]


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
def test_logins_to_postgres(account: Any, change: Json, expected: Json) -> None:
    """The emulated RDS says whom it lets in, in PostgreSQL's words and without the password."""
    asked = {"host": account.database, "user": "ann", "password": account.password, "database": "app", "tls": True}
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
def test_logins_to_redis(account: Any, change: Json, expected: Json) -> None:
    """The emulated ElastiCache says whom it lets in, in Redis' words."""
    asked = {"host": account.cache, "user": "", "password": account.token, "tls": True}

    assert account.control.login(account.clients.account, {**asked, **change}) == expected


def test_rotated_tokens(account: Any) -> None:
    """ROTATE lets the old token in beside the new one; SET ends that."""
    elasticache = account.clients("elasticache")

    def lets_in(token: str) -> bool:
        asked = {"host": account.cache, "user": "", "password": token, "tls": True}
        return bool(account.control.login(account.clients.account, asked)["outcome"] == "accepted")

    new = "another-token-of-letters"
    change = {"ReplicationGroupId": "cache", "AuthToken": new, "ApplyImmediately": True}
    elasticache.modify_replication_group(**change, AuthTokenUpdateStrategy="ROTATE")
    assert (lets_in(account.token), lets_in(new)) == (True, True)
    elasticache.modify_replication_group(**change, AuthTokenUpdateStrategy="SET")
    assert (lets_in(account.token), lets_in(new)) == (False, True)
    elasticache.modify_replication_group(**change | {"AuthToken": account.token}, AuthTokenUpdateStrategy="SET")


def test_logins_need_the_control_token(account: Any) -> None:
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


def _let_in(account: Any, lab: Any) -> None:
    account.allow()
    assert until(lambda: lab.exec("try", "nc", "-z", account.database, "5432")[0] == 0, 10)


def test_a_connection_follows_the_security_group(account: Any, lab: Any) -> None:
    """Without a rule it times out, with one it stands, on a wrong port it is refused, unknown names are not found."""
    account.allow(revoke=True)
    assert until(lambda: "timed out" in lab.exec("try", "nc", "-z", account.database, "5432")[2], 10)
    _let_in(account, lab)
    assert lab.exec("try", "nc", "-z", account.cache, "6379")[0] == 0
    assert "Connection refused" in lab.exec("try", "nc", "-z", account.database, "5433")[2]
    assert "bad address" in lab.exec("try", "nc", "-z", "no.rds.amazonaws.com", "5432")[2]


def test_a_stopped_database_refuses(account: Any, lab: Any) -> None:
    """A stopped instance is refused, and a started one answers again."""
    _let_in(account, lab)
    account.clients("rds").stop_db_instance(DBInstanceIdentifier="pg")
    try:
        refused = "Connection refused"
        assert until(lambda: refused in lab.exec("try", "nc", "-z", account.database, "5432")[2], 10)
    finally:
        account.clients("rds").start_db_instance(DBInstanceIdentifier="pg")
    assert until(lambda: lab.exec("try", "nc", "-z", account.database, "5432")[0] == 0, 10)


def test_policies_count_where_the_add_on_enforces_them(account: Any, lab: Any) -> None:
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


def ready(pod: Json) -> bool:
    """Whether the pod's container is ready."""
    return bool(pod["status"].get("containerStatuses", [{}])[0].get("ready"))


def test_a_workload_lives_by_its_stores(account: Any, lab: Any, platform: Any) -> None:
    """With the right password it is ready; revoking the rule does not cut what stands; stopping the database does."""
    _let_in(account, lab)
    path = lab.pod("platform", platform(account, account.password))
    lab.when(path, ready)
    log = lab.logged("platform", "clickhouse error: ")
    assert "postgres: connected" in log
    assert "Failed to resolve 'ls-clickhouse'" in log

    account.allow(revoke=True)
    try:
        assert until(lambda: lab.exec("try", "nc", "-z", account.database, "5432")[0] == 1, 10)
        newer = lab.pod("newer", platform(account, account.password))
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


def test_a_wrong_password(account: Any, lab: Any, platform: Any) -> None:
    """A wrong password ends the workload with PostgreSQL's words, and no password in the log."""
    _let_in(account, lab)
    lab.pod("mistaken", platform(account, "not-the-password"))
    log = lab.logged("mistaken", 'FATAL:  password authentication failed for user "ann"')

    assert "startup error: postgres" in log
    assert "not-the-password" not in log
