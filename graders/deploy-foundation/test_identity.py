"""Who may do what: roles of the application, the nodes and the controllers."""

import pytest

from hallmark.errors import Miss
from hallmark.policy import (
    Breadth,
    Policy,
    Unknown,
    buckets,
    has_wildcard_grant,
    trusted_principals,
    trusts_web_identity,
)
from hallmark.policy.matching import matches
from hallmark.views.identity import AUDIENCE, Identity
from hallmark.views.roles import Role
from hallmark.views.storage import READ, Storage

# Never an application's business: other buckets are probed apart.
FORBIDDEN = (
    *("s3:DeleteBucket", "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock", "s3:PutLifecycleConfiguration"),
    *("iam:*", "organizations:*", "ec2:RunInstances", "rds:DeleteDBInstance"),
)
# Whoever may do one of these can give himself everything else.
ADMINISTRATION = (
    *("iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:CreatePolicyVersion", "iam:UpdateAssumeRolePolicy"),
    *("iam:CreateAccessKey", "iam:AttachUserPolicy", "iam:PutUserPolicy"),
)
# What a worker needs, as AWS publishes it (EKS User Guide, "Amazon EKS node IAM role"), and the two agents.
WORKER_POLICIES = (
    *("AmazonEKSWorkerNodePolicy", "AmazonEKSWorkerNodeMinimalPolicy", "AmazonEKS_CNI_Policy"),
    *("AmazonEC2ContainerRegistryReadOnly", "AmazonEC2ContainerRegistryPullOnly"),
    *("AmazonSSMManagedInstanceCore", "CloudWatchAgentServerPolicy"),
)
# The same as actions, for policies of the operator's own making. IPv6 needs more than the CNI policy has.
WORKER_ACTIONS = (
    *("ec2:Describe*", "ec2:CreateTags", "ec2:*NetworkInterface", "ec2:ModifyNetworkInterfaceAttribute"),
    *(
        "ec2:*assignPrivateIpAddresses",
        "ec2:*assignIpv6Addresses",
        "eks:Describe*",
        "eks-auth:AssumeRoleForPodIdentity",
    ),
    *("ecr:Get*", "ecr:BatchGet*", "ecr:BatchCheck*", "ecr:BatchImportUpstreamImage", "ecr:Describe*", "ecr:List*"),
    *("ssm:DescribeAssociation", "ssm:DescribeDocument", "ssm:GetDocument", "ssm:GetManifest", "ssm:List*Associations"),
    *("ssm:GetDeployablePatchSnapshotForInstance", "ssm:PutInventory", "ssm:PutComplianceItems", "ssm:UpdateInstance*"),
    *("ssm:PutConfigurePackageResult", "ssm:UpdateAssociationStatus", "ssmmessages:*", "ec2messages:*"),
    *("cloudwatch:PutMetricData", "logs:Describe*", "logs:Create*", "logs:Put*"),
)
# A controller is known by what it must be able to do.
CONTROLLERS = {
    "load balancer controller": "elasticloadbalancing:CreateLoadBalancer",
    "Cluster Autoscaler": "autoscaling:SetDesiredCapacity",
    "EBS CSI driver": "ec2:CreateVolume",
}
BUCKET_ACTIONS = (
    *("s3:GetObject*", "s3:PutObject*", "s3:DeleteObject*", "s3:ListBucket*"),
    *("s3:GetBucket*", "s3:PutBucket*", "s3:DeleteBucket*"),
)
OTHER_BUCKET = "arn:aws:s3:::hallmark-probe-of-another-bucket"


@pytest.mark.check(
    "S3-4",
    points=3,
    requires=["cluster_active"],
    why="A service account without a role loses every payload above 20 KB, while small traces look fine.",
)
def test_service_accounts_have_roles(identity: Identity) -> None:
    """Each of the four service accounts that use the bucket can get an IAM role."""
    without = [account for account in identity.application_accounts if not identity.roles_of(account)]
    if without:
        namespace = identity.scope("namespace")
        raise Miss(
            expected="a role that trusts each of the four service accounts, by IRSA (aud and sub) or Pod Identity",
            observed="no role for " + ", ".join(f"{namespace}/{account}" for account in without),
            where=identity.provider.arn if identity.provider else identity.scope("cluster"),
            next=f"aws eks list-pod-identity-associations --cluster-name {identity.scope('cluster')}",
        )


@pytest.mark.check(
    "S3-4",
    points=3,
    requires=["service_accounts_have_roles", "bucket_exists"],
    why="A role that lacks one of these rights fails only for large payloads, or only when traces are deleted.",
)
def test_service_accounts_reach_bucket(identity: Identity, storage: Storage) -> None:
    """Each of the four service accounts may read, write, delete and list objects of the bucket."""
    for bucket in storage.buckets:
        for account in identity.application_accounts:
            roles = identity.roles_of(account)
            lacking = {r.name: storage.lacking(r, bucket) for r in roles}
            if all(lacking.values()):
                role, what = next(iter(lacking.items()))
                raise Miss(
                    expected=f"{account} may use the objects of {bucket.name}",
                    observed=f"its role {role} is not allowed {', '.join(what)}",
                    where=roles[0].arn,
                    next=f"aws iam list-role-policies --role-name {role}",
                )


@pytest.mark.check(
    "SB-3",
    points=3,
    requires=["service_accounts_have_roles"],
    why="Whoever takes over one pod of the application has all of its role's rights.",
)
def test_application_role_limited(identity: Identity, storage: Storage) -> None:
    """The application's role may use its own bucket and nothing else."""
    for role in identity.application_roles:
        _refuse(role, [str(f) for policy in role.policies for f in has_wildcard_grant(policy)], "no wildcard grant")
        named = {pattern.partition("/")[0] for pattern in buckets(role.policies)}
        _refuse(role, sorted(named - set(storage.bucket_names)), "no right on other buckets")
        elsewhere = [*role.could(BUCKET_ACTIONS, OTHER_BUCKET), *role.could(BUCKET_ACTIONS, f"{OTHER_BUCKET}/object")]
        _refuse(role, elsewhere, "no right on other buckets")
        _refuse(role, role.could(FORBIDDEN), "no right to administer")


@pytest.mark.check(
    "SB-3",
    points=3,
    requires=["service_accounts_have_roles"],
    why="A trust policy that is too wide hands the bucket to any pod that asks.",
)
def test_application_trust_limited(identity: Identity) -> None:
    """The application's role can be assumed only from the application's namespace."""
    own = f"system:serviceaccount:{identity.scope('namespace')}:"
    for role in identity.application_roles:
        _refuse_trust(role, [s for s in identity.subjects(role) if not s.startswith(own)])
        others = [value for kind, value in trusted_principals(role.trust) if not _is_of_cluster(identity, kind, value)]
        _refuse_trust(role, others)
        _refuse_trust(role, ["tokens for any audience"] if _takes_any_audience(identity, role) else [])


@pytest.mark.check(
    "SB-3",
    points=2,
    requires=["node_groups_healthy"],
    why="Every pod of a node can reach the node's role when the metadata service is open to it.",
)
def test_node_role_is_a_worker(identity: Identity) -> None:
    """The nodes' role holds what a worker needs and no more."""
    if not identity.node_roles:
        raise Miss(expected="a node group with a role", observed="no node group", where=identity.scope("cluster"))
    for role in identity.node_roles:
        own = [p for p, known in zip(role.policies, _published(role), strict=True) if not known]
        too_much = [f"{policy.name}: {each}" for policy in own for each in _beyond_a_worker(policy)]
        _refuse(role, too_much, "only the EKS worker, CNI, ECR, SSM and CloudWatch agent policies")


@pytest.mark.check(
    "S3-4",
    points=2,
    requires=["node_groups_healthy"],
    why="With S3 rights on the node every pod reads every trace, and a broken pod role goes unnoticed.",
)
def test_node_role_without_s3(identity: Identity) -> None:
    """The nodes' role has no rights on S3."""
    if not identity.node_roles:
        raise Miss(expected="a node group with a role", observed="no node group", where=identity.scope("cluster"))
    for role in identity.node_roles:
        rights = role.could(("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:*"))
        _refuse(role, rights, "no action of S3")


@pytest.mark.check(
    "SB-3",
    points=2,
    requires=["cluster_active"],
    why="A controller without a role of its own needs its rights on the nodes, where every pod finds them.",
)
def test_controllers_have_roles(identity: Identity) -> None:
    """Load balancer controller, Cluster Autoscaler and EBS driver get roles of their own."""
    usable = [role for role in identity.pod_roles if identity.can_be_assumed(role)]
    able = {name: [role for role in usable if role.could([action])] for name, action in CONTROLLERS.items()}
    lacking = [name for name, roles in able.items() if not roles]
    if lacking:
        raise Miss(
            expected="a role, by IRSA or Pod Identity, that may do each controller's work",
            observed=f"no pod role may do the work of {', '.join(lacking)}",
            where=identity.scope("cluster"),
            next="aws iam list-roles --query 'Roles[].RoleName'",
        )
    for role in (role for roles in able.values() for role in roles):
        wide = [subject for subject in identity.subjects(role) if "*" in subject.rpartition(":")[0]]
        _refuse_trust(role, wide)


@pytest.mark.check(
    "SB-3",
    points=3,
    requires=["cluster_active"],
    why="One administrator among the cluster's roles makes every other limit worthless.",
)
def test_no_administrator(identity: Identity) -> None:
    """No role of the cluster has administrator rights."""
    if not any(role.policies for role in identity.cluster_roles):
        raise Miss(expected="roles with policies", observed="none", where=identity.scope("cluster"))
    for role in identity.cluster_roles:
        _refuse(role, role.could(ADMINISTRATION), "no right to change permissions")
        if role.boundary is None:
            _refuse(role, _everything(role), "no grant of every action")


@pytest.mark.check(
    "SB-3",
    points=1,
    requires=["secrets_found"],
    why="The role that feeds secrets into the cluster is the shortest way to every other secret of the account.",
)
def test_secret_readers_limited(identity: Identity) -> None:
    """No role of a pod can read secrets of others."""
    region, account = identity.scope("region"), identity.account
    probes = {
        READ["secretsmanager"]: f"arn:aws:secretsmanager:{region}:{account}:secret:probe-of-another-secret-AbCdEf",
        READ["ssm"]: f"arn:aws:ssm:{region}:{account}:parameter/probe-of/another/parameter",
    }
    for role in identity.pod_roles:
        found = [action for action, arn in probes.items() if role.could([action], arn)]
        _refuse(role, found, "reading only the deployment's own secrets")


def _refuse(role: Role, found: object, expected: str) -> None:
    if found:
        listed = ", ".join(found) if isinstance(found, (list, tuple)) else str(found)
        raise Miss(
            expected=expected,
            observed=f"role {role.name}: {listed}",
            where=role.arn,
            next=f"aws iam list-attached-role-policies --role-name {role.name}",
        )


def _refuse_trust(role: Role, found: list[str]) -> None:
    if found:
        raise Miss(
            expected="a trust policy for service accounts of its own namespace, with audience",
            observed=f"role {role.name} lets in {', '.join(found)}",
            where=role.arn,
            next=f"aws iam get-role --role-name {role.name} --query Role.AssumeRolePolicyDocument",
        )


def _is_of_cluster(identity: Identity, kind: str, value: str) -> bool:
    provider = identity.provider.arn if identity.provider else ""
    return (kind, value) in {("Federated", provider), ("Service", "pods.eks.amazonaws.com")}


def _takes_any_audience(identity: Identity, role: Role) -> bool:
    """Whether a token made for somebody else than AWS would do."""
    provider = identity.provider
    if provider is None:
        return False
    namespace = f"system:serviceaccount:{identity.scope('namespace')}:"
    asked = [
        (provider.arn, provider.issuer, namespace + one, f"not-{AUDIENCE}") for one in identity.application_accounts
    ]
    return any(trusts_web_identity(role.trust, *each, unknown=Unknown.GRANTS).allowed for each in asked)


def _published(role: Role) -> list[bool]:
    """For each policy of a role, whether AWS publishes and maintains it for workers. Inline policies come first."""
    inline = len(role.policies) - len(role.attached)
    arns = [":iam::aws:policy/" in arn and arn.rpartition("/")[2] in WORKER_POLICIES for arn in role.attached]
    return [False] * inline + arns


def _beyond_a_worker(policy: Policy) -> list[str]:
    allowing = [statement for statement in policy.statements if statement.effect == "Allow"]
    return [
        pattern
        for statement in allowing
        for pattern in (statement.actions if not statement.not_action else ("everything but some actions",))
        if not any(matches(known.lower(), pattern.lower()) for known in WORKER_ACTIONS)
    ]


def _everything(role: Role) -> list[str]:
    broad = {Breadth.EVERY_ACTION, Breadth.ALL_BUT_SOME_ACTIONS}
    return [str(f) for policy in role.policies for f in has_wildcard_grant(policy) if f.breadth in broad]
