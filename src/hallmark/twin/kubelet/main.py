"""The kubelet process: ``python -m hallmark.twin.kubelet.main --kubeconfig FILE --state DIR --port P``.

One process is the kubelet of every node that carries the annotation ``hallmark.dev/kubelet: twin``. It holds a lock
on ``kubelet.lock`` in its state folder while it lives, and ``kubelet.json`` says where it is.
"""

import argparse
import asyncio
import json
import logging
import os
import secrets
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from hallmark.twin import buffers, part
from hallmark.twin.aws.seal import Seal
from hallmark.twin.clients import Clients
from hallmark.twin.control import Control
from hallmark.twin.files import write
from hallmark.twin.kube.access import Access
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.client import Api
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import (
    CLAIMS,
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    NAMESPACES,
    NETWORK_POLICIES,
    NODES,
    PODS,
    SECRETS,
    SERVICES,
)
from hallmark.twin.kube.reconcile import run
from hallmark.twin.kubelet import server
from hallmark.twin.kubelet.addresses import Addresses
from hallmark.twin.kubelet.agent import Agent
from hallmark.twin.kubelet.authority import Authority
from hallmark.twin.kubelet.cloud import Cloud
from hallmark.twin.kubelet.datastores import DataStores
from hallmark.twin.kubelet.egress import Egress
from hallmark.twin.kubelet.fences import Fences
from hallmark.twin.kubelet.gate import Gate
from hallmark.twin.kubelet.images import Catalogue
from hallmark.twin.kubelet.machine import Machine
from hallmark.twin.kubelet.names import Names
from hallmark.twin.kubelet.nodes import Nodes
from hallmark.twin.kubelet.pods import Pods
from hallmark.twin.kubelet.runtime import Runtime
from hallmark.twin.kubelet.switchboard import Switchboard
from hallmark.twin.stores.clickhouse.library import find

KINDS = (
    *(PODS, NODES, SECRETS, CONFIG_MAPS, CLAIMS, SERVICES, ENDPOINT_SLICES),
    *(NAMESPACES, NETWORK_POLICIES),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run pods until told to stop. Returns an exit code of :class:`hallmark.errors.Exit`."""
    options = _options(arguments)
    buffers.save()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    state: Path = options.state.absolute()
    busy = "Another kubelet of this twin is running."
    return part.run(state / "kubelet.lock", busy, lambda: asyncio.run(_serve(options, state)))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hallmark.twin.kubelet.main", description="The kubelet of the twin's nodes.")
    parser.add_argument("--kubeconfig", type=Path, required=True, help="how the cluster is reached")
    parser.add_argument("--state", type=Path, required=True, help="folder of pods, logs and volumes")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times faster than in reality waits are")
    parser.add_argument("--addons", type=Path, help="folder of the controllers' logs; by default addons in the state")
    parser.add_argument("--endpoint", default="", help="URL of the emulated AWS")
    parser.add_argument("--account", default="", help="account in it")
    parser.add_argument("--region", default="us-east-1", help="region in it")
    parser.add_argument("--aws-state", type=Path, help="state folder of the emulated AWS; by default around the state")
    return parser.parse_args(arguments)


async def _serve(options: argparse.Namespace, state: Path) -> None:
    stopped = part.told_to_stop()
    part.respond_to_signal(state / "kubelet.json")
    access = Access.read(options.kubeconfig)
    async with AsyncExitStack() as stack:
        addresses = Addresses()
        stack.callback(addresses.close)
        runtime = await stack.enter_async_context(Runtime(state))
        api = await stack.enter_async_context(Api(access, "kubelet"))
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        machine = Machine(
            caches=Caches(api),
            recorder=Recorder(api, "kubelet"),
            runtime=runtime,
            catalogue=Catalogue.read(find()),
            addresses=addresses,
            session=session,
            state=state,
            addons=options.addons or state / "addons",
            speed=options.speed,
            aws=options.endpoint,
        )
        pods = Pods(machine)
        stack.push_async_callback(pods.close)
        await _open(stack, options, access, machine, pods)
        await _work(machine, pods, stopped)


async def _open(
    stack: AsyncExitStack, options: argparse.Namespace, access: Access, machine: Machine, pods: Pods
) -> None:
    # The gate before the pods that ask it, the server before the nodes that name its port.
    clients = Clients(options.endpoint, options.account, options.region) if options.account else None
    servers = _aws_state(options) / "stores" / "addresses.json"
    cloud = Cloud(clients) if clients else None
    machine.egress = egress = Egress(cloud) if cloud else None
    stores = DataStores(cloud, _control(options), servers) if cloud else None
    agent = Agent(clients, pods, egress) if clients and egress else None
    own, names = machine.addresses.own, Names(machine.caches)

    def known() -> list[str]:
        return [*(stores.names() if stores else []), *(egress.names() if egress else []), *names.services()]

    board = Switchboard(own, known, Authority(machine.state))
    stack.callback(board.close)
    fences = Fences(machine, cloud)
    gate = Gate(machine, pods, stores, agent, egress=egress, fences=fences, board=board, api=access.server)
    inside = await server.listen(gate.application(), own, 0, None)
    stack.push_async_callback(server.hang_up, inside)
    machine.gate = f"http://{own}:{server.bound_port(inside)}"
    context = server.tls(options.kubeconfig.parent, own)
    application = server.Server(machine, pods, board, fences, {access.token, _token(machine.state)}).application()
    try:
        outside = await server.listen(application, part.LOOPBACK, options.port, context)
    except OSError as error:
        raise part.taken(options.port, error) from error
    stack.push_async_callback(server.hang_up, outside)
    machine.port = server.bound_port(outside)


async def _work(machine: Machine, pods: Pods, stopped: asyncio.Event) -> None:
    for kind in KINDS:
        _ = machine.caches[kind]
    started = datetime.now(UTC).isoformat(timespec="seconds")
    about = {"pid": os.getpid(), "port": machine.port, "started": started}

    def ready() -> None:
        pods.sweep()
        machine.recall_images()
        write(machine.state / "kubelet.json", json.dumps(about))

    working = asyncio.create_task(run(machine.caches, [pods, Nodes(machine, machine.port)], ready))
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if working.done():
        await working
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working
    write(machine.state / "kubelet.json", json.dumps(about | {"pid": part.ENDED}))


def _aws_state(options: argparse.Namespace) -> Path:
    folder: Path = options.aws_state or options.state.absolute().parent
    return folder


def _control(options: argparse.Namespace) -> Control | None:
    folder = _aws_state(options)
    if not (folder / "key").exists():
        return None
    return Control(int(options.endpoint.rpartition(":")[2].strip("/")), Seal.of(folder).token)


def _token(state: Path) -> str:
    file = state / "token"
    with (
        suppress(FileExistsError),
        os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened,
    ):
        opened.write(secrets.token_urlsafe(32))
    return file.read_text(encoding="utf-8").strip()


if __name__ == "__main__":
    sys.exit(main())
