"""Events that are an hour old go, as with the real server's ``--event-ttl``."""

import asyncio
from datetime import UTC, datetime, timedelta

from hallmark.twin.cluster.store import Store

LIFETIME = timedelta(hours=1)
LOOK_SECONDS = 60.0


async def expire(store: Store) -> None:
    """Remove old events for ever, a look a minute."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        remove_old(store, datetime.now(UTC))


def remove_old(store: Store, now: datetime) -> None:
    """Remove events that were last seen too long ago.

    Args:
        store: Where they are.
        now: The time.
    """
    limit = (now - LIFETIME).strftime("%Y-%m-%dT%H:%M:%S")
    for entry in store.all("events"):
        event = entry.object
        seen = event.get("lastTimestamp") or event.get("eventTime") or ""
        if max(seen, event["metadata"]["creationTimestamp"])[: len(limit)] < limit:
            store.remove("events", entry.copy())
