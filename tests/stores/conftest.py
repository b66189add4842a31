"""Servers for a test, which are stopped whatever happens."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from hallmark.twin.stores.server import Server

Each = TypeVar("Each", bound=Server)
Run = Callable[[Each], Each]


@pytest.fixture
def run() -> Iterator[Callable[[Server], Server]]:
    """Start a server; it is stopped when the test ends."""
    started: list[Server] = []

    def start(server: Each) -> Each:
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.stop()
