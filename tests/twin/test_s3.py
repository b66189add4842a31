"""S3: the TLS-only policy lets callers in, and public policies stay out."""

import json
from typing import Any

import pytest

from hallmark.twin.clients import Clients

BLOCK = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}


@pytest.fixture
def bucket(aws: Clients, account: str) -> str:
    """A bucket of the test's own."""
    name = f"traces-{account}"
    aws("s3").create_bucket(Bucket=name)
    return name


def _policy(bucket: str, **statement: Any) -> str:
    arn = f"arn:aws:s3:::{bucket}"
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Resource": [arn, f"{arn}/*"], **statement}]})


def test_a_tls_only_policy_does_not_shut_everybody_out(aws: Clients, bucket: str) -> None:
    """The emulator speaks plain HTTP and takes every call for one over TLS."""
    only_tls = {"Bool": {"aws:SecureTransport": "false"}}
    policy = _policy(bucket, Effect="Deny", Principal="*", Action="s3:*", Condition=only_tls)
    aws("s3").put_bucket_policy(Bucket=bucket, Policy=policy)

    aws("s3").put_object(Bucket=bucket, Key="a/b c+d.txt", Body=b"x")

    assert aws("s3").get_object(Bucket=bucket, Key="a/b c+d.txt")["Body"].read() == b"x"


def test_another_denial_still_denies(aws: Clients, bucket: str, refused: Any) -> None:
    """Only the condition on TLS is left out of account."""
    policy = _policy(bucket, Effect="Deny", Principal="*", Action="s3:PutObject")
    aws("s3").put_bucket_policy(Bucket=bucket, Policy=policy)

    with refused("403", "Forbidden"):
        aws("s3").put_object(Bucket=bucket, Key="a", Body=b"x")


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["*"]}])
def test_a_public_policy_is_refused_while_it_is_blocked(
    aws: Clients, bucket: str, refused: Any, principal: Any
) -> None:
    """It is taken while nothing blocks it."""
    s3, policy = aws("s3"), _policy(bucket, Effect="Allow", Principal=principal, Action="s3:GetObject")
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    s3.delete_bucket_policy(Bucket=bucket)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=BLOCK)

    with refused("AccessDenied", "BlockPublicPolicy"):
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)


@pytest.mark.parametrize(
    "grant",
    [
        {"Principal": {"AWS": "arn:aws:iam::111122223333:role/app"}},
        {"Principal": "*", "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}},
        {"Principal": {"Service": "logging.s3.amazonaws.com"}},
    ],
)
def test_a_policy_for_somebody_is_not_public(aws: Clients, bucket: str, grant: Any) -> None:
    """A role, an endpoint, a service."""
    s3 = aws("s3")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=BLOCK)

    s3.put_bucket_policy(Bucket=bucket, Policy=_policy(bucket, Effect="Allow", Action="s3:GetObject", **grant))

    assert "s3:GetObject" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
