"""uvicorn as the stand-in runs it: its requests go to the container's log, and it rests while nobody calls."""

import asyncio
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.applications import Starlette

from hallmark.twin.programs.container import Container
from hallmark.twin.programs.langsmith import service

LAST_SECONDS = 5
KEPT_SECONDS = 75
TICK = 1.0
"""Seconds for which the header ``Date`` may be old, as with uvicorn."""


def serve(application: Starlette, listener: socket.socket, container: Container, role: service.Role) -> None:
    """Serve until SIGTERM.

    Args:
        application: What answers.
        listener: Where.
        container: Gets a line for each request.
        role: Says which requests are probes, which get none.
    """
    logger = logging.getLogger("uvicorn.access")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(_Access(container, role))
    config = uvicorn.Config(
        application, loop="asyncio", log_config=None, lifespan="off", ws="none", server_header=False,
        timeout_keep_alive=KEPT_SECONDS, timeout_graceful_shutdown=LAST_SECONDS,
    )  # fmt: skip
    asyncio.run(_Server(config).serve([listener]))


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the loop: the original raises them again when it has ended."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._end)
        yield

    async def main_loop(self) -> None:
        """Wait for the end. The original looks ten times a second whether it has come."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._ended.wait()

    def _end(self) -> None:
        self.should_exit = True
        self._ended.set()


class _Access(logging.Handler):
    """Takes what uvicorn logs of each request to the container's log.

    Args:
        container: Whose log.
        role: Says which requests are probes.
    """

    def __init__(self, container: Container, role: service.Role) -> None:
        super().__init__()
        self._container, self._role = container, role

    def emit(self, record: logging.LogRecord) -> None:
        """Log one request; uvicorn gives it in parts."""
        if isinstance(record.args, tuple):
            client, method, path, _, status = record.args
            service.log_access(self._container, self._role, str(client), str(method), str(path), int(str(status)))
