"""STS: a web identity is checked as AWS checks it, and a role that is not there cannot be assumed.

moto gives a session of any role to anybody. Source of the rules and words: STS API reference,
AssumeRoleWithWebIdentity; IAM user guide, "Troubleshoot OIDC federation".
"""

import re
from datetime import timedelta
from typing import Any

from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.sts.models import STSBackend
from moto.sts.responses import TokenResponse

from hallmark.policy import Unknown, trusts_web_identity
from hallmark.twin.aws.extension.patching import Function, Refusal, around, parameter
from hallmark.twin.aws.extension.web_identity import Token, TokenRefused
from hallmark.twin.aws.published import published

ROLE = re.compile(r"arn:[^:]+:iam::(?P<account>\d{12}):role/.+")
REMEMBERED = timedelta(hours=1)
"""How long a session that is over is still known, so that its use is told from the use of an invented key."""


def install() -> None:
    """Check who assumes a role; forget sessions that are over."""
    around(TokenResponse, "assume_role_with_web_identity")(_with_web_identity)
    around(TokenResponse, "assume_role")(_assume_role)
    around(STSBackend, "assume_role")(_begin)


def _with_web_identity(original: Function, request: Any) -> Any:
    arn = str(parameter(request, "RoleArn"))
    named = ROLE.fullmatch(arn)
    if named is None:
        raise Refusal("ValidationError", f"{arn} is invalid")
    account = named["account"]
    try:
        token = Token.read(parameter(request, "WebIdentityToken"))
        provider = _provider(account, request.partition, token)
        real = published(account)
        token.check(real.service_account_key if real else "")
    except TokenRefused as refused:
        raise Refusal(refused.code, refused.message) from refused
    role = _role(account, request.partition, arn)
    if role is None or not _trusts(role, provider, token):
        raise Refusal("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    return original(request)


def _provider(account: str, partition: str, token: Token) -> Any:
    wanted = token.issuer.removeprefix("https://")
    for provider in iam_backends[account][partition].open_id_providers.values():
        if provider.url == wanted:
            if not set(token.audience) & set(provider.client_id_list or []):
                raise TokenRefused("InvalidIdentityToken", "Incorrect token audience")
            return provider
    raise TokenRefused("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {token.issuer}")


def _trusts(role: Any, provider: Any, token: Token) -> bool:
    return any(
        trusts_web_identity(
            role.assume_role_policy_document, provider.arn, token.issuer, token.subject, each, unknown=Unknown.ABSENT
        ).allowed
        for each in token.audience
        if each in provider.client_id_list
    )


def _assume_role(original: Function, request: Any) -> Any:
    arn = str(parameter(request, "RoleArn"))
    if arn.startswith(f"arn:{request.partition}:iam::{request.current_account}:role/"):
        _refuse_missing(request, arn)
    return original(request)


def _refuse_missing(request: Any, arn: str) -> None:
    if _role(request.current_account, request.partition, arn) is None:
        caller = f"arn:{request.partition}:iam::{request.current_account}:root"
        message = f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        raise Refusal("AccessDenied", message)


def _begin(original: Function, backend: STSBackend, *args: Any, **kwargs: Any) -> Any:
    oldest = utcnow() - REMEMBERED
    for session in [each for each in backend.assumed_roles if each.expiration < oldest]:
        backend.assumed_roles.remove(session)
        iam_backends[session.account_id][session.partition].access_keys.pop(session.access_key_id, None)
    return original(backend, *args, **kwargs)


def _role(account: str, partition: str, arn: str) -> Any:
    return next((each for each in iam_backends[account][partition].roles.values() if each.arn == arn), None)
