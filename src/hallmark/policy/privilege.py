"""Least privilege: what policies could ever allow. It overestimates; a deny counts when certain."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hallmark.policy.decision import decide
from hallmark.policy.document import Effect, Policy, Statement
from hallmark.policy.matching import matches, overlaps, widen
from hallmark.policy.request import Request, Unknown
from hallmark.policy.scope import action_matches

# How names of actions that only read begin. No list of AWS's thousands of actions is shipped: an action with
# another name counts as a write, `kms:Decrypt` on purpose.
_READS = (
    *("batchget", "describe", "filter", "get", "head", "list", "lookup"),
    *("query", "scan", "search", "simulate", "test", "validate", "view"),
)
# S3 actions that are about the account and reach into no bucket.
_S3_ACCOUNT_ACTIONS = ("s3:listallmybuckets", "s3:getaccountpublicaccessblock", "s3:listaccesspoints")


class Breadth(StrEnum):
    """In which way a statement grants more than a list of actions on named resources."""

    EVERY_ACTION = "every action of every service"
    EVERY_SERVICE_ACTION = "every action of a service"
    ALL_BUT_SOME_ACTIONS = "every action but those of NotAction"
    EVERY_RESOURCE = "write actions on every resource"


@dataclass(frozen=True)
class Finding:
    """A statement that grants broadly.

    Attributes:
        policy: The policy's name, may be empty.
        statement: The statement; its conditions may narrow it, which the caller has to judge.
        breadth: In which way.
        patterns: The action patterns that make it broad.
    """

    policy: str
    statement: Statement
    breadth: Breadth
    patterns: tuple[str, ...]

    def __str__(self) -> str:
        name = f"{self.policy}, " if self.policy else ""
        return f"{name}{self.statement}: {self.breadth} ({', '.join(self.patterns)})"


def allowed_actions(
    policies: Sequence[Policy],
    candidates: Iterable[str],
    resource: str = "*",
    boundary: Policy | None = None,
) -> tuple[str, ...]:
    """Give the candidates that identity policies could allow in some context.

    Args:
        policies: Identity policies of one role or user.
        candidates: Actions; ``iam:*`` asks for any action of IAM.
        resource: On which resource; ``*`` asks for any.
        boundary: Permissions boundary.
    """

    def could(action: str) -> bool:
        request = Request(action, resource, unknown=Unknown.GRANTS)
        return decide(request, identity=policies, boundary=boundary).allowed

    return tuple(action for action in candidates if could(action))


def has_wildcard_grant(policy: Policy) -> tuple[Finding, ...]:
    """Give the statements that grant broadly, one finding for each way; empty when there is none."""
    allowing = [statement for statement in policy.statements if statement.effect is Effect.ALLOW]
    return tuple(
        Finding(policy.name, statement, breadth, patterns)
        for statement in allowing
        for breadth, patterns in _breadths(statement).items()
        if patterns
    )


def buckets(policies: Iterable[Policy]) -> tuple[str, ...]:
    """Give what policies could reach in S3, as patterns: ``traces``, ``traces/ttl_s/*``.

    ``*`` means every bucket. Policy variables count as ``*``. Access points are not buckets and are left out.
    """
    statements = [statement for policy in policies for statement in policy.statements]
    reaching = [each for each in statements if each.effect is Effect.ALLOW and _reaches_buckets(each)]
    return tuple(sorted({bucket for statement in reaching for bucket in _bucket_patterns(statement)}))


def _breadths(statement: Statement) -> dict[Breadth, tuple[str, ...]]:
    if statement.not_action:
        return {Breadth.ALL_BUT_SOME_ACTIONS: statement.actions}
    every = tuple(each for each in statement.actions if _is_every_action(each))
    service = tuple(each for each in statement.actions if each not in every and _is_whole_service(each))
    writes = tuple(each for each in statement.actions if not _only_reads(each))
    return {
        Breadth.EVERY_ACTION: every,
        Breadth.EVERY_SERVICE_ACTION: service,
        Breadth.EVERY_RESOURCE: writes if _is_every_resource(statement) else (),
    }


def _is_every_action(pattern: str) -> bool:
    """`*`, `*:*` and what else takes actions of more than one service."""
    service = pattern.partition(":")[0]
    return "*" in service or "?" in service


def _is_whole_service(pattern: str) -> bool:
    """`s3:*`, and `s3:?*`, which is the same."""
    action = pattern.partition(":")[2]
    return "*" in action and not action.strip("*?")


def _only_reads(pattern: str) -> bool:
    return pattern.partition(":")[2].lower().startswith(_READS)


def _is_every_resource(statement: Statement) -> bool:
    return statement.not_resource or any(_is_open(each) for each in statement.resources)


def _is_open(resource: str) -> bool:
    """`*`, `arn:aws:s3:::*`: nothing named after the account."""
    parts = resource.split(":", 5)
    return "*" in parts[-1] and (len(parts) < 6 or not parts[-1].strip("*?"))  # noqa: PLR2004  (an ARN has six parts)


def _reaches_buckets(statement: Statement) -> bool:
    if statement.not_action:
        return action_matches(statement, "s3:*") is not False
    patterns = [pattern.lower() for pattern in statement.actions]
    return any(overlaps(pattern, "s3:*") and pattern not in _S3_ACCOUNT_ACTIONS for pattern in patterns)


def _bucket_patterns(statement: Statement) -> list[str]:
    if statement.not_resource:
        return ["*"]
    return [
        bucket
        for resource in statement.resources
        if (bucket := _bucket(widen(resource) if statement.variables else resource))
    ]


def _bucket(resource: str) -> str:
    """The part after `arn:aws:s3:::`; `*` for a pattern that is written otherwise but takes buckets in."""
    head, found, bucket = resource.partition(":s3:::")
    if found and head.startswith("arn:"):
        return bucket
    return "*" if matches(resource, "arn:aws:s3:::*") is not False else ""
