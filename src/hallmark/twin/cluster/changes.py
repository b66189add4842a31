"""What is stored and what is told: versions of objects, changes, and their way to a watcher."""

import asyncio
import json
from collections import deque
from dataclasses import dataclass
from typing import Any

BACKLOG = 20_000
"""Changes a watcher may lag behind before it is cut off."""
ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"


class Entry:
    """One version of an object.

    Args:
        obj: The object; not to be changed.
        body: The same as JSON.
        revision: Its resourceVersion as a number.
    """

    __slots__ = ("_object", "body", "revision")

    def __init__(self, obj: dict[str, Any], body: bytes, revision: int) -> None:
        self._object: dict[str, Any] | None = obj
        self.body = body
        self.revision = revision

    @property
    def object(self) -> dict[str, Any]:
        """The object; not to be changed."""
        return self.copy() if self._object is None else self._object

    def release(self) -> None:
        """Keep the JSON only: it takes a sixth of the memory, and old versions are seldom looked at."""
        self._object = None

    def copy(self) -> dict[str, Any]:
        """The object, free to be changed."""
        copy: dict[str, Any] = json.loads(self.body)
        return copy


@dataclass(frozen=True, slots=True)
class Event:
    """One change.

    Attributes:
        type: ADDED, MODIFIED or DELETED.
        storage: Where the object is kept.
        entry: The object after it; of a removed one the last state, with the removal's revision.
        previous: The object before it.
    """

    type: str
    storage: str
    entry: Entry
    previous: Entry | None


class Subscription:
    """Events of one storage on their way to one watcher."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._woken = asyncio.Event()
        self.ended = False

    def give(self, event: Event) -> None:
        """Add an event; a watcher that lags too far behind is ended instead."""
        if len(self._events) >= BACKLOG:
            self.ended = True
        self._events.append(event)
        self._woken.set()

    def end(self) -> None:
        """Tell the watcher to stop."""
        self.ended = True
        self._woken.set()

    async def take(self, seconds: float) -> list[Event]:
        """What has come, or wait for it; empty when time is up."""
        if not self._woken.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._woken.wait()
            except TimeoutError:
                return []
        self._woken.clear()
        events = list(self._events)
        self._events.clear()
        return events
