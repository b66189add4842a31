"""Who may do what, seen from the pods that really run."""

import pytest

from hallmark.errors import Miss
from hallmark.policy import has_wildcard_grant, trusted_principals
from hallmark.views.identity import Identity
from hallmark.views.roles import Role
from hallmark.views.storage import READ
from hallmark.views.workloads import Workloads

FORBIDDEN = (
    *("s3:DeleteBucket", "s3:PutBucketPolicy", "iam:*", "iam:PassRole", "ec2:RunInstances", "rds:DeleteDBInstance"),
    *("secretsmanager:DeleteSecret", "eks:DeleteCluster"),
)
"""Nothing a pod of the application has any business with."""
OTHER_BUCKET = "arn:aws:s3:::hallmark-probe-of-another-bucket"


@pytest.mark.check(
    "SB-3",
    points=3,
    requires=["accounts_have_role"],
    why="Whoever takes over one pod has all rights of its role.",
)
def test_pod_roles_limited(workloads: Workloads, identity: Identity) -> None:
    """No role that a pod of the release can get may do more than its work."""
    for role in _roles(workloads, identity):
        wide = [str(grant) for policy in role.policies for grant in has_wildcard_grant(policy)]
        _refuse(role, [*wide, *role.could(FORBIDDEN)], "no wildcard grant and no right to administer")
        _refuse(role, _of_others(role, identity), "no right on other buckets, nor to read secrets of others")


@pytest.mark.check(
    "SB-3",
    points=2,
    requires=["accounts_have_role"],
    why="A trust policy that is too wide hands the bucket to any pod that asks.",
)
def test_pod_roles_trust_namespace(workloads: Workloads, identity: Identity) -> None:
    """The roles of the release's pods can be had from its namespace only."""
    own = f"system:serviceaccount:{workloads.scope('namespace')}:"
    provider = identity.provider.arn if identity.provider else ""
    known = {("Federated", provider), ("Service", "pods.eks.amazonaws.com")}
    for role in _roles(workloads, identity):
        others = [subject for subject in identity.subjects(role) if not subject.startswith(own)]
        others += [value for kind, value in trusted_principals(role.trust) if (kind, value) not in known]
        _refuse(role, others, f"trust for service accounts of {workloads.scope('namespace')} only")


def _of_others(role: Role, identity: Identity) -> list[str]:
    """Return what a role may do with a bucket and with secrets that nobody gave it."""
    place = f"{identity.scope('region')}:{role.arn.split(':')[4]}"
    probes = {
        f"{OTHER_BUCKET}/object": ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
        OTHER_BUCKET: ("s3:ListBucket",),
        f"arn:aws:secretsmanager:{place}:secret:hallmark-probe-of-another-secret-AbCdEf": (READ["secretsmanager"],),
        f"arn:aws:ssm:{place}:parameter/hallmark-probe/of-another": (READ["ssm"],),
    }
    return [action for resource, actions in probes.items() for action in role.could(actions, resource)]


def _roles(workloads: Workloads, identity: Identity) -> list[Role]:
    accounts = {one.service_account for one in workloads.all}
    found = {role.arn: role for account in sorted(accounts) for role in identity.roles_of(account)}
    if not found:
        raise Miss(expected="roles of the release's pods", observed="none", where=workloads.scope("namespace"))
    return list(found.values())


def _refuse(role: Role, found: list[str], expected: str) -> None:
    if found:
        raise Miss(
            expected=expected,
            observed=f"role {role.name}: {', '.join(found)}",
            where=role.arn,
            next=f"aws iam get-role --role-name {role.name}",
        )
