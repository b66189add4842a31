"""The way in without a proxy: TLS on a loopback address of the twin's own; the name in its greeting says where to.

Whoever makes names lead to that address, see :mod:`hallmark.twin.naming`, needs to know nothing else.
"""

import asyncio
import hashlib
import socket
import ssl
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from hallmark.twin.edge.certificates import VERSIONS, plain
from hallmark.twin.edge.front import GREETING_WITHIN, Front
from hallmark.twin.edge.names import Unresolved
from hallmark.twin.edge.service import Edge, Silent

PORTS = (443, 8443, 0)
"""Best first: the one of HTTPS, which most machines keep for root; one that stays the same; any."""
LISTENER = 443
"""What a client means, whichever port it had to take."""
LARGEST_GREETING = 64 * 1024
HIGHEST = 254
Place = tuple[str, int]


class Direct(Front):
    """A connection that begins with TLS."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Leave the greeting where it is until it is known who answers it."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  (TCP)
        transport.pause_reading()
        super().connection_made(transport)

    async def _welcome(self) -> None:
        async with asyncio.timeout(GREETING_WITHIN):
            with self._transport.get_extra_info("socket").dup() as sock:
                name = await _wanted(sock)
        try:
            state = await self._edge.admit(name, LISTENER)
        except Unresolved:
            self._give_up("unresolved")
        except Silent:
            await asyncio.sleep(self._edge.settings.patience)
            self._give_up("timed out")
        else:
            await self._enter(state, LISTENER)

    def _give_up(self, why: str) -> None:
        self._edge.counters.refused[why] += 1
        self._transport.abort()


def address(state: Path) -> str:
    """The loopback address of a twin: pods have those of 127.2.0.0/16 and above, and no two twins the same."""
    digest = hashlib.sha256(str(state).encode()).digest()
    return f"127.1.{digest[0] % HIGHEST + 1}.{digest[1] % HIGHEST + 1}"


async def listen(stack: AsyncExitStack, edge: Edge, greeting: set[asyncio.Task[None]], own: str) -> Place | None:
    """Listen on an address.

    Args:
        stack: Ends it.
        edge: What is behind it.
        greeting: As for :class:`hallmark.twin.edge.front.Front`.
        own: The address.

    Returns:
        Where; None if the machine has no such address, for on macOS there is 127.0.0.1 alone.
    """
    for port in PORTS:
        with suppress(OSError):
            server = await asyncio.get_running_loop().create_server(lambda: Direct(edge, greeting), own, port)
            stack.callback(server.close)
            return own, int(server.sockets[0].getsockname()[1])
    return None


def asked_for(greeting: bytes) -> str | None:
    """The name (SNI) that the first message of a client asks for.

    Returns:
        The name, empty if there is none; None if the message is not complete.

    Raises:
        ssl.SSLError: It is no greeting of TLS.
    """
    found: list[str] = []

    def note(_connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int:
        found.append(name or "")
        return int(ssl.AlertDescription.ALERT_DESCRIPTION_USER_CANCELLED)  # to nobody: this handshake only listens

    context, incoming = plain(tuple(VERSIONS)), ssl.MemoryBIO()
    context.sni_callback = note
    incoming.write(greeting)
    try:
        context.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True).do_handshake()
    except ssl.SSLWantReadError:
        return None
    except ssl.SSLError:
        if not found:
            raise
    return found[0]


async def _wanted(sock: socket.socket) -> str:
    """Read the name without taking anything from the socket, so that the real handshake finds all of it.

    Raises:
        OSError: The client left, or speaks no TLS.
    """
    seen = b""
    try:
        while (name := asked_for(seen) if seen else None) is None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, len(seen) + 1)  # wake up for more than is known
            await _readable(sock)
            before, seen = seen, sock.recv(LARGEST_GREETING, socket.MSG_PEEK)
            if len(seen) <= len(before):
                raise ConnectionResetError("the client left")
    finally:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
    return name


async def _readable(sock: socket.socket) -> None:
    arrived, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(sock, arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(sock)
