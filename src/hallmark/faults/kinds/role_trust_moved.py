"""Large payloads are lost in every new pod: the role trusts the service accounts of another namespace (SE-45).

What people see of a trace of 64 KB is what they see when the restarted component has no role. Ingest queue: it is
accepted with 202 and comes back without its inputs. Backend: reading it is 500. Small traces are fine. The log says
AccessDenied for sts:AssumeRoleWithWebIdentity, not for S3. The service account is annotated, the pod has AWS_ROLE_ARN
and a token, the role's permissions and the bucket are as they were. A pod that has credentials already works until
they end, an hour at most: so the fault bites at the next restart. Every other component goes on for now.

The fault changes the namespace in the role's trust policy and restarts one component. Its inverses come in the same
order: the recorded trust first, then pods that need it.
"""

from datetime import UTC, datetime
from typing import Any

from hallmark.errors import Absent
from hallmark.faults import changes, release, roles
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.faults.roles import SEEN_WITHOUT, SUBJECT
from hallmark.faults.sight import Sight
from hallmark.model import Call

SHOWS_WITHIN = 180.0
"""A rollout: every pod of the component is made anew."""
_OTHER = "-former"


def seen(component: str = "ingest-queue") -> Sight | None:
    """Return what people see; None: nothing, or it is not said."""
    return SEEN_WITHOUT.get(component)


def plan(read: Reader, component: str = "ingest-queue") -> list[Step]:
    """Trust the same service accounts of another namespace; the inverse writes the recorded policy."""
    one, role = release.workload(read, component), roles.of_component(read, component)
    recorded = roles.text(roles.trust(read, role))
    mine = f"{SUBJECT}{read.scope['namespace']}"
    if f"{mine}:" not in recorded:
        raise Absent(f"the role {role} names no service account of {read.scope['namespace']}")
    moved = recorded.replace(f"{mine}:", f"{mine}{_OTHER}:")
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    step = Step(
        what=f"trust service accounts of {read.scope['namespace']}{_OTHER}",
        back=f"trust service accounts of {read.scope['namespace']}",
        resource=f"role {role}",
        do=Call.of("iam", "update_assume_role_policy", RoleName=role, PolicyDocument=moved),
        undo=Call.of("iam", "update_assume_role_policy", RoleName=role, PolicyDocument=recorded),
    )
    return [step, changes.restart(one, now)]


def observe(read: Reader, component: str = "ingest-queue") -> Observation:
    """Look whether the role trusts nobody of the namespace and pods are new, and at everything around them."""
    one, role = release.workload(read, component), roles.of_component(read, component)
    mine = f"{SUBJECT}{read.scope['namespace']}:"
    is_moved = not any(each.startswith(mine) for each in roles.subjects(roles.trust(read, role)))
    unaffected = changes.surroundings(read, changes.title(one)) | {
        "its template": changes.spec(one, restarts=False),
        "what the role may do": _permissions(read, role),
    }
    return Observation(is_moved and changes.is_renewed(read, one), unaffected)


def _permissions(read: Reader, role: str) -> dict[str, Any]:
    return roles.inline(read, role) | roles.attached(read, role)
