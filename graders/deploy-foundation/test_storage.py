"""The bucket for large payloads, and where secrets lie."""

import pytest

from hallmark.errors import Miss
from hallmark.views.identity import Identity
from hallmark.views.storage import PREFIXES, Bucket, Storage

BLOCKS = frozenset({"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"})
# Days LangSmith keeps short-lived and long-lived traces unless told otherwise (chart, config.ttl).
KEPT_DAYS = dict(zip(PREFIXES, (14, 400), strict=True))


@pytest.mark.check(
    "S3-1",
    "ARCH-10",
    points=3,
    requires=["service_accounts_have_roles"],
    why="Without a bucket every payload lands in ClickHouse and PostgreSQL, which fill up and slow down.",
)
def test_bucket_exists(storage: Storage) -> None:
    """There is an S3 bucket for large payloads, in the region of the cluster."""
    if not storage.bucket_names:
        raise Miss(
            expected="a bucket that the role of the application's service accounts names",
            observed="no role of the application names a bucket",
            where=storage.scope("cluster"),
            next="aws iam list-roles --query 'Roles[].RoleName'",
        )
    for bucket in storage.buckets:
        if not bucket.exists:
            raise Miss(expected="the bucket exists", observed="no such bucket", where=bucket.arn, next="aws s3 ls")
        if bucket.region != storage.scope("region"):
            raise Miss(
                expected=f"the bucket is in {storage.scope('region')}",
                observed=f"it is in {bucket.region}: every payload crosses regions, and the chart's apiURL is refused",
                where=bucket.arn,
                next=f"aws s3api get-bucket-location --bucket {bucket.name}",
            )


@pytest.mark.check(
    "MODE-1",
    points=2,
    requires=["bucket_exists"],
    why="Data in somebody else's account is not under the customer's control.",
)
def test_one_account(storage: Storage, identity: Identity) -> None:
    """Cluster, databases, caches and bucket belong to the account that asks."""
    views = storage.views
    arns = [views.compute.cluster["arn"], *(database.arn for database in views.data.databases)]
    arns += [cache.arn for cache in views.data.caches]
    foreign = [arn for arn in arns if arn.split(":")[4] != identity.account]
    foreign += [bucket.arn for bucket in storage.buckets if not bucket.is_own]
    if foreign:
        raise Miss(
            expected=f"everything in account {identity.account}",
            observed="not of this account: " + ", ".join(foreign),
            where=foreign[0],
            next="aws sts get-caller-identity",
        )


@pytest.mark.check(
    "S3-2",
    points=2,
    requires=["bucket_exists"],
    why="A rule shorter than the retention empties traces that still exist; without a rule the bucket grows for ever.",
)
def test_bucket_lifecycle(storage: Storage) -> None:
    """Objects leave the bucket when their traces do: after 14 days under ttl_s/, after 400 under ttl_l/."""
    for bucket in storage.buckets:
        for prefix, days in KEPT_DAYS.items():
            whole = [e for e in bucket.expiries if e.is_whole and prefix.startswith(e.prefix)]
            ends = (*bucket.expiries, *bucket.archivals)
            early = [e for e in ends if _touches(e.prefix, prefix) and e.days < days]
            if not whole or early:
                raise Miss(
                    expected=f"objects under {prefix} expire, and are not out of reach before {days} days",
                    observed=f"they go after {early[0].days} days" if early else "no rule deletes them",
                    where=bucket.arn,
                    next=f"aws s3api get-bucket-lifecycle-configuration --bucket {bucket.name}",
                )
            cleaned = any(c.is_whole and prefix.startswith(c.prefix) for c in bucket.cleanings)
            if bucket.keeps_versions and not cleaned:
                kept = f"versioning is on, and no rule deletes earlier versions under {prefix}"
                _miss(bucket, "deleted objects gone for good", kept, "get-bucket-versioning")


@pytest.mark.check(
    "S3-3",
    points=1,
    requires=["bucket_exists"],
    why="Payloads are prompts and answers: often the most sensitive text a company has.",
)
def test_bucket_encrypted(storage: Storage) -> None:
    """The bucket encrypts what is written to it."""
    for bucket in storage.buckets:
        if not bucket.encryption:
            _miss(bucket, "default encryption", "none is configured", "get-bucket-encryption")


@pytest.mark.check(
    "S3-3",
    points=1,
    requires=["bucket_exists"],
    why="One careless policy or ACL is enough to publish every trace.",
)
def test_bucket_blocks_public_access(storage: Storage) -> None:
    """All four public access blocks of the bucket are on."""
    for bucket in storage.buckets:
        if off := sorted(BLOCKS - bucket.blocks):
            _miss(bucket, "all four public access blocks on", f"off: {', '.join(off)}", "get-public-access-block")


@pytest.mark.check(
    "S3-3",
    points=1,
    requires=["bucket_exists"],
    why="A client that is set up wrong would send payloads in clear.",
)
def test_bucket_refuses_plain_http(storage: Storage) -> None:
    """The bucket's policy denies requests without TLS."""
    for bucket in storage.buckets:
        if not bucket.refuses_plain_http():
            found = "the policy does not deny it" if bucket.policy else "the bucket has no policy"
            _miss(bucket, "a Deny when aws:SecureTransport is false", found, "get-bucket-policy")


@pytest.mark.check(
    "SEC-2",
    points=2,
    requires=["cluster_active"],
    why="What no pod can read from a secret store has to be put into the cluster by hand, and is forgotten there.",
)
def test_secrets_found(storage: Storage) -> None:
    """The deployment's secrets lie in Secrets Manager or SSM, where a role of the cluster's pods can read them."""
    if not storage.secrets:
        raise Miss(
            expected="secrets that a role of the cluster's pods may read",
            observed="no secret and no SecureString parameter that one of them may read",
            where=storage.scope("cluster"),
            next="aws secretsmanager list-secrets --query 'SecretList[].Name'",
        )


@pytest.mark.check(
    "SEC-1",
    points=1,
    requires=["secrets_found"],
    why="Secrets Manager rotates, versions and restores secrets; Parameter Store only keeps them.",
)
def test_secrets_in_secrets_manager(storage: Storage) -> None:
    """The deployment's secrets lie in AWS Secrets Manager."""
    if not any(secret.service == "secretsmanager" for secret in storage.secrets):
        raise Miss(
            expected="secrets in Secrets Manager",
            observed=f"{len(storage.secrets)} SecureString parameters in SSM, which is accepted but not preferred",
            where=storage.secrets[0].arn,
            next="aws ssm describe-parameters --query 'Parameters[].Name'",
        )


def _touches(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _miss(bucket: Bucket, expected: str, observed: str, command: str) -> None:
    raise Miss(
        expected=expected,
        observed=observed,
        where=bucket.arn,
        next=f"aws s3api {command} --bucket {bucket.name}",
    )
