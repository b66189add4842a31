"""One question to a set of policies: who wants to do what, to which resource, in which context."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hallmark.errors import AuthorError

_IDENTITY = re.compile(r"arn:[^:]*:iam::(?P<account>\d{12}):(?P<type>user|role)/(?:.*/)?(?P<name>[^/]+)")
_PROVIDER = re.compile(r"arn:[^:]*:iam::\d{12}:(oidc|saml)-provider/")


class Unknown(StrEnum):
    """What a context key that the request does not mention means, and who gets the benefit of a doubt.

    ``ABSENT``: the key is not in the request. What AWS leaves undocumented counts against a grant.
    ``GRANTS``: it may have any value and a doubt counts for a grant: "could this ever be allowed?"
    ``WITHHOLDS``: it may have any value and a doubt counts against a grant: "is this surely allowed?"
    """

    ABSENT = "absent"
    GRANTS = "grants"
    WITHHOLDS = "withholds"


@dataclass(frozen=True)
class Request:
    """What is asked. A `*` or `?` in action or resource stands for text the asker does not know.

    With ``GRANTS`` such a question means "for some of them", otherwise "for all of them".

    Attributes:
        action: For example ``s3:GetObject``; in any case.
        resource: ARN, for example ``arn:aws:s3:::bucket/*`` for the objects of a bucket.
        principal: ARN of the IAM user or role, a service such as ``pods.eks.amazonaws.com``, the ARN of
            an identity provider, or None for an anonymous caller.
        context: Values per condition key; keys in any case. An empty list: surely absent.
        unknown: What a key that is not in ``context`` means.
        session_name: Name of the role session when it is known.

    Raises:
        AuthorError: ``principal`` is an ARN of something else, such as a session or an account.
    """

    action: str
    resource: str = "*"
    principal: str | None = None
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    unknown: Unknown = Unknown.ABSENT
    session_name: str = ""

    def __post_init__(self) -> None:
        if self.caller == "AWS" and not self.account:
            raise AuthorError(f"{self.principal} is not the ARN of an IAM user or role")

    def values(self, key: str) -> tuple[str, ...] | None:
        """Give the values of a condition key: empty when absent, None when unknown."""
        for name, value in {**_derived(self.principal), **self.context}.items():
            if name.lower() == key.lower():
                return (value,) if isinstance(value, str) else tuple(value)
        return () if self.unknown is Unknown.ABSENT else None

    @property
    def caller(self) -> str:
        """Type of principal as policies name it: ``AWS``, ``Service``, ``Federated``; or ``anonymous``."""
        if self.principal is None:
            return "anonymous"
        if _PROVIDER.match(self.principal):
            return "Federated"
        return "Service" if self.principal.endswith((".amazonaws.com", ".amazonaws.com.cn")) else "AWS"

    @property
    def account(self) -> str:
        """The caller's account id, or empty when the caller is no IAM user or role."""
        identity = _identity(self.principal)
        return identity["account"] if identity else ""

    @property
    def role_name(self) -> str:
        """The caller's role name without its path, or empty when the caller is no role."""
        identity = _identity(self.principal)
        return identity["name"] if identity and identity["type"] == "role" else ""


def _identity(principal: str | None) -> re.Match[str] | None:
    return _IDENTITY.fullmatch(principal or "")


def _derived(principal: str | None) -> dict[str, str | Sequence[str]]:
    """Condition keys that follow from the principal (IAM User Guide, "AWS global condition context keys")."""
    identity = _identity(principal)
    if identity is None:
        return {}
    is_user = identity["type"] == "user"
    return {
        "aws:PrincipalArn": identity[0],
        "aws:PrincipalAccount": identity["account"],
        "aws:PrincipalType": "User" if is_user else "AssumedRole",
        "aws:username": identity["name"] if is_user else (),
    }
