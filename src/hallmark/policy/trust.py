"""Who may assume a role: IRSA and EKS Pod Identity, decided on the trust policy.

Sources: EKS User Guide, "Assign IAM roles to Kubernetes service accounts" and "Create IAM role with trust
policy required by EKS Pod Identity"; IAM User Guide, "Available keys for AWS OIDC federation".
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hallmark.policy.decision import Decision, Outcome, decide
from hallmark.policy.document import Effect, Policy, Statement
from hallmark.policy.request import Request, Unknown
from hallmark.policy.scope import action_matches

_WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
_POD_IDENTITY = "pods.eks.amazonaws.com"
_NARROWING = ("stringequals", "stringequalsignorecase", "stringlike")


def trusts_web_identity(
    trust_document: str | Mapping[str, Any],
    provider_arn: str,
    issuer: str,
    subject: str,
    audience: str,
    *,
    unknown: Unknown = Unknown.WITHHOLDS,
) -> Decision:
    """Decide whether a Kubernetes service account may assume a role (IRSA).

    Args:
        trust_document: The role's trust policy.
        provider_arn: ARN of the IAM OIDC provider of the cluster.
        issuer: The cluster's OIDC issuer, with or without ``https://``.
        subject: ``system:serviceaccount:<namespace>:<name>``.
        audience: ``sts.amazonaws.com`` for IRSA. That the provider lists it is for the caller to check.
        unknown: ``GRANTS`` to ask whether it could ever be, as for a subject that has to be kept out.
    """
    host = _host(issuer)
    if provider_arn.partition(":oidc-provider/")[2] != host:
        return Decision(Outcome.IMPLICIT_DENY, f"the identity provider {provider_arn} is not of the issuer {host}")
    context = {f"{host}:sub": subject, f"{host}:aud": audience, "aws:SecureTransport": "true"}
    request = Request(_WEB_IDENTITY, principal=provider_arn, context=context, unknown=unknown)
    return decide(request, resource_policies=[Policy.parse(trust_document, "trust")])


def trusts_pod_identity(
    trust_document: str | Mapping[str, Any],
    context: Mapping[str, str | Sequence[str]] | None = None,
    *,
    unknown: Unknown = Unknown.WITHHOLDS,
) -> Decision:
    """Decide whether EKS Pod Identity may assume a role and tag its session; it needs both.

    Args:
        trust_document: The role's trust policy.
        context: Condition keys known of the pod, such as ``aws:RequestTag/kubernetes-namespace``,
            ``aws:RequestTag/kubernetes-service-account``, ``aws:SourceArn`` and ``aws:SourceAccount``.
        unknown: ``GRANTS`` to ask whether it could ever be.
    """
    trust = [Policy.parse(trust_document, "trust")]

    def asked(action: str) -> Decision:
        request = Request(action, principal=_POD_IDENTITY, context=context or {}, unknown=unknown)
        decision = decide(request, resource_policies=trust)
        return Decision(decision.outcome, f"{action}: {decision.reason}", decision.statement)

    assume, tag = asked("sts:AssumeRole"), asked("sts:TagSession")
    return tag if assume.allowed else assume


def trusted_subjects(trust_document: str | Mapping[str, Any], issuer: str) -> tuple[str, ...]:
    """List the subjects that may come in with a token of an issuer, as patterns; ``*`` means any.

    Overestimates: denies are left aside, and one condition on the subject is taken as good as two.
    """
    key = f"{_host(issuer)}:sub"
    statements = Policy.parse(trust_document, "trust").statements
    opened = [each for each in statements if _may_open(each, _host(issuer))]
    return tuple(sorted({subject for each in opened for subject in _subjects(each, key)}))


def trusted_principals(trust_document: str | Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """List whom the statements of a trust policy let in, as type and value; ``("AWS", "*")`` is anybody.

    A NotPrincipal lets in everybody else and counts as anybody. Denies and conditions are left aside.
    """
    allowing = [each for each in Policy.parse(trust_document, "trust").statements if each.effect is Effect.ALLOW]
    named = {pair for each in allowing if not each.not_principal for pair in each.principals}
    return tuple(sorted(named | {("AWS", "*") for each in allowing if each.not_principal}))


def _host(issuer: str) -> str:
    return issuer.removeprefix("https://").rstrip("/")


def _may_open(statement: Statement, host: str) -> bool:
    if statement.effect is Effect.DENY or action_matches(statement, _WEB_IDENTITY) is False:
        return False
    return statement.not_principal or any(
        value == "*" or value.endswith(f":oidc-provider/{host}") for _, value in statement.principals
    )


def _subjects(statement: Statement, key: str) -> tuple[str, ...]:
    """A token always has one subject, so qualifiers and IfExists do not change what is let in."""
    for condition in statement.conditions:
        if condition.key.lower() == key.lower() and condition.base in _NARROWING:
            return condition.values
    return ("*",)
