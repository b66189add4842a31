"""Mutants of roles, trust and permissions."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call, Status

NO_ROLE = ["service_accounts_have_roles"]
FIRST = "langsmith-backend"
"""Service account by which the application's role is found."""


def _role(edit: Edit, word: str) -> str:
    """Name of the role whose trust policy says *word*."""
    roles = edit.each("iam", "list_roles", "Roles")
    return next(str(role["RoleName"]) for role in roles if word in str(role["AssumeRolePolicyDocument"]))


def _node_role(edit: Edit) -> str:
    group = next(edit.each("eks", "describe_nodegroup", "nodegroup"))
    return str(group["nodeRole"]).rpartition("/")[2]


def _trust(edit: Edit, word: str) -> Iterator[dict[str, Any]]:
    """Statements of that role's trust policy, as the role and as the list of roles show it."""
    name = _role(edit, word)
    yield from edit.each("iam", "get_role", "Role.AssumeRolePolicyDocument.Statement", RoleName=name)
    listed = (role for role in edit.each("iam", "list_roles", "Roles") if role["RoleName"] == name)
    yield from (statement for role in listed for statement in role["AssumeRolePolicyDocument"]["Statement"])


def _grants(edit: Edit, word: str) -> Iterator[dict[str, Any]]:
    """Statements of that role's inline policies."""
    return edit.each("iam", "get_role_policy", "PolicyDocument.Statement", RoleName=_role(edit, word))


def _add(edit: Edit, role: str, **statement: Any) -> None:
    """Give a role one more inline policy."""
    for listed in edit.answers("iam", "list_role_policies", RoleName=role):
        listed["PolicyNames"] = [*listed["PolicyNames"], "added"]
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", **statement}]}
    call = Call.of("iam", "get_role_policy", RoleName=role, PolicyName="added")
    edit.put(call, {"RoleName": role, "PolicyName": "added", "PolicyDocument": document})


def _change_subjects(
    edit: Edit, word: str, change: Callable[[list[str]], list[str]], operator: str = "StringEquals"
) -> None:
    for statement in _trust(edit, word):
        conditions = statement["Condition"].pop("StringEquals")
        key = next(key for key in conditions if key.endswith(":sub"))
        found = conditions.pop(key)
        subjects = change(found if isinstance(found, list) else [found])
        statement["Condition"] = {"StringEquals": conditions}
        statement["Condition"].setdefault(operator, {})[key] = subjects


@mutant(breaks=NO_ROLE)
def one_service_account_is_not_trusted(edit: Edit) -> None:
    """The ingest queue's service account is missing from the trust policy (SE-44)."""
    _change_subjects(edit, FIRST, lambda subjects: [s for s in subjects if "ingest" not in s])


@mutant(breaks=NO_ROLE)
def trust_names_another_namespace(edit: Edit) -> None:
    """The trust policy names the namespace of an older installation (SE-45)."""
    _change_subjects(edit, FIRST, lambda subjects: [s.replace(":langsmith:", ":langsmith-old:") for s in subjects])


@mutant(breaks=NO_ROLE)
def trust_asks_another_audience(edit: Edit) -> None:
    """The trust policy asks for tokens made for somebody else."""
    for statement in _trust(edit, FIRST):
        conditions = statement["Condition"]["StringEquals"]
        conditions[next(key for key in conditions if key.endswith(":aud"))] = "sts.example.com"


@mutant(breaks=NO_ROLE)
def cluster_has_another_issuer(edit: Edit) -> None:
    """The roles trust the identity provider of a cluster that is gone, which its successor is not (SE-45)."""
    for statement in _trust(edit, FIRST):
        statement["Principal"]["Federated"] = f"{statement['Principal']['Federated']}OLD"


@mutant(breaks=[*NO_ROLE, "controllers_have_roles", "secrets_found"])
def provider_is_missing(edit: Edit) -> None:
    """Nobody made an IAM identity provider for the cluster: no pod gets any role."""
    edit.status("iam", "get_open_id_connect_provider", Status.ABSENT, code="NoSuchEntity")


@mutant(breaks=[*NO_ROLE, "controllers_have_roles", "secrets_found"])
def provider_refuses_the_audience(edit: Edit) -> None:
    """The identity provider does not know the audience of AWS."""
    for provider in edit.answers("iam", "get_open_id_connect_provider"):
        provider["ClientIDList"] = ["kubernetes"]


@mutant(breaks=["application_trust_limited"])
def trust_without_audience(edit: Edit) -> None:
    """The trust policy takes tokens for any audience."""
    for statement in _trust(edit, FIRST):
        conditions = statement["Condition"]["StringEquals"]
        del conditions[next(key for key in conditions if key.endswith(":aud"))]


@mutant(breaks=["application_trust_limited"])
def trust_without_audience_for_one(edit: Edit) -> None:
    """One of the four may come with a token for any audience."""
    queue = f"system:serviceaccount:{edit.scope['namespace']}:langsmith-queue"
    for document in edit.each("iam", "get_role", "Role.AssumeRolePolicyDocument", RoleName=_role(edit, FIRST)):
        lax = copy.deepcopy(document["Statement"][0])
        subject = next(key for key in lax["Condition"]["StringEquals"] if key.endswith(":sub"))
        lax["Condition"] = {"StringEquals": {subject: queue}}
        document["Statement"].append(lax)


@mutant(breaks=["application_trust_limited"])
def trust_takes_every_namespace(edit: Edit) -> None:
    """The trust policy takes every service account of the cluster."""
    _change_subjects(edit, FIRST, lambda _: ["system:serviceaccount:*"], "StringLike")


@mutant(breaks=["application_trust_limited"])
def trust_takes_similar_namespaces(edit: Edit) -> None:
    """A wildcard in the namespace takes every namespace that begins alike."""
    _change_subjects(edit, FIRST, lambda _: ["system:serviceaccount:langsmith*:*"], "StringLike")


@mutant(breaks=["application_trust_limited"])
def trust_takes_the_account(edit: Edit) -> None:
    """Whoever in the account may assume roles may assume the application's."""
    name = _role(edit, FIRST)
    for role in edit.each("iam", "get_role", "Role", RoleName=name):
        account = role["Arn"].split(":")[4]
        anybody = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
        role["AssumeRolePolicyDocument"]["Statement"].append(anybody)


@mutant(breaks=())
def trust_takes_the_namespace(edit: Edit) -> None:
    """The trust policy takes every service account of the namespace, as the official Terraform does."""
    _change_subjects(edit, FIRST, lambda _: ["system:serviceaccount:langsmith:*"], "StringLike")


@mutant(breaks=())
def pod_identity_instead_of_irsa(edit: Edit) -> None:
    """The application's role is bound by EKS Pod Identity instead of trusting tokens."""
    name, cluster = _role(edit, FIRST), edit.scope["cluster"]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "pods.eks.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
            }
        ],
    }
    subjects = [subject for s in _trust(edit, FIRST) for subject in _subjects(s)]
    accounts = [subject.rpartition(":")[2] for subject in subjects]
    for role in (*edit.each("iam", "get_role", "Role", RoleName=name), *edit.each("iam", "list_roles", "Roles")):
        if role["RoleName"] == name:
            role["AssumeRolePolicyDocument"], arn = trust, role["Arn"]
    bound = [
        {"namespace": "langsmith", "serviceAccount": account, "associationId": f"a-{account}", "clusterName": cluster}
        for account in accounts
    ]
    edit.put(Call.of("eks", "list_pod_identity_associations", clusterName=cluster), {"associations": bound})
    for each in bound:
        ids = {"clusterName": cluster, "associationId": each["associationId"]}
        edit.put(Call.of("eks", "describe_pod_identity_association", **ids), {"association": {**each, "roleArn": arn}})


def _subjects(statement: dict[str, Any]) -> list[str]:
    conditions = statement["Condition"]["StringEquals"]
    found = conditions[next(key for key in conditions if key.endswith(":sub"))]
    return found if isinstance(found, list) else [found]


@mutant(breaks=["service_accounts_reach_bucket"])
def role_may_not_delete(edit: Edit) -> None:
    """The role may not delete objects: deleted traces keep their payloads."""
    for statement in _grants(edit, FIRST):
        statement["Action"] = [a for a in _listed(statement["Action"]) if a != "s3:DeleteObject"]


@mutant(breaks=["service_accounts_reach_bucket"])
def role_may_not_list(edit: Edit) -> None:
    """The role may not list the bucket."""
    for statement in _grants(edit, FIRST):
        statement["Action"] = [a for a in _listed(statement["Action"]) if a != "s3:ListBucket"]


@mutant(breaks=["service_accounts_reach_bucket"])
def role_may_not_use_the_key(edit: Edit) -> None:
    """The bucket is encrypted with a key that the role may not use (SE-50)."""
    for statement in _grants(edit, FIRST):
        statement["Action"] = [a for a in _listed(statement["Action"]) if a != "kms:GenerateDataKey"]


@mutant(breaks=["service_accounts_reach_bucket"])
def boundary_without_s3(edit: Edit) -> None:
    """A permissions boundary leaves out S3."""
    arn = "arn:aws:iam::111122223333:policy/boundary"
    for role in edit.each("iam", "get_role", "Role", RoleName=_role(edit, FIRST)):
        role["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}
    edit.put(Call.of("iam", "get_policy", PolicyArn=arn), {"Policy": {"DefaultVersionId": "v1"}})
    version = Call.of("iam", "get_policy_version", PolicyArn=arn, VersionId="v1")
    edit.put(version, {"PolicyVersion": {"Document": document, "VersionId": "v1"}})


@mutant(breaks=["application_role_limited"])
def role_may_everything_in_s3(edit: Edit) -> None:
    """The application's role has every action of S3 on its bucket."""
    for statement in _grants(edit, FIRST):
        if "s3:ListBucket" in _listed(statement["Action"]):
            statement["Action"] = "s3:*"


@mutant(breaks=["application_role_limited"])
def role_reaches_every_bucket(edit: Edit) -> None:
    """The application's role reads the objects of every bucket."""
    _add(edit, _role(edit, FIRST), Action="s3:GetObject", Resource="arn:aws:s3:::*")


@mutant(breaks=["application_role_limited"])
def role_may_delete_the_bucket(edit: Edit) -> None:
    """The application's role may delete its bucket."""
    for statement in _grants(edit, FIRST):
        if "s3:ListBucket" in _listed(statement["Action"]):
            statement["Action"] = ["s3:ListBucket", "s3:DeleteBucket"]


@mutant(breaks=["application_role_limited", "no_administrator", "secret_readers_limited"])
def role_may_all_but_iam(edit: Edit) -> None:
    """The application's role has everything but what a NotAction names."""
    name = _role(edit, FIRST)
    _add(edit, name)
    for statement in edit.each("iam", "get_role_policy", "PolicyDocument.Statement", RoleName=name, PolicyName="added"):
        statement["NotAction"] = ["iam:*", "organizations:*"]


@mutant(breaks=["node_role_is_a_worker", "node_role_without_s3"])
def node_role_reads_s3(edit: Edit) -> None:
    """The nodes' role reads the bucket, so that pods without a role work too."""
    _add(edit, _node_role(edit), Action=["s3:GetObject", "s3:PutObject"], Resource="arn:aws:s3:::any/*")


@mutant(breaks=["node_role_is_a_worker"])
def node_role_makes_volumes(edit: Edit) -> None:
    """The nodes' role makes volumes, because the EBS driver has no role of its own."""
    _add(edit, _node_role(edit), Action=["ec2:CreateVolume", "ec2:AttachVolume"])


@mutant(breaks=["node_role_is_a_worker"])
def node_role_reads_secrets(edit: Edit) -> None:
    """The nodes' role reads secrets."""
    _add(edit, _node_role(edit), Action="secretsmanager:GetSecretValue")


@mutant(breaks=())
def node_role_pulls_by_own_policy(edit: Edit) -> None:
    """The nodes' role pulls images by a policy of the operator's own making."""
    _add(
        edit, _node_role(edit), Action=["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    )


@mutant(breaks=["no_administrator", "node_role_is_a_worker", "node_role_without_s3"])
def node_role_is_administrator(edit: Edit) -> None:
    """The nodes' role has every action on everything."""
    _add(edit, _node_role(edit), Action="*")


@mutant(breaks=["no_administrator", "secret_readers_limited"])
def controller_is_administrator(edit: Edit) -> None:
    """The load balancer controller's role has every action on everything."""
    _add(edit, _role(edit, "aws-load-balancer-controller"), Action="*")


@mutant(breaks=["no_administrator"])
def autoscaler_may_change_permissions(edit: Edit) -> None:
    """The autoscaler's role may attach policies to roles."""
    _add(edit, _role(edit, "cluster-autoscaler"), Action="iam:AttachRolePolicy")


@mutant(breaks=["controllers_have_roles"])
def autoscaler_without_rights(edit: Edit) -> None:
    """No role of a pod may resize the groups: the autoscaler borrows the nodes' role or does nothing."""
    for statement in _grants(edit, "cluster-autoscaler"):
        statement["Action"] = [a for a in _listed(statement["Action"]) if not a.startswith("autoscaling:Set")]


@mutant(breaks=["controllers_have_roles"])
def volume_role_trusts_nobody(edit: Edit) -> None:
    """The EBS driver's role asks for an audience that no token has."""
    for statement in _trust(edit, "ebs-csi-controller-sa"):
        conditions = statement["Condition"]["StringEquals"]
        conditions[next(key for key in conditions if key.endswith(":aud"))] = "sts.example.com"


@mutant(breaks=["controllers_have_roles", "application_role_limited", "application_trust_limited"])
def controller_trusts_every_namespace(edit: Edit) -> None:
    """Every service account, the application's too, gets the load balancer controller's role."""
    _change_subjects(edit, "aws-load-balancer-controller", lambda _: ["system:serviceaccount:*:*"], "StringLike")


@mutant(breaks=["secret_readers_limited"])
def secrets_role_reads_all(edit: Edit) -> None:
    """The role of External Secrets reads every secret of the account."""
    for statement in _grants(edit, "external-secrets"):
        if "secretsmanager:GetSecretValue" in _listed(statement["Action"]):
            statement["Resource"] = "*"


@mutant(breaks=["secrets_found"])
def secrets_role_reads_another_prefix(edit: Edit) -> None:
    """The role of External Secrets reads a prefix under which nothing lies (SE-52)."""
    for statement in _grants(edit, "external-secrets"):
        if "secretsmanager:GetSecretValue" in _listed(statement["Action"]):
            statement["Resource"] = str(statement["Resource"]).rpartition(":")[0] + ":renamed/*"


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
