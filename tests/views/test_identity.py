"""Roles of the cluster: found by reference, in every form AWS allows."""

from collections.abc import Mapping
from typing import Any

import pytest

from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views.all import Views
from hallmark.views.identity import Identity

ACCOUNT, CLUSTER = "111122223333", "prod"
ISSUER = "oidc.eks.us-east-1.amazonaws.com/id/AB12"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
SCOPE = {"cluster": CLUSTER, "namespace": "langsmith", "release": "langsmith", "region": "us-east-1"}
AGENT = {
    "Effect": "Allow",
    "Principal": {"Service": "pods.eks.amazonaws.com"},
    "Action": ["sts:AssumeRole", "sts:TagSession"],
}
Answers = dict[str, Answer]


def seen(service: str, operation: str, value: Any, **params: Any) -> Answers:
    """One observed answer."""
    return {Call.of(service, operation, **params).key: Answer(Status.OBSERVED, value)}


def absent(service: str, operation: str, **params: Any) -> Answers:
    """One thing that is not there."""
    return {Call.of(service, operation, **params).key: Answer(Status.ABSENT, None, "NotFound", "gone")}


def irsa(*subjects: str, operator: str = "StringEquals") -> Mapping[str, Any]:
    """A trust statement for service accounts."""
    conditions: dict[str, dict[str, Any]] = {"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}}
    conditions.setdefault(operator, {})[f"{ISSUER}:sub"] = list(subjects)
    return {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": conditions,
    }


def role(name: str, *trust: Mapping[str, Any], path: str = "/") -> Answers:
    """A role without policies."""
    arn = f"arn:aws:iam::{ACCOUNT}:role{path}{name}"
    document = {"Version": "2012-10-17", "Statement": list(trust)}
    return {
        **seen(
            "iam",
            "get_role",
            {"Role": {"RoleName": name, "Arn": arn, "AssumeRolePolicyDocument": document}},
            RoleName=name,
        ),
        **seen("iam", "list_role_policies", {"PolicyNames": []}, RoleName=name),
        **seen("iam", "list_attached_role_policies", {"AttachedPolicies": []}, RoleName=name),
    }


def associations(*bound: tuple[str, str, str]) -> Answers:
    """Pod Identity associations: namespace, service account, role."""
    found = [
        {"namespace": n, "serviceAccount": a, "associationId": f"a-{a}", "roleArn": f"arn:aws:iam::{ACCOUNT}:role/{r}"}
        for n, a, r in bound
    ]
    answers = seen("eks", "list_pod_identity_associations", {"associations": found}, clusterName=CLUSTER)
    for each in found:
        ids = {"clusterName": CLUSTER, "associationId": each["associationId"]}
        answers |= seen("eks", "describe_pod_identity_association", {"association": each}, **ids)
    return answers


def identity(*parts: Answers, scope: Mapping[str, str] = SCOPE, audience: str = "sts.amazonaws.com") -> Identity:
    """The view over a cluster with an identity provider and the given roles."""
    cluster = {
        "name": CLUSTER,
        "arn": f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/{CLUSTER}",
        "status": "ACTIVE",
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/control-plane",
        "identity": {"oidc": {"issuer": f"https://{ISSUER}"}},
    }
    answers = {
        **seen("eks", "describe_cluster", {"cluster": cluster}, name=CLUSTER),
        **seen("iam", "get_open_id_connect_provider", {"ClientIDList": [audience]}, OpenIDConnectProviderArn=PROVIDER),
        **seen("eks", "list_nodegroups", {"nodegroups": []}, clusterName=CLUSTER),
        **associations(),
    }
    for part in parts:
        answers |= part
    listed = [a.value["Role"] for key, a in answers.items() if key.startswith("iam.get_role{")]
    answers |= seen("iam", "list_roles", {"Roles": listed})
    return Views(Snapshot(answers, scope, "2026-11-24T00:00:00Z")).identity


def names(view: Identity, account: str) -> list[str]:
    """Names of the roles a service account can get."""
    return [found.name for found in view.roles_of(account)]


def test_service_account_gets_the_role_that_trusts_it() -> None:
    """The role with the exact subject, and no other."""
    view = identity(
        role("app", irsa("system:serviceaccount:langsmith:langsmith-queue")),
        role("other", irsa("system:serviceaccount:langsmith:langsmith-backend")),
    )

    assert names(view, "langsmith-queue") == ["app"]
    assert names(view, "langsmith-frontend") == []


def test_wildcard_in_the_subject_takes_all_accounts_of_the_namespace() -> None:
    """The official Terraform trusts the namespace."""
    view = identity(role("app", irsa("system:serviceaccount:langsmith:*", operator="StringLike")))

    assert all(names(view, account) == ["app"] for account in view.application_accounts)


def test_wildcard_under_string_equals_takes_nobody() -> None:
    """With StringEquals the asterisk is a letter like any other: a mistake that looks right."""
    view = identity(role("app", irsa("system:serviceaccount:langsmith:*")))

    assert view.application_roles == ()


def test_role_with_a_path_is_found() -> None:
    """The ARN has a path, the name has none."""
    view = identity(role("app", irsa("system:serviceaccount:langsmith:langsmith-queue"), path="/team/langsmith/"))

    assert view.roles_of("langsmith-queue")[0].arn.endswith(":role/team/langsmith/app")


def test_provider_without_the_audience_gives_no_role() -> None:
    """IAM refuses tokens for an audience its provider does not list."""
    view = identity(role("app", irsa("system:serviceaccount:langsmith:langsmith-queue")), audience="kubernetes")

    assert (view.pod_roles, names(view, "langsmith-queue")) == ((), [])


def test_pod_identity_is_as_good_as_irsa() -> None:
    """An association and a trust of the agent's service make a role."""
    view = identity(role("app", AGENT), associations(("langsmith", "langsmith-queue", "app")))

    assert names(view, "langsmith-queue") == ["app"]
    assert view.subjects(view.pod_roles[0]) == ("system:serviceaccount:langsmith:langsmith-queue",)


@pytest.mark.parametrize("trust", [
    {**AGENT, "Action": "sts:AssumeRole"},
    {**AGENT, "Principal": {"Service": "ec2.amazonaws.com"}},
    {**AGENT, "Condition": {"StringEquals": {"aws:RequestTag/kubernetes-namespace": "elsewhere"}}},
], ids=["no session tags", "another service", "another namespace"])  # fmt: skip
def test_association_needs_a_trust_that_fits(trust: Mapping[str, Any]) -> None:
    """An association alone gives nothing."""
    view = identity(role("app", trust), associations(("langsmith", "langsmith-queue", "app")))

    assert names(view, "langsmith-queue") == []
    assert not view.can_be_assumed(view.pod_roles[0])


def test_pod_identity_trust_may_name_the_namespace() -> None:
    """Conditions on what the agent tells about the pod are met."""
    condition = {"StringEquals": {"aws:RequestTag/kubernetes-namespace": "langsmith"}}
    view = identity(
        role("app", {**AGENT, "Condition": condition}), associations(("langsmith", "langsmith-queue", "app"))
    )

    assert names(view, "langsmith-queue") == ["app"]


def test_association_in_another_namespace_is_anothers() -> None:
    """The same account name in another namespace is another account."""
    view = identity(role("app", AGENT), associations(("staging", "langsmith-queue", "app")))

    assert names(view, "langsmith-queue") == []


@pytest.mark.parametrize(("release", "first"), [
    ("langsmith", "langsmith-backend"),
    ("my-langsmith", "my-langsmith-backend"),
    ("prod", "prod-langsmith-backend"),
])  # fmt: skip
def test_service_accounts_are_named_as_the_chart_names_them(release: str, first: str) -> None:
    """A release that does not say langsmith gets it added."""
    assert identity(scope={**SCOPE, "release": release}).application_accounts[0] == first


def test_without_a_cluster_there_is_nobody() -> None:
    """An account without the cluster has no roles of it, which is seen and not guessed."""
    view = identity(
        absent("eks", "describe_cluster", name=CLUSTER),
        absent("eks", "list_nodegroups", clusterName=CLUSTER),
        absent("eks", "list_pod_identity_associations", clusterName=CLUSTER),
    )

    assert (view.provider, view.pod_roles, view.node_roles, view.cluster_roles) == (None, (), (), ())


def test_policies_of_a_role_are_read_in_all_their_forms() -> None:
    """Inline, attached and boundary, each in the version in force."""
    reads = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}
    attached, bound = f"arn:aws:iam::{ACCOUNT}:policy/own", f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    parts = role("app", irsa("system:serviceaccount:langsmith:langsmith-queue"))
    parts[Call.of("iam", "get_role", RoleName="app").key].value["Role"]["PermissionsBoundary"] = {
        "PermissionsBoundaryArn": bound
    }
    parts |= seen("iam", "list_role_policies", {"PolicyNames": ["inline"]}, RoleName="app")
    document = {"PolicyName": "inline", "PolicyDocument": reads}
    parts |= seen("iam", "get_role_policy", document, RoleName="app", PolicyName="inline")
    parts |= seen("iam", "list_attached_role_policies", {"AttachedPolicies": [{"PolicyArn": attached}]}, RoleName="app")
    for arn, action in ((attached, "s3:PutObject"), (bound, "s3:Get*")):
        version = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}}
        parts |= seen("iam", "get_policy", {"Policy": {"DefaultVersionId": "v3"}}, PolicyArn=arn)
        answer = {"PolicyVersion": {"Document": version}}
        parts |= seen("iam", "get_policy_version", answer, PolicyArn=arn, VersionId="v3")
    found = identity(parts).pod_roles[0]

    assert ([policy.name for policy in found.policies], found.attached) == (["inline", "own"], (attached,))
    assert found.could(["s3:GetObject", "s3:PutObject"]) == ("s3:GetObject",)
