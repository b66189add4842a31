"""Traces are accepted and never appear: nobody takes them from the queue.

Whoever sends a trace gets 202, as always. Whoever looks for it gets 404, now and in an hour. Everything that was there
before is still there and can be read, no pod restarts, no target is unhealthy, no log has an error. The number of
pending runs rises, and with it the memory of Redis. Nothing is lost as long as the queue keeps it: once the workers are
back, everything that waited appears.

The fault scales the workers of the ingest queue to zero. Its inverse restores the recorded number.
"""

from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation, workload_scaled
from hallmark.faults.reader import Reader

SHOWS_WITHIN = 120.0
"""As long as pods may take to end."""
COMPONENT = "ingest-queue"
SEEN = workload_scaled.SEEN_WITHOUT[COMPONENT]


def plan(read: Reader) -> list[Step]:
    """Scale the workers to zero; the inverse restores the recorded number."""
    return workload_scaled.plan(read, COMPONENT, 0)


def observe(read: Reader) -> Observation:
    """Look whether there is no worker, and at all other objects of the namespace."""
    return workload_scaled.observe(read, COMPONENT, 0)
