"""A request on its way through a load balancer."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from multidict import CIMultiDictProxy

from hallmark.twin.edge.listening import Line
from hallmark.twin.edge.records import Listener
from hallmark.twin.edge.waf.request import Inspected


class Incoming:
    """A request, and how far its body has come.

    Args:
        request: As it came.
        listener: Where.
        source: The client's public address.

    Attributes:
        line: What listener rules look at.
        target: Path and query as sent.
        inserted: Headers that the web ACL inserts.
        deadline: Moves with every part of the body while a target waits for it.
        idle: Seconds that it moves by.
        answered: Whether a target answered.
        is_waiting: Whether it is the client that everybody waits for.
    """

    def __init__(self, request: web.BaseRequest, listener: Listener, source: str) -> None:
        self.request = request
        self.method = request.method
        self.headers: CIMultiDictProxy[str] = request.headers
        self.target = _target(request.raw_path)
        path, _, query = self.target.partition("?")
        host = request.headers.get("Host", "").lower()
        self.line = Line(
            method=request.method,
            host=host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and ":" in host else host,
            path=path,
            query=query,
            headers=tuple((name.lower(), value) for name, value in request.headers.items()),
            protocol=listener.protocol,
            port=listener.port,
            source=source,
        )
        self.inserted: Iterable[tuple[str, str]] = ()
        self.deadline: asyncio.Timeout | None = None
        self.idle = 0.0
        self.answered = False
        self.is_waiting = False
        self._begun = bytearray()
        self._complete = not request.can_read_body

    async def inspected(self, limit: int) -> Inspected:
        """What WAF sees: the body up to a limit."""
        await self._invite()
        while len(self._begun) <= limit and not self._complete:
            chunk = await self.request.content.readany()
            self._begun += chunk
            self._complete = not chunk or self.request.content.at_eof()
        body = bytes(self._begun[:limit])
        oversize = len(self._begun) > limit
        line = self.line
        return Inspected(line.method, line.path, line.query, line.headers, body, oversize, line.source)

    def body(self) -> Any:
        """The whole body for a target: what was read, then what comes; None if there is none."""
        if self._complete:
            return bytes(self._begun) or None
        return self._streamed()

    async def _streamed(self) -> AsyncIterator[bytes]:
        await self._invite()
        if self._begun:
            yield bytes(self._begun)
        while chunk := await self._more():
            self._moved()
            yield chunk

    async def _more(self) -> bytes:
        self.is_waiting = True
        chunk = await self.request.content.readany()
        self.is_waiting = False
        return chunk

    def _moved(self) -> None:
        if self.deadline and not self.deadline.expired():
            self.deadline.reschedule(asyncio.get_running_loop().time() + self.idle)

    async def _invite(self) -> None:
        """Tell a client that asks first to send its body."""
        if not self._complete and not self._begun and self.headers.get("Expect", "").lower() == "100-continue":
            await self.request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.request.writer.output_size = 0


def _target(raw: str) -> str:
    if raw.startswith("/"):
        return raw
    split = urlsplit(raw)  # as a proxy is asked
    return (split.path or "/") + (f"?{split.query}" if split.query else "")
