"""Servers for a test, which are stopped whatever happens."""

import signal
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from hallmark.twin.stores.postgres import Postgres
from hallmark.twin.stores.server import Server

Each = TypeVar("Each", bound=Server)
Run = Callable[[Each], Each]


def _end(server: Server) -> None:
    server.gently = signal.SIGQUIT if isinstance(server, Postgres) else signal.SIGKILL
    server.stop()


@pytest.fixture(scope="session")
def end() -> Callable[[Server], None]:
    """End a server whose data nobody needs any more: PostgreSQL without a last checkpoint, Valkey at once."""
    return _end


@pytest.fixture
def run() -> Iterator[Callable[[Server], Server]]:
    """Start a server; it is ended when the test ends."""
    started: list[Server] = []

    def start(server: Each) -> Each:
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        _end(server)
