"""Who makes a call: a session of a role with the role's policies, or nobody who is restricted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from hallmark.errors import Unobservable
from hallmark.policy import Policy

SESSION_KEY = re.compile(r"Credential=(ASIA[A-Z2-7]{16})/")


@dataclass(frozen=True)
class Caller:
    """A session of a role, as far as it is known.

    Attributes:
        arn: Of the session, as messages name it.
        role: ARN of the role; empty if the key is of no session that is known.
        policies: The role's own policies and the managed ones it has.
        boundary: Its permissions boundary.
        ends: When the session is over.
    """

    arn: str = ""
    role: str = ""
    policies: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    ends: datetime | None = None


def caller_of(request: Any) -> Caller | None:
    """The session that makes a request; None for whoever is not restricted."""
    signed = SESSION_KEY.search(request.headers.get("Authorization", ""))
    if signed is None:
        return None
    account, partition = request.current_account, request.partition
    session = sts_backends[account][partition].get_assumed_role_from_access_key(signed[1])
    if session is None:
        return Caller()
    iam = iam_backends[account][partition]
    role = next((each for each in iam.roles.values() if each.arn == session.role_arn), None)
    return Caller(
        arn=session.arn,
        role=session.role_arn,
        policies=tuple(_policies(role)) if role else (),
        boundary=_boundary(iam, role) if role else None,
        ends=session.expiration,
    )


def _policies(role: Any) -> Iterator[Policy]:
    documents = {**role.policies, **{one.name: _document(one) for one in role.managed_policies.values()}}
    for name, document in documents.items():
        policy = _parsed(document, name)
        if policy:
            yield policy


def _boundary(iam: Any, role: Any) -> Policy | None:
    if not role.permissions_boundary_arn:
        return None
    managed = iam.managed_policies.get(role.permissions_boundary_arn)
    # A boundary that is not there allows nothing.
    return _parsed(_document(managed), managed.name) if managed else Policy((), "boundary")


def _document(managed: Any) -> str:
    return str(next(version.document for version in managed.versions if version.is_default_version))


@lru_cache(maxsize=512)
def _parsed(document: str, name: str) -> Policy | None:
    try:
        return Policy.parse(document, name)
    except Unobservable:
        return None  # AWS would not have taken it; here it grants nothing
