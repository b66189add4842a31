"""IRSA and EKS Pod Identity: whom a trust policy lets in."""

# ruff: noqa: E501  (a table has one case a line)

from operator import itemgetter
from typing import Any

import pytest

from hallmark.policy import (
    Outcome,
    Unknown,
    trusted_principals,
    trusted_subjects,
    trusts_pod_identity,
    trusts_web_identity,
)

IRSA = "https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html"
OIDC = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html"
OPERATORS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"
SETS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html"
PRINCIPAL = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"
POD = "https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html"

HOST = "oidc.eks.us-east-1.amazonaws.com/id/AAAA"
OLD_HOST = "oidc.eks.us-east-1.amazonaws.com/id/BBBB"
PROVIDER = f"arn:aws:iam::111122223333:oidc-provider/{HOST}"
OLD_PROVIDER = f"arn:aws:iam::111122223333:oidc-provider/{OLD_HOST}"
SUB, AUD = f"{HOST}:sub", f"{HOST}:aud"
BACKEND = "system:serviceaccount:langsmith:langsmith-backend"
STS = "sts.amazonaws.com"
ALLOW, DENY, NOTHING = Outcome.ALLOW, Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY

Json = dict[str, Any]


def irsa(*conditions: Json, **more: Any) -> Json:
    """Make one statement of a trust policy for web identities."""
    merged: Json = {}
    for condition in conditions:
        for operator, keys in condition.items():
            merged[operator] = {**merged.get(operator, {}), **keys}
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }
    return {**statement, "Condition": merged, **more}


def sub(value: Any, operator: str = "StringEquals") -> Json:
    """Make a condition on the subject."""
    return {operator: {SUB: value}}


def aud(value: Any = STS, operator: str = "StringEquals") -> Json:
    """Make a condition on the audience."""
    return {operator: {AUD: value}}


def without(element: str, statement: Json) -> Json:
    """Take an element out of a statement."""
    return {key: value for key, value in statement.items() if key != element}


def trust(*statements: Json) -> Json:
    """Make a trust policy."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


# Page, claim, trust policy, decision for the service account langsmith-backend of the namespace langsmith.
# fmt: off
CASES: list[tuple[str, str, Json, Outcome]] = [
    (IRSA, "subject and audience by StringEquals", trust(irsa(sub(BACKEND), aud())), ALLOW),
    (IRSA, "one of several subjects", trust(irsa(sub(["system:serviceaccount:langsmith:x", BACKEND]), aud())), ALLOW),
    (IRSA, "the namespace by StringLike", trust(irsa(sub("system:serviceaccount:langsmith:*", "StringLike"), aud())), ALLOW),
    (IRSA, "a name pattern by StringLike", trust(irsa(sub("system:serviceaccount:langsmith:langsmith-*", "StringLike"), aud())), ALLOW),
    (IRSA, "both by StringLike", trust(irsa(sub(BACKEND, "StringLike"), aud(operator="StringLike"))), ALLOW),
    (IRSA, "a star under StringEquals is only a star", trust(irsa(sub("system:serviceaccount:langsmith:*"), aud())), NOTHING),
    (IRSA, "another namespace", trust(irsa(sub("system:serviceaccount:langchain:langsmith-backend"), aud())), NOTHING),
    (IRSA, "a pattern of another namespace", trust(irsa(sub("system:serviceaccount:langchain:*", "StringLike"), aud())), NOTHING),
    (IRSA, "a namespace that only begins the same", trust(irsa(sub("system:serviceaccount:langsmith-dev:*", "StringLike"), aud())), NOTHING),
    (IRSA, "another service account", trust(irsa(sub("system:serviceaccount:langsmith:langsmith"), aud())), NOTHING),
    (IRSA, "the subject without its prefix", trust(irsa(sub("langsmith:langsmith-backend"), aud())), NOTHING),
    (OPERATORS, "the subject in another case", trust(irsa(sub(BACKEND.upper()), aud())), NOTHING),
    (OPERATORS, "the subject in another case, ignored", trust(irsa(sub(BACKEND.upper(), "StringEqualsIgnoreCase"), aud())), ALLOW),
    (IRSA, "no condition on the audience still trusts", trust(irsa(sub(BACKEND))), ALLOW),
    (IRSA, "no condition at all still trusts", trust(irsa()), ALLOW),
    (IRSA, "any subject", trust(irsa(sub("*", "StringLike"), aud())), ALLOW),
    (IRSA, "another audience", trust(irsa(sub(BACKEND), aud("vault"))), NOTHING),
    (IRSA, "the audience of another issuer's key", trust(irsa(sub(BACKEND), {"StringEquals": {f"{OLD_HOST}:aud": STS}})), NOTHING),
    (IRSA, "the subject of another issuer's key", trust(irsa({"StringEquals": {f"{OLD_HOST}:sub": BACKEND}}, aud())), NOTHING),
    (IRSA, "the provider of another cluster", trust(irsa(sub(BACKEND), aud(), Principal={"Federated": OLD_PROVIDER})), NOTHING),
    (IRSA, "the provider of another account", trust(irsa(Principal={"Federated": PROVIDER.replace("1111", "9999")})), NOTHING),
    (IRSA, "one of several providers", trust(irsa(sub(BACKEND), Principal={"Federated": [OLD_PROVIDER, PROVIDER]})), ALLOW),
    (OIDC, "the keys in another case", trust(irsa({"StringEquals": {f"{HOST}:SUB": BACKEND, f"{HOST}:AUD": STS}})), ALLOW),
    (OIDC, "the action of web identities is needed", trust(irsa(sub(BACKEND), Action="sts:AssumeRole")), NOTHING),
    (OIDC, "the action by a wildcard", trust(irsa(sub(BACKEND), Action="sts:AssumeRole*")), ALLOW),
    (OIDC, "all actions of STS", trust(irsa(sub(BACKEND), Action="sts:*")), ALLOW),
    (PRINCIPAL, "the provider has to be a federated principal", trust(irsa(sub(BACKEND), Principal={"AWS": PROVIDER})), NOTHING),
    (PRINCIPAL, "the account is not the provider", trust(irsa(Principal={"AWS": "111122223333"})), NOTHING),
    (PRINCIPAL, "a service is not the provider", trust(irsa(Principal={"Service": "eks.amazonaws.com"})), NOTHING),
    (SETS, "ForAnyValue on the subject", trust(irsa(sub([BACKEND], "ForAnyValue:StringEquals"), aud())), ALLOW),
    (SETS, "ForAnyValue on another subject", trust(irsa(sub(["x"], "ForAnyValue:StringEquals"), aud())), NOTHING),
    (SETS, "ForAllValues on the subject", trust(irsa(sub([BACKEND], "ForAllValues:StringEquals"), aud())), ALLOW),
    (SETS, "ForAllValues on another subject", trust(irsa(sub(["x"], "ForAllValues:StringEquals"), aud())), NOTHING),
    (OPERATORS, "IfExists on the subject compares it", trust(irsa(sub("x", "StringEqualsIfExists"), aud())), NOTHING),
    (OPERATORS, "all subjects but one", trust(irsa(sub("x", "StringNotEquals"), aud())), ALLOW),
    (OPERATORS, "all subjects but this one", trust(irsa(sub(BACKEND, "StringNotEquals"), aud())), NOTHING),
    (OPERATORS, "the subject has to be there", trust(irsa({"Null": {SUB: "false"}}, aud())), ALLOW),
    (OPERATORS, "a second condition on the subject counts", trust(irsa(sub(BACKEND), sub("*:x", "StringLike"), aud())), NOTHING),
    (OPERATORS, "a condition nobody can see here", trust(irsa(sub(BACKEND), {"StringEquals": {"aws:SourceVpc": "vpc-1"}})), NOTHING),
    (OPERATORS, "TLS is always used", trust(irsa(sub(BACKEND), {"Bool": {"aws:SecureTransport": "true"}})), ALLOW),
    (OIDC, "a second statement may trust", trust(irsa(sub("x")), irsa(sub(BACKEND), aud())), ALLOW),
    (OIDC, "a deny of the namespace wins", trust(irsa(sub(BACKEND)), irsa(sub("system:serviceaccount:langsmith:*", "StringLike"), Effect="Deny")), DENY),
    (OIDC, "a deny of another namespace", trust(irsa(sub(BACKEND)), irsa(sub("system:serviceaccount:x:*", "StringLike"), Effect="Deny")), ALLOW),
    (OIDC, "an empty trust policy", trust(), NOTHING),
]
# fmt: on


@pytest.mark.parametrize("case", CASES, ids=itemgetter(1))
def test_a_service_account_is_trusted_or_not(case: tuple[str, str, Json, Outcome]) -> None:
    """The trust policy lets the service account in, or does not."""
    page, claim, document, expected = case
    decision = trusts_web_identity(document, PROVIDER, f"https://{HOST}", BACKEND, STS)
    assert decision.outcome is expected, (claim, page)


def test_the_issuer_may_be_written_in_each_way() -> None:
    """With or without scheme and closing slash."""
    document = trust(irsa(sub(BACKEND), aud()))
    for issuer in (HOST, f"https://{HOST}", f"https://{HOST}/"):
        assert trusts_web_identity(document, PROVIDER, issuer, BACKEND, STS).allowed


def test_a_provider_of_another_issuer_is_not_trusted() -> None:
    """The cluster was replaced, the provider stayed: its tokens are not taken."""
    document = trust(irsa(sub(BACKEND), aud(), Principal={"Federated": OLD_PROVIDER}))
    decision = trusts_web_identity(document, OLD_PROVIDER, f"https://{HOST}", BACKEND, STS)
    assert not decision.allowed
    assert "is not of the issuer" in decision.reason


def test_a_missing_audience_condition_shows_with_another_audience() -> None:
    """Asking with a foreign audience tells whether the audience is pinned."""
    for document, pinned in ((trust(irsa(sub(BACKEND), aud())), True), (trust(irsa(sub(BACKEND))), False)):
        foreign = trusts_web_identity(document, PROVIDER, HOST, BACKEND, "vault", unknown=Unknown.GRANTS)
        assert foreign.allowed is not pinned


def test_an_unknown_condition_may_let_a_subject_in() -> None:
    """Sure trust underestimates, possible trust overestimates."""
    document = trust(irsa(sub(BACKEND), {"StringEquals": {"aws:SourceVpc": "vpc-1"}}))
    assert not trusts_web_identity(document, PROVIDER, HOST, BACKEND, STS).allowed
    assert trusts_web_identity(document, PROVIDER, HOST, BACKEND, STS, unknown=Unknown.GRANTS).allowed


# Claim, trust policy, subjects that may come in with a token of the cluster.
# fmt: off
SUBJECTS: list[tuple[str, Json, tuple[str, ...]]] = [
    ("named subjects", trust(irsa(sub(["b", "a"]), aud())), ("a", "b")),
    ("a pattern", trust(irsa(sub("system:serviceaccount:langsmith:*", "StringLike"))), ("system:serviceaccount:langsmith:*",)),
    ("several statements", trust(irsa(sub("a")), irsa(sub("b"))), ("a", "b")),
    ("no condition on the subject", trust(irsa(aud())), ("*",)),
    ("a negated condition keeps hardly anybody out", trust(irsa(sub("a", "StringNotEquals"))), ("*",)),
    ("another issuer's subject does not count", trust(irsa({"StringEquals": {f"{OLD_HOST}:sub": "a"}})), ("*",)),
    ("set operators and IfExists do not widen", trust(irsa(sub("a", "ForAllValues:StringLikeIfExists"))), ("a",)),
    ("everybody as principal", trust(irsa(Principal="*")), ("*",)),
    ("all but somebody as principal", trust(without("Principal", irsa(NotPrincipal={"AWS": "1"}))), ("*",)),
    ("another action", trust(irsa(sub("a"), Action="sts:AssumeRole")), ()),
    ("NotAction", trust(without("Action", irsa(sub("a"), NotAction="sts:AssumeRole"))), ("a",)),
    ("one of several providers", trust(irsa(sub("a"), Principal={"Federated": [OLD_PROVIDER, PROVIDER]})), ("a",)),
    ("another provider", trust(irsa(sub("a"), Principal={"Federated": OLD_PROVIDER})), ()),
    ("a deny lets nobody in", trust(irsa(sub("a"), Effect="Deny")), ()),
]
# fmt: on


@pytest.mark.parametrize("case", SUBJECTS, ids=itemgetter(0))
def test_trusted_subjects_are_listed(case: tuple[str, Json, tuple[str, ...]]) -> None:
    """Whoever may come in is in the list, so that a namespace can be compared."""
    claim, document, expected = case
    assert trusted_subjects(document, f"https://{HOST}") == expected, claim


def test_trusted_principals_are_listed() -> None:
    """A second way into the role does not stay hidden."""
    document = trust(irsa(), irsa(Principal="*", Action="sts:AssumeRole"), irsa(Principal={"AWS": "1"}, Effect="Deny"))
    assert trusted_principals(document) == (("AWS", "*"), ("Federated", PROVIDER))
    assert trusted_principals(trust(without("Principal", irsa(NotPrincipal={"AWS": "1"})))) == (("AWS", "*"),)


POD_IDENTITY = {
    "Effect": "Allow",
    "Principal": {"Service": "pods.eks.amazonaws.com"},
    "Action": ["sts:AssumeRole", "sts:TagSession"],
}
NAMESPACE = {"StringEquals": {"aws:RequestTag/kubernetes-namespace": ["langsmith"]}}

# Page, claim, trust policy, whether a pod of the namespace langsmith is trusted.
# fmt: off
PODS: list[tuple[str, str, Json, bool]] = [
    (POD, "both actions", trust(POD_IDENTITY), True),
    (POD, "both actions in two statements", trust({**POD_IDENTITY, "Action": "sts:AssumeRole"}, {**POD_IDENTITY, "Action": "sts:TagSession"}), True),
    (POD, "the session cannot be tagged", trust({**POD_IDENTITY, "Action": "sts:AssumeRole"}), False),
    (POD, "the role cannot be assumed", trust({**POD_IDENTITY, "Action": "sts:TagSession"}), False),
    (POD, "another service", trust({**POD_IDENTITY, "Principal": {"Service": "eks.amazonaws.com"}}), False),
    (POD, "the namespace by session tag", trust({**POD_IDENTITY, "Condition": NAMESPACE}), True),
    (POD, "another namespace by session tag", trust({**POD_IDENTITY, "Condition": {"StringEquals": {"aws:RequestTag/kubernetes-namespace": "x"}}}), False),
    (POD, "a tag that was not given", trust({**POD_IDENTITY, "Condition": {"StringEquals": {"aws:RequestTag/eks-cluster-name": "x"}}}), False),
    (POD, "a deny wins", trust(POD_IDENTITY, {**POD_IDENTITY, "Effect": "Deny", "Action": "sts:TagSession"}), False),
    (POD, "a role for web identities", trust(irsa(sub(BACKEND), aud())), False),
]
# fmt: on


@pytest.mark.parametrize("case", PODS, ids=itemgetter(1))
def test_pod_identity_is_trusted_or_not(case: tuple[str, str, Json, bool]) -> None:
    """EKS Pod Identity assumes the role and tags its session, or cannot."""
    page, claim, document, expected = case
    context = {"aws:RequestTag/kubernetes-namespace": "langsmith"}
    assert trusts_pod_identity(document, context).allowed is expected, (claim, page)


def test_a_refused_pod_identity_names_the_action() -> None:
    """The learner sees which of the two actions is missing."""
    decision = trusts_pod_identity(trust({**POD_IDENTITY, "Action": "sts:AssumeRole"}))
    assert decision.reason.startswith("sts:TagSession: ")


def test_pod_identity_may_be_trusted_under_unknown_tags() -> None:
    """Without the tags a condition is open; who asks "ever?" hears yes."""
    document = trust({**POD_IDENTITY, "Condition": NAMESPACE})
    assert not trusts_pod_identity(document).allowed
    assert trusts_pod_identity(document, unknown=Unknown.GRANTS).allowed
