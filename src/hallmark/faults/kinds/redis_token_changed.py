"""Nothing is accepted any more: Redis does not know the token that the pods have.

Platform-backend, queue and ingest-queue do not get ready; their logs say WRONGPASS, "invalid username-password pair".
Writing gets 502 or 503, reading what is there may go on. ElastiCache says available, the Secret and its source are what
they always were: the token was changed at the cache alone. Connections that stood before go on working (ElastiCache
User Guide, "AUTH"), so the fault bites when pods are made anew. PostgreSQL, ClickHouse, S3 and all secrets are
untouched.

The fault rotates to a token that nobody knows, sets it, and lets the pods be made anew. Its inverse rotates to the
token of the secret's recorded version; no value is recorded. Runs that wait in Redis stay there.
"""

from hallmark.faults import changes, sources, stores
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.faults.sight import Sight
from hallmark.model import Call

SHOWS_WITHIN = 300.0
"""ElastiCache takes minutes for each of two changes, and the pods have to end and to start."""
SEEN = Sight("small_run", "refused", 502, words="POST /api/v1/runs: 502 from nginx")
COMPONENT, VARIABLE = "backend", "REDIS_DATABASE_URI"


def plan(read: Reader, component: str = COMPONENT, variable: str = VARIABLE) -> list[Step]:
    """Change the token, make new pods; the inverses restore source, token, Secret and pods, in this order."""
    one, group = sources.source(read, component, variable), stores.cache(read)["ReplicationGroupId"]
    recorded = {"secret": one.remote, "recorded": one.version}
    change = Step(
        what="let in what nobody knows, and nothing else",
        back=f"let in what version {one.version} holds, and nothing else",
        resource=f"replication group {group}",
        do=Call.of("elasticache", "replace_auth_token", group=group),
        undo=Call.of("elasticache", "restore_auth_token", group=group, **recorded),
    )
    # Whoever repairs it may put a new token into the source, too: then both have to go back.
    source = Step(
        what="leave the source as it is",
        back=f"make version {one.version} the current one",
        resource=f"secretsmanager/{one.remote}",
        do=Call.of("secretsmanager", "restore_secret_version", **recorded),
        undo=Call.of("secretsmanager", "restore_secret_version", **recorded),
    )
    return [one.pinned(), change, source, *(changes.replace_pods(each) for each in sources.readers(read, one))]


def observe(read: Reader, component: str = COMPONENT, variable: str = VARIABLE) -> Observation:
    """Look whether a workload that got its token from the source has no ready pod, and at everything beside."""
    one, cache = sources.source(read, component, variable), stores.cache(read)
    workloads = sources.readers(read, one)
    is_there = sources.is_settled(read, one, workloads) and any(changes.is_down(read, each) for each in workloads)
    about = {"the cache": stores.facts(cache), "the source": one.version}
    return Observation(is_there and cache["Status"] == "available", sources.surroundings(read, one) | about)
