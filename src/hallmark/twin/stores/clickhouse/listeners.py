"""ClickHouse's own HTTP and native listeners, as a child of ours: the first of the two engines.

They are the real ones: logins are judged by ``users.xml``, the native protocol works, ``system.query_log`` is there.
They listen on free ports of loopback; clients come by :mod:`hallmark.twin.stores.clickhouse.relay`.
"""

import asyncio
import http.client
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from hallmark.twin.stores.clickhouse import cmdline
from hallmark.twin.stores.clickhouse.configuration import write_files
from hallmark.twin.stores.clickhouse.library import VERSION
from hallmark.twin.stores.clickhouse.relay import http_worked, native_worked, relayed
from hallmark.twin.stores.clickhouse.users import Users
from hallmark.twin.stores.server import HOST, Server, free_port

QUERY = "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; SELECT count() FROM table"
"""The last one reads what never ends, see :mod:`hallmark.twin.stores.clickhouse.cmdline`."""
LOOKS = 2.0
"""Seconds a look whether it answers may take."""


class Listeners(Server):
    """The listeners on one folder; only one process can have it.

    Args:
        folder: Where the data is, and while it starts what it is told.
        library: See :mod:`hallmark.twin.stores.clickhouse.library`.
        users: Who may.
        memory: Bytes that all statements together may take; 0 for what the machine has.
        queries: How many statements may run at the same time.
    """

    title = f"ClickHouse's own listeners, of its library {VERSION}"

    def __init__(self, folder: Path, library: Path, users: Users, memory: int, queries: int) -> None:
        super().__init__(folder, "ClickHouse")
        self._library = library
        self._users = users
        self._limits = (memory, queries)
        self._native = 0

    @asynccontextmanager
    async def serving(
        self, listener: socket.socket, native: socket.socket | None, took: Callable[[], None]
    ) -> AsyncIterator[asyncio.Event]:
        """Answer on these sockets; see :class:`hallmark.twin.stores.clickhouse.choice.Served`."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        life = os.pidfd_open(self.pid)
        loop.add_reader(life, ended.set)
        try:
            async with AsyncExitStack() as open_ones:
                await open_ones.enter_async_context(relayed(listener, self.address, http_worked, took))
                if native:
                    await open_ones.enter_async_context(relayed(native, (HOST, self._native), native_worked, took))
                yield ended
        finally:
            loop.remove_reader(life)
            os.close(life)

    def close(self) -> None:
        """Let go of the data."""
        self.stop()

    def _prepare(self) -> None:
        self._told = write_files(self.folder, self._users, *self._limits)

    def _settle(self) -> None:
        for file in self._told:  # they are read once, and snapshots hold this folder
            file.unlink()

    def _command(self, port: int) -> tuple[list[str], bytes]:
        self._native = free_port()
        arguments = [
            *(f"--config-file={self._told[0]}", f"--path={self.folder / 'data'}", f"--listen_host={HOST}"),
            *(f"--http_port={port}", f"--tcp_port={self._native}", f"--query={QUERY}"),
            *("--interactive", "--disable_suggestion", "--progress=off"),
            *("--structure=line String", "--input-format=LineAsString"),
        ]
        return [sys.executable, "-I", "-S", cmdline.__file__, str(self._library), *arguments], b""

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection(*self.address, timeout=LOOKS)
        try:
            connection.request("GET", "/ping")
            said = connection.getresponse().read()
            socket.create_connection((HOST, self._native), LOOKS).close()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            with suppress(OSError):
                connection.close()
        return said == b"Ok.\n"
