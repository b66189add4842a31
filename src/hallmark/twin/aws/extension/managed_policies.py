"""AWS's managed policies: the same in every account, so they are read once, and written down by their names.

moto reads the 1,500 documents anew for each account, which takes longer than anything that is asked of it afterwards,
and a save held them all.
"""

import base64
import hashlib
import json
from functools import cache
from typing import Any, TypeVar

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend

from hallmark.twin.aws.extension.patching import Function, around

T = TypeVar("T")


def install() -> None:
    """Give each account copies of policies that were read once."""
    around(IAMBackend, "_init_aws_policies")(_policies)


def reduced(policy: AWSManagedPolicy) -> Any:
    """Take a policy apart for pickle: its name is enough unless somebody attached or changed it."""
    pattern = _patterns(policy.partition).get(policy.name)
    if pattern is None or _facts(policy) != _facts(pattern):
        return NotImplemented
    return _named, (policy.name, policy.account_id, policy.partition)


def _policies(_original: Function, backend: IAMBackend) -> list[AWSManagedPolicy]:
    patterns = _patterns(backend.partition)
    return [_copied(each, backend.account_id) for each in patterns.values()]


def _named(name: str, account: str, partition: str) -> AWSManagedPolicy:
    return _copied(_patterns(partition)[name], account)


@cache
def _patterns(partition: str) -> dict[str, AWSManagedPolicy]:
    known = json.loads(aws_managed_policies_data)
    found = {name: AWSManagedPolicy.from_data(name, "aws", partition, about) for name, about in known.items()}
    for name, policy in found.items():
        policy.id = _id(name)
    return found


def _id(name: str) -> str:
    """An id as AWS's, and as there the same in every account."""
    return f"ANPA{base64.b32encode(hashlib.sha256(name.encode()).digest()).decode()[:17]}"


def _copied(pattern: AWSManagedPolicy, account: str) -> AWSManagedPolicy:
    made = _twin_of(pattern)
    made.account_id, made.tags = account, dict(pattern.tags)
    made.versions = [_twin_of(each) for each in pattern.versions]
    return made


def _twin_of(original: T) -> T:
    made = object.__new__(type(original))
    vars(made).update(vars(original))
    return made


def _facts(policy: AWSManagedPolicy) -> dict[str, Any]:
    return {**vars(policy), "account_id": "", "versions": [vars(each) for each in policy.versions]}
