"""Events: they go an hour after they were last seen."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hallmark.twin.cluster.expiry import remove_old
from hallmark.twin.cluster.persistence import Persistence
from hallmark.twin.cluster.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Four events: an old one, one that was seen again, a new one, and one of the newer kind."""
    one = Store(Persistence(tmp_path / "objects.sqlite"))
    for name, created, seen in (
        ("old", "2026-01-01T09:00:00Z", {"lastTimestamp": "2026-01-01T09:59:59Z"}),
        ("again", "2026-01-01T09:00:00Z", {"lastTimestamp": "2026-01-01T10:30:00Z"}),
        ("new", "2026-01-01T10:30:00Z", {}),
        ("precise", "2026-01-01T09:00:00Z", {"eventTime": "2026-01-01T10:00:00.000001Z", "lastTimestamp": None}),
    ):
        metadata = {"name": name, "namespace": "a", "uid": name, "creationTimestamp": created}
        one.put("events", {"metadata": metadata, **seen})
    yield one
    one.close()


def test_old_events_go(store: Store) -> None:
    """What was seen within the hour stays."""
    remove_old(store, datetime(2026, 1, 1, 11, tzinfo=UTC))

    assert [one.object["metadata"]["name"] for one in store.all("events")] == ["again", "new", "precise"]
