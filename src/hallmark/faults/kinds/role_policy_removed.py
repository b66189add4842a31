"""Large payloads are lost at once, without a restart: the role may do nothing in S3 any more.

A trace of 64 KB is accepted with 202 and comes back without its inputs; as a form, as the SDK sends it, it gets 500.
Small ones are fine. The logs of ingest queue and platform-backend say AccessDenied for s3:PutObject. What the ingest
queue could not store waits in Redis, at most six hours, and appears after the repair. Pods have their role, a token
and credentials, and nothing of them is new: permissions are held against every request. The trust of the role, service
accounts, bucket policy and every pod are untouched.

The fault removes the role's own policies that allow anything in S3, and detaches those it shares. Its inverses write
and attach them as they were recorded.
"""

from hallmark.errors import Absent
from hallmark.faults import changes, roles
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.model import Call

SHOWS_WITHIN = 120.0
"""IAM is eventually consistent (IAM user guide, "Troubleshoot IAM")."""
SEEN = roles.SEEN_WITHOUT["ingest-queue"]


def plan(read: Reader, component: str = "ingest-queue") -> list[Step]:
    """Remove what lets the role of a component reach S3; the inverses write and attach it again."""
    role = roles.of_component(read, component)
    own = {name: each for name, each in roles.inline(read, role).items() if roles.reaches_storage(each)}
    shared = [arn for arn, each in roles.attached(read, role).items() if roles.reaches_storage(each)]
    if not own and not shared:
        raise Absent(f"the role {role} has nothing to take away")
    return [*(_remove(role, name, roles.text(each)) for name, each in own.items()), *(_detach(role, a) for a in shared)]


def observe(read: Reader, component: str = "ingest-queue") -> Observation:
    """Look whether nothing lets the role reach S3, and at its trust, its other policies and all objects."""
    role = roles.of_component(read, component)
    held = roles.inline(read, role) | roles.attached(read, role)
    others = {name: each for name, each in held.items() if not roles.reaches_storage(each)}
    unaffected = changes.surroundings(read) | {
        "whom the role trusts": roles.trust(read, role),
        "its other policies": others,
    }
    return Observation(len(others) == len(held), unaffected)


def _remove(role: str, name: str, recorded: str) -> Step:
    which = {"RoleName": role, "PolicyName": name}
    return Step(
        what=f"remove the policy {name}",
        back=f"write the policy {name}",
        resource=f"role {role}",
        do=Call.of("iam", "delete_role_policy", **which),
        undo=Call.of("iam", "put_role_policy", **which, PolicyDocument=recorded),
    )


def _detach(role: str, arn: str) -> Step:
    which = {"RoleName": role, "PolicyArn": arn}
    return Step(
        what=f"detach {arn}",
        back=f"attach {arn}",
        resource=f"role {role}",
        do=Call.of("iam", "detach_role_policy", **which),
        undo=Call.of("iam", "attach_role_policy", **which),
    )
