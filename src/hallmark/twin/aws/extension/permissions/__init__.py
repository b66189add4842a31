"""What a session of a role may do: its policies are enforced. moto lets everybody do everything.

An access key of 12 digits, which is an account, stays unrestricted: that is the learner, who administers the account.
:mod:`hallmark.policy` decides. Where a request names its resource simply, exactly that resource is asked for;
elsewhere a grant for some resource is enough, so what is refused here would be refused by AWS too.
"""

from typing import Any

from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.responses import ActionResult, BaseResponse
from moto.s3.exceptions import S3ClientError

from hallmark.twin.aws.extension.patching import Function, around
from hallmark.twin.aws.extension.permissions import refusals, targets
from hallmark.twin.aws.extension.permissions.callers import caller_of
from hallmark.twin.aws.extension.permissions.refusals import Refused

SERVICES = frozenset(
    {
        *("acm", "autoscaling", "ec2", "eks", "elasticloadbalancing", "iam", "kms", "logs"),
        *("route53", "secretsmanager", "ssm", "sts", "wafv2"),
    }
)
"""Services whose operations have the names of their permissions. S3 is asked in another way."""
FREE = frozenset({"sts:GetCallerIdentity", "sts:AssumeRoleWithWebIdentity"})


def install() -> None:
    """Ask before each call."""
    around(BaseResponse, "call_action")(_call_action)
    around(ActionAuthenticatorMixin, "_authenticate_and_authorize_s3_action")(_s3_action)


def _call_action(original: Function, request: Any) -> Any:
    try:
        _check(request)
    except Refused as refused:
        _, headers, body = request.serialized(ActionResult(refused))
        # The status that the caller's SDK sees is the header's, as everywhere in moto.
        return refused.status, headers | {"status": str(refused.status)}, body
    return original(request)


def _check(request: Any) -> None:
    caller = caller_of(request)
    service = targets.service_of(request)
    if caller is None or service not in SERVICES:
        return
    action = f"{service}:{request._get_action()}"  # noqa: SLF001  (moto's own dispatch calls it)
    if action not in FREE:
        refusals.refuse_stale(caller, service)
        for asked in targets.of(request, service, action):
            refusals.check(caller, asked, service)


def _s3_action(original: Function, request: Any, bucket_name: str | None = None, key_name: str | None = None) -> None:
    original(request, bucket_name, key_name)
    caller = caller_of(request)
    if caller is None:
        return
    try:
        refusals.refuse_stale(caller, "s3")
        for asked in targets.of_s3(request, bucket_name, key_name):
            refusals.check(caller, asked, "s3")
    except Refused as refused:
        raise S3ClientError(refused.code, refused.message) from refused
