"""The data stores' process: a server for every RDS instance and every ElastiCache group of an account.

``python -m hallmark.twin.stores.main --state DIR --endpoint URL --account N --region R --aws-state DIR``

It holds a lock on ``stores.lock`` in the state directory for as long as it lives, and ``stores.json`` tells of it once
every server runs that should. Where they listen is in ``addresses.json``, by endpoint name; their data is in ``data``.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from hallmark.errors import EnvironmentFault
from hallmark.twin import part
from hallmark.twin.aws.seal import Seal
from hallmark.twin.control import Control
from hallmark.twin.files import write
from hallmark.twin.pulse import Pulse
from hallmark.twin.stores.keeper import Keeper
from hallmark.twin.stores.wanted import Wanted, read

EVERY = 1.0
"""Seconds between two looks: at the servers, and at AWS if something may have changed there."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stores until told to stop. Returns an exit code of :class:`hallmark.errors.Exit`."""
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    state: Path = options.state.absolute()

    def work() -> None:
        state.chmod(0o700)
        asyncio.run(serve(state, lambda: _wanted(options), Pulse(options.aws_state).is_due))
        write(state / "stores.json", json.dumps(_about() | {"pid": part.ENDED}))

    return part.run(state / "stores.lock", "Other data stores of this twin are running.", work)


async def serve(state: Path, ask: Callable[[], Sequence[Wanted]], is_due: Callable[[], bool] = lambda: True) -> None:
    """Follow what is asked for until SIGTERM or Ctrl-C.

    Args:
        state: The state directory.
        ask: What is wanted now.
        is_due: Whether to ask now.
    """
    stop, loop = part.told_to_stop(), asyncio.get_running_loop()
    part.respond_to_signal(state / "stores.json")
    keeper = Keeper(state, ask, is_due)
    with ThreadPoolExecutor(1, "servers") as thread:  # a single one, see the keeper
        try:
            await loop.run_in_executor(thread, keeper.follow)
            write(state / "stores.json", json.dumps(_about()))
            while not stop.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), EVERY)
                if not stop.is_set():
                    await loop.run_in_executor(thread, keeper.follow)
        finally:
            await loop.run_in_executor(thread, keeper.stop)


def _wanted(options: argparse.Namespace) -> list[Wanted]:
    # Only who can read the key of the emulated AWS is told the passwords.
    if not (options.aws_state / "key").exists():
        raise EnvironmentFault("The emulated AWS has no key yet.")
    port = int(str(options.endpoint).rpartition(":")[2].strip("/"))
    return read(Control(port, Seal.of(options.aws_state).token).store_secrets(options.account))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hallmark.twin.stores.main", description="The data stores of the twin.")
    parser.add_argument("--state", type=Path, required=True, help="directory of the lock and of the data")
    parser.add_argument("--endpoint", required=True, help="URL of the emulated AWS")
    parser.add_argument("--account", required=True, help="AWS account, 12 digits")
    parser.add_argument("--region", default="", help="AWS region; the stores of all are run")
    parser.add_argument("--aws-state", type=Path, required=True, help="state directory of the emulated AWS")
    return parser.parse_args(arguments)


def _about() -> dict[str, object]:
    return {"pid": os.getpid(), "started": datetime.now(UTC).isoformat(timespec="seconds")}


if __name__ == "__main__":
    sys.exit(main())
