"""ClickHouse in a pod: the engine on the pod's volume, with the user that the chart gives it.

The native protocol and the metrics are only as much as a probe asks. Memory is nominal, see ``programs/README.md``: a
query makes the working set grow, and the kubelet compares it with the container's limit.
"""

import asyncio
import signal
import time

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from hallmark.twin.programs.container import Container
from hallmark.twin.programs.web import Reply, accept, listen, serve
from hallmark.twin.stores.clickhouse.engine import Engine
from hallmark.twin.stores.clickhouse.interface import Interface
from hallmark.twin.stores.clickhouse.users import Users

DATA = "/var/lib/clickhouse"
HTTP, NATIVE, METRICS = 8123, 9000, 9363
QUERIES = 100
BUSY_SECONDS = 60.0
"""How long after a query ClickHouse still holds the memory it took for it."""


class Load:
    """Memory that a store takes while it is asked.

    Args:
        container: Where it runs.
        busy: Working set under load, as the kubelet reads it, for example ``3Gi``.
    """

    def __init__(self, container: Container, busy: str) -> None:
        self._container = container
        self._busy = busy
        self._until = 0.0

    def take(self) -> None:
        """Note a query: the working set grows, and the kubelet compares it with the limit."""
        now = time.monotonic()
        if now > self._until - BUSY_SECONDS / 2:
            self._container.report(memory=self._busy, seconds=BUSY_SECONDS)
            self._until = now + BUSY_SECONDS


def main(container: Container) -> int:
    """Serve until told to stop."""
    engine = Engine(container.path(DATA))
    container.say("INFO", f"clickhouse: ClickHouse's engine {engine.version} behind Hallmark's stand-in for the server")
    try:
        asyncio.run(_serve(container, engine))
    finally:
        engine.close()
    return 0


async def _serve(container: Container, engine: Engine) -> None:
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    application = Interface(engine, _users(container), QUERIES).application()
    application.middlewares.append(_takes_memory(Load(container, container.settings["busy_memory"])))
    runner = web.AppRunner(application, access_log=None, auto_decompress=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.SockSite(runner, listen(container, HTTP)).start()
        serve(container, METRICS, lambda _: Reply(200, "ClickHouseMetrics_Query 0\n"))
        accept(container, NATIVE)
        await stop.wait()
    finally:
        await runner.cleanup()


def _users(container: Container) -> Users:
    environment = container.environment
    name = environment.get("CLICKHOUSE_USER") or "default"
    return Users.of({name: {"password": environment.get("CLICKHOUSE_PASSWORD", "")}})


def _takes_memory(load: Load) -> Middleware:
    @web.middleware
    async def taken(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        if "X-ClickHouse-Summary" in answer.headers:
            load.take()
        return answer

    return taken
