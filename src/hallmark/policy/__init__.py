"""What AWS policy documents allow: a pure evaluator, without AWS and without network.

The IAM simulator is not available everywhere and leaves trust policies out; the emulator ignores conditions.
No library on PyPI fits: ``policyuniverse`` and ``policyglass`` read and compare documents but decide no
request, and ``principalmapper`` 1.1.5 does not import on Python 3.10 or later (nccgroup/PMapper#106).

Two kinds of question are asked, see :class:`Unknown`. "Can the application do its job?" underestimates:
``Unknown.WITHHOLDS``. "Is this ever allowed?" overestimates: ``Unknown.GRANTS``.

Left out: requests across accounts (nobody compares the resource's account with the caller's), sessions of
federated users, the root user, resource control policies, access control lists.
"""

from hallmark.policy.conditions import Condition
from hallmark.policy.decision import Decision, Outcome, decide
from hallmark.policy.document import Effect, Policy, Statement
from hallmark.policy.endpoint import lets_through
from hallmark.policy.privilege import Breadth, Finding, allowed_actions, buckets, has_wildcard_grant
from hallmark.policy.request import Request, Unknown
from hallmark.policy.trust import (
    trusted_principals,
    trusted_subjects,
    trusts_pod_identity,
    trusts_web_identity,
)

__all__ = [
    "Breadth",
    "Condition",
    "Decision",
    "Effect",
    "Finding",
    "Outcome",
    "Policy",
    "Request",
    "Statement",
    "Unknown",
    "allowed_actions",
    "buckets",
    "decide",
    "has_wildcard_grant",
    "lets_through",
    "trusted_principals",
    "trusted_subjects",
    "trusts_pod_identity",
    "trusts_web_identity",
]
