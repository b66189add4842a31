"""ClickHouse in a pod: an engine on the pod's volume, with the user that the chart gives it.

Which of the two engines it is, :mod:`hallmark.twin.stores.clickhouse.choice` says; the first line of the log names it.
Metrics, and the stand-in's native protocol, are only as much as a probe asks. Memory is nominal, see
``programs/README.md``: a query makes the working set grow, and the kubelet compares it with the container's limit.
"""

import asyncio
import signal
import time
from pathlib import Path

from hallmark.errors import EnvironmentFault
from hallmark.twin.programs.container import Container
from hallmark.twin.programs.web import Reply, listen, serve
from hallmark.twin.stores.clickhouse.choice import Served, Wanted, first_of, start
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
    library = container.settings.get("library")
    wanted = Wanted(container.path(DATA), _users(container), queries=QUERIES)
    complaints: list[str] = []
    try:
        engine = start(wanted, Path(library) if library else None, complaints.append)
    except EnvironmentFault as error:
        container.fail(f"clickhouse: {error.message} Next: {error.hint}")
    container.say("INFO", f"clickhouse: {engine.title}")
    for each in complaints:
        container.say("WARN", f"clickhouse: {each}")
    try:
        return asyncio.run(_serve(container, engine))
    finally:
        engine.close()


async def _serve(container: Container, engine: Served) -> int:
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    load = Load(container, container.settings["busy_memory"])
    async with engine.serving(listen(container, HTTP), listen(container, NATIVE), load.take) as ended:
        serve(container, METRICS, lambda _: Reply(200, "ClickHouseMetrics_Query 0\n"))
        await first_of(stop, ended)
    if ended.is_set():
        container.say("ERROR", "clickhouse: it ended by itself")
    return int(ended.is_set())


def _users(container: Container) -> Users:
    environment = container.environment
    name = environment.get("CLICKHOUSE_USER") or "default"
    return Users.of({name: {"password": environment.get("CLICKHOUSE_PASSWORD", "")}})
