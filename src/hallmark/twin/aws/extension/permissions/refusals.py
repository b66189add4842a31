"""The decision about one question, and how each service words a refusal.

Source: IAM user guide, "Troubleshoot access denied error messages"; the EC2 and S3 forms are their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from moto.core.utils import utcnow

from hallmark.errors import Unobservable
from hallmark.policy import Decision, Outcome, Policy, Request, Unknown, decide
from hallmark.twin.aws.extension.patching import Refusal
from hallmark.twin.aws.extension.permissions.callers import Caller

QUERY = frozenset({"autoscaling", "elasticloadbalancing", "iam", "route53", "s3", "sts"})
"""Services that say AccessDenied instead of AccessDeniedException."""
TAG_KEYS = ("aws:requesttag/", "aws:resourcetag/", "ec2:resourcetag/", "elasticloadbalancing:resourcetag/")

INVALID = {
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials"),
    "s3": ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
    "autoscaling": ("InvalidClientTokenId", "The security token included in the request is invalid."),
    "elasticloadbalancing": ("InvalidClientTokenId", "The security token included in the request is invalid."),
    "": ("UnrecognizedClientException", "The security token included in the request is invalid."),
}
"""What the services say to a key that they do not know; each in its own way."""
EXPIRED = {
    "ec2": ("RequestExpired", "Request has expired."),
    "s3": ("ExpiredToken", "The provided token has expired."),
    "autoscaling": ("ExpiredToken", "The security token included in the request is expired"),
    "elasticloadbalancing": ("ExpiredToken", "The security token included in the request is expired"),
    "": ("ExpiredTokenException", "The security token included in the request is expired"),
}


class Refused(Refusal):
    """AWS says no.

    Attributes:
        status: HTTP status.
    """

    status = 403


@dataclass(frozen=True)
class Question:
    """What has to be allowed for a call to go through.

    Attributes:
        action: For example ``ec2:CreateVolume``.
        resource: ARN; ``*`` for what the request does not say.
        context: Condition keys that are known.
        request_tags: Tags that the request sets, None when it is not known.
        resource_tags: Tags of the resource, None when they are not known.
        documents: Policies of the resource, for example of a bucket.
        instead: What the service says when exactly this is refused, empty for its usual words.
    """

    action: str
    resource: str = "*"
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    request_tags: Mapping[str, str] | None = None
    resource_tags: Mapping[str, str] | None = None
    documents: tuple[Policy, ...] = ()
    instead: str = ""


def refuse_stale(caller: Caller, service: str) -> None:
    """Refuse a session that is not known, or is over.

    Raises:
        Refused: With the words of the service.
    """
    if caller.ends is None:
        raise Refused(*INVALID.get(service, INVALID[""]))
    if caller.ends < utcnow():
        raise Refused(*EXPIRED.get(service, EXPIRED[""]))


def check(caller: Caller, asked: Question, service: str) -> None:
    """Let a call pass or refuse it.

    Args:
        caller: Who calls.
        asked: What the call needs.
        service: Which service answers; it chooses code and words.

    Raises:
        Refused: With the words of the service.
    """
    decision = _decide(caller, asked)
    if not decision.allowed:
        raise Refused(_code(service), asked.instead or _words(caller, asked, service, decision))


def _decide(caller: Caller, asked: Question) -> Decision:
    request = Request(
        asked.action,
        asked.resource,
        principal=caller.role,
        context={"aws:SecureTransport": "true", **asked.context, **_tags(caller, asked)},
        unknown=Unknown.GRANTS,
    )
    try:
        return decide(request, identity=caller.policies, boundary=caller.boundary, resource_policies=asked.documents)
    except Unobservable as error:
        return Decision(Outcome.IMPLICIT_DENY, error.message)


def _tags(caller: Caller, asked: Question) -> dict[str, str | Sequence[str]]:
    """Values of the tag keys that the policies ask for: one that is not set is surely absent."""
    context: dict[str, str | Sequence[str]] = {}
    if asked.request_tags is not None:
        context["aws:TagKeys"] = tuple(asked.request_tags)
    for key in {each.key for policy in caller.policies for one in policy.statements for each in one.conditions}:
        if not key.lower().startswith(TAG_KEYS):
            continue
        known = asked.request_tags if key.lower().startswith("aws:requesttag/") else asked.resource_tags
        if known is not None:
            value = known.get(key.partition("/")[2])
            context[key] = () if value is None else value
    return context


def _code(service: str) -> str:
    if service == "ec2":
        return "UnauthorizedOperation"
    return "AccessDenied" if service in QUERY else "AccessDeniedException"


def _words(caller: Caller, asked: Question, service: str, decision: Decision) -> str:
    resource = f'"{asked.resource}"' if service == "s3" and asked.action.startswith("s3:") else asked.resource
    said = f"User: {caller.arn} is not authorized to perform: {asked.action} on resource: {resource}"
    said = f"{said} {_why(decision, asked)}"
    return f"You are not authorized to perform this operation. {said}" if service == "ec2" else said


def _why(decision: Decision, asked: Question) -> str:
    boundary = "permissions boundary" in decision.reason
    if decision.outcome is Outcome.EXPLICIT_DENY:
        kind = "resource-based policy" if decision.reason.startswith("resource") else "identity-based policy"
        return f"with an explicit deny in a{'' if kind[0] == 'r' else 'n'} {kind}"
    if "policy of the key" in decision.reason:
        return f"because no resource-based policy allows the {asked.action} action"
    kind = "permissions boundary" if boundary else "identity-based policy"
    return f"because no {kind} allows the {asked.action} action"
