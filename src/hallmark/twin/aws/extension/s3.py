"""S3: policies over an emulator without TLS, and public policies that S3 keeps out."""

import json
from typing import Any

from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.s3.exceptions import S3ClientError
from moto.s3.models import S3Backend

from hallmark.twin.aws.extension.patching import Function, around

FIXED = (
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceowner",
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:principalorgid",
    "aws:principalarn",
    "aws:principalaccount",
    "aws:userid",
    "s3:dataaccesspointarn",
    "s3:dataaccesspointaccount",
)
"""Condition keys that make a grant to everybody not public (S3 user guide, "The meaning of 'public'")."""


def install() -> None:
    """Take every call for one over TLS; keep public policies out where they are blocked."""
    around(IAMPolicyStatement, "is_action_permitted")(_is_action_permitted)
    around(S3Backend, "put_bucket_policy")(_put_bucket_policy)


def _is_action_permitted(original: Function, statement: Any, *args: Any, **kwargs: Any) -> Any:
    # moto ignores conditions, so a bucket that refuses plain HTTP would refuse everybody.
    content = statement._statement  # noqa: SLF001  (moto has no accessor)
    secure = (content.get("Condition") or {}).get("Bool", {}).get("aws:SecureTransport")
    if content.get("Effect") == "Deny" and str(secure).lower() == "false":
        return PermissionResult.NEUTRAL
    return original(statement, *args, **kwargs)


def _put_bucket_policy(original: Function, backend: S3Backend, name: str, policy: Any) -> Any:
    block = backend.get_bucket(name).public_access_block
    if block and block.block_public_policy and is_public(json.loads(policy)):
        raise S3ClientError(
            "AccessDenied",
            f"User: arn:aws:iam::{backend.account_id}:root is not authorized to perform: s3:PutBucketPolicy on "
            f'resource: "arn:aws:s3:::{name}" because public policies are prevented by the BlockPublicPolicy '
            "setting in S3 Block Public Access.",
        )
    return original(backend, name, policy)


def is_public(policy: dict[str, Any]) -> bool:
    """Whether a bucket policy grants something to everybody, in the sense of S3's own public check."""
    statements = policy.get("Statement", [])
    return any(map(_grants_everybody, statements if isinstance(statements, list) else [statements]))


def _grants_everybody(statement: dict[str, Any]) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    principal = statement.get("Principal")
    named = principal.get("AWS") if isinstance(principal, dict) else principal
    everybody = "*" in (named if isinstance(named, list) else [named])
    conditions = statement.get("Condition") or {}
    keys = {key.lower() for tests in conditions.values() for key in tests}
    return everybody and keys.isdisjoint(FIXED)
