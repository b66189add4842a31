"""A relay: listens for the switchboard, and carries every connection to one server."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from hallmark.twin.kubelet.carrying import End, Shaping

BACKLOG = 128
RETRY = 0.1
"""Seconds until the next try where no connection could be accepted, for want of descriptors."""


class Relay:
    """Carries connections to one server.

    Args:
        server: Address and port of the server.
        shaping: What is wrong with the way to it now.
    """

    def __init__(self, server: tuple[str, int], shaping: Callable[[], Shaping]) -> None:
        self._server = server
        self._shaping = shaping
        self._socket: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._carried: set[tuple[End, End]] = set()

    def open(self, address: str) -> int:
        """Listen on a free port of an address; returns the port."""
        self._socket = socket.create_server((address, 0), backlog=BACKLOG)
        self._socket.settimeout(0)
        self._spawn(self._listen(self._socket))
        return int(self._socket.getsockname()[1])

    @property
    def carried(self) -> int:
        """How many connections there are."""
        return len(self._carried)

    def look_again(self) -> None:
        """Go on under changed conditions."""
        for pair in list(self._carried):
            for end in pair:
                end.look_again()

    def cut(self) -> None:
        """Reset every connection."""
        for pair in list(self._carried):
            for end in pair:
                end.cut()

    def close(self) -> None:
        """Listen no longer, and reset what is left."""
        self.cut()
        for task in self._tasks:
            task.cancel()
        if self._socket:
            self._socket.close()

    async def _listen(self, listening: socket.socket) -> None:
        while True:
            try:
                near, _ = await asyncio.get_running_loop().sock_accept(listening)
            except OSError:
                await asyncio.sleep(RETRY)
            else:
                self._spawn(self._carry(near))

    async def _carry(self, accepted: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        pair = near, far = End(self._shaping, answers=False), End(self._shaping, answers=True)
        self._carried.add(pair)
        try:
            accepted.settimeout(0)
            await loop.connect_accepted_socket(lambda: near, accepted)
            await loop.create_connection(lambda: far, *self._server)
            near.join(far)
            far.join(near)
            await asyncio.wait([near.lost, far.lost])
        except OSError:
            near.cut()  # the server was there a moment ago
        finally:
            self._carried.discard(pair)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
