"""What can be wrong with the roles of the release's pods, and what only looks wrong."""

from collections.abc import Iterator
from typing import Any

from hallmark.grading.mutation import Edit, mutant

ROLE = "eks.amazonaws.com/role-arn"


def _role(edit: Edit) -> str:
    accounts = (one for one in edit.objects("serviceaccounts") if ROLE in one["metadata"].get("annotations", {}))
    arn: str = next(accounts)["metadata"]["annotations"][ROLE]
    return arn.rpartition("/")[2]


def _described(edit: Edit) -> Iterator[dict[str, Any]]:
    """The role as itself and in the list of all: AWS says the same of it in both."""
    name = _role(edit)
    yield from edit.each("iam", "get_role", "Role", RoleName=name)
    yield from (one for one in edit.each("iam", "list_roles", "Roles") if one["RoleName"] == name)


def _statements(edit: Edit) -> list[dict[str, Any]]:
    policy = next(edit.each("iam", "get_role_policy", RoleName=_role(edit)))
    statements: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return statements


@mutant(breaks=["pod_roles_limited"])
def role_may_do_everything_with_s3(edit: Edit) -> None:
    """s3:* on everything."""
    _statements(edit).append({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})


@mutant(breaks=["pod_roles_limited"])
def role_may_delete_the_bucket(edit: Edit) -> None:
    """One action too many."""
    _statements(edit).append({"Effect": "Allow", "Action": ["s3:DeleteBucket"], "Resource": "arn:aws:s3:::*"})


@mutant(breaks=["pod_roles_limited"])
def role_reads_every_bucket(edit: Edit) -> None:
    """It only reads, and it reads what is not its own."""
    _statements(edit).append({"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"})


@mutant(breaks=["pod_roles_limited"])
def role_reads_all_objects_but_some(edit: Edit) -> None:
    """What is left out is named, and not what is granted."""
    _statements(edit).append({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::payroll/*"})


@mutant(breaks=["pod_roles_limited"])
def role_reads_every_secret(edit: Edit) -> None:
    """Whoever takes over one pod has the secrets of everybody."""
    _statements(edit).append({"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"})


@mutant(breaks=[])
def role_reads_its_own_secrets(edit: Edit) -> None:
    """As the CSI driver asks for: with the pod's role, and nothing but the secrets of this deployment."""
    own = "arn:aws:secretsmanager:us-east-1:111122223333:secret:langsmith/app-??????"
    actions = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    _statements(edit).append({"Effect": "Allow", "Action": actions, "Resource": own})


@mutant(breaks=["pod_roles_limited"])
def role_may_pass_roles(edit: Edit) -> None:
    """A way to become somebody else."""
    _statements(edit).append({"Effect": "Allow", "Action": ["iam:PassRole"], "Resource": "*"})


@mutant(breaks=["pod_roles_trust_namespace"])
def role_trusts_another_namespace_too(edit: Edit) -> None:
    """Pods of another team can have the role."""
    for role in _described(edit):
        for condition in role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"].values():
            for key, value in condition.items():
                if key.endswith(":sub"):
                    own = value if isinstance(value, list) else [value]
                    condition[key] = [*own, "system:serviceaccount:other:default"]


@mutant(breaks=["pod_roles_trust_namespace"])
def role_trusts_a_user(edit: Edit) -> None:
    """Somebody can take the role from his desk."""
    user = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/x"}, "Action": "sts:AssumeRole"}
    for role in _described(edit):
        role["AssumeRolePolicyDocument"]["Statement"].append(user)
