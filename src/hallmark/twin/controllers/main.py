"""The controllers' process: every loop of one cluster in one event loop.

``python -m hallmark.twin.controllers.main --kubeconfig FILE --state DIR``

``workloads`` is what kube-controller-manager and kube-scheduler do, ``aws`` what EKS and its add-ons do. A cluster
that brings its own workload controllers runs with ``--only aws``.

It holds a lock on ``controllers.lock`` in the state directory for as long as it lives, and once every cache is filled
it tells so in ``controllers.json``.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from hallmark.twin import buffers, part
from hallmark.twin.controllers.settings import Settings
from hallmark.twin.files import write
from hallmark.twin.kube import reconcile
from hallmark.twin.kube.access import Access
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.client import Api
from hallmark.twin.kube.reconcile import Controller

GROUPS = {"workloads": "kube-controller-manager", "aws": "eks"}
"""Groups of controllers, and the field manager that each is to the API. A group is a package of that name here, with
a function ``controllers(caches, settings)``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run controllers until told to stop. Returns an exit code of :class:`hallmark.errors.Exit`."""
    options = _options(arguments)
    buffers.save()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    state: Path = options.state

    def work() -> None:
        asyncio.run(serve(_settings(options), options.only))
        write(state / "controllers.json", json.dumps(_about(options.only) | {"pid": part.ENDED}))

    return part.run(state / "controllers.lock", "Other controllers of this twin are running.", work)


async def serve(settings: Settings, groups: Sequence[str]) -> None:
    """Run the controllers of these groups until SIGTERM or Ctrl-C."""
    stop = part.told_to_stop()
    part.respond_to_signal(settings.state / "controllers.json")
    left = set(groups)

    def started(group: str) -> None:
        left.discard(group)
        if not left:
            write(settings.state / "controllers.json", json.dumps(_about(groups)))

    tasks = [asyncio.create_task(_run(group, settings, started)) for group in groups]
    over = asyncio.create_task(stop.wait())
    await asyncio.wait([*tasks, over], return_when=asyncio.FIRST_COMPLETED)
    for task in [*tasks, over]:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _run(group: str, settings: Settings, started: Callable[[str], None]) -> None:
    # A group's package is imported when it runs: that of AWS brings botocore, which takes its time and memory.
    make: Callable[[Caches, Settings], list[Controller]] = import_module(
        f"hallmark.twin.controllers.{group}"
    ).controllers
    async with Api(settings.access, GROUPS[group]) as api:
        caches = Caches(api)
        await reconcile.run(caches, make(caches, settings), lambda: started(group))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hallmark.twin.controllers.main", description="The controllers of the twin.")
    parser.add_argument("--kubeconfig", type=Path, required=True, help="which cluster")
    parser.add_argument("--state", type=Path, required=True, help="directory of the lock and of what controllers keep")
    parser.add_argument("--endpoint", default="", help="URL of the emulated AWS")
    parser.add_argument("--account", default="", help="AWS account, 12 digits")
    parser.add_argument("--region", default="", help="AWS region")
    parser.add_argument("--cluster", default="", help="name of the EKS cluster")
    parser.add_argument("--only", type=_groups, default=list(GROUPS), help=f"some of {','.join(GROUPS)}")
    options = parser.parse_args(arguments)
    if "aws" in options.only and not options.endpoint:
        parser.error("the group aws needs --endpoint, --account, --region and --cluster; or say --only workloads")
    return options


def _groups(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(GROUPS):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return names


def _settings(options: argparse.Namespace) -> Settings:
    return Settings(
        access=Access.read(options.kubeconfig),
        state=options.state,
        endpoint=options.endpoint,
        account=options.account,
        region=options.region,
        cluster=options.cluster,
    )


def _about(groups: Sequence[str]) -> dict[str, object]:
    started = datetime.now(UTC).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "started": started, "groups": list(groups)}


if __name__ == "__main__":
    sys.exit(main())
