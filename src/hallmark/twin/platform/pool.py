"""A few connections to one store, opened when they are needed and kept."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from hallmark.twin.programs.langsmith.stores import Trouble

C = TypeVar("C")
T = TypeVar("T")
PATIENCE = 5.0
"""Seconds to wait for a connection while all are in use."""


class NotHere(Trouble):
    """The network would let the connection through, but nothing listens behind the name on this machine."""


class Pool(Generic[C]):
    """Connections for threads.

    Args:
        connect: Opens one; raises Trouble.
        alive: Whether one can be used again.
        close: Closes one.
        lost: Errors that may mean that the connection had died while it was idle.
        limit: How many there may be.
    """

    def __init__(
        self,
        connect: Callable[[], C],
        *,
        alive: Callable[[C], bool],
        close: Callable[[C], None],
        lost: tuple[type[Exception], ...],
        limit: int,
    ) -> None:
        self._connect, self._alive, self._close, self._lost = connect, alive, close, lost
        self._idle: list[C] = []
        self._free = threading.BoundedSemaphore(limit)

    def run(self, work: Callable[[C], T]) -> T:
        """Work with a connection: with one that stands if it still does, else with a new one.

        Raises:
            Trouble: There is none.
        """
        if not self._free.acquire(timeout=PATIENCE):
            raise Trouble(f"PoolTimeout: couldn't get a connection after {PATIENCE:.2f} sec")
        try:
            return self._run(work)
        finally:
            self._free.release()

    def _run(self, work: Callable[[C], T]) -> T:
        while True:
            connection, kept = self._take()
            try:
                return work(connection)
            except self._lost:
                if not kept or self._alive(connection):
                    raise  # else it had died before, and this was no one's fault: try the next
            finally:
                self._put_back(connection)

    def _take(self) -> tuple[C, bool]:
        try:
            return self._idle.pop(), True
        except IndexError:
            return self._connect(), False

    def _put_back(self, connection: C) -> None:
        if self._alive(connection):
            self._idle.append(connection)
        else:
            self._close(connection)
