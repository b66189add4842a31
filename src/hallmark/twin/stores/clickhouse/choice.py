"""Which of the two engines has a folder: the one whose data is in it; a new folder goes to the real listeners.

The engines are of different versions, and data of a newer one is nothing for an older one (SE-32). So each has a
folder of its own in the volume, and neither ever opens the other's.
"""

import asyncio
import shutil
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hallmark.errors import EnvironmentFault
from hallmark.twin.stores.clickhouse.library import VARIABLE
from hallmark.twin.stores.clickhouse.listeners import Listeners
from hallmark.twin.stores.clickhouse.standin import StandIn
from hallmark.twin.stores.clickhouse.users import Users

REAL, STOOD_IN = "listeners", "data"
"""Folders of the two in a volume."""
NEEDS_LIBRARY = "The data here was written by ClickHouse's own listeners, which nothing else may open."
STAYS = "The data here was written by the stand-in, which keeps it: the listeners begin with a new volume."


class Served(Protocol):
    """What both engines are.

    Attributes:
        title: What answers, with its version.
    """

    @property
    def title(self) -> str:
        """What answers, with its version."""

    def serving(
        self, listener: socket.socket, native: socket.socket | None, took: Callable[[], None]
    ) -> AbstractAsyncContextManager[asyncio.Event]:
        """Answer clients on these sockets, as long as the context lasts.

        Args:
            listener: For HTTP.
            native: For the native protocol, if wanted.
            took: Called after each statement that was answered.

        Returns:
            A context; its event is set when the engine ended by itself.
        """

    def close(self) -> None:
        """Let go of the data."""


@dataclass(frozen=True)
class Wanted:
    """What is asked of either.

    Attributes:
        path: Where the data is.
        users: Who may.
        memory: Bytes that all statements together may take; 0 for what the machine has.
        queries: How many statements may run at the same time.
    """

    path: Path
    users: Users
    memory: int = 0
    queries: int = 100


def start(wanted: Wanted, library: Path | None, complain: Callable[[str], object]) -> Served:
    """Start the engine that this folder belongs to.

    If the listeners do not start, the stand-in takes over: but only in a new folder, as it would be empty otherwise.

    Args:
        wanted: The folder, and so on.
        library: Of the listeners, if there is one.
        complain: Is told why it is not the listeners, although there is a library.

    Raises:
        EnvironmentFault: The listeners' data is here, and they cannot be started.
    """
    folder = wanted.path / REAL
    is_theirs = folder.exists()
    if not is_theirs and (library is None or (wanted.path / STOOD_IN).exists()):
        if library:
            complain(STAYS)
        return _stand_in(wanted)
    if library is None:
        raise EnvironmentFault(NEEDS_LIBRARY, f"set {VARIABLE}, then: hallmark twin down; hallmark twin up")
    listeners = Listeners(folder, library, wanted.users, wanted.memory, wanted.queries)
    try:
        listeners.start()
    except EnvironmentFault as error:
        if is_theirs:
            raise
        complain(f"{error.message} The stand-in takes over.")
        shutil.rmtree(folder)
        return _stand_in(wanted)
    return listeners


def _stand_in(wanted: Wanted) -> StandIn:
    return StandIn(wanted.path, wanted.users, wanted.memory, wanted.queries)


async def first_of(*events: asyncio.Event) -> None:
    """Wait until one of them is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
