"""The edge process: ``python -m hallmark.twin.edge.main --state DIR --endpoint URL … --kubelet DIR``.

It holds a lock on ``edge.lock`` in its state folder while it lives, and ``edge.json`` says on which port of 127.0.0.1
its HTTP proxy is, and where it takes TLS without one. Clients trust ``ca.pem``; ``edge.token`` lets its owner read
``/status``.
"""

import argparse
import asyncio
import json
import logging
import os
import secrets
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import ClientSession

from hallmark.errors import HallmarkError
from hallmark.twin import buffers, part
from hallmark.twin.aws.seal import Seal
from hallmark.twin.clients import Clients
from hallmark.twin.control import Control
from hallmark.twin.edge import direct, front
from hallmark.twin.edge.balancing import Balancing
from hallmark.twin.edge.certificates import Authority
from hallmark.twin.edge.checking import Checks
from hallmark.twin.edge.counters import Counters
from hallmark.twin.edge.forwarding import Forwarder, session
from hallmark.twin.edge.pods import Pods
from hallmark.twin.edge.reading import checked
from hallmark.twin.edge.service import Edge, Settings
from hallmark.twin.edge.world import FAILURES, World
from hallmark.twin.files import write
from hallmark.twin.programs.zygote import die_with

CLIENT = "203.0.113.10"
"""Where clients come from, as load balancers see it; the baseline of the twin lets this network in."""
ENDS_WITHIN = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop. Returns an exit code of :class:`hallmark.errors.Exit`."""
    options = _options(arguments)
    if options.parent:
        die_with(options.parent)
    buffers.save()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    options.state = options.state.absolute()
    busy = "Another edge of this twin is running."
    return part.run(options.state / "edge.lock", busy, lambda: asyncio.run(_serve(options, options.state)))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hallmark.twin.edge.main", description="The twin's load balancers at work.")
    parser.add_argument("--state", type=Path, required=True, help="folder of the lock, the authority and the token")
    parser.add_argument("--endpoint", required=True, help="URL of the emulated AWS")
    parser.add_argument("--aws-state", type=Path, required=True, help="state directory of the emulated AWS")
    parser.add_argument("--account", required=True, help="AWS account, 12 digits")
    parser.add_argument("--region", required=True, help="AWS region")
    parser.add_argument("--kubelet", type=Path, required=True, help="folder of the kubelet")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--client", type=IPv4Address, default=IPv4Address(CLIENT), help="the clients' public address")
    parser.add_argument("--patience", type=float, default=1.0, help="seconds that stand for a connection's time-out")
    parser.add_argument("--tunnel", action="store_true", help="a tunnel leads to internal load balancers, too")
    parser.add_argument("--parent", type=int, default=0, help="process that this one does not outlive")
    return parser.parse_args(arguments)


async def _serve(options: argparse.Namespace, state: Path) -> None:
    stopped = part.told_to_stop()
    part.respond_to_signal(state / "edge.json")
    async with AsyncExitStack() as stack:
        port, secure = await _listen(stack, options, await _edge(stack, options, state))
        started = datetime.now(UTC).isoformat(timespec="seconds")
        about = {"pid": os.getpid(), "port": port, "direct": secure, "started": started}
        write(state / "edge.json", json.dumps(about))
        await stopped.wait()
        write(state / "edge.json", json.dumps(about | {"pid": part.ENDED}))


async def _edge(stack: AsyncExitStack, options: argparse.Namespace, state: Path) -> Edge:
    targets = await stack.enter_async_context(session())
    world, pods = World(Clients(options.endpoint, options.account, options.region)), Pods(options.kubelet, targets)
    stack.push_async_callback(world.close)
    stack.push_async_callback(pods.close)
    counters, settings = Counters(), Settings(str(options.client), options.patience, _token(state), options.tunnel)
    checks = _checks(options, pods, targets)
    checking = asyncio.create_task(checks.run())
    stack.callback(checking.cancel)
    forwarder = Forwarder(pods, targets, settings.patience, checks.met)
    balancing = Balancing(forwarder, counters, settings.source)
    return Edge(settings, world, Authority(state), balancing, counters)


def _checks(options: argparse.Namespace, pods: Pods, targets: ClientSession) -> Checks:
    control = Control(int(urlsplit(options.endpoint).port or 0), Seal.of(options.aws_state).token)
    return Checks(
        read=partial(checked, Clients(options.endpoint, options.account, options.region)),
        tell=partial(control.target_health, options.account),
        pods=pods,
        session=targets,
        failures=(*FAILURES, HallmarkError),
    )


async def _listen(stack: AsyncExitStack, options: argparse.Namespace, edge: Edge) -> tuple[int, direct.Place | None]:
    greeting: set[asyncio.Task[None]] = set()
    try:
        server = await asyncio.get_running_loop().create_server(
            lambda: front.Front(edge, greeting), part.LOOPBACK, options.port
        )
    except OSError as error:
        raise part.taken(options.port, error) from error
    stack.push_async_callback(edge.server.shutdown, ENDS_WITHIN)
    stack.push_async_callback(front.end, greeting)
    stack.callback(server.close)
    secure = await direct.listen(stack, edge, greeting, direct.address(options.state))
    return int(server.sockets[0].getsockname()[1]), secure


def _token(state: Path) -> str:
    """A new token for each process."""
    file, token = state / "edge.token", secrets.token_urlsafe(32)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(token)
    return token


if __name__ == "__main__":
    sys.exit(main())
