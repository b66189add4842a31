"""The engine in this process behind an HTTP interface of ours: the second of the two engines, which is always there."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from hallmark.twin.stores.clickhouse.engine import Engine
from hallmark.twin.stores.clickhouse.interface import Interface
from hallmark.twin.stores.clickhouse.users import Users


class StandIn:
    """The engine on one folder; only one process can have it.

    Args:
        path: Where the data is.
        users: Who may.
        memory: Bytes that all statements together may take; 0 for what the machine has.
        queries: How many statements may run or wait at the same time.
    """

    def __init__(self, path: Path, users: Users, memory: int, queries: int) -> None:
        self._engine = Engine(path, memory)
        self._users = users
        self._queries = queries
        self.title = f"ClickHouse's engine {self._engine.version} behind Hallmark's stand-in for the server"

    def close(self) -> None:
        """Let go of the data."""
        self._engine.close()

    @asynccontextmanager
    async def serving(
        self, listener: socket.socket, native: socket.socket | None, took: Callable[[], None]
    ) -> AsyncIterator[asyncio.Event]:
        """Answer on these sockets; see :class:`hallmark.twin.stores.clickhouse.choice.Served`."""
        application = Interface(self._engine, self._users, self._queries).application()
        application.middlewares.append(_noticed(took))
        runner = web.AppRunner(application, access_log=None, auto_decompress=False, shutdown_timeout=1.0)
        await runner.setup()
        greeting = await asyncio.start_server(_hang_up, sock=native) if native else None
        try:
            await web.SockSite(runner, listener).start()
            yield asyncio.Event()
        finally:
            if greeting:
                greeting.close()
            await runner.cleanup()


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # All that a probe of a TCP port asks: there is no native protocol here.
    writer.close()


def _noticed(took: Callable[[], None]) -> Middleware:
    @web.middleware
    async def noticed(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        if "X-ClickHouse-Summary" in answer.headers:
            took()
        return answer

    return noticed
