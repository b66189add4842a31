"""Data stores that run in the cluster: ClickHouse answers enough for its users to be refused; the others only listen.

PostgreSQL and Redis inside the cluster are not part of the reference architecture, so there is no more of them here
than a port that answers probes.
"""

import json
import time
from collections.abc import Callable, Sequence

from hallmark.twin.programs.container import Container
from hallmark.twin.programs.shell.interpreter import Command, Shell
from hallmark.twin.programs.web import Reply, Request, accept, serve

BUSY_SECONDS = 60.0
"""How long after a query ClickHouse still holds the memory it took for it."""


def main(container: Container) -> int:
    """Run the store that the catalogue chose."""
    container.on_stop(0)
    container.say("INFO", f"{container.settings['role']}: Hallmark's stand-in; it keeps no data")
    KINDS[container.settings["role"]](container)
    container.forever()


def _clickhouse(container: Container) -> None:
    load = Load(container, container.settings["busy_memory"])
    serve(container, 8123, lambda request: _clickhouse_answer(container, load, request))
    serve(container, 9363, lambda _: Reply(200, "ClickHouseMetrics_Query 0\n"))
    accept(container, 9000)


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


def _clickhouse_answer(container: Container, load: Load, request: Request) -> Reply:
    path = request.path.split("?")[0]
    if path == "/ping":
        return Reply(200, "Ok.\n")
    user = container.environment.get("CLICKHOUSE_USER") or "default"
    password = container.environment.get("CLICKHOUSE_PASSWORD", "")
    given = {name.lower(): value for name, value in request.headers.items()}
    if (given.get("x-clickhouse-user", "default"), given.get("x-clickhouse-key", "")) != (user, password):
        return Reply(
            403,
            "Code: 516. DB::Exception: Authentication failed: password is incorrect, or there is no user with such "
            "name. (AUTHENTICATION_FAILED)\n",
        )
    load.take()
    return Reply(200, "1\n" if request.body.strip().upper() == b"SELECT 1" else json.dumps({"data": []}))


def _postgres(container: Container) -> None:
    if not container.environment.get("POSTGRES_PASSWORD"):
        container.fail("Error: Database is uninitialized and superuser password is not specified.")
    accept(container, 5432)


def _redis(container: Container) -> None:
    accept(container, 6379)


def _says(text: str) -> Command:
    # Probes of the stores: the container lives, so it answers.
    def command(shell: Shell, _: Sequence[str]) -> int:
        shell.write(f"{text}\n")
        return 0

    return command


KINDS: dict[str, Callable[[Container], None]] = {"clickhouse": _clickhouse, "postgres": _postgres, "redis": _redis}
COMMANDS: dict[str, Command] = {
    "pg_isready": _says("/var/run/postgresql:5432 - accepting connections"),
    "redis-cli": _says("PONG"),
}
