"""Large payloads: a bucket, and pods that reach it with a role of their own instead of keys."""

from urllib.parse import urlsplit

import pytest

from hallmark.errors import Miss
from hallmark.views.cluster import Object, name_of
from hallmark.views.identity import Identity
from hallmark.views.release import Release
from hallmark.views.secrets import Secrets
from hallmark.views.storage import Storage
from hallmark.views.workloads import USING_BUCKET, Variable, Workload, Workloads

THRESHOLD_KB = 20
KEYS = frozenset({
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "S3_ACCESS_KEY", "S3_ACCESS_KEY_SECRET",
})  # fmt: skip
"""Variables in which static credentials reach the application or the AWS SDK."""
VALUES = ("accessKey", "accessKeySecret")
"""Values of the chart under ``config.blobStorage`` that hold static credentials."""


def _values(one: Workload) -> str:
    return f"kubectl -n {one.namespace} set env --list {one.kind.lower()}/{one.name}"


def _using(workloads: Workloads) -> list[Workload]:
    """Return the workloads that use the bucket; the check that requires them has seen to it that they are there."""
    return [workloads.application[name] for name in USING_BUCKET]


def _bucket(workloads: Workloads, one: Workload) -> str:
    variable = workloads.variables(one).get("S3_BUCKET_NAME")
    return variable.value if variable else ""


@pytest.mark.check(
    "S3-1",
    "ARCH-10",
    points=4,
    requires=["application_ready"],
    why="Without blob storage every payload lands in ClickHouse and PostgreSQL, which fill up and slow down.",
)
def test_blob_storage_on(workloads: Workloads, storage: Storage) -> None:
    """Blob storage is on, with a bucket that exists, in every part that reads or writes payloads."""
    for one in _using(workloads):
        switch = workloads.variables(one).get("FF_BLOB_STORAGE_ENABLED")
        if switch is None or switch.value.lower() != "true":
            raise Miss(expected="config.blobStorage.enabled true", observed="off", where=one.where, next=_values(one))
        name = _bucket(workloads, one)
        if not name or not all(bucket.exists and bucket.is_own for bucket in storage.described([name])):
            raise Miss(
                expected="config.blobStorage.bucketName with a bucket of this account",
                observed=name or "no name",
                where=one.where,
                next=f"aws s3api head-bucket --bucket {name or 'NAME'}",
            )


@pytest.mark.check(
    "S3-1",
    points=2,
    requires=["blob_storage_on"],
    why="The chart's default address is in us-west-2, and it ignores the spelling apiUrl: S3 answers with a redirect.",
)
def test_blob_region(workloads: Workloads, storage: Storage, release: Release) -> None:
    """The address of S3 is that of the bucket's region."""
    for one in _using(workloads):
        variable = workloads.variables(one).get("S3_API_URL")
        host = urlsplit(variable.value).hostname or "" if variable else ""
        (bucket,) = storage.described([_bucket(workloads, one)])
        if bucket.region not in host.split("."):
            misspelt = release.value("config.blobStorage.apiUrl") is not None
            raise Miss(
                expected=f"config.blobStorage.apiURL https://s3.{bucket.region}.amazonaws.com",
                observed=(host or "no address") + (", for the value is spelt apiUrl" if misspelt else ""),
                where=one.where,
                next=_values(one),
            )


@pytest.mark.check(
    "S3-2",
    points=1,
    requires=["blob_storage_on"],
    why="What stays below the threshold stays in ClickHouse for ever.",
)
def test_blob_threshold(workloads: Workloads) -> None:
    """Payloads of more than 20 KB go to the bucket."""
    for one in _using(workloads):
        variable = workloads.variables(one).get("MIN_BLOB_STORAGE_SIZE_KB")
        found = variable.value if variable else ""
        if not found.isdigit() or int(found) > THRESHOLD_KB:
            raise Miss(
                expected=f"config.blobStorage.minBlobStorageSizeKb of {THRESHOLD_KB} or less",
                observed=found or "none",
                where=one.where,
                next=_values(one),
            )


@pytest.mark.check(
    "S3-4",
    points=4,
    requires=["blob_storage_on"],
    why="One service account without the role loses every large payload, while small traces look fine.",
)
def test_accounts_have_role(workloads: Workloads, identity: Identity) -> None:
    """Each service account that uses the bucket names a role, and the role trusts it."""
    accounts = {name_of(one): one for one in _accounts(workloads)}
    for one in _using(workloads):
        account = one.service_account
        able = {role.arn for role in identity.roles_of(account)}
        named = _annotation(accounts.get(account))
        associated = any(a.namespace == one.namespace and a.service_account == account for a in identity.associations)
        if not able or (named not in able and not associated):
            raise Miss(
                expected="the annotation eks.amazonaws.com/role-arn with a role that trusts it, or Pod Identity",
                observed=f"{named} does not trust it" if named else "no annotation and no association",
                where=f"ServiceAccount {one.namespace}/{account} of {one.name}",
                next=f"kubectl -n {one.namespace} get serviceaccount {account} -o yaml",
            )


@pytest.mark.check(
    "S3-4",
    points=3,
    requires=["accounts_have_role"],
    why="The role comes with the pod's start: pods that are older than the annotation still have none.",
)
def test_pods_carry_role(workloads: Workloads, identity: Identity) -> None:
    """Every running pod that uses the bucket carries its role."""
    for one in _using(workloads):
        pods, able = workloads.ready_pods(one), {role.arn for role in identity.roles_of(one.service_account)}
        without = [name_of(pod) for pod in pods if not _carries(pod, able)]
        if without or not pods:
            raise Miss(
                expected="its role in AWS_ROLE_ARN and a token file in every pod, or the Pod Identity agent's address",
                observed=f"neither in {', '.join(without)}" if without else "no ready pod",
                where=one.where,
                next=f"kubectl -n {one.namespace} rollout restart {one.kind.lower()} {one.name}",
            )


@pytest.mark.check(
    "S3-4",
    points=1,
    requires=["accounts_have_role"],
    why="With S3 rights on the node a pod without a role works all the same, until somebody tidies up the node.",
)
def test_node_without_s3(identity: Identity) -> None:
    """The nodes' role has no rights on S3."""
    if not identity.node_roles:
        raise Miss(expected="a node group with a role", observed="none", where=identity.scope("cluster"))
    for role in identity.node_roles:
        if rights := role.could(("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:*")):
            raise Miss(
                expected="no action of S3",
                observed=", ".join(rights),
                where=role.arn,
                next=f"aws iam list-attached-role-policies --role-name {role.name}",
            )


@pytest.mark.check(
    "S3-5",
    points=4,
    requires=["application_ready"],
    why="A static key works from everywhere, for everybody who finds it, until somebody revokes it.",
)
def test_no_static_keys(workloads: Workloads, secrets: Secrets, release: Release) -> None:
    """Neither values nor Secrets nor pods hold static AWS credentials."""
    for name in VALUES:
        if release.value(f"config.blobStorage.{name}"):
            where = f"value config.blobStorage.{name}"
            raise Miss(expected="no key in the values", observed="one", where=where, next=release.look)
    for one in workloads.application.values():
        for container in one.all_containers:
            for variable in workloads.environment(container).values():
                if variable.name in KEYS and _is_set(variable, secrets):
                    origin = f"from Secret {variable.secret}" if variable.secret else "as a literal"
                    raise Miss(
                        expected="no static credentials",
                        observed=f"{variable.name} {origin}",
                        where=one.where,
                        next=_values(one),
                    )


def _accounts(workloads: Workloads) -> list[Object]:
    cluster = workloads.views.cluster
    return cluster.objects("serviceaccounts", namespace=cluster.namespace)


def _annotation(account: Object | None) -> str:
    annotations = (account or {}).get("metadata", {}).get("annotations") or {}
    return str(annotations.get("eks.amazonaws.com/role-arn", ""))


def _carries(pod: Object, able: set[str]) -> bool:
    """Whether any container got what the webhook of IRSA or of Pod Identity puts there at the pod's start."""
    found = {entry["name"]: entry.get("value") for one in pod["spec"]["containers"] for entry in one.get("env", [])}
    by_token = found.get("AWS_ROLE_ARN") in able and "AWS_WEB_IDENTITY_TOKEN_FILE" in found
    return by_token or "AWS_CONTAINER_CREDENTIALS_FULL_URI" in found


def _is_set(variable: Variable, secrets: Secrets) -> bool:
    return secrets.holds(variable) if variable.secret else bool(variable.value)
