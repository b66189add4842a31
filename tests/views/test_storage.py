"""Bucket and secrets: every way AWS writes the same thing down."""

import json
from typing import Any

import pytest

from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.policy import Policy
from hallmark.views.all import Views
from hallmark.views.roles import Role
from hallmark.views.storage import Bucket, Expiry, Storage

ARN = "arn:aws:s3:::traces"
ROLE = "arn:aws:iam::111122223333:role/app"
OPERATIONS = (
    *("get_bucket_location", "get_bucket_encryption", "get_public_access_block"),
    *("get_bucket_policy", "get_bucket_lifecycle_configuration", "get_bucket_versioning"),
    "get_bucket_tagging",
)


def storage(**answers: Any) -> Storage:
    """The view over one bucket named by the target; what is not given is absent."""
    found = {
        Call.of("s3", operation, Bucket="traces").key: Answer(Status.OBSERVED, answers[operation])
        if operation in answers
        else Answer(Status.ABSENT, None, "NoSuch", "none")
        for operation in OPERATIONS
    }
    found[Call.of("s3", "list_buckets").key] = Answer(Status.OBSERVED, {"Buckets": [{"Name": "traces"}]})
    cluster = {"cluster": {"name": "c", "resourcesVpcConfig": {"vpcId": "vpc-1"}}}
    found[Call.of("eks", "describe_cluster", name="c").key] = Answer(Status.OBSERVED, cluster)
    filters = [{"Name": "vpc-id", "Values": ["vpc-1"]}]
    endpoint = {
        "VpcEndpointId": "vpce-1", "ServiceName": "com.amazonaws.us-east-1.s3", "State": "available",
        "VpcEndpointType": "Gateway", "RouteTableIds": ["rtb-1"],
    }  # fmt: skip
    endpoints = {"VpcEndpoints": [endpoint | answers.get("endpoint", {})]}
    found[Call.of("ec2", "describe_vpc_endpoints", Filters=filters).key] = Answer(Status.OBSERVED, endpoints)
    group = {
        "nodegroupName": "g", "status": "ACTIVE", "subnets": ["subnet-1"], "nodeRole": "r",
        "scalingConfig": {"maxSize": 1},
    }  # fmt: skip
    table = {"RouteTableId": "rtb-1", "Associations": [{"Main": True}], "Routes": []}
    network = {
        Call.of("eks", "list_nodegroups", clusterName="c"): {"nodegroups": ["g"]},
        Call.of("eks", "describe_nodegroup", clusterName="c", nodegroupName="g"): {"nodegroup": group},
        Call.of("ec2", "describe_subnets", Filters=filters): {
            "Subnets": [{"SubnetId": "subnet-1", "AvailabilityZone": "a"}]
        },
        Call.of("ec2", "describe_route_tables", Filters=filters): {"RouteTables": [table]},
    }
    found |= {call.key: Answer(Status.OBSERVED, value) for call, value in network.items()}
    found[Call.of("sts", "get_caller_identity").key] = Answer(Status.OBSERVED, {"Account": "111122223333", "Arn": ROLE})
    for key, value in answers.get("more", {}).items():
        found[key] = Answer(Status.OBSERVED, value)
    return Views(Snapshot(found, {"bucket": "traces", "cluster": "c", "region": "us-east-1"})).storage


def bucket(**answers: Any) -> Bucket:
    """The one bucket."""
    (found,) = storage(**{"get_bucket_location": {}, **answers}).buckets
    return found


def policy(*statements: dict[str, Any]) -> dict[str, str]:
    """A bucket policy as S3 answers it."""
    filled = [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [ARN, f"{ARN}/*"], **s} for s in statements
    ]
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": filled})}


def app(*statements: dict[str, Any]) -> Role:
    """A role with one inline policy."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
    return Role("app", ROLE, {}, (Policy.parse(document, "inline"),))


OBJECTS = {"Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Resource": f"{ARN}/*"}
LISTING = {"Action": "s3:ListBucket", "Resource": ARN}


def test_bucket_that_is_not_there_is_seen() -> None:
    """Absent is an observation, with nothing else to say."""
    (found,) = storage().buckets

    assert not found.exists


@pytest.mark.parametrize(("constraint", "region"), [
    ({}, "us-east-1"),
    ({"LocationConstraint": "EU"}, "eu-west-1"),
    ({"LocationConstraint": "eu-central-1"}, "eu-central-1"),
])  # fmt: skip
def test_location_is_told_as_a_region(constraint: dict[str, str], region: str) -> None:
    """The oldest region has no constraint, and the oldest buckets of Ireland say EU."""
    assert bucket(get_bucket_location=constraint).region == region


@pytest.mark.parametrize(("rule", "expected"), [
    ({"Prefix": "ttl_s/", "Expiration": {"Days": 14}}, Expiry("ttl_s/", 14, is_whole=True)),
    ({"Filter": {"Prefix": "ttl_s/"}, "Expiration": {"Days": 14}}, Expiry("ttl_s/", 14, is_whole=True)),
    ({"Filter": {}, "Expiration": {"Days": 3}}, Expiry("", 3, is_whole=True)),
    ({"Filter": {"And": {"Prefix": "ttl_s/", "ObjectSizeGreaterThan": 1}}, "Expiration": {"Days": 14}},
     Expiry("ttl_s/", 14, is_whole=False)),
    ({"Filter": {"Tag": {"Key": "a", "Value": "b"}}, "Expiration": {"Days": 14}}, Expiry("", 14, is_whole=False)),
    ({"Filter": {"Prefix": "ttl_s/"}, "Expiration": {"Date": "2026-01-01T00:00:00Z"}},
     Expiry("ttl_s/", 0, is_whole=True)),
])  # fmt: skip
def test_lifecycle_rule_is_read_in_every_spelling(rule: dict[str, Any], expected: Expiry) -> None:
    """Old and new form, one condition and several, days and a date."""
    found = bucket(get_bucket_lifecycle_configuration={"Rules": [{"ID": "r", "Status": "Enabled", **rule}]})

    assert found.expiries == (expected,)


@pytest.mark.parametrize(("storage_class", "archived"), [
    ("GLACIER", (Expiry("ttl_l/", 90, is_whole=True),)),
    ("DEEP_ARCHIVE", (Expiry("ttl_l/", 90, is_whole=True),)),
    ("GLACIER_IR", ()),
    ("STANDARD_IA", ()),
])  # fmt: skip
def test_what_is_archived_cannot_be_read_at_once(storage_class: str, archived: tuple[Expiry, ...]) -> None:
    """Cheaper storage is fine as long as it answers."""
    move = {"Days": 90, "StorageClass": storage_class}
    rule = {"Status": "Enabled", "Filter": {"Prefix": "ttl_l/"}, "Transitions": [move]}
    found = bucket(get_bucket_lifecycle_configuration={"Rules": [rule]})

    assert (found.expiries, found.archivals) == ((), archived)


@pytest.mark.parametrize(("versioning", "keeps"), [
    ({}, False),
    ({"Status": "Suspended"}, False),
    ({"Status": "Enabled"}, True),
])  # fmt: skip
def test_versions_stay_unless_a_rule_deletes_them(versioning: dict[str, Any], keeps: bool) -> None:  # noqa: FBT001
    """A bucket that never had versions says nothing about them."""
    rules = [
        {"Status": "Enabled", "Filter": {"Prefix": "ttl_s/"}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}},
        {"Status": "Disabled", "Filter": {}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}},
    ]
    found = bucket(get_bucket_versioning=versioning, get_bucket_lifecycle_configuration={"Rules": rules})

    assert found.keeps_versions is keeps
    assert (found.expiries, [each.prefix for each in found.cleanings]) == ((), ["ttl_s/"])


@pytest.mark.parametrize("rule", [
    {"Status": "Disabled", "Filter": {"Prefix": "ttl_s/"}, "Expiration": {"Days": 14}},
    {"Status": "Enabled", "Filter": {}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
    {"Status": "Enabled", "Filter": {}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
])  # fmt: skip
def test_rule_that_deletes_no_object_does_not_count(rule: dict[str, Any]) -> None:
    """Switched off, or about something else."""
    assert bucket(get_bucket_lifecycle_configuration={"Rules": [rule]}).expiries == ()


@pytest.mark.parametrize(("statement", "refuses"), [
    ({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}, True),
    ({"Condition": {"Bool": {"aws:SecureTransport": False}}, "Principal": {"AWS": "*"}}, True),
    ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, False),
    ({"Condition": {"Bool": {"aws:SecureTransport": "false"}}, "Resource": f"{ARN}/ttl_s/*"}, False),
    ({"Condition": {"Bool": {"aws:SecureTransport": "false"}}, "Effect": "Allow"}, False),
    ({"Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:SourceVpc": "vpc-1"}}}, False),
])  # fmt: skip
def test_plain_http_is_refused_surely_or_not_at_all(statement: dict[str, Any], *, refuses: bool) -> None:
    """A denial that holds only for some is none."""
    assert bucket(get_bucket_policy=policy(statement)).refuses_plain_http() is refuses


@pytest.mark.parametrize(("statements", "missing"), [
    ((OBJECTS, LISTING), ()),
    (({**OBJECTS, "Resource": [f"{ARN}/ttl_s/*", f"{ARN}/ttl_l/*"]}, LISTING), ()),
    (({**OBJECTS, "Resource": f"{ARN}/ttl_s/*"}, LISTING), ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")),
    ((OBJECTS,), ("s3:ListBucket",)),
    (({**OBJECTS, "Resource": ARN}, LISTING), ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")),
    (({**OBJECTS, "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}, LISTING), ()),
    (({**OBJECTS, "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-2"}}}, LISTING),
     ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")),
])  # fmt: skip
def test_what_a_role_lacks_is_named(statements: tuple[dict[str, Any], ...], missing: tuple[str, ...]) -> None:
    """Objects and listing are two resources; prefixes and the VPC's endpoint are fine."""
    view = storage(get_bucket_location={})

    assert view.lacking(app(*statements), view.buckets[0]) == missing


@pytest.mark.parametrize(("endpoint", "missing"), [
    ({}, ()),
    ({"VpcEndpointType": "Interface", "RouteTableIds": []}, ()),
    ({"RouteTableIds": ["rtb-2"]}, ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket")),
    ({"State": "deleting"}, ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket")),
    ({"ServiceName": "com.amazonaws.us-east-1.ecr.api"},
     ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket")),
])  # fmt: skip
def test_s3_knows_of_the_vpc_by_an_endpoint_on_the_nodes_way(endpoint: dict[str, Any], missing: Any) -> None:
    """Otherwise a policy that asks for the VPC shuts its own pods out."""
    elsewhere = {"Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}
    view = storage(get_bucket_location={}, get_bucket_policy=policy(elsewhere), endpoint=endpoint)

    assert view.lacking(app(OBJECTS, LISTING), view.buckets[0]) == missing


@pytest.mark.parametrize(("statement", "missing"), [
    ({"Resource": "*"}, ()),
    ({"Resource": [ARN, f"{ARN}/*"]}, ()),
    ({"Resource": "*", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}}, ()),
    ({"Resource": "*", "Principal": {"AWS": ROLE}}, ()),
    ({"Resource": "*", "Principal": {"AWS": f"{ROLE}-of-somebody"}},
     ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket")),
    ({"Resource": f"{ARN}/*"}, ("s3:ListBucket",)),
    ({"Resource": "*", "Action": ["s3:Get*", "s3:List*"]}, ("s3:PutObject", "s3:DeleteObject")),
])  # fmt: skip
def test_an_endpoint_passes_on_what_its_policy_allows(statement: dict[str, Any], missing: Any) -> None:
    """It grants nothing by itself: that the account is named is enough."""
    document = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", **statement}]}
    view = storage(get_bucket_location={}, endpoint={"PolicyDocument": json.dumps(document)})

    assert view.lacking(app(OBJECTS, LISTING), view.buckets[0]) == missing
    assert view.lacking(app(OBJECTS), view.buckets[0]) == tuple(dict.fromkeys([*missing, "s3:ListBucket"]))


def test_bucket_policy_can_take_away_what_the_role_has() -> None:
    """An explicit deny wins."""
    view = storage(get_bucket_location={}, get_bucket_policy=policy({"Action": "s3:DeleteObject"}))

    assert view.lacking(app(OBJECTS, LISTING), view.buckets[0]) == ("s3:DeleteObject",)


KEY = {"KeyManager": "CUSTOMER", "KeyState": "Enabled"}
USE = {"Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"}


@pytest.mark.parametrize(("about", "grant", "missing"), [
    ({**KEY, "KeyManager": "AWS"}, {}, ()),
    (KEY, {}, ("kms:GenerateDataKey", "kms:Decrypt")),
    (KEY, USE, ()),
    (KEY, {"Action": "kms:Decrypt", "Resource": "*"}, ("kms:GenerateDataKey",)),
    ({**KEY, "KeyState": "Disabled"}, USE, ("its key: Disabled",)),
    ({**KEY, "KeyState": "PendingDeletion"}, USE, ("its key: PendingDeletion",)),
])  # fmt: skip
def test_key_of_ones_own_needs_rights_of_its_own(
    about: dict[str, str], grant: dict[str, Any], missing: tuple[str, ...]
) -> None:
    """A bucket encrypted by a customer's key is written to with rights on that key (SE-50)."""
    key = "arn:aws:kms:us-east-1:111122223333:key/k"
    account = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    more = {
        Call.of("kms", "describe_key", KeyId="alias/k").key: {"KeyMetadata": {"Arn": key, **about}},
        Call.of("kms", "get_key_policy", KeyId=key, PolicyName="default").key: {
            "Policy": json.dumps({"Version": "2012-10-17", "Statement": [account]})
        },
    }
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/k"}}
    encryption = {"ServerSideEncryptionConfiguration": {"Rules": [default]}}
    view = storage(get_bucket_location={}, get_bucket_encryption=encryption, more=more)
    statements = (OBJECTS, LISTING, grant) if grant else (OBJECTS, LISTING)

    assert view.lacking(app(*statements), view.buckets[0]) == missing
