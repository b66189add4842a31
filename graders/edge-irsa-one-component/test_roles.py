"""Each of the four components has its role again, in every pod; and nobody has more rights than before."""

import pytest

from hallmark.errors import Miss
from hallmark.policy import has_wildcard_grant, trusted_principals
from hallmark.views.cluster import Object, annotations_of, name_of
from hallmark.views.controllers import Controllers
from hallmark.views.identity import Identity
from hallmark.views.release import Release
from hallmark.views.roles import Role
from hallmark.views.secrets import Secrets
from hallmark.views.storage import OBJECT_ACTIONS, Bucket, Storage
from hallmark.views.workloads import USING_BUCKET, Workload, Workloads

ANNOTATION = "eks.amazonaws.com/role-arn"
THRESHOLD_KB = 20
"""Payloads above it go to the bucket (LangSmith chart 0.16)."""
OTHER_BUCKET = "arn:aws:s3:::hallmark-probe-of-another-bucket"
FORBIDDEN = ("s3:DeleteBucket", "s3:PutBucketPolicy", "s3:PutLifecycleConfiguration", "iam:*", "secretsmanager:*")
"""Nothing that a trace has any business with."""
S3 = (*OBJECT_ACTIONS, "s3:ListBucket", "s3:*")
KEYS = frozenset({
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "S3_ACCESS_KEY", "S3_ACCESS_KEY_SECRET",
})  # fmt: skip
"""Variables in which static credentials reach the application or the AWS SDK."""


def _using(workloads: Workloads) -> list[Workload]:
    """Return the four components that use the bucket."""
    if missing := [name for name in USING_BUCKET if not workloads.component(name)]:
        raise Miss(
            expected="the four components that use the bucket",
            observed=f"no workload for {', '.join(missing)}",
            where=workloads.scope("namespace"),
            next=f"kubectl -n {workloads.scope('namespace')} get deployments",
        )
    return [one for name in USING_BUCKET if (one := workloads.component(name))]


def _role(one: Workload, workloads: Workloads, identity: Identity) -> Role | None:
    """Return the role the pods of a workload get: an association wins over the annotation. It has to trust them."""
    place = (one.namespace, one.service_account)
    bound = [each.role for each in identity.associations if (each.namespace, each.service_account) == place]
    named = bound[0] if bound else _annotation(one, workloads).rpartition("/")[2]
    return next((role for role in identity.roles_of(one.service_account) if role.name == named), None)


def _annotation(one: Workload, workloads: Workloads) -> str:
    cluster = workloads.views.cluster
    accounts = cluster.objects("serviceaccounts", namespace=cluster.namespace)
    found = next((each for each in accounts if name_of(each) == one.service_account), None)
    return annotations_of(found).get(ANNOTATION, "") if found else ""


def _roles(workloads: Workloads, identity: Identity) -> list[Role]:
    """Return every role that a pod of one of the four could get."""
    found = {role.arn: role for one in _using(workloads) for role in identity.roles_of(one.service_account)}
    if not found:
        raise Miss(expected="roles of the four components", observed="none", where=workloads.scope("namespace"))
    return [found[arn] for arn in sorted(found)]


@pytest.mark.check(
    "S3-4",
    points=5,
    why="A component without a role loses every large payload, while its pods are ready and small traces look fine.",
)
def test_accounts_have_role(workloads: Workloads, identity: Identity) -> None:
    """Each of the four components has a service account of its own, with a role that trusts it."""
    for one in _using(workloads):
        account, where = one.service_account, f"ServiceAccount {one.namespace}/{one.service_account} of {one.name}"
        sharing = [each.name for each in workloads.all if each.service_account == account and each != one]
        if sharing or account == "default":
            raise Miss(
                expected="a service account that no other workload uses",
                observed=f"it is shared with {', '.join(sharing)}" if sharing else "the default one",
                where=where,
                next=one.look,
            )
        if _role(one, workloads, identity) is None:
            named = _annotation(one, workloads)
            raise Miss(
                expected=f"the annotation {ANNOTATION} with a role that trusts it, or Pod Identity",
                observed=f"{named} does not trust it" if named else "no annotation and no association",
                where=where,
                next=f"kubectl -n {one.namespace} get serviceaccount {account} -o yaml",
            )


@pytest.mark.check(
    "S3-4",
    points=4,
    requires=["accounts_have_role"],
    why="The role comes with the pod's start: pods that are older than the annotation still have none.",
)
def test_pods_carry_role(workloads: Workloads, identity: Identity, controllers: Controllers) -> None:
    """Every pod of the four components is ready and carries its role."""
    for one in _using(workloads):
        pods, role = workloads.pods(one), _role(one, workloads, identity)
        without = [name_of(pod) for pod in pods if not role or not _carries(pod, role, identity)]
        if without or not one.is_ready:
            raise Miss(
                expected="every pod ready, with AWS_ROLE_ARN and a token file, or with the address of Pod Identity",
                observed=f"no role in {', '.join(without)}" if without else f"{one.ready} of {one.wanted} ready",
                where=one.where,
                next=f"kubectl -n {one.namespace} rollout restart {one.kind.lower()} {one.name}",
            )
        if any(_asks_agent(pod) for pod in pods) and not _has_agent(controllers):
            raise Miss(
                expected="the add-on eks-pod-identity-agent, ready on every node",
                observed="pods ask an agent that is not there",
                where=controllers.scope("cluster"),
                next=f"aws eks list-addons --cluster-name {controllers.scope('cluster')}",
            )


@pytest.mark.check(
    "S3-4",
    points=3,
    requires=["accounts_have_role"],
    why="Payloads that stay in the databases hide the fault and fill ClickHouse.",
)
def test_payloads_reach_bucket(workloads: Workloads, identity: Identity, storage: Storage) -> None:
    """Payloads above 20 KB still go to the bucket, and each component's role may do there what it has to."""
    for one in _using(workloads):
        bucket, role = _bucket(one, workloads, storage), _role(one, workloads, identity)
        if role and (lacking := storage.lacking(role, bucket)):
            raise Miss(
                expected=f"a role that may use the objects of {bucket.name}",
                observed=f"{role.name} is not allowed {', '.join(lacking)}",
                where=one.where,
                next=f"aws iam list-role-policies --role-name {role.name}",
            )


@pytest.mark.check(
    "SB-3",
    points=3,
    requires=["accounts_have_role"],
    why="Whoever takes over one pod has all rights of its role.",
)
def test_roles_are_limited(workloads: Workloads, identity: Identity) -> None:
    """No role that a pod of the four can get may do more than its work."""
    for role in _roles(workloads, identity):
        wide = [str(grant) for policy in role.policies for grant in has_wildcard_grant(policy)]
        elsewhere = [*role.could(S3, OTHER_BUCKET), *role.could(S3, f"{OTHER_BUCKET}/object")]
        if found := [*wide, *role.could(FORBIDDEN), *elsewhere]:
            raise Miss(
                expected="the objects of the bucket and nothing else",
                observed=f"{role.name}: {', '.join(found)}",
                where=role.arn,
                next=f"aws iam list-role-policies --role-name {role.name}",
            )


@pytest.mark.check(
    "SB-3",
    "S3-4",
    points=3,
    requires=["accounts_have_role"],
    why="A trust policy that lets in whoever asks mends every annotation, and every attacker's, too.",
)
def test_trust_is_limited(workloads: Workloads, identity: Identity) -> None:
    """The roles of the four components trust these four service accounts by name, and nobody else."""
    own = {f"system:serviceaccount:{one.namespace}:{one.service_account}" for one in _using(workloads)}
    provider = identity.provider.arn if identity.provider else ""
    known = {("Federated", provider), ("Service", "pods.eks.amazonaws.com")}
    for role in _roles(workloads, identity):
        others = [subject for subject in identity.subjects(role) if subject not in own]
        others += [value for kind, value in trusted_principals(role.trust) if (kind, value) not in known]
        if others:
            raise Miss(
                expected="trust for the four service accounts, each by its full name",
                observed=f"{role.name} lets in {', '.join(others)}",
                where=role.arn,
                next=f"aws iam get-role --role-name {role.name} --query Role.AssumeRolePolicyDocument",
            )


@pytest.mark.check(
    "S3-4",
    points=2,
    requires=["accounts_have_role"],
    why="With S3 rights on the node a pod without a role works all the same, until somebody tidies up the node.",
)
def test_node_has_no_s3(workloads: Workloads, identity: Identity, storage: Storage) -> None:
    """The nodes' role has no rights on S3, neither by policies of its own nor by that of the bucket."""
    if not identity.node_roles:
        raise Miss(expected="a node group with a role", observed="none", where=identity.scope("cluster"))
    for role in identity.node_roles:
        if rights := role.could(S3):
            raise Miss(
                expected="no action of S3",
                observed=", ".join(rights),
                where=role.arn,
                next=f"aws iam list-attached-role-policies --role-name {role.name}",
            )
        for bucket in storage.described(_bucket_names(workloads)):
            if rights := bucket.grants(role.arn):
                raise Miss(
                    expected="a bucket that lets in roles of pods only",
                    observed=f"its policy lets nodes do {', '.join(rights)}",
                    where=bucket.arn,
                    next=f"aws s3api get-bucket-policy --bucket {bucket.name}",
                )


@pytest.mark.check(
    "S3-5",
    points=4,
    requires=["accounts_have_role"],
    why="A static key works from everywhere, for everybody who finds it, until somebody revokes it.",
)
def test_no_static_keys(workloads: Workloads, secrets: Secrets, release: Release) -> None:
    """Neither values nor pods hold static AWS credentials."""
    for name in ("accessKey", "accessKeySecret"):
        if release.value(f"config.blobStorage.{name}"):
            where = f"value config.blobStorage.{name}"
            raise Miss(expected="no key in the values", observed="one", where=where, next=release.look)
    for one in _using(workloads):
        for container in one.all_containers:
            for variable in workloads.environment(container).values():
                is_set = secrets.holds(variable) if variable.secret else bool(variable.value)
                if variable.name in KEYS and is_set:
                    origin = f"from Secret {variable.secret}" if variable.secret else "as a literal"
                    raise Miss(
                        expected="no static credentials",
                        observed=f"{variable.name} {origin}",
                        where=one.where,
                        next=one.look,
                    )


def _carries(pod: Object, role: Role, identity: Identity) -> bool:
    """Whether a container has what the webhook puts there when a pod is made."""
    values = {entry["name"]: entry.get("value") for one in pod["spec"]["containers"] for entry in one.get("env", [])}
    by_token = values.get("AWS_ROLE_ARN") == role.arn and "AWS_WEB_IDENTITY_TOKEN_FILE" in values
    return by_token or (_asks_agent(pod) and any(each.role == role.name for each in identity.associations))


def _asks_agent(pod: Object) -> bool:
    names = {entry["name"] for one in pod["spec"]["containers"] for entry in one.get("env", [])}
    return "AWS_CONTAINER_CREDENTIALS_FULL_URI" in names


def _has_agent(controllers: Controllers) -> bool:
    """Whether an agent answers on the nodes; those of EKS Auto Mode have one built in (EKS User Guide)."""
    is_auto = controllers.views.compute.cluster.get("computeConfig", {}).get("enabled", False)
    return bool(is_auto) or any(one.is_ready for one in controllers.identity_agents)


def _bucket_names(workloads: Workloads) -> list[str]:
    told = [workloads.variables(one).get("S3_BUCKET_NAME") for one in _using(workloads)]
    return sorted({variable.value for variable in told if variable and variable.value})


def _bucket(one: Workload, workloads: Workloads, storage: Storage) -> Bucket:
    """Return the bucket a component sends large payloads to."""
    told = {name: variable.value for name, variable in workloads.variables(one).items()}
    switch, threshold = told.get("FF_BLOB_STORAGE_ENABLED", "").lower(), told.get("MIN_BLOB_STORAGE_SIZE_KB", "")
    name = told.get("S3_BUCKET_NAME", "") if switch == "true" else ""
    found = [bucket for bucket in storage.described([name] if name else []) if bucket.exists and bucket.is_own]
    if not found or not threshold.isdigit() or int(threshold) > THRESHOLD_KB:
        raise Miss(
            expected=f"blob storage on, from {THRESHOLD_KB} KB or less, with a bucket of this account",
            observed=f"bucket {name or 'none'}, from {threshold or 'no'} KB",
            where=one.where,
            next=f"kubectl -n {one.namespace} set env --list {one.kind.lower()}/{one.name}",
        )
    return found[0]
