"""The IAM role of the release's components: who names it, whom it trusts, what lets it reach S3."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hallmark.errors import Absent, GuardRefused
from hallmark.faults import release
from hallmark.faults.reader import Reader
from hallmark.faults.release import Object, annotations, name
from hallmark.faults.sight import Sight
from hallmark.targets.cluster_writer import ROLE

SUBJECT = "system:serviceaccount:"
"""How the subject of a service account's token begins (Kubernetes, "Service account tokens")."""
_STORAGE = "s3:"
_WRITTEN = "POST /api/v1/runs with 64 KB: 202; GET /api/v1/runs/<id>"
SEEN_WITHOUT = {
    "ingest-queue": Sight("large_read", "unseen", 200, words=f"{_WRITTEN}: 200 without its inputs"),
    "backend": Sight("large_read", "refused", 500, words=f"{_WRITTEN}: 500"),
}
"""What people see while a component does not reach S3; of others they see nothing, or it is not said."""


def names(read: Reader) -> set[str]:
    """Return the roles that service accounts of the release name."""
    accounts = [one for one in release.own_objects(read, "serviceaccounts") if release.is_own(one, read)]
    return {_name(arn) for one in accounts if (arn := annotations(one).get(ROLE))}


def of_component(read: Reader, component: str) -> str:
    """Return the role of a component.

    Raises:
        Absent: It has none.
        GuardRefused: It is not the release's alone.
    """
    wanted = release.service_account(release.workload(read, component))
    accounts = {name(one): one for one in release.own_objects(read, "serviceaccounts")}
    arn = annotations(accounts[wanted]).get(ROLE) if wanted in accounts else None
    if not arn:
        raise Absent(f"the service account of {component} has no role")
    if other := next((one for one in accounts.values() if _shares(one, str(arn), read)), None):
        hint = "Give the release a role of its own."
        raise GuardRefused(f"the service account {name(other)} has the same role and is not the release's.", hint)
    return _name(str(arn))


def trust(read: Reader, role: str) -> dict[str, Any]:
    """Return whom a role trusts."""
    found: dict[str, Any] = read.ask("iam", "get_role", RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    return found


def subjects(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the subjects of tokens that a trust policy asks for."""
    for statement in _statements(document):
        for tests in statement.get("Condition", {}).values():
            for key, value in tests.items():
                if key.endswith(":sub"):
                    yield from [value] if isinstance(value, str) else value


def inline(read: Reader, role: str) -> dict[str, dict[str, Any]]:
    """Return the inline policies of a role, by name."""
    found = sorted(read.ask("iam", "list_role_policies", RoleName=role)["PolicyNames"])
    return {each: read.ask("iam", "get_role_policy", RoleName=role, PolicyName=each)["PolicyDocument"]
            for each in found}  # fmt: skip


def attached(read: Reader, role: str) -> dict[str, dict[str, Any]]:
    """Return the policies attached to a role as they are in force, by ARN."""
    found = read.ask("iam", "list_attached_role_policies", RoleName=role)["AttachedPolicies"]
    return {each["PolicyArn"]: _in_force(read, each["PolicyArn"]) for each in found}


def reaches_storage(document: Mapping[str, Any]) -> bool:
    """Whether a policy allows anything in S3."""
    return any(
        action == "*" or action.lower().startswith(_STORAGE)
        for statement in _statements(document)
        if statement.get("Effect") == "Allow"
        for action in _list(statement.get("Action", []))
    )


def text(document: Mapping[str, Any]) -> str:
    """Write a policy as IAM takes it."""
    return json.dumps(document, sort_keys=True)


def _in_force(read: Reader, arn: str) -> dict[str, Any]:
    version = read.ask("iam", "get_policy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found: dict[str, Any] = read.ask("iam", "get_policy_version", PolicyArn=arn, VersionId=version)["PolicyVersion"]
    document: dict[str, Any] = found["Document"]
    return document


def _shares(one: Object, arn: str, read: Reader) -> bool:
    return annotations(one).get(ROLE) == arn and not release.is_own(one, read)


def _statements(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    return _list(document.get("Statement", []))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]
