"""Answers that are a second old at most, or on their way: nobody waits while the last one still serves."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")
LOG = logging.getLogger(__name__)
FRESH = 1.0
"""Seconds after which an answer is asked for again."""
USABLE = 1.8
"""Seconds for which the old answer serves meanwhile."""


class Fresh(Generic[T]):
    """One answer, read again when somebody wants it and it has aged.

    Args:
        read: Reads it. If it fails, the last answer stays: a data plane goes on without its control plane.
        failures: What counts as failing.
    """

    def __init__(self, read: Callable[[], Awaitable[T]], failures: tuple[type[Exception], ...]) -> None:
        self._read = read
        self._failures = failures
        self._answer: tuple[T] | None = None
        self._failure: Exception | None = None
        self._began = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def get(self) -> T:
        """The answer.

        Raises:
            Exception: Why the first reading failed; one of the *failures*.
        """
        age = time.monotonic() - self._began
        if age >= FRESH:
            await self.renew(wait=age >= USABLE or self._answer is None)
        elif self._answer is None:
            await self.renew()
        if self._answer is None:
            raise self._failure or LookupError("never read")
        return self._answer[0]

    async def renew(self, *, wait: bool = True) -> None:
        """Read it again; one reading serves all who wait for it."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._renew())
        if wait:
            await asyncio.shield(self._reading)

    async def close(self) -> None:
        """Stop reading."""
        if self._reading:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _renew(self) -> None:
        began = time.monotonic()
        try:
            self._answer = (await self._read(),)
            self._failure = None
        except self._failures as error:
            if self._failure is None:
                LOG.warning("reading failed: %s", type(error).__name__)
            self._failure = error
        finally:
            self._began = began
            self._reading = None
