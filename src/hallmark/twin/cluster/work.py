"""A queue of things to look at, each at most once at a time, worked off beside the requests."""

import asyncio
import logging
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

LOG = logging.getLogger(__name__)


class Work(Generic[T]):
    """Things that wait for a look.

    Args:
        look: Looks at one of them. It runs in the server's only thread, so it must be quick.
    """

    def __init__(self, look: Callable[[T], None]) -> None:
        self._look = look
        self._waiting: dict[T, None] = {}
        self._woken = asyncio.Event()

    def add(self, thing: T) -> None:
        """Have a look at it soon."""
        self._waiting[thing] = None
        self._woken.set()

    async def run(self) -> None:
        """Work for ever; requests are served between any two things."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._waiting:
                thing = next(iter(self._waiting))
                del self._waiting[thing]
                self._once(thing)
                await asyncio.sleep(0)

    def _once(self, thing: T) -> None:
        try:
            self._look(thing)
        except Exception:
            LOG.exception("Could not look at %s", thing)
