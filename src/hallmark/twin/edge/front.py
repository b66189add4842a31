"""The port that clients come to: an HTTP proxy. After ``CONNECT`` a connection is one to a load balancer."""

import asyncio
from contextlib import suppress

from hallmark.twin.edge.names import Unresolved
from hallmark.twin.edge.reading import SECURE
from hallmark.twin.edge.records import State
from hallmark.twin.edge.service import Connection, Edge, Silent

LARGEST_HEAD = 64 * 1024
END = b"\r\n\r\n"
GREETING_WITHIN = 60.0
SHAKES_HANDS_WITHIN = 10.0
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Front(asyncio.Protocol):
    """A connection until it is known where it leads.

    Args:
        edge: What is behind the port.
        greeting: Connections that are still here, so that they can be ended.
    """

    def __init__(self, edge: Edge, greeting: set[asyncio.Task[None]]) -> None:
        self._edge = edge
        self._greeting = greeting
        self._head = bytearray()
        self._complete = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first request."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  (TCP)
        self._transport = transport
        task = asyncio.create_task(self._greet())
        self._greeting.add(task)
        task.add_done_callback(self._greeting.discard)

    def data_received(self, data: bytes) -> None:
        """Collect the head of the first request."""
        self._head += data
        if END in self._head and not self._complete.done():
            self._transport.pause_reading()
            self._complete.set_result(None)
        elif len(self._head) > LARGEST_HEAD:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        del exc
        if not self._complete.done():
            self._complete.cancel()

    async def _greet(self) -> None:
        try:
            await self._welcome()
        except (OSError, TimeoutError, asyncio.CancelledError):
            self._transport.abort()

    async def _welcome(self) -> None:
        async with asyncio.timeout(GREETING_WITHIN):
            await self._complete
        await self._lead(bytes(self._head))

    async def _lead(self, head: bytes) -> None:
        method, _, rest = head.partition(b" ")
        if method != b"CONNECT":
            self._hand_over(Connection(), GREETING_WITHIN, head)
            return
        name, _, port = rest.partition(b" ")[0].decode("ascii", "replace").rpartition(":")
        if not port.isdigit():
            await self._refuse(400, "CONNECT needs name:port")
            return
        try:
            state = await self._edge.admit(name, int(port))
        except Unresolved:
            await self._refuse(502, f"could not resolve {name}")
        except Silent:
            await asyncio.sleep(self._edge.settings.patience)
            await self._refuse(504, f"connection to {name}:{port} timed out")
        else:
            self._transport.write(ESTABLISHED)
            await self._enter(state, int(port), head.partition(END)[2])

    async def _enter(self, state: State, port: int, early: bytes = b"") -> None:
        connection, listener = Connection(state.balancer, port), state.listeners[port]
        if listener.protocol != SECURE:
            self._hand_over(connection, state.idle, early)
            return
        talk, loop = self._edge.talk(connection, state.idle), asyncio.get_running_loop()
        context = self._edge.authority.context(listener)
        try:
            secured = await loop.start_tls(
                self._transport, talk, context, server_side=True, ssl_handshake_timeout=SHAKES_HANDS_WITHIN
            )
        except (OSError, TimeoutError):
            self._edge.counters.refused["handshake failed"] += 1
            raise
        if secured:
            talk.connection_made(secured)

    def _hand_over(self, connection: Connection, idle: float, data: bytes) -> None:
        talk = self._edge.talk(connection, idle)
        self._transport.set_protocol(talk)
        talk.connection_made(self._transport)
        self._transport.resume_reading()
        if data:
            talk.data_received(data)

    async def _refuse(self, status: int, text: str) -> None:
        answer = self._edge.refusal(status, text)
        body = f"{text}\n"
        self._transport.write(
            f"HTTP/1.1 {status} {answer.reason}\r\nServer: hallmark-twin-edge\r\nContent-Type: text/plain\r\n"
            f"Content-Length: {len(body.encode())}\r\nConnection: close\r\n\r\n{body}".encode()
        )
        self._transport.close()


async def end(greeting: set[asyncio.Task[None]]) -> None:
    """End the connections that nobody knows yet where they lead."""
    for task in list(greeting):
        task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*greeting, return_exceptions=True)
