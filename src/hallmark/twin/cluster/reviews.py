"""Questions that are asked by creating an object that is never stored: who am I, what may I do, whose token is this.

Kubernetes documentation, "Authenticating", "Authorization". The server authenticates and does not authorize: whoever
has a valid token may do everything.
"""

from typing import Any

from hallmark.twin.cluster.authentication import Authenticator
from hallmark.twin.cluster.calls import Call

Json = dict[str, Any]

ALLOWED = {"allowed": True, "reason": "every authenticated user may do everything"}
EVERYTHING = {
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "incomplete": False,
}
KINDS = frozenset(
    {
        "TokenReview",
        "SelfSubjectReview",
        "SubjectAccessReview",
        "LocalSubjectAccessReview",
        "SelfSubjectAccessReview",
        "SelfSubjectRulesReview",
    }
)


async def answer(call: Call, review: Json, authenticator: Authenticator) -> Json:
    """The review with its status.

    Args:
        call: The request.
        review: The object as sent.
        authenticator: Knows whose a token is.
    """
    head = {
        "kind": call.resource.kind,
        "apiVersion": call.resource.api_version,
        "metadata": {"creationTimestamp": None},
    }
    review = head | {key: value for key, value in review.items() if key == "spec"}
    match call.resource.kind:
        case "TokenReview":
            return review | {"status": await _whose(review.get("spec") or {}, authenticator)}
        case "SelfSubjectReview":
            return review | {"status": {"userInfo": call.user.info()}}
        case "SelfSubjectRulesReview":
            return review | {"status": EVERYTHING}
        case _:
            return review | {"status": ALLOWED}


async def _whose(spec: Json, authenticator: Authenticator) -> Json:
    audiences = spec.get("audiences") or ()
    user = await authenticator.user(spec.get("token", ""), audiences)
    if user is None:
        return {"user": {}, "error": "[invalid bearer token]"}
    return {"authenticated": True, "user": user.info()} | ({"audiences": audiences} if audiences else {})
