"""Nothing works: the pods log in to PostgreSQL with a wrong password.

Backend, platform-backend, queue and ingest-queue do not get ready and restart again and again; their logs say
"password authentication failed". Users get 502 or 503 for everything. The ExternalSecret says SecretSynced, and it is
right: the wrong value is what the store holds. The database is available and lets the right password in. Redis,
ClickHouse, S3 and every other secret are untouched.

The fault makes a version with a wrong password the current one in Secrets Manager, has the operator bring it into the
cluster and lets the pods be made anew. Its inverse is the version that was current before; no value is recorded.
"""

from hallmark.faults import changes, sources
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.faults.sight import Sight
from hallmark.targets.stores import PASSWORD

SHOWS_WITHIN = 120.0
"""The operator has to make the Secret, and every pod of four workloads to end and to start."""
SEEN = Sight("project", "refused", 502, words="502 from nginx for everything but its own pages")
COMPONENT, VARIABLE = "backend", "POSTGRES_DATABASE_URI"
"""Whose variable it is followed from; every workload that reads the same is broken."""


def plan(read: Reader, component: str = COMPONENT, variable: str = VARIABLE) -> list[Step]:
    """Spoil the password, bring it into the cluster, make new pods; the inverses go the same way back."""
    one = sources.source(read, component, variable)
    return [*one.spoiled(PASSWORD), *(changes.replace_pods(each) for each in sources.readers(read, one))]


def observe(read: Reader, component: str = COMPONENT, variable: str = VARIABLE) -> Observation:
    """Look whether the wrong version is current and new pods are there, and at everything beside."""
    one = sources.source(read, component, variable)
    is_there = one.is_wrong and sources.is_settled(read, one, sources.readers(read, one))
    return Observation(is_there, sources.surroundings(read, one))
