"""A component of the release does not run, or runs less or more often than it should.

Of a component scaled to zero there are no pods, no events and no errors of its own: whoever depends on it complains.
ClickHouse: traces are accepted and pile up in the queue, reading them fails. Ingest queue: traces are accepted and
never appear. Of other components it is not said what people see. Nothing is lost as long as the queue keeps it.
Volumes, Secrets and every other workload stay as they are.

The fault sets the number of replicas. A workload that an autoscaler scales is left alone.
"""

from hallmark.faults import changes, release
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.faults.sight import Sight

SHOWS_WITHIN = 120.0
"""Pods have 30 seconds to end (LangSmith chart 0.16), and new ones have to start."""

SEEN_WITHOUT = {
    "clickhouse": Sight("small_read", "refused", 500, words="POST /api/v1/runs: 202; GET /api/v1/runs/<id>: 500"),
    "ingest-queue": Sight("small_read", "unseen", 404, words="POST /api/v1/runs: 202; GET /api/v1/runs/<id>: 404"),
}
"""What people see while there is not one pod of a component; of others it is not said."""


def seen(component: str, replicas: int) -> Sight | None:
    """Return what people see; None: it is not said."""
    return None if replicas else SEEN_WITHOUT.get(component)


def plan(read: Reader, component: str, replicas: int) -> list[Step]:
    """Scale the component's workload; the inverse restores the recorded number."""
    one = release.workload(read, component)
    changes.require_unscaled(read, one)
    return [changes.scale(one, replicas)]


def observe(read: Reader, component: str, replicas: int) -> Observation:
    """Look whether there are as many pods as the fault wants, and at all other objects of the namespace."""
    one = release.workload(read, component)
    is_wanted = one["spec"].get("replicas", 1) == replicas
    unaffected = changes.surroundings(read, changes.title(one)) | {"its template": changes.spec(one, replicas=False)}
    return Observation(is_wanted and len(release.pods(read, one)) == replicas, unaffected)
