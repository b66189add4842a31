"""IAM roles with everything that decides what they may do, read in four steps however many there are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hallmark.model import Call
from hallmark.policy import Policy, Request, allowed_actions, decide
from hallmark.views.base import View


@dataclass(frozen=True)
class Role:
    """An IAM role.

    Attributes:
        name: Its name.
        arn: Its ARN.
        trust: Its trust policy.
        policies: Inline and attached policies.
        attached: ARNs of the attached ones.
        boundary: Its permissions boundary.
    """

    name: str
    arn: str
    trust: Mapping[str, Any]
    policies: tuple[Policy, ...] = ()
    attached: tuple[str, ...] = ()
    boundary: Policy | None = None

    def could(self, actions: Iterable[str], resource: str = "*") -> tuple[str, ...]:
        """Give those of *actions* that the role could ever be allowed on *resource*."""
        return allowed_actions(self.policies, actions, resource, self.boundary)

    def surely_may(self, request: Request, resource_policies: Iterable[Policy] = ()) -> bool:
        """Tell whether a request goes through, given its context and the policies of the resource."""
        given = tuple(resource_policies)
        return decide(request, identity=self.policies, boundary=self.boundary, resource_policies=given).allowed


def read_roles(view: View, names: Iterable[str]) -> dict[str, Role]:
    """Read roles by name; one that is gone is left out.

    Args:
        view: Whose evidence is asked.
        names: Names without path.
    """
    wanted = sorted(set(names))
    calls = [first_calls(name) for name in wanted]
    view.evidence.need([call for three in calls for call in three])
    answers = [(name, view.ask_all_or(None, three)) for name, three in zip(wanted, calls, strict=True)]
    return _with_documents(view, {name: tuple(found) for name, found in answers if found[0] is not None})


def first_calls(name: str) -> list[Call]:
    """Return what is asked first of a role: itself, and the names of its policies."""
    operations = ("get_role", "list_role_policies", "list_attached_role_policies")
    return [Call.of("iam", operation, RoleName=name) for operation in operations]


def _with_documents(view: View, found: Mapping[str, tuple[Any, ...]]) -> dict[str, Role]:
    inline = {n: [_inline(n, policy) for policy in names["PolicyNames"]] for n, (_, names, _) in found.items()}
    attached = {n: [each["PolicyArn"] for each in policies["AttachedPolicies"]] for n, (*_, policies) in found.items()}
    bounds = {
        n: got["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") for n, (got, *_) in found.items()
    }
    arns = sorted({arn for listed in attached.values() for arn in listed} | {arn for arn in bounds.values() if arn})
    view.evidence.need([*(call for calls in inline.values() for call in calls), *map(_policy, arns)])
    managed = _managed(view, arns)
    return {
        name: Role(
            name=name,
            arn=got["Role"]["Arn"],
            trust=got["Role"]["AssumeRolePolicyDocument"],
            policies=tuple(
                [Policy.parse(each["PolicyDocument"], each["PolicyName"]) for each in view.ask_all(inline[name])]
                + [managed[arn] for arn in attached[name]]
            ),
            attached=tuple(attached[name]),
            boundary=managed[bounds[name]] if bounds[name] else None,
        )
        for name, (got, *_) in found.items()
    }


def _inline(role: str, policy: str) -> Call:
    return Call.of("iam", "get_role_policy", RoleName=role, PolicyName=policy)


def _policy(arn: str) -> Call:
    return Call.of("iam", "get_policy", PolicyArn=arn)


def _managed(view: View, arns: list[str]) -> dict[str, Policy]:
    versions = [answer["Policy"]["DefaultVersionId"] for answer in view.ask_all(map(_policy, arns))]
    calls = [
        Call.of("iam", "get_policy_version", PolicyArn=arn, VersionId=version)
        for arn, version in zip(arns, versions, strict=True)
    ]
    documents = [answer["PolicyVersion"]["Document"] for answer in view.ask_all(calls)]
    return {arn: Policy.parse(document, arn.rpartition("/")[2]) for arn, document in zip(arns, documents, strict=True)}
