"""A component of the release does not run, or runs less or more often than it should.

Of a component scaled to zero there are no pods, no events and no errors of its own: whoever depends on it complains.
ClickHouse: traces are accepted and pile up in the queue, reading them fails. Ingest queue: traces are accepted and
never appear. Nothing is lost as long as the queue keeps them. Volumes, Secrets and every other workload stay as they
are.

The fault sets the number of replicas. A workload that an autoscaler scales is left alone.
"""

from hallmark.faults import changes, release
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader

SHOWS_WITHIN = 120.0
"""Pods have 30 seconds to end (LangSmith chart 0.16), and new ones have to start."""


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
