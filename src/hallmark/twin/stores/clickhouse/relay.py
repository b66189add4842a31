"""Passes connections on to ClickHouse's own listeners, and notices when a statement was answered.

The engine holds the memory of a pod only nominally (``programs/README.md``), so somebody has to see that it works. A
refused login is no work: over HTTP a statement's answer has an id and no code of an error, over the native protocol
something follows the greeting that is no pong.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

CHUNK = 65536
QUERY, REFUSED = b"\r\nx-clickhouse-query-id:", b"\r\nx-clickhouse-exception-code:"
"""Headers: of statements, which probes and refused logins are not; and of errors."""
PONG = b"\x04"
Worked = Callable[[bytes, int], bool]
"""Whether a part of an answer tells of work; the number says which part of its connection's it is, from 0."""


def http_worked(chunk: bytes, _: int) -> bool:
    """Whether an HTTP answer is a statement's that was not refused."""
    head = chunk.lower()
    return QUERY in head and REFUSED not in head


def native_worked(chunk: bytes, number: int) -> bool:
    """Whether an answer of the native protocol is more than a greeting, a refusal or a pong."""
    return number > 0 and chunk != PONG


@asynccontextmanager
async def relayed(
    listener: socket.socket, to: tuple[str, int], worked: Worked, took: Callable[[], None]
) -> AsyncIterator[None]:
    """Pass on what comes to a listening socket, as long as the context lasts.

    Args:
        listener: Where clients connect.
        to: Where the engine listens.
        worked: What to look for in answers.
        took: Called after each answer that tells of work.
    """
    running: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            running.add(task)
            task.add_done_callback(running.discard)
        with suppress(OSError, asyncio.CancelledError):
            await _both(reader, writer, to, worked, took)
        writer.close()

    server = await asyncio.start_server(handle, sock=listener)
    try:
        yield
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _both(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    to: tuple[str, int],
    worked: Worked,
    took: Callable[[], None],
) -> None:
    answers, asks = await asyncio.open_connection(*to)
    asking = asyncio.create_task(_copy(reader, asks))
    number = 0
    try:
        while chunk := await answers.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
            if worked(chunk, number):
                took()
            number += 1
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        asks.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(CHUNK):
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()
