"""ClickHouse's HTTP interface, as far as its clients use it.

A statement is in ``query`` of the URL, in the body, or begins in one and goes on in the other, as with ClickHouse.
"""

import asyncio
import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from hallmark.twin.stores.clickhouse.engine import Engine, EngineError, Result, Statement
from hallmark.twin.stores.clickhouse.users import User, Users, credentials

LARGEST = 1 << 30
"""Bytes of a body."""
THREADS = 4
STATUSES = {
    (62, 72, 6, 27, 43, 53, 70, 117, 386): 400,
    (194,): 401,
    (497, 516): 403,
    (16, 36, 46, 47, 60, 81, 115): 404,
    (159,): 408,
    (48,): 501,
    (164, 202, 241, 243, 252): 500,
}
"""HTTP status for error codes of ClickHouse (its ``exceptionCodeToHTTPStatus``)."""
ABOUT_THE_REQUEST = frozenset(
    {
        *("query", "database", "user", "password", "role", "quota_key", "query_id", "default_format", "buffer_size"),
        *("session_id", "session_timeout", "session_check", "close_session", "client_protocol_version", "compress"),
        *("decompress", "enable_http_compression", "wait_end_of_query", "send_progress_in_http_headers"),
        "http_headers_progress_interval_ms",
    }
)
"""Parameters that are no settings."""
WRONG_LOGIN = (
    "Code: 516. DB::Exception: {name}: Authentication failed: password is incorrect, or there is no user with such "
    "name. (AUTHENTICATION_FAILED)"
)
TOO_MANY = "Code: 202. DB::Exception: Too many simultaneous queries. Maximum: {limit}. (TOO_MANY_SIMULTANEOUS_QUERIES)"


class Interface:
    """The HTTP side of an engine.

    Args:
        engine: What runs statements.
        users: Who may.
        limit: How many statements may run or wait at the same time.
    """

    def __init__(self, engine: Engine, users: Users, limit: int) -> None:
        self._engine = engine
        self._users = users
        self._limit = limit
        self._running = 0
        self._threads = ThreadPoolExecutor(THREADS, "engine")

    def application(self) -> web.Application:
        """What answers."""
        application = web.Application(client_max_size=LARGEST)
        application.router.add_get("/ping", _is_well)
        application.router.add_get("/replicas_status", _is_well)
        application.router.add_route("*", "/", self._handle)
        application.on_cleanup.append(self._end)
        return application

    async def _end(self, _: web.Application) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _handle(self, request: web.Request) -> web.Response:
        if request.method == "GET" and not request.query:
            return await _is_well(request)
        name, password = credentials(request.headers, request.query)
        user = self._users.find(name, password)
        if user is None:
            await request.read()
            return self._refusal(WRONG_LOGIN.format(name=name or "default"))
        if self._running >= self._limit:
            return self._refusal(TOO_MANY.format(limit=self._limit))
        self._running += 1
        try:
            return await self._answer(request, user)
        except EngineError as error:
            return self._refusal(str(error))
        finally:
            self._running -= 1

    async def _answer(self, request: web.Request, user: User) -> web.Response:
        content = await request.read()
        form = request.headers.get("X-ClickHouse-Format") or request.query.get("default_format") or "TabSeparated"
        encoding = request.headers.get("Content-Encoding", "")

        def work() -> Result:
            body = self._engine.decompressed(content, encoding) if encoding and content else content
            return self._engine.run(_statement(request, user, body, form))

        result = await asyncio.get_running_loop().run_in_executor(self._threads, work)
        headers = {
            "X-ClickHouse-Summary": json.dumps(dict(result.summary)),
            "X-ClickHouse-Query-Id": request.query.get("query_id") or str(uuid.uuid4()),
            "X-ClickHouse-Format": form,
            "X-ClickHouse-Timezone": "UTC",
            "X-ClickHouse-Server-Display-Name": "hallmark",
        }
        return web.Response(body=result.body, headers=headers, content_type="text/plain", charset="UTF-8")

    def _refusal(self, message: str) -> web.Response:
        found = re.search(r"Code: (\d+)", message)
        code = int(found[1]) if found else 1002
        status = next((status for codes, status in STATUSES.items() if code in codes), 500)
        headers = {"X-ClickHouse-Exception-Code": str(code)}
        return web.Response(
            text=f"{message.strip()} (version {self._engine.version})\n", status=status, headers=headers
        )


async def _is_well(_: web.Request) -> web.Response:
    return web.Response(text="Ok.\n")


def _statement(request: web.Request, user: User, body: bytes, form: str) -> Statement:
    query = request.query
    parts = [part for part in (query.get("query", "").encode(), body) if part.strip()]
    return Statement(
        text=b"\n".join(parts),
        format=form,
        database=query.get("database") or request.headers.get("X-ClickHouse-Database") or "",
        parameters={name[6:]: value for name, value in query.items() if name.startswith("param_")},
        settings={**user.settings, **_settings(request)},
        readonly=user.readonly or request.method == "GET",
    )


def _settings(request: web.Request) -> dict[str, str]:
    return {
        name: value
        for name, value in request.query.items()
        if name not in ABOUT_THE_REQUEST and not name.startswith("param_")
    }
