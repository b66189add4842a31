"""AWS's decision about a request within one account: an explicit deny wins, what nothing allows is denied.

Source: IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hallmark.errors import AuthorError, Unobservable
from hallmark.policy.document import Effect, Policy, Statement
from hallmark.policy.matching import Truth, every
from hallmark.policy.principals import Standing, standing
from hallmark.policy.request import Request, Unknown
from hallmark.policy.scope import applies, settle

# What a role's trust policy has to allow; every use of a key needs its key policy.
_TRUST_ACTIONS = ("sts:assumerole", "sts:tagsession", "sts:setsourceidentity")


class Outcome(StrEnum):
    """What AWS answers to a request."""

    ALLOW = "allow"
    EXPLICIT_DENY = "explicit deny"
    IMPLICIT_DENY = "implicit deny"


@dataclass(frozen=True)
class Decision:
    """The answer and what decided it.

    Attributes:
        outcome: Allow, explicit deny or implicit deny.
        reason: For a person, for example ``identity policy s3-access, statement 0 (Objects)``.
        statement: The statement that decided; None when it is the lack of one.
    """

    outcome: Outcome
    reason: str
    statement: Statement | None = None

    @property
    def allowed(self) -> bool:
        """The request goes through."""
        return self.outcome is Outcome.ALLOW


def decide(
    request: Request,
    *,
    identity: Sequence[Policy] = (),
    boundary: Policy | None = None,
    resource_policies: Sequence[Policy] = (),
    session: Policy | None = None,
    scp: Sequence[Sequence[Policy]] = (),
) -> Decision:
    """Evaluate a request as AWS does when caller and resource are in one account.

    Args:
        request: The question; its ``unknown`` says who gets the benefit of a doubt.
        identity: Policies of the user (and its groups) or role.
        boundary: Permissions boundary.
        resource_policies: Policies of the resource: bucket, key, queue, or trust policy of a role.
        session: Session policy.
        scp: Service control policies, one list a level of the organization; each level must allow.

    Raises:
        Unobservable: ``malformed`` when a statement names a principal where AWS takes none, or the reverse.
        AuthorError: identity and resource policies are given, but nobody who calls.
    """
    case = _Case(request, identity, boundary, resource_policies, session, scp)
    _check_principals(case)
    if stop := _explicit_deny(case) or _organization_stop(case):
        return stop
    if granted := _by_resource(case, lambda how: how.direct):
        return granted
    grant = _grant(case)
    return (_limit_stop(case) or grant) if grant.allowed else grant


@dataclass(frozen=True)
class _Case:
    """A request with everything that has a say in it."""

    request: Request
    identity: Sequence[Policy]
    boundary: Policy | None
    resource_policies: Sequence[Policy]
    session: Policy | None
    scp: Sequence[Sequence[Policy]]

    @property
    def limits(self) -> list[tuple[str, Sequence[Policy]]]:
        """What limits a grant without giving one."""
        pairs = [("permissions boundary", self.boundary), ("session policy", self.session)]
        return [(kind, [policy]) for kind, policy in pairs if policy is not None]

    @property
    def of_caller(self) -> list[tuple[str, Sequence[Policy]]]:
        """The policies that hang on the caller and therefore name no principal."""
        return [
            ("identity policy", self.identity),
            *self.limits,
            *(("service control policy", level) for level in self.scp),
        ]


def _check_principals(case: _Case) -> None:
    if case.request.principal is None and case.identity and case.resource_policies:
        raise AuthorError("a request with identity and resource policies needs a principal")
    for kind, policies in case.of_caller:
        if any(statement.principals for policy in policies for statement in policy.statements):
            raise Unobservable("malformed", f"{kind}: a statement names a principal")
    if not all(statement.principals for policy in case.resource_policies for statement in policy.statements):
        raise Unobservable("malformed", "resource policy: a statement names no principal")


def _explicit_deny(case: _Case) -> Decision | None:
    for kind, policies in case.of_caller:
        if denied := _find(Effect.DENY, kind, policies, case.request):
            return denied
    return _by_resource(case, lambda how: how.any, Effect.DENY)


def _organization_stop(case: _Case) -> Decision | None:
    for level in case.scp:
        if not _find(Effect.ALLOW, "service control policy", level, case.request):
            return _nothing("no service control policy of one level allows it")
    return None


def _grant(case: _Case) -> Decision:
    """What role or identity policies grant before boundary and session policy limit it."""
    by_role = _by_resource(case, lambda how: how.role)
    by_identity = _find(Effect.ALLOW, "identity policy", case.identity, case.request)
    if not _is_gated(case):
        return by_role or by_identity or _nothing("no statement allows it")
    delegated = by_identity if _by_resource(case, lambda how: how.account) else None
    return by_role or delegated or _nothing("the policy of the key or role does not allow it")


def _is_gated(case: _Case) -> bool:
    """Keys and roles cannot be used past their own policy.

    Who asks "could it be?" without having that policy is answered as if it let identity policies decide.
    """
    if case.request.unknown is Unknown.GRANTS and not case.resource_policies:
        return False
    action = case.request.action.lower()
    return action.startswith(_TRUST_ACTIONS) or (action.startswith("kms:") and ":key/" in case.request.resource)


def _limit_stop(case: _Case) -> Decision | None:
    for kind, policies in case.limits:
        if not _find(Effect.ALLOW, kind, policies, case.request):
            return _nothing(f"the {kind} does not allow it")
    return None


def _by_resource(case: _Case, meant: Callable[[Standing], Truth], effect: Effect = Effect.ALLOW) -> Decision | None:
    bounded = case.boundary is not None
    return _find(
        effect,
        "resource policy",
        case.resource_policies,
        case.request,
        lambda statement: meant(standing(statement, case.request, bounded=bounded)),
    )


def _find(
    effect: Effect,
    kind: str,
    policies: Sequence[Policy],
    request: Request,
    means_caller: Callable[[Statement], Truth] = lambda _: True,
) -> Decision | None:
    """Give the decision of the first statement of an effect that applies."""
    for number, policy in enumerate(policies, 1):
        for statement in policy.statements:
            if statement.effect is not effect:
                continue
            truth = every([applies(statement, request), means_caller(statement)])
            if settle(truth, effect, request.unknown):
                outcome = Outcome.ALLOW if effect is Effect.ALLOW else Outcome.EXPLICIT_DENY
                return Decision(outcome, f"{kind} {policy.name or number}, {statement}", statement)
    return None


def _nothing(reason: str) -> Decision:
    return Decision(Outcome.IMPLICIT_DENY, reason)
