"""Nobody can sign in, and almost every call fails: the database is stopped.

Backend and platform-backend log "Connection refused", or time-outs, and get unready once their connections are used
up. Projects, keys and users cannot be read. RDS says stopped, and its events say by which call. Security groups,
routes, secrets, Redis, ClickHouse and S3 are untouched.

The fault stops the instance. Its inverse starts it and waits until it is available; both take minutes on AWS. Nothing
is lost, and RDS starts a stopped instance by itself after seven days.
"""

from hallmark.errors import GuardRefused
from hallmark.faults import changes, stores
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.faults.sight import Sight
from hallmark.model import Call

SHOWS_WITHIN = 1200.0
"""RDS takes minutes to stop an instance."""
SEEN = Sight("project", "refused", 500, words="500 for whatever asks the database")


def plan(read: Reader) -> list[Step]:
    """Stop the instance; the inverse starts it."""
    one = stores.database(read)
    instance = one["DBInstanceIdentifier"]
    if one.get("DBClusterIdentifier") or one.get("ReadReplicaDBInstanceIdentifiers"):
        hint = "Aurora and instances with read replicas cannot be stopped by themselves (RDS User Guide)."
        raise GuardRefused(f"{instance} cannot be stopped.", hint)
    step = Step(
        what="stop the instance",
        back="start the instance and wait until it is available",
        resource=f"database {instance}",
        do=Call.of("rds", "stop_db_instance", instance=instance),
        undo=Call.of("rds", "start_db_instance", instance=instance),
    )
    return [step]


def observe(read: Reader) -> Observation:
    """Look whether the instance is stopped, and at the rest of it and the objects of the namespace."""
    one = stores.database(read)
    rest = {"the rest of the database": stores.facts(one, "DBInstanceStatus", "AutomaticRestartTime")}
    return Observation(one["DBInstanceStatus"] == "stopped", changes.surroundings(read) | rest)
