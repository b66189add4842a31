"""The bucket for large payloads, and the secrets of the deployment, in whichever AWS service they lie.

The bucket is the one the target names, else those the application's roles reach by name. Secrets are those a
role of the cluster's pods may read: names say nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hallmark.model import Call
from hallmark.policy import Outcome, Policy, Request, Unknown, buckets, decide, lets_through
from hallmark.views.base import View, cached_property, tags
from hallmark.views.roles import Role

READ = {"secretsmanager": "secretsmanager:GetSecretValue", "ssm": "ssm:GetParameter*"}
"""What it takes to read a secret, by service."""
OBJECT_ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
PREFIXES = ("ttl_s/", "ttl_l/")
"""Where the application puts objects of short-lived and long-lived traces."""


@dataclass(frozen=True)
class Expiry:
    """A lifecycle rule that is on and deletes objects, or puts them where they cannot be read at once.

    Attributes:
        prefix: Objects it is about; empty: all.
        days: Age in days at which it does; 0 when the rule names a date.
        is_whole: Whether it takes every object with the prefix, not only those of a size or with a tag.
    """

    prefix: str
    days: int
    is_whole: bool


@dataclass(frozen=True)
class Bucket:
    """One bucket as S3 describes it.

    Attributes:
        name: Its name.
        exists: Whether it does, in any region.
        region: Where.
        is_own: Whether it is among the buckets of the account that asks.
        key: KMS key objects are encrypted with; empty with keys of S3 itself.
        encryption: ``AES256``, ``aws:kms``, ``aws:kms:dsse``, or empty.
        blocks: The public access blocks that are on.
        policy: Its policy, None without one.
        expiries: Lifecycle rules that delete.
        archivals: Lifecycle rules that archive: to read an object again takes a request, and hours.
        keeps_versions: Whether what is deleted stays as an earlier version.
        cleanings: Lifecycle rules that delete earlier versions.
        tags: Its tags.
    """

    name: str
    exists: bool
    region: str = ""
    is_own: bool = False
    key: str = ""
    encryption: str = ""
    blocks: frozenset[str] = frozenset()
    policy: Policy | None = None
    expiries: tuple[Expiry, ...] = ()
    archivals: tuple[Expiry, ...] = ()
    keeps_versions: bool = False
    cleanings: tuple[Expiry, ...] = ()
    tags: Mapping[str, str] | None = None

    @property
    def arn(self) -> str:
        """ARN of the bucket; of its objects with ``/*`` behind it."""
        return f"arn:aws:s3:::{self.name}"

    def refuses_plain_http(self) -> bool:
        """Whether its policy surely denies every way of reading and writing without TLS."""
        policies = [self.policy] if self.policy else []
        resources = {"s3:GetObject": f"{self.arn}/*", "s3:PutObject": f"{self.arn}/*", "s3:ListBucket": self.arn}
        plain = {"aws:SecureTransport": "false"}
        anybody = [Request(action, where, context=plain, unknown=Unknown.GRANTS) for action, where in resources.items()]
        return all(decide(r, resource_policies=policies).outcome is Outcome.EXPLICIT_DENY for r in anybody)

    def grants(self, principal: str) -> tuple[str, ...]:
        """Return what its policy alone may let somebody do with its objects, whatever that one's own policies say."""
        policies, context = [self.policy] if self.policy else [], {"aws:SecureTransport": "true"}
        asked = [Request(each, f"{self.arn}/*", principal, context, Unknown.GRANTS) for each in OBJECT_ACTIONS]
        return tuple(one.action for one in asked if decide(one, resource_policies=policies).allowed)


@dataclass(frozen=True)
class Secret:
    """A secret's name, never its value.

    Attributes:
        service: ``secretsmanager`` or ``ssm``.
        name: Its name.
        arn: Its ARN.
    """

    service: str
    name: str
    arn: str

    def readable_by(self, role: Role) -> bool:
        """Whether a role could ever read it."""
        return bool(role.could([READ[self.service]], self.arn))


class Storage(View):
    """Buckets and secrets."""

    @cached_property
    def bucket_names(self) -> tuple[str, ...]:
        """The bucket the target names, else every bucket an application role names without a wildcard."""
        if named := self.scope("bucket"):
            return (named,)
        patterns = [p for role in self.views.identity.application_roles for p in buckets(role.policies)]
        names = {pattern.partition("/")[0] for pattern in patterns}
        return tuple(sorted(name for name in names if name and not {"*", "?"} & set(name)))

    @cached_property
    def buckets(self) -> tuple[Bucket, ...]:
        """Those buckets, as they are."""
        return self.described(self.bucket_names)

    def described(self, names: Iterable[str]) -> tuple[Bucket, ...]:
        """Return buckets by name, as they are."""
        names = tuple(names)
        per_bucket = [[Call.of("s3", operation, Bucket=name) for operation in _OF_BUCKET] for name in names]
        self.evidence.need([Call.of("s3", "list_buckets"), *(call for calls in per_bucket for call in calls)])
        own = {each["Name"] for each in self.ask("s3", "list_buckets")["Buckets"]}
        answers = [self.ask_all_or(None, calls) for calls in per_bucket]
        return tuple(_bucket(name, name in own, found) for name, found in zip(names, answers, strict=True))

    @cached_property
    def secrets(self) -> tuple[Secret, ...]:
        """Secrets in Secrets Manager and SecureString parameters in SSM that a pod of the cluster may read."""
        managed, parameters = self.ask_all(
            [Call.of("secretsmanager", "list_secrets"), Call.of("ssm", "describe_parameters", ParameterFilters=_SECURE)]
        )
        found = [Secret("secretsmanager", each["Name"], each["ARN"]) for each in managed["SecretList"]]
        found += [Secret("ssm", each["Name"], self._parameter_arn(each["Name"])) for each in parameters["Parameters"]]
        identity = self.views.identity
        readers = [role for role in identity.pod_roles if identity.can_be_assumed(role)]
        return tuple(secret for secret in found if any(secret.readable_by(role) for role in readers))

    def lacking(self, role: Role, bucket: Bucket) -> tuple[str, ...]:
        """Give what a pod with *role* may not do that the application does with the bucket; doubts count against it."""
        wanted = [(action, f"{bucket.arn}/{prefix}*") for action in OBJECT_ACTIONS for prefix in PREFIXES]
        wanted.append(("s3:ListBucket", bucket.arn))
        policies = [bucket.policy] if bucket.policy else []
        found = [action for action, where in wanted if not self._goes(role, self._asked(role, action, where), policies)]
        return tuple(dict.fromkeys([*found, *self._lacking_of_key(role, bucket)]))

    def _goes(self, role: Role, request: Request, policies: list[Policy]) -> bool:
        """Whether S3 grants a request, and the endpoint it goes through lets it pass: of several, one of them."""
        ways = [Policy.parse(each.get("PolicyDocument") or _OPEN, "of the S3 endpoint") for each in self._s3_endpoints]
        passed = not ways or any(lets_through(each, request) for each in ways)
        return passed and role.surely_may(request, policies)

    def _lacking_of_key(self, role: Role, bucket: Bucket) -> list[str]:
        """The same for the key: without it every write to a bucket with a KMS key of one's own is denied (SE-50)."""
        if not bucket.key:
            return []
        key = self.ask("kms", "describe_key", KeyId=bucket.key)["KeyMetadata"]
        if key["KeyState"] != "Enabled":
            return [f"its key: {key['KeyState']}"]
        if key["KeyManager"] == "AWS":
            return []  # its policy lets everybody in the account use it through S3
        policy = Policy.parse(
            self.ask("kms", "get_key_policy", KeyId=key["Arn"], PolicyName="default")["Policy"], "of the key"
        )
        wanted = ("kms:GenerateDataKey", "kms:Decrypt")
        return [a for a in wanted if not role.surely_may(self._asked(role, a, key["Arn"]), [policy])]

    def _asked(self, role: Role, action: str, resource: str) -> Request:
        """A request as a pod in the cluster's VPC makes it."""
        region = self.scope("region")
        return Request(
            action,
            resource,
            role.arn,
            {
                "aws:SecureTransport": "true",
                "aws:SourceVpc": self.views.network.vpc_id if self._s3_endpoints else [],
                "aws:SourceVpce": [each["VpcEndpointId"] for each in self._s3_endpoints],
                "aws:RequestedRegion": region,
                "aws:ResourceAccount": self.views.identity.account,
                "kms:ViaService": f"s3.{region}.amazonaws.com",
                "kms:CallerAccount": self.views.identity.account,
            },
            Unknown.WITHHOLDS,
        )

    @cached_property
    def _s3_endpoints(self) -> list[dict[str, Any]]:
        """Endpoints that requests of every node take; without one S3 sees the NAT gateway's address and no VPC."""
        network, groups = self.views.network, self.views.compute.node_groups
        tables = {network.subnets[subnet].table for group in groups for subnet in group.subnets}
        filters = [{"Name": "vpc-id", "Values": [self.views.network.vpc_id]}]
        found = self.ask("ec2", "describe_vpc_endpoints", Filters=filters)["VpcEndpoints"]
        usable = [e for e in found if e["ServiceName"].endswith(".s3") and e["State"].lower() == "available"]
        return [e for e in usable if e["VpcEndpointType"] != "Gateway" or tables <= {*e["RouteTableIds"]}]

    def _parameter_arn(self, name: str) -> str:
        region, account = self.scope("region"), self.views.identity.account
        return f"arn:aws:ssm:{region}:{account}:parameter/{name.removeprefix('/')}"


_DEFAULT = "ApplyServerSideEncryptionByDefault"
_ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes whose objects have to be restored before they can be read; GLACIER_IR is none of them."""
_OPEN = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
"""What the policy of an endpoint is unless somebody writes one."""
_SECURE = [{"Key": "Type", "Option": "Equals", "Values": ["SecureString"]}]
_OF_BUCKET = (
    *("get_bucket_location", "get_bucket_encryption", "get_public_access_block"),
    *("get_bucket_policy", "get_bucket_lifecycle_configuration", "get_bucket_versioning"),
    "get_bucket_tagging",
)


def _bucket(name: str, is_own: bool, answers: list[Any]) -> Bucket:  # noqa: FBT001  (a fact, not a switch)
    location, encryption, block, policy, lifecycle, versioning, tagging = answers
    if location is None:
        return Bucket(name, exists=False)
    algorithm, key = _encryption(encryption)
    rules = [rule for rule in (lifecycle or {}).get("Rules", []) if rule["Status"] == "Enabled"]
    return Bucket(
        name,
        exists=True,
        # The oldest region has no location constraint, and the oldest buckets of Ireland say EU (S3 API reference).
        region={"": "us-east-1", "EU": "eu-west-1"}.get(
            location.get("LocationConstraint") or "", location.get("LocationConstraint") or ""
        ),
        is_own=is_own,
        key=key,
        encryption=algorithm,
        blocks=frozenset(n for n, on in block["PublicAccessBlockConfiguration"].items() if on)
        if block
        else frozenset(),
        policy=Policy.parse(policy["Policy"], f"of bucket {name}") if policy else None,
        expiries=tuple(_expiry(rule, rule["Expiration"]) for rule in rules if _deletes(rule)),
        archivals=tuple(_expiry(rule, move) for rule in rules for move in _archives(rule)),
        keeps_versions=(versioning or {}).get("Status") == "Enabled",
        cleanings=tuple(_expiry(rule, {}) for rule in rules if "NoncurrentVersionExpiration" in rule),
        tags=tags({"Tags": tagging["TagSet"]}) if tagging else {},
    )


def _encryption(answer: Any) -> tuple[str, str]:
    if answer is None:
        return "", ""
    rules = answer["ServerSideEncryptionConfiguration"]["Rules"]
    default: dict[str, str] = next((rule[_DEFAULT] for rule in rules if _DEFAULT in rule), {})
    return default.get("SSEAlgorithm", ""), default.get("KMSMasterKeyID", "")


def _deletes(rule: Mapping[str, Any]) -> bool:
    expiration = rule.get("Expiration", {})
    return "Days" in expiration or "Date" in expiration


def _archives(rule: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [move for move in rule.get("Transitions", []) if move["StorageClass"] in _ARCHIVES]


def _expiry(rule: Mapping[str, Any], when: Mapping[str, Any]) -> Expiry:
    # Three spellings: the old Prefix of the rule, a filter with one condition, a filter with several (And).
    condition = rule.get("Filter", {"Prefix": rule.get("Prefix", "")})
    condition = condition.get("And", condition)
    narrowed = {"Tag", "Tags", "ObjectSizeGreaterThan", "ObjectSizeLessThan"} & set(condition)
    return Expiry(condition.get("Prefix", ""), when.get("Days", 0), is_whole=not narrowed)
