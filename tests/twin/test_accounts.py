"""Accounts: a key of 12 digits is the account, and accounts do not see each other."""

from typing import Any

from hallmark.twin.clients import Clients


def test_the_key_is_the_account(aws: Clients, account: str) -> None:
    """STS says the account that the access key names."""
    assert aws("sts").get_caller_identity()["Account"] == account


def test_accounts_are_apart(aws: Clients, emulator: Any) -> None:
    """What one account makes, another does not see."""
    other = Clients(emulator.endpoint, "999999999999", "us-east-1")

    aws("iam").create_user(UserName="mine")

    assert [user["UserName"] for user in aws("iam").list_users()["Users"]] == ["mine"]
    assert other("iam").list_users()["Users"] == []


def test_a_key_of_a_user_belongs_to_the_users_account(aws: Clients, account: str, emulator: Any) -> None:
    """An ordinary key of 20 characters leads to the account that made it."""
    aws("iam").create_user(UserName="somebody")
    key = aws("iam").create_access_key(UserName="somebody")["AccessKey"]["AccessKeyId"]

    assert Clients(emulator.endpoint, key, "us-east-1")("sts").get_caller_identity()["Account"] == account


def test_managed_policies_exist(aws: Clients) -> None:
    """AWS's own policies can be attached in a new account."""
    policy = aws("iam").get_policy(PolicyArn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")["Policy"]

    assert policy["PolicyName"] == "AmazonEKSClusterPolicy"


ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


def test_managed_policies_are_of_each_account(aws: Clients, account: str, emulator: Any) -> None:
    """The same ids everywhere, as on AWS; what is attached in one account is nothing to another, nor to its copy."""
    other = Clients(emulator.endpoint, f"8{account[1:]}", "us-east-1")
    (mine, theirs) = (each("iam").get_policy(PolicyArn=ADMIN)["Policy"] for each in (aws, other))
    assert mine == theirs

    aws("iam").create_role(RoleName="boss", AssumeRolePolicyDocument="{}")
    emulator.control.clone(account, f"7{account[1:]}")
    aws("iam").attach_role_policy(RoleName="boss", PolicyArn=ADMIN)

    counted = [
        Clients(emulator.endpoint, each, "us-east-1")("iam").get_policy(PolicyArn=ADMIN)["Policy"]["AttachmentCount"]
        for each in (account, f"8{account[1:]}", f"7{account[1:]}")
    ]
    assert counted == [1, 0, 0]


def test_a_save_holds_what_was_done_with_managed_policies_and_no_more(
    aws: Clients, account: str, emulator: Any
) -> None:
    """All of them together are two hundred times as long as what is said of them here."""
    aws("iam").create_role(RoleName="boss", AssumeRolePolicyDocument="{}")
    aws("iam").attach_role_policy(RoleName="boss", PolicyArn=ADMIN)
    before = aws("iam").get_policy(PolicyArn=ADMIN)["Policy"]
    saved = emulator.control.snapshot(account)
    aws("iam").detach_role_policy(RoleName="boss", PolicyArn=ADMIN)

    emulator.control.restore(account, saved)

    assert len(saved) < 100_000
    assert aws("iam").get_policy(PolicyArn=ADMIN)["Policy"] == before
    (attached,) = aws("iam").list_attached_role_policies(RoleName="boss")["AttachedPolicies"]
    assert attached["PolicyArn"] == ADMIN
    assert len(aws("iam").get_paginator("list_policies").paginate(Scope="AWS").build_full_result()["Policies"]) > 1000
