"""What a VPC endpoint lets through: its policy grants nothing, and what it does not allow does not pass.

Source: AWS PrivateLink guide, "Control access to VPC endpoints using endpoint policies".
"""

from dataclasses import replace

from hallmark.policy.decision import decide
from hallmark.policy.document import Policy
from hallmark.policy.principals import standing
from hallmark.policy.request import Request
from hallmark.policy.scope import settle


def lets_through(policy: Policy, request: Request) -> bool:
    """Tell whether an endpoint with *policy* passes a request on; in which way it names the caller is all the same."""
    meant = [
        replace(each, principals=(), not_principal=False)
        for each in policy.statements
        if settle(standing(each, request, bounded=False).any, each.effect, request.unknown)
    ]
    return decide(request, identity=[replace(policy, statements=tuple(meant))]).allowed
