"""Reconcile loops: a queue a controller, one task a key at a time, failures tried again later."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from hallmark.errors import EnvironmentFault
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.client import ApiError, Conflict
from hallmark.twin.kube.kinds import Key, Kind, Object

log = logging.getLogger(__name__)
FIRST_RETRY, LAST_RETRY = 0.05, 15.0
"""Seconds between tries of a key that fails: doubled each time."""
WORKERS = 4
Mapper = Callable[[Object], Iterable[Key]]
"""From a changed object to the keys that have to be looked at."""


class Controller(Protocol):
    """Brings what is towards what is wanted, one key at a time."""

    @property
    def name(self) -> str:
        """Its name in logs."""

    def watches(self) -> Mapping[Kind, Mapper]:
        """Which kinds concern it, and which keys a change of one concerns."""

    async def reconcile(self, key: Key) -> float | None:
        """Look at one key and act. Must bear to be called at any time.

        Returns:
            Seconds after which to look again although nothing changed, or None.
        """


class Queue:
    """Keys that wait; each stands in it once, however often it changed.

    Args:
        controller: Who works on them.
    """

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._ready: asyncio.Queue[Key] = asyncio.Queue()
        self._waiting: set[Key] = set()
        self._busy: set[Key] = set()
        self._tries: dict[Key, int] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}

    def add(self, key: Key) -> None:
        """Have a key looked at; one that is being looked at is looked at again afterwards."""
        if key not in self._waiting:
            self._waiting.add(key)
            if key not in self._busy:
                self._ready.put_nowait(key)

    async def work(self) -> None:
        """Take keys until cancelled."""
        while True:
            key = await self._ready.get()
            self._waiting.discard(key)
            self._busy.add(key)
            again = await self._reconcile(key)
            self._busy.discard(key)
            self._remind(key, again)
            if key in self._waiting:
                self._ready.put_nowait(key)

    def _remind(self, key: Key, again: float | None) -> None:
        # One timer a key, the last one asked for: else each change would start another that renews itself.
        if timer := self._timers.pop(key, None):
            timer.cancel()
        if again is not None:
            self._timers[key] = asyncio.get_running_loop().call_later(again, self.add, key)

    async def _reconcile(self, key: Key) -> float | None:
        try:
            again = await self._controller.reconcile(key)
        except Conflict:
            return self._later(key)
        except (ApiError, EnvironmentFault) as error:
            log.info("%s %s: %s", self._controller.name, "/".join(key), error)
            return self._later(key)
        except Exception:
            log.exception("%s %s", self._controller.name, "/".join(key))
            return self._later(key)
        self._tries.pop(key, None)
        return again

    def _later(self, key: Key) -> float:
        tries = self._tries[key] = self._tries.get(key, 0) + 1
        return min(LAST_RETRY, FIRST_RETRY * 2.0 ** (tries - 1))


async def run(caches: Caches, controllers: Sequence[Controller], started: Callable[[], None] = lambda: None) -> None:
    """Run controllers until cancelled.

    Args:
        caches: What they share.
        controllers: What runs.
        started: Called once every cache is filled and the controllers begin.
    """
    queues = [Queue(each) for each in controllers]
    for controller, queue in zip(controllers, queues, strict=True):
        for kind, mapper in controller.watches().items():
            caches[kind].listen(_feed(queue, mapper))
    async with asyncio.TaskGroup() as tasks:
        for cache in list(caches):
            tasks.create_task(cache.run(), name=f"cache {cache.kind.plural}")
        await asyncio.gather(*(cache.synced.wait() for cache in list(caches)))
        started()
        for queue in queues:
            for _ in range(WORKERS):
                tasks.create_task(queue.work())


def _feed(queue: Queue, mapper: Mapper) -> Callable[[Object], None]:
    def listener(thing: Object) -> None:
        for key in mapper(thing):
            queue.add(key)

    return listener
