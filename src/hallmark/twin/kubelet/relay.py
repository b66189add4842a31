"""A relay: listens for the switchboard, and carries every connection to one server.

It speaks TLS with clients that do, for servers that cannot: at once, as Redis does, or after PostgreSQL's SSLRequest
(PostgreSQL documentation, "Message Formats"). Whether a client should is decided by who lets it log in.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

from hallmark.twin.kubelet.carrying import End, Shaping

BACKLOG = 128
RETRY = 0.1
"""Seconds until the next try where no connection could be accepted, for want of descriptors."""


FAREWELL = 1.0
"""Seconds that a client in TLS has to hear that the server is gone; an idle one does not listen."""
SSL_REQUEST, WILLING = bytes.fromhex("0000000804d2162f"), b"S"
HANDSHAKE = b"\x16"
"""The first byte that a client of TLS sends."""


class Relay:
    """Carries connections to one server.

    Args:
        server: Address and port of the server.
        shaping: What is wrong with the way to it now.
        tls: Settings of TLS; None where it is not the relay's concern.
    """

    def __init__(
        self, server: tuple[str, int], shaping: Callable[[], Shaping], tls: ssl.SSLContext | None = None
    ) -> None:
        self._server = server
        self._shaping = shaping
        self._tls = tls
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

    @property
    def secured(self) -> int:
        """How many of them are in TLS."""
        return sum(near.speaks_tls for near, _ in self._carried)

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
            tls = self._tls if self._tls and await _speaks_tls(accepted) else None
            patience = FAREWELL if tls else None
            await loop.connect_accepted_socket(lambda: near, accepted, ssl=tls, ssl_shutdown_timeout=patience)
            await loop.create_connection(lambda: far, *self._server)
            near.join(far)
            far.join(near)
            await asyncio.wait([near.lost, far.lost])
        except OSError:  # the client hung up or trusts us not, or the server was there a moment ago
            near.cut()
            accepted.close()
        finally:
            self._carried.discard(pair)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _speaks_tls(accepted: socket.socket) -> bool:
    # Looks at the first bytes and leaves them where they are, but for the request that only asks for TLS.
    await _readable(accepted)
    first = accepted.recv(len(SSL_REQUEST), socket.MSG_PEEK)
    if first == SSL_REQUEST:
        accepted.recv(len(SSL_REQUEST))
        accepted.send(WILLING)
        return True
    return first[:1] == HANDSHAKE


async def _readable(accepted: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    there: asyncio.Future[None] = loop.create_future()
    loop.add_reader(accepted, _settle, there)
    try:
        await there
    finally:
        loop.remove_reader(accepted)


def _settle(there: asyncio.Future[None]) -> None:
    if not there.done():
        there.set_result(None)
