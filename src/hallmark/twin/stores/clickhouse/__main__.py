"""The process: ``python -m hallmark.twin.stores.clickhouse --path DIR --address A --port P``.

It reads one line of JSON from standard input, so that passwords are on no command line::

    {"users": {"default": {"password": "", "readonly": false, "settings": {}}}, "memory": 0, "queries": 100}

and says ``ready PORT`` on standard output as soon as it answers. It ends with SIGTERM, and the kernel ends it with the
thread that started it.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hallmark.errors import EnvironmentFault, Exit, HallmarkError
from hallmark.twin import part
from hallmark.twin.files import hold
from hallmark.twin.programs.zygote import die_with
from hallmark.twin.stores.clickhouse.choice import Served, Wanted, first_of, start
from hallmark.twin.stores.clickhouse.library import find
from hallmark.twin.stores.clickhouse.users import Users

ENDS_WITHIN = 15
"""Seconds, closing the engine included; then the kernel ends it. What was acknowledged is on disk all the time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop. Returns an exit code of :class:`hallmark.errors.Exit`."""
    parser = argparse.ArgumentParser(prog="hallmark.twin.stores.clickhouse", description="ClickHouse of the twin.")
    parser.add_argument("--path", type=Path, required=True, help="folder of the data")
    parser.add_argument("--address", default="127.0.0.1", help="where to listen; of loopback")
    parser.add_argument("--port", type=int, default=0, help="0 for any")
    parser.add_argument("--parent", type=int, default=os.getppid(), help="process to end with")
    options = parser.parse_args(arguments)
    if sys.platform == "linux":
        die_with(options.parent)
    settings: dict[str, Any] = json.loads(sys.stdin.readline() or "{}")
    path: Path = options.path
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with hold(path / "hallmark.lock", "Another server has this data."):
            _run(path, options.address, options.port, settings)
    except HallmarkError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    return Exit.PASSED


def _run(path: Path, address: str, port: int, settings: dict[str, Any]) -> None:
    users = Users.of(settings.get("users") or {"default": {}})
    wanted = Wanted(path, users, int(settings.get("memory") or 0), int(settings.get("queries", 100)))
    engine = start(wanted, find(), lambda why: sys.stderr.write(f"{why}\n"))
    try:
        asyncio.run(_serve(engine, address, port))
    finally:
        engine.close()


async def _serve(engine: Served, address: str, port: int) -> None:
    stop = part.told_to_stop()
    listener = socket.create_server((address, port), backlog=128)
    async with engine.serving(listener, None, lambda: None) as ended:
        with suppress(BrokenPipeError):
            sys.stdout.write(f"ready {listener.getsockname()[1]}\n")
            sys.stdout.flush()
        await first_of(stop, ended)
        signal.alarm(ENDS_WITHIN)
    if ended.is_set():
        raise EnvironmentFault("ClickHouse ended by itself.")


if __name__ == "__main__":
    sys.exit(main())
