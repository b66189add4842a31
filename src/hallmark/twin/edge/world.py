"""The emulated AWS as the edge sees it: about a second old while there is traffic, not read at all without."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from hallmark.twin.clients import Clients
from hallmark.twin.edge import reading
from hallmark.twin.edge.fresh import Fresh
from hallmark.twin.edge.names import BALANCERS, Unresolved, Zone, resolve
from hallmark.twin.edge.records import Balancer, State

T = TypeVar("T")
FAILURES = (ClientError, BotoCoreError, LookupError, TypeError, ValueError)
"""Not answered, or in a way that is not understood."""


class World:
    """Zones and load balancers of one account.

    Args:
        clients: The account in the emulated AWS.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._zones: Fresh[list[Zone]] = self._fresh(partial(reading.zones, clients))
        self._balancers: Fresh[dict[str, Balancer]] = self._fresh(partial(reading.balancers, clients))
        self._states: dict[Balancer, Fresh[State]] = {}

    async def find(self, name: str) -> Balancer | None:
        """The load balancer behind a name; None if the name leads somewhere else.

        Raises:
            Unresolved: The public DNS does not know the name.
        """
        try:
            zones, balancers = await asyncio.gather(self._zones.get(), self._balancers.get())
        except FAILURES as error:
            raise Unresolved(name) from error
        end = resolve(name, zones)
        if end.endswith(BALANCERS) and end not in balancers:
            raise Unresolved(name)  # the name of one that was deleted
        return balancers.get(end)

    async def state(self, balancer: Balancer) -> State | None:
        """What decides about a load balancer; None if it is gone."""
        try:
            present = {each.arn: each for each in (await self._balancers.get()).values()}
            now = present.get(balancer.arn)
            if now is None:
                return None
            if now not in self._states:
                self._states = {each: kept for each, kept in self._states.items() if each in present.values()}
                self._states[now] = self._fresh(partial(reading.state, self._clients, now))
            return await self._states[now].get()
        except FAILURES:
            return None

    async def close(self) -> None:
        """Stop reading."""
        every: list[Fresh[Any]] = [self._zones, self._balancers, *self._states.values()]
        for each in every:
            await each.close()

    def _fresh(self, read: Callable[[], T]) -> Fresh[T]:
        return Fresh(lambda: asyncio.to_thread(read), FAILURES)
