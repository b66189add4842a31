"""Whom a resource policy means, and how directly it means the caller.

How directly decides what a grant is worth inside one account. Sources: IAM User Guide, "AWS JSON policy
elements: Principal", "… NotPrincipal" and "How AWS enforcement code logic evaluates requests".
"""

import re
from dataclasses import dataclass

from hallmark.policy.document import Effect, Statement
from hallmark.policy.matching import Truth, negate, some
from hallmark.policy.request import Request

_ACCOUNT = re.compile(r"(?:arn:[^:]*:iam::)?(\d{12})(?::root)?")


@dataclass(frozen=True)
class Standing:
    """How a statement's principals mean the caller.

    Attributes:
        direct: The user, session, service or provider itself: no boundary or session policy limits it.
        role: The role's ARN or everybody: a boundary and a session policy do limit it.
        account: The account: the statement only lets identity policies decide.
    """

    direct: Truth = False
    role: Truth = False
    account: Truth = False

    @property
    def any(self) -> Truth:
        """The caller is meant in one of the three ways: enough for a Deny."""
        return some([self.direct, self.role, self.account])


def standing(statement: Statement, request: Request, *, bounded: bool) -> Standing:
    """Find how a statement of a resource policy means the caller.

    Args:
        statement: The statement.
        request: Who asks.
        bounded: Whether the caller has a permissions boundary.
    """
    named = [_named(kind, value, statement, request) for kind, value in statement.principals]
    found = Standing(
        some(each.direct for each in named),
        some(each.role for each in named),
        some(each.account for each in named),
    )
    if not statement.not_principal:
        return found
    # AWS: NotPrincipal with Deny always denies a caller who has a permissions boundary.
    always = bounded and statement.effect is Effect.DENY
    return _all_but(found, request, always=always)


def _named(kind: str, value: str, statement: Statement, request: Request) -> Standing:
    if value == "*":
        return _everybody(kind, statement, request)
    if kind == "CanonicalUser" and request.caller == "AWS":
        return Standing(direct=None)  # an S3 id of an account; which one cannot be told from here
    if kind != request.caller:
        return Standing()
    account = _ACCOUNT.fullmatch(value)
    if account:
        return Standing(account=account[1] == request.account)
    if not request.role_name:
        return Standing(direct=value == request.principal)
    return Standing(direct=_is_session(value, request), role=value == request.principal)


def _is_session(value: str, request: Request) -> Truth:
    found = re.fullmatch(r"arn:[^:]*:sts::(\d{12}):assumed-role/([^/]+)/(.+)", value)
    if not found or found.group(1, 2) != (request.account, request.role_name):
        return False
    return found[3] == request.session_name if request.session_name else None


def _everybody(kind: str, statement: Statement, request: Request) -> Standing:
    if kind == "AWS" and request.caller == "AWS":
        # AWS documents that no boundary limits `*` with a condition on the caller's ARN. Alone: unclear.
        by_arn = any(condition.key.lower() == "aws:principalarn" for condition in statement.conditions)
        return Standing(direct=by_arn or None, role=True)
    if kind == request.caller or (kind == "AWS" and request.caller == "anonymous"):
        return Standing(direct=True)
    # Whether "everybody" includes services and identity providers is not documented.
    return Standing(direct=None) if kind == "AWS" else Standing()


def _all_but(listed: Standing, request: Request, *, always: bool) -> Standing:
    if request.caller != "AWS":
        return Standing(direct=negate(listed.direct))
    means_everybody_else = always or negate(_spared(listed))
    return Standing(direct=None if means_everybody_else is not False else False, role=means_everybody_else)


def _spared(listed: Standing) -> Truth:
    """AWS asks to list the account beside the user or role; with one of the two it "might" deny."""
    named = some([listed.direct, listed.role])
    if named is False and listed.account is False:
        return False
    return True if named is True and listed.account is True else None
