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
