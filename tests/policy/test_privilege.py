"""Least privilege: what could ever be allowed, how broadly, and on which buckets."""

# ruff: noqa: E501  (a table has one case a line)

from operator import itemgetter
from typing import Any

import pytest

from hallmark.policy import Breadth, Policy, allowed_actions, buckets, has_wildcard_grant

BUCKET = "arn:aws:s3:::traces"
OBJECTS = BUCKET + "/*"

Json = dict[str, Any]


def policy(*statements: Json, version: str = "2012-10-17") -> Policy:
    """Make a policy."""
    return Policy.parse({"Version": version, "Statement": list(statements)})


def allow(action: Any, resource: Any = OBJECTS, **more: Any) -> Json:
    """Make an Allow statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> Json:
    """Make a Deny statement."""
    return {**allow(action, resource, **more), "Effect": "Deny"}


def all_but(action: Any) -> Json:
    """Make an Allow statement with NotAction."""
    return {"Effect": "Allow", "NotAction": action, "Resource": OBJECTS}


def outside(resource: Any, action: str = "s3:PutObject") -> Json:
    """Make an Allow statement with NotResource."""
    return {"Effect": "Allow", "Action": action, "NotResource": resource}


CONDITION = {"StringEquals": {"aws:PrincipalTag/team": "x"}}
CANDIDATES = ("s3:GetObject", "s3:DeleteBucket", "iam:*")

# Claim, policy, the candidates it could allow.
# fmt: off
ALLOWED: list[tuple[str, Policy, tuple[str, ...]]] = [
    ("nothing", policy(), ()),
    ("one action", policy(allow("s3:GetObject")), ("s3:GetObject",)),
    ("a wildcard", policy(allow("s3:*")), ("s3:GetObject", "s3:DeleteBucket")),
    ("everything", policy(allow("*")), CANDIDATES),
    ("one action of IAM is some action of IAM", policy(allow("iam:PassRole", "arn:aws:iam::111122223333:role/x")), ("iam:*",)),
    ("an unknown condition may hold", policy(allow("s3:GetObject", Condition=CONDITION)), ("s3:GetObject",)),
    ("an unconditional deny takes away", policy(allow("s3:*"), deny("s3:DeleteBucket")), ("s3:GetObject",)),
    ("a conditional deny may not apply", policy(allow("s3:GetObject"), deny("s3:*", Condition=CONDITION)), ("s3:GetObject",)),
    ("a deny on another resource leaves some", policy(allow("s3:GetObject"), deny("s3:*", "arn:aws:s3:::x/*")), ("s3:GetObject",)),
    ("a deny of one action of IAM leaves the rest", policy(allow("iam:*"), deny("iam:CreateUser")), ("iam:*",)),
    ("a deny of all of IAM leaves nothing", policy(allow("*"), deny("iam:*")), ("s3:GetObject", "s3:DeleteBucket")),
    ("NotAction allows the rest", policy(all_but("s3:*")), ("iam:*",)),
    ("NotAction with one action of IAM allows the others", policy(all_but(["s3:*", "iam:PassRole"])), ("iam:*",)),
    ("NotAction with everything allows nothing", policy(all_but("*")), ()),
]
# fmt: on


@pytest.mark.parametrize("case", ALLOWED, ids=itemgetter(0))
def test_possible_actions_are_found(case: tuple[str, Policy, tuple[str, ...]]) -> None:
    """An action that some context allows is in the answer, one that none allows is not."""
    claim, granted, expected = case
    assert allowed_actions([granted], CANDIDATES) == expected, claim


def test_a_boundary_takes_actions_away() -> None:
    """What the boundary never allows is never allowed."""
    assert allowed_actions([policy(allow("*"))], CANDIDATES, boundary=policy(allow("s3:Get*"))) == ("s3:GetObject",)


def test_possible_actions_may_be_asked_for_one_resource() -> None:
    """Allowed on the own bucket, not on another."""
    granted = [policy(allow("s3:GetObject"))]
    assert allowed_actions(granted, ["s3:GetObject"], "arn:aws:s3:::traces/a") == ("s3:GetObject",)
    assert allowed_actions(granted, ["s3:GetObject"], "arn:aws:s3:::other/*") == ()


EVERY, SERVICE, ALL_BUT, RESOURCE = Breadth

# Claim, policy, in which ways its statements are broad.
# fmt: off
BROAD: list[tuple[str, Policy, list[Breadth]]] = [
    ("named actions on named resources", policy(allow(["s3:GetObject", "s3:PutObject"])), []),
    ("every action", policy(allow("*")), [EVERY]),
    ("every action written long", policy(allow("*:*")), [EVERY]),
    ("actions of many services", policy(allow("*:Delete*")), [EVERY]),
    ("a service by a prefix", policy(allow("s*:GetObject")), [EVERY]),
    ("a service by a question mark", policy(allow("s?:GetObject")), [EVERY]),
    ("a service and its action in one word", policy(allow("s3*")), [EVERY]),
    ("actions by their length", policy(allow("s3:????")), []),
    ("a whole service", policy(allow("s3:*")), [SERVICE]),
    ("a whole service in capitals", policy(allow("S3:*")), [SERVICE]),
    ("a whole service with question marks", policy(allow("s3:?*")), [SERVICE]),
    ("a whole service among others", policy(allow(["s3:GetObject", "kms:*"])), [SERVICE]),
    ("a family of actions", policy(allow("s3:Get*")), []),
    ("NotAction", policy(all_but("iam:*")), [ALL_BUT]),
    ("reading on every resource", policy(allow(["ec2:Describe*", "s3:ListAllMyBuckets"], "*")), []),
    ("writing on every resource", policy(allow("s3:PutObject", "*")), [RESOURCE]),
    ("decrypting with every key", policy(allow("kms:Decrypt", "*")), [RESOURCE]),
    ("reading and writing on every resource", policy(allow(["s3:GetObject", "s3:DeleteObject"], "*")), [RESOURCE]),
    ("a wildcard that takes writes in", policy(allow("s3:*Object", "*")), [RESOURCE]),
    ("every bucket", policy(allow("s3:PutObject", "arn:aws:s3:::*")), [RESOURCE]),
    ("every bucket of one letter", policy(allow("s3:PutObject", "arn:aws:s3:::?")), []),
    ("every ARN", policy(allow("s3:PutObject", "arn:aws:*")), [RESOURCE]),
    ("every ARN of a service", policy(allow("s3:PutObject", "arn:aws:s3*")), [RESOURCE]),
    ("one of the resources is every one", policy(allow("s3:PutObject", [OBJECTS, "*"])), [RESOURCE]),
    ("every object of one bucket", policy(allow("s3:PutObject", OBJECTS)), []),
    ("every volume of an account", policy(allow("ec2:DeleteVolume", "arn:aws:ec2:*:111122223333:volume/*")), []),
    ("NotResource", policy(outside(OBJECTS)), [RESOURCE]),
    ("administrator", policy(allow("*", "*")), [EVERY, RESOURCE]),
    ("a condition does not hide it", policy(allow("s3:*", "*", Condition=CONDITION)), [SERVICE, RESOURCE]),
    ("a deny is not a grant", policy(deny("*")), []),
]
# fmt: on


@pytest.mark.parametrize("case", BROAD, ids=itemgetter(0))
def test_broad_grants_are_found(case: tuple[str, Policy, list[Breadth]]) -> None:
    """Every way of granting broadly is named, and nothing else."""
    claim, granted, expected = case
    assert [finding.breadth for finding in has_wildcard_grant(granted)] == expected, claim


def test_a_finding_names_the_statement_and_the_pattern() -> None:
    """A miss can say where to look and what to change."""
    statements = [allow("s3:GetObject"), allow(["s3:GetObject", "s3:*"], Sid="Wide")]
    granted = Policy.parse({"Version": "2012-10-17", "Statement": statements}, "s3-access")
    (finding,) = has_wildcard_grant(granted)
    assert str(finding) == "s3-access, statement 1 (Wide): every action of a service (s3:*)"
    assert finding.statement is granted.statements[1]


def test_writes_on_every_resource_are_named_without_the_reads() -> None:
    """Only the patterns that make the statement broad are shown."""
    (finding,) = has_wildcard_grant(policy(allow(["s3:GetObject", "s3:PutObject"], "*")))
    assert finding.patterns == ("s3:PutObject",)


# Claim, policy, buckets and keys it could reach.
# fmt: off
REACH: list[tuple[str, Policy, tuple[str, ...]]] = [
    ("a bucket and its objects", policy(allow(["s3:ListBucket", "s3:GetObject"], [BUCKET, OBJECTS])), ("traces", "traces/*")),
    ("prefixes", policy(allow("s3:PutObject", [BUCKET + "/ttl_s/*", BUCKET + "/ttl_l/*"])), ("traces/ttl_l/*", "traces/ttl_s/*")),
    ("two statements", policy(allow("s3:GetObject"), allow("s3:GetObject", "arn:aws:s3:::b/*")), ("b/*", "traces/*")),
    ("every resource", policy(allow("s3:GetObject", "*")), ("*",)),
    ("every bucket", policy(allow("s3:GetObject", "arn:aws:s3:::*")), ("*",)),
    ("a pattern of buckets", policy(allow("s3:GetObject", "arn:aws:s3:::tra*")), ("tra*",)),
    ("another partition", policy(allow("s3:GetObject", "arn:aws-us-gov:s3:::gov/*")), ("gov/*",)),
    ("a pattern written otherwise", policy(allow("s3:GetObject", "arn:aws:s3:*:*:traces/*")), ("*",)),
    ("a pattern without a beginning", policy(allow("s3:GetObject", "*:s3:::traces")), ("*",)),
    ("NotResource", policy(outside(OBJECTS)), ("*",)),
    ("NotAction", policy(all_but("iam:*")), ("traces/*",)),
    ("NotAction without S3", policy(all_but("s3:*")), ()),
    ("all actions", policy(allow("*")), ("traces/*",)),
    ("actions of many services", policy(allow("*:Get*")), ("traces/*",)),
    ("another service", policy(allow("kms:Decrypt", "*")), ()),
    ("the list of all buckets reaches into none", policy(allow("s3:ListAllMyBuckets", "*")), ()),
    ("the list of all buckets beside a read", policy(allow(["s3:ListAllMyBuckets", "s3:GetObject"], "*")), ("*",)),
    ("an access point is no bucket", policy(allow("s3:GetObject", "arn:aws:s3:us-east-1:111122223333:accesspoint/x/*")), ()),
    ("a variable may be any bucket", policy(allow("s3:GetObject", "arn:aws:s3:::${aws:PrincipalTag/team}/*")), ("*/*",)),
    ("an old policy has no variables", policy(allow("s3:GetObject", "arn:aws:s3:::${x}/*"), version="2008-10-17"), ("${x}/*",)),
    ("a deny reaches nothing", policy(deny("s3:*")), ()),
]
# fmt: on


@pytest.mark.parametrize("case", REACH, ids=itemgetter(0))
def test_reached_buckets_are_listed(case: tuple[str, Policy, tuple[str, ...]]) -> None:
    """Every bucket that could be reached is covered by a pattern of the list."""
    claim, granted, expected = case
    assert buckets([granted]) == expected, claim
