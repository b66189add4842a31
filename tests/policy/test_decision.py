"""AWS's evaluation logic: which policy wins, who is meant, what a doubt is worth."""

# ruff: noqa: E501  (a table has one case a line)

from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any, TypedDict

import pytest

from hallmark.errors import AuthorError, Unobservable
from hallmark.policy import Outcome, Policy, Request, Unknown, decide

GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
LOGIC = GUIDE + "reference_policies_evaluation-logic_policy-eval-denyallow.html"
BASICS = GUIDE + "reference_policies_evaluation-logic_policy-eval-basics.html"
ACTION = GUIDE + "reference_policies_elements_action.html"
NOT_ACTION = GUIDE + "reference_policies_elements_notaction.html"
RESOURCE = GUIDE + "reference_policies_elements_resource.html"
NOT_RESOURCE = GUIDE + "reference_policies_elements_notresource.html"
CONDITION = GUIDE + "reference_policies_elements_condition.html"
VARIABLES = GUIDE + "reference_policies_variables.html"
PRINCIPAL = GUIDE + "reference_policies_elements_principal.html"
NOT_PRINCIPAL = GUIDE + "reference_policies_elements_notprincipal.html"
BOUNDARY = GUIDE + "access_policies_boundaries.html"
SCP = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html"
KEYS = "https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html"
TRUST = GUIDE + "access_policies-cross-account-resource-access.html"

ROLE = "arn:aws:iam::111122223333:role/team/app"
SESSION = "arn:aws:sts::111122223333:assumed-role/app/pod"
USER = "arn:aws:iam::111122223333:user/ann"
ACCOUNT = "arn:aws:iam::111122223333:root"
KEY = "arn:aws:kms:us-east-1:111122223333:key/1"
PROVIDER = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/A"
OBJECT = "arn:aws:s3:::traces/a"
ALLOW, DENY, NOTHING = Outcome.ALLOW, Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY

Json = dict[str, Any]


class Policies(TypedDict, total=False):
    """The policies of one decision."""

    identity: Sequence[Policy]
    boundary: Policy
    resource_policies: Sequence[Policy]
    session: Policy
    scp: Sequence[Sequence[Policy]]


def policy(*statements: Json) -> Policy:
    """Make a policy of the current version."""
    return Policy.parse({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any = "s3:GetObject", resource: Any = "*", **more: Any) -> Json:
    """Make an Allow statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "s3:GetObject", resource: Any = "*", **more: Any) -> Json:
    """Make a Deny statement."""
    return {**allow(action, resource, **more), "Effect": "Deny"}


def own(*statements: Json) -> Policies:
    """Make one identity policy."""
    return {"identity": [policy(*statements)]}


def bucket(*statements: Json) -> Policies:
    """Make one resource policy."""
    return {"resource_policies": [policy(*statements)]}


def to(*arns: str) -> Json:
    """Name AWS principals."""
    return {"AWS": list(arns)}


def get(principal: str | None = ROLE, resource: str = OBJECT, **more: Any) -> Request:
    """Ask for s3:GetObject."""
    return Request("s3:GetObject", resource, principal, **more)


def use(principal: str = ROLE, **more: Any) -> Request:
    """Ask for kms:Decrypt."""
    return Request("kms:Decrypt", KEY, principal, **more)


def become(principal: str) -> Request:
    """Ask for sts:AssumeRole."""
    return Request("sts:AssumeRole", "arn:aws:iam::111122223333:role/other", principal)


# fmt: off
# fmt: off
CASES: list[tuple[str, str, Request, Policies, Outcome]] = [
    (LOGIC, "nothing is allowed by default", get(), {}, NOTHING),
    (LOGIC, "an allow allows", get(), own(allow()), ALLOW),
    (LOGIC, "a deny wins over an allow", get(), own(allow(), deny()), DENY),
    (LOGIC, "a deny wins in any order", get(), own(deny(), allow()), DENY),
    (LOGIC, "a deny of another action leaves the allow", get(), own(allow(), deny("s3:PutObject")), ALLOW),
    (LOGIC, "one allow in several policies is enough", get(), {"identity": [policy(), policy(allow())]}, ALLOW),
    (ACTION, "actions in any case", get(), own(allow("S3:getobject")), ALLOW),
    (ACTION, "a service's wildcard", get(), own(allow("s3:*")), ALLOW),
    (ACTION, "every action", get(), own(allow("*")), ALLOW),
    (ACTION, "every action written long", get(), own(allow("*:*")), ALLOW),
    (ACTION, "another service", get(), own(allow("ec2:*")), NOTHING),
    (ACTION, "a prefix without a star is another action", get(), own(allow("s3:Get")), NOTHING),
    (ACTION, "a list of actions", get(), own(allow(["s3:PutObject", "s3:GetObject"])), ALLOW),
    (NOT_ACTION, "NotAction with Allow grants the rest", get(), own({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}), ALLOW),
    (NOT_ACTION, "NotAction with Allow leaves its own out", get(), own({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}), NOTHING),
    (NOT_ACTION, "NotAction with Deny forbids the rest", get(), own(allow("*"), {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}), DENY),
    (NOT_ACTION, "NotAction with Deny spares its own", get(), own(allow("*"), {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}), ALLOW),
    (RESOURCE, "the named resource", get(), own(allow(resource="arn:aws:s3:::traces/*")), ALLOW),
    (RESOURCE, "one of several resources", get(), own(allow(resource=["arn:aws:s3:::other/*", "arn:aws:s3:::traces/*"])), ALLOW),
    (RESOURCE, "another bucket", get(), own(allow(resource="arn:aws:s3:::other/*")), NOTHING),
    (RESOURCE, "a bucket whose name begins the same", get(resource="arn:aws:s3:::traces-b/a"), own(allow(resource="arn:aws:s3:::traces/*")), NOTHING),
    (RESOURCE, "a deny on a prefix", get(resource="arn:aws:s3:::traces/x/1"), own(allow(), deny(resource="arn:aws:s3:::traces/x/*")), DENY),
    (NOT_RESOURCE, "NotResource with Deny forbids the rest", get(), own(allow(), {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::other/*"}), DENY),
    (NOT_RESOURCE, "NotResource with Deny spares its own", get(), own(allow(), {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::traces/*"}), ALLOW),
    (NOT_RESOURCE, "NotResource with Allow grants the rest", get(), own({"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::other/*"}), ALLOW),
    (CONDITION, "a condition that holds", get(context={"aws:SourceVpce": "v"}), own(allow(Condition={"StringEquals": {"aws:SourceVpce": "v"}})), ALLOW),
    (CONDITION, "a condition that fails", get(context={"aws:SourceVpce": "w"}), own(allow(Condition={"StringEquals": {"aws:SourceVpce": "v"}})), NOTHING),
    (CONDITION, "operators are joined by and", get(context={"a:b": "1"}), own(allow(Condition={"StringEquals": {"a:b": "1"}, "Null": {"a:b": "true"}})), NOTHING),
    (CONDITION, "keys are joined by and", get(context={"a:b": "1"}), own(allow(Condition={"StringEquals": {"a:b": "1", "a:c": "1"}})), NOTHING),
    (CONDITION, "a deny without TLS spares TLS", get(context={"aws:SecureTransport": "true"}), own(allow(), deny("s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}})), ALLOW),
    (CONDITION, "a deny without TLS hits plain HTTP", get(context={"aws:SecureTransport": "false"}), own(allow(), deny("s3:*", Condition={"Bool": {"aws:SecureTransport": False}})), DENY),
    (CONDITION, "a deny outside the endpoint hits a request without one", get(), own(allow(), deny(Condition={"StringNotEquals": {"aws:SourceVpce": "v"}})), DENY),
    (VARIABLES, "a user's own folder", get(USER, "arn:aws:s3:::home/ann/x"), own(allow(resource="arn:aws:s3:::home/${aws:username}/*")), ALLOW),
    (VARIABLES, "another user's folder", get(USER, "arn:aws:s3:::home/bob/x"), own(allow(resource="arn:aws:s3:::home/${aws:username}/*")), NOTHING),
    (VARIABLES, "a role has no user name", get(ROLE, "arn:aws:s3:::home/app/x"), own(allow(resource="arn:aws:s3:::home/${aws:username}/*")), NOTHING),
    (VARIABLES, "a tag in the resource", get(context={"aws:PrincipalTag/team": "traces"}), own(allow(resource="arn:aws:s3:::${aws:PrincipalTag/team}/*")), ALLOW),
    (VARIABLES, "a deny on an unset variable matches no resource", get(), own(allow(), deny(resource="arn:aws:s3:::${aws:PrincipalTag/team}/*")), ALLOW),
    (VARIABLES, "a deny on NotResource with an unset variable matches every one", get(), own(allow(), {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::${aws:PrincipalTag/team}/*"}), DENY),
    (VARIABLES, "a star in a tag is no wildcard", get(context={"aws:PrincipalTag/team": "*"}), own(allow(resource="arn:aws:s3:::${aws:PrincipalTag/team}/a")), NOTHING),
    (BOUNDARY, "a boundary grants nothing", get(), {"boundary": policy(allow("*"))}, NOTHING),
    (BOUNDARY, "allowed by identity and boundary", get(), {**own(allow()), "boundary": policy(allow("s3:*"))}, ALLOW),
    (BOUNDARY, "not allowed by the boundary", get(), {**own(allow("*")), "boundary": policy(allow("ec2:*"))}, NOTHING),
    (BOUNDARY, "denied by the boundary", get(), {**own(allow()), "boundary": policy(allow("*"), deny())}, DENY),
    (BOUNDARY, "an empty boundary allows nothing", get(), {**own(allow("*")), "boundary": policy()}, NOTHING),
    (LOGIC, "a session policy limits", get(), {**own(allow("*")), "session": policy(allow("ec2:*"))}, NOTHING),
    (LOGIC, "allowed by identity and session policy", get(), {**own(allow("*")), "session": policy(allow("s3:*"))}, ALLOW),
    (LOGIC, "denied by the session policy", get(), {**own(allow("*")), "session": policy(allow("*"), deny("s3:*"))}, DENY),
    (SCP, "an SCP grants nothing", get(), {"scp": [[policy(allow("*"))]]}, NOTHING),
    (SCP, "an SCP that does not allow stops", get(), {**own(allow("*")), "scp": [[policy(allow("ec2:*"))]]}, NOTHING),
    (SCP, "an SCP's deny wins", get(), {**own(allow("*")), "scp": [[policy(allow("*"), deny("s3:*"))]]}, DENY),
    (SCP, "one SCP of a level is enough", get(), {**own(allow()), "scp": [[policy(allow("ec2:*")), policy(allow("s3:*"))]]}, ALLOW),
    (SCP, "each level has to allow", get(), {**own(allow()), "scp": [[policy(allow("*"))], [policy(allow("ec2:*"))]]}, NOTHING),
    (SCP, "an SCP stops a bucket policy's grant too", get(USER), {**bucket(allow(Principal=to(USER))), "scp": [[policy(allow("ec2:*"))]]}, NOTHING),
    (BASICS, "a bucket policy alone grants to a role", get(), bucket(allow(Principal=to(ROLE))), ALLOW),
    (BASICS, "identity alone grants although the bucket is silent", get(), {**own(allow()), **bucket(allow(Principal=to(USER)))}, ALLOW),
    (BASICS, "a bucket policy's deny wins over identity", get(), {**own(allow()), **bucket(deny(Principal="*"))}, DENY),
    (BASICS, "a bucket policy's deny of somebody else", get(), {**own(allow()), **bucket(deny(Principal=to(USER)))}, ALLOW),
    (PRINCIPAL, "a role of another path is another role", get(), bucket(allow(Principal=to("arn:aws:iam::111122223333:role/app"))), NOTHING),
    (PRINCIPAL, "a role of another account", get(), bucket(allow(Principal=to("arn:aws:iam::444455556666:role/team/app"))), NOTHING),
    (PRINCIPAL, "a deleted role's id", get(), bucket(allow(Principal=to("AROAEXAMPLE"))), NOTHING),
    (PRINCIPAL, "the account alone only delegates", get(), bucket(allow(Principal=to(ACCOUNT))), NOTHING),
    (PRINCIPAL, "the account by its number", get(), {**own(allow()), **bucket(deny(Principal=to("111122223333")))}, DENY),
    (PRINCIPAL, "a deny of the account hits its roles", get(), {**own(allow()), **bucket(deny(Principal=to(ACCOUNT)))}, DENY),
    (PRINCIPAL, "a deny of another account", get(), {**own(allow()), **bucket(deny(Principal=to("444455556666")))}, ALLOW),
    (PRINCIPAL, "everybody", get(), bucket(allow(Principal="*")), ALLOW),
    (PRINCIPAL, "everybody written as AWS", get(), bucket(allow(Principal={"AWS": "*"})), ALLOW),
    (PRINCIPAL, "everybody is anonymous too", get(None), bucket(allow(Principal="*")), ALLOW),
    (PRINCIPAL, "an anonymous caller is nobody named", get(None), bucket(allow(Principal=to(ROLE, ACCOUNT))), NOTHING),
    (PRINCIPAL, "a service", get("logging.s3.amazonaws.com"), bucket(allow(Principal={"Service": "logging.s3.amazonaws.com"})), ALLOW),
    (PRINCIPAL, "a service that is not named", get("logging.s3.amazonaws.com"), bucket(allow(Principal={"Service": "ec2.amazonaws.com"})), NOTHING),
    (PRINCIPAL, "every service", get("ec2.amazonaws.com"), bucket(allow(Principal={"Service": "*"})), ALLOW),
    (PRINCIPAL, "every service is not the role", get(), bucket(allow(Principal={"Service": "*"})), NOTHING),
    (PRINCIPAL, "every service is not everybody", get(None), bucket(allow(Principal={"Service": "*"})), NOTHING),
    (PRINCIPAL, "a service is not the role", get(), bucket(allow(Principal={"Service": "ec2.amazonaws.com"})), NOTHING),
    (PRINCIPAL, "a role is not the service", get("ec2.amazonaws.com"), bucket(allow(Principal=to(ROLE))), NOTHING),
    (PRINCIPAL, "an identity provider", get(PROVIDER), bucket(allow(Principal={"Federated": PROVIDER})), ALLOW),
    (PRINCIPAL, "an identity provider is no AWS principal", get(PROVIDER), bucket(allow(Principal=to(PROVIDER))), NOTHING),
    (PRINCIPAL, "one of several kinds", get(), bucket(allow(Principal={"Service": "ec2.amazonaws.com", "AWS": [USER, ROLE]})), ALLOW),
    (PRINCIPAL, "the session by its name", get(session_name="pod"), bucket(allow(Principal=to(SESSION))), ALLOW),
    (PRINCIPAL, "another session", get(session_name="job"), bucket(allow(Principal=to(SESSION))), NOTHING),
    (PRINCIPAL, "a session of that name of another role", get(session_name="pod"), bucket(allow(Principal=to(SESSION.replace("/app/", "/other/")))), NOTHING),
    (PRINCIPAL, "a session of unknown name counts against the grant", get(), bucket(allow(Principal=to(SESSION))), NOTHING),
    (LOGIC, "a boundary limits a bucket policy's grant to the role", get(), {**bucket(allow(Principal=to(ROLE))), "boundary": policy(allow("ec2:*"))}, NOTHING),
    (LOGIC, "a session policy limits a grant to the role", get(), {**bucket(allow(Principal=to(ROLE))), "session": policy(allow("ec2:*"))}, NOTHING),
    (LOGIC, "no boundary limits a grant to the user", get(USER), {**bucket(allow(Principal=to(USER))), "boundary": policy(allow("ec2:*"))}, ALLOW),
    (LOGIC, "no boundary limits a grant to the session", get(session_name="pod"), {**bucket(allow(Principal=to(SESSION))), "boundary": policy(allow("ec2:*"))}, ALLOW),
    (LOGIC, "no session policy limits a grant to the session", get(session_name="pod"), {**bucket(allow(Principal=to(SESSION))), "session": policy(allow("ec2:*"))}, ALLOW),
    (LOGIC, "a boundary's deny does limit a grant to the user", get(USER), {**bucket(allow(Principal=to(USER))), "boundary": policy(deny("s3:*"))}, DENY),
    (LOGIC, "no boundary limits everybody with the role's ARN", get(), {**bucket(allow(Principal="*", Condition={"ArnEquals": {"aws:PrincipalArn": ROLE}})), "boundary": policy(allow("ec2:*"))}, ALLOW),
    (LOGIC, "everybody with another role's ARN", get(), bucket(allow(Principal="*", Condition={"ArnEquals": {"aws:PrincipalArn": ROLE + "2"}})), NOTHING),
    (LOGIC, "everybody alone is limited by a boundary when in doubt", get(), {**bucket(allow(Principal="*")), "boundary": policy(allow("ec2:*"))}, NOTHING),
    (LOGIC, "a deny of all but one role spares it", get(), {**own(allow()), **bucket(deny(Principal="*", Condition={"ArnNotEquals": {"aws:PrincipalArn": ROLE}}))}, ALLOW),
    (LOGIC, "a deny of all but one role hits another", get(USER), {**own(allow()), **bucket(deny(Principal="*", Condition={"ArnNotEquals": {"aws:PrincipalArn": ROLE}}))}, DENY),
    (NOT_PRINCIPAL, "a deny of all but role and account spares the role", get(), {**own(allow()), **bucket({**deny(), "NotPrincipal": to(ROLE, ACCOUNT)})}, ALLOW),
    (NOT_PRINCIPAL, "a deny of all but others hits the role", get(), {**own(allow()), **bucket({**deny(), "NotPrincipal": to("444455556666")})}, DENY),
    (NOT_PRINCIPAL, "a deny of all but the role, the account forgotten", get(), {**own(allow()), **bucket({**deny(), "NotPrincipal": to(ROLE)})}, DENY),
    (NOT_PRINCIPAL, "a deny of all but always hits who has a boundary", get(), {**own(allow()), **bucket({**deny(), "NotPrincipal": to(ROLE, ACCOUNT)}), "boundary": policy(allow("*"))}, DENY),
    (NOT_PRINCIPAL, "an allow to all but somebody lets the rest in", get(), bucket({**allow(), "NotPrincipal": to(USER)}), ALLOW),
    (NOT_PRINCIPAL, "an allow to all but the role keeps it out", get(), bucket({**allow(), "NotPrincipal": to(ROLE, ACCOUNT)}), NOTHING),
    (NOT_PRINCIPAL, "an allow to all but the role keeps it out, boundary or not", get(), {**bucket({**allow(), "NotPrincipal": to(ROLE, ACCOUNT)}), "boundary": policy(allow("*"))}, NOTHING),
    (NOT_PRINCIPAL, "an allow to all but somebody lets strangers in", get(None), bucket({**allow(), "NotPrincipal": to(USER)}), ALLOW),
    (NOT_PRINCIPAL, "a deny of all but a service spares it", get("ec2.amazonaws.com"), bucket(allow(Principal={"Service": "ec2.amazonaws.com"}), {**deny(), "NotPrincipal": {"Service": "ec2.amazonaws.com"}}), ALLOW),
    (KEYS, "identity alone cannot use a key", use(), own(allow("kms:*")), NOTHING),
    (KEYS, "a key policy that names the role is enough", use(), bucket(allow("kms:Decrypt", Principal=to(ROLE))), ALLOW),
    (KEYS, "a key policy may let identity policies decide", use(), {**own(allow("kms:Decrypt", KEY)), **bucket(allow("kms:*", Principal=to(ACCOUNT)))}, ALLOW),
    (KEYS, "a key policy for the account alone is not enough", use(), bucket(allow("kms:*", Principal=to(ACCOUNT))), NOTHING),
    (KEYS, "a key policy for others shuts identity out", use(), {**own(allow("kms:*")), **bucket(allow("kms:*", Principal=to(USER)))}, NOTHING),
    (KEYS, "a key policy through one service only", use(context={"kms:ViaService": "s3.us-east-1.amazonaws.com"}), bucket(allow("kms:Decrypt", Principal=to(ROLE), Condition={"StringEquals": {"kms:ViaService": "rds.us-east-1.amazonaws.com"}})), NOTHING),
    (KEYS, "keys of another service", Request("payment-cryptography:GetKey", "arn:aws:payment-cryptography:us-east-1:111122223333:key/1", ROLE), own(allow("*")), ALLOW),
    (KEYS, "what is not about a key needs no key policy", Request("kms:ListAliases", "*", ROLE), own(allow("kms:ListAliases")), ALLOW),
    (TRUST, "identity alone cannot assume a role", become(ROLE), own(allow("sts:AssumeRole")), NOTHING),
    (TRUST, "a trust policy that names the role is enough", become(ROLE), bucket({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": to(ROLE)}), ALLOW),
    (TRUST, "a trust policy for the account needs identity as well", become(ROLE), {**own(allow("sts:AssumeRole")), **bucket({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": to(ACCOUNT)})}, ALLOW),
    (TRUST, "a trust policy for the account without identity", become(ROLE), bucket({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": to(ACCOUNT)}), NOTHING),
]
# fmt: on
# fmt: on


@pytest.mark.parametrize("case", CASES, ids=itemgetter(1))
def test_a_request_is_decided_as_documented(case: tuple[str, str, Request, Policies, Outcome]) -> None:
    """Allow, explicit deny or implicit deny, as the page says."""
    page, claim, request, policies, expected = case
    assert decide(request, **policies).outcome is expected, (claim, page)


@pytest.mark.parametrize("case", CASES, ids=itemgetter(1))
def test_sure_is_allowed_and_allowed_is_possible(case: tuple[str, str, Request, Policies, Outcome]) -> None:
    """What is surely allowed is allowed here, and what is allowed here counts as possible."""
    _, claim, request, policies, _ = case
    sure, here, possible = (
        decide(replace(request, unknown=unknown), **policies).allowed
        for unknown in (Unknown.WITHHOLDS, Unknown.ABSENT, Unknown.GRANTS)
    )
    assert sure <= here <= possible, claim


ENDPOINT = {"StringEquals": {"aws:SourceVpce": "v"}}
NOT_ENDPOINT = {"StringNotEquals": {"aws:SourceVpce": "v"}}

# Claim, request, policies, whether it is surely allowed, whether it could be.
# fmt: off
# fmt: off
DOUBTS: list[tuple[str, Request, Policies, bool, bool]] = [
    ("a grant behind an unknown condition", get(), own(allow(Condition=ENDPOINT)), False, True),
    ("a deny behind an unknown condition", get(), own(allow(), deny(Condition=NOT_ENDPOINT)), False, True),
    ("a deny without a condition", get(), own(allow(), deny()), False, False),
    ("a known value decides", get(context={"aws:SourceVpce": "v"}), own(allow(Condition=ENDPOINT)), True, True),
    ("another known value decides", get(context={"aws:SourceVpce": "w"}), own(allow(Condition=ENDPOINT)), False, False),
    ("a key known to be absent decides", get(context={"aws:SourceVpce": ()}), own(allow(Condition=ENDPOINT)), False, False),
    ("some object of a bucket", get(resource="arn:aws:s3:::traces/*"), own(allow(resource=OBJECT)), False, True),
    ("every object of a bucket", get(resource="arn:aws:s3:::traces/*"), own(allow(resource="arn:aws:s3:::traces/*")), True, True),
    ("some object is denied", get(resource="arn:aws:s3:::traces/*"), own(allow(), deny(resource=OBJECT)), False, True),
    ("no object of another bucket", get(resource="arn:aws:s3:::traces/*"), own(allow(resource="arn:aws:s3:::x/*")), False, False),
    ("some action of a service", Request("iam:*", principal=ROLE), own(allow("iam:PassRole")), False, True),
    ("all actions of a service", Request("iam:*", principal=ROLE), own(allow("*")), True, True),
    ("an unknown tag in the resource", get(), own(allow(resource="arn:aws:s3:::${aws:PrincipalTag/t}/*")), False, True),
    ("a role surely has no user name", get(), own(allow(resource="arn:aws:s3:::${aws:username}/*")), False, False),
    ("an unknown session", get(), bucket(allow(Principal=to(SESSION))), False, True),
    ("everybody against a boundary", get(), {**bucket(allow(Principal="*")), "boundary": policy()}, False, True),
    ("all but the role, without the account", get(), {**own(allow()), **bucket({**deny(), "NotPrincipal": to(ROLE)})}, False, True),
    ("all but the account", get(), {**own(allow()), **bucket({**deny(), "NotPrincipal": to(ACCOUNT)})}, False, True),
    ("an allow to all but somebody against a boundary", get(), {**bucket({**allow(), "NotPrincipal": to(USER)}), "boundary": policy()}, False, True),
    ("a canonical user is no service", get("ec2.amazonaws.com"), bucket(allow(Principal={"CanonicalUser": "79a5"})), False, False),
    ("a canonical user", get(), bucket(allow(Principal={"CanonicalUser": "79a5"})), False, True),
    ("everybody and a service", get("ec2.amazonaws.com"), bucket(allow(Principal="*")), False, True),
    ("a key without its key policy", use(), own(allow("kms:Decrypt", KEY)), False, True),
    ("a key with its key policy", use(), {**own(allow("kms:*")), **bucket(allow("kms:*", Principal=to(USER)))}, False, False),
]
# fmt: on
# fmt: on


@pytest.mark.parametrize("case", DOUBTS, ids=itemgetter(0))
def test_a_doubt_goes_to_who_asks(case: tuple[str, Request, Policies, bool, bool]) -> None:
    """Least privilege overestimates, the application's needs are underestimated."""
    claim, request, policies, sure, possible = case
    assert decide(replace(request, unknown=Unknown.WITHHOLDS), **policies).allowed is sure, claim
    assert decide(replace(request, unknown=Unknown.GRANTS), **policies).allowed is possible, claim


def test_the_decision_names_policy_and_statement() -> None:
    """A miss can say where to look."""
    named = Policy.parse({"Version": "2012-10-17", "Statement": [allow("ec2:*"), allow(Sid="Objects")]}, "s3-access")
    decision = decide(get(), identity=[policy(), named])
    assert decision.reason == "identity policy s3-access, statement 1 (Objects)"
    assert decision.statement is named.statements[1]
    assert decide(get(), identity=[policy(), policy(deny())]).reason == "identity policy 2, statement 0"


@pytest.mark.parametrize(
    ("policies", "reason"),
    [
        (Policies(), "no statement allows it"),
        (Policies(**own(allow()), boundary=policy()), "the permissions boundary does not allow it"),
        (Policies(**own(allow()), session=policy()), "the session policy does not allow it"),
        (Policies(**own(allow()), scp=[[]]), "no service control policy of one level allows it"),
    ],
)
def test_an_implicit_deny_says_what_is_missing(policies: Policies, reason: str) -> None:
    """Without a deciding statement the decision names the policy that fell short."""
    decision = decide(get(), **policies)
    assert (decision.allowed, decision.statement, decision.reason) == (False, None, reason)


def test_a_gated_deny_names_the_gate() -> None:
    """For keys and roles the own policy is what is missing."""
    assert decide(use(), **own(allow("kms:*"))).reason == "the policy of the key or role does not allow it"


@pytest.mark.parametrize(
    "policies",
    [
        own({**allow(), "Principal": "*"}),
        Policies(boundary=policy({**allow(), "Principal": "*"})),
        Policies(scp=[[policy({**allow(), "Principal": "*"})]]),
        bucket(allow()),
    ],
)
def test_a_principal_in_the_wrong_place_is_malformed(policies: Policies) -> None:
    """Such a document was never stored by AWS, so nothing is concluded from it."""
    with pytest.raises(Unobservable) as raised:
        decide(get(), **policies)
    assert raised.value.code == "malformed"


@pytest.mark.parametrize("principal", [SESSION, ACCOUNT, "111122223333", "app"])
def test_a_caller_has_to_be_a_user_or_role(principal: str) -> None:
    """A session's ARN does not tell the role's path: the grader has to give the role."""
    with pytest.raises(AuthorError):
        get(principal)


def test_identity_policies_need_somebody_they_belong_to() -> None:
    """With resource policies in play a forgotten principal would be taken for a stranger."""
    with pytest.raises(AuthorError):
        decide(get(None), identity=[policy(allow())], resource_policies=[policy(allow(Principal="*"))])


def test_the_callers_own_keys_need_not_be_given() -> None:
    """ARN, account and type of the caller follow from the principal, unless the context says otherwise."""
    assert get(ROLE).values("aws:principalaccount") == ("111122223333",)
    assert get(USER).values("aws:username") == ("ann",)
    assert get(ROLE).values("aws:PrincipalType") == ("AssumedRole",)
    assert get(ROLE, context={"aws:PrincipalArn": "x"}).values("aws:PrincipalArn") == ("x",)


def test_context_may_have_several_values() -> None:
    """A key of several values is a sequence."""
    context: Mapping[str, Sequence[str]] = {"aws:TagKeys": ["a", "b"]}
    condition = {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b", "c"]}}
    assert decide(get(context=context), identity=[policy(allow(Condition=condition))]).allowed
