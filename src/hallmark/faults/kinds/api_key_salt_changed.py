"""Every API key is refused with 401 or 403, and nobody has revoked one.

Signing in with a password works, and a new key works. All pods are ready, and no log has an error. The keys are in
the database still, hashed with a salt that the pods do not have any more (the reference asks never to change it). The
ExternalSecret says SecretSynced. Traces that were stored before are there; clients lose what they send meanwhile.

The fault makes a version with another value the current one in Secrets Manager, has the operator bring it into the
cluster and restarts what reads it. Its inverse is the version that was current before; no value is recorded. Keys made
meanwhile are invalid after it.
"""

from datetime import UTC, datetime

from hallmark.faults import changes, sources
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.faults.sight import Sight
from hallmark.targets.stores import WHOLE

SHOWS_WITHIN = 180.0
"""The operator has to make the Secret, and what reads it to be rolled out."""
SEEN = Sight("project", "refused", 401, words="401 for every API key there was")
COMPONENT, VARIABLE = "backend", "API_KEY_SALT"


def plan(read: Reader, component: str = COMPONENT, variable: str = VARIABLE) -> list[Step]:
    """Change the value, bring it into the cluster, restart what reads it; the inverses go the same way back."""
    one, now = sources.source(read, component, variable), datetime.now(UTC).isoformat(timespec="seconds")
    at = now.replace("+00:00", "Z")
    return [*one.spoiled(WHOLE), *(changes.restart(each, at) for each in sources.readers(read, one))]


def observe(read: Reader, component: str = COMPONENT, variable: str = VARIABLE) -> Observation:
    """Look whether the wrong version is current and has been rolled out, and at everything beside."""
    one = sources.source(read, component, variable)
    workloads = sources.readers(read, one)
    is_there = (
        one.is_wrong
        and sources.is_settled(read, one, workloads)
        and all(changes.is_renewed(read, each) for each in workloads)
    )
    templates = {changes.title(each): changes.spec(each, restarts=False) for each in workloads}
    return Observation(is_there, sources.surroundings(read, one, *templates) | {"their templates": templates})
