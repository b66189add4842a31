"""The server process: a Kubernetes API on one loopback port.

``python -m hallmark.twin.cluster.server --state .hallmark/twin/cluster --port 6443``

It holds a lock on ``server.lock`` in the state folder for as long as it lives and tells ``server.json`` where it can be
reached. The folder holds ``kubeconfig``, ``ca.crt``, ``token`` and ``objects.sqlite``; a copy of that one file is a
snapshot of the objects once the server has stopped.
"""

import argparse
import asyncio
import json
import logging
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from hallmark.twin import buffers, part
from hallmark.twin.cluster import certificates
from hallmark.twin.cluster.assembly import Cluster
from hallmark.twin.cluster.tokens import DEFAULT_ISSUER
from hallmark.twin.files import write

IDLE_SECONDS = 3600.0
"""How long a connection may rest; clients keep theirs and do not expect to lose them."""
LONGEST_LINE = 1024 * 1024
"""Bytes of a request's line or header: a command that is run in a container is part of the path."""
GRACE_SECONDS = 0.5
"""How long open requests may take when the server is told to stop; watches end at once."""


@dataclass(frozen=True)
class Settings:
    """How the server is to run.

    Attributes:
        state: The state folder.
        port: Port on 127.0.0.1; 0 takes a free one.
        kubelet_address: Address of all kubelets in place of their nodes' own; empty for none.
        authentication_webhook: URL that is asked about unknown tokens; empty for none.
        issuer: URL in tokens of service accounts.
    """

    state: Path
    port: int
    kubelet_address: str = ""
    authentication_webhook: str = ""
    issuer: str = DEFAULT_ISSUER


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop. Returns an exit code of :class:`hallmark.errors.Exit`."""
    settings = _settings(arguments)
    os.umask(0o077)  # objects hold secrets
    buffers.save()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    busy = "Another server of this cluster is running."
    return part.run(
        settings.state / "server.lock", busy, lambda: asyncio.run(serve(part.listen(settings.port), settings))
    )


async def serve(listener: socket.socket, settings: Settings) -> None:
    """Serve on a bound socket until SIGTERM or Ctrl-C."""
    state, port = settings.state, listener.getsockname()[1]
    told_to_stop = part.told_to_stop()
    context = certificates.server_context(state)
    cluster = Cluster(
        state,
        port,
        kubelet_address=settings.kubelet_address,
        authentication_webhook=settings.authentication_webhook,
        issuer=settings.issuer,
    )
    server = web.Server(
        cluster.handle,
        access_log=None,
        handler_cancellation=True,
        keepalive_timeout=IDLE_SECONDS,
        max_line_size=LONGEST_LINE,
        max_field_size=LONGEST_LINE,
    )
    runner = web.ServerRunner(server, shutdown_timeout=GRACE_SECONDS)
    await runner.setup()
    await web.SockSite(runner, listener, ssl_context=context).start()
    certificates.write_kubeconfig(state, port)
    about = {"pid": os.getpid(), "port": port, "started": datetime.now(UTC).isoformat(timespec="seconds")}
    write(state / "server.json", json.dumps(about))
    tasks = cluster.start()
    await told_to_stop.wait()
    for task in tasks:
        task.cancel()
    cluster.end_watches()
    await runner.cleanup()
    await cluster.close()
    write(state / "server.json", json.dumps(about | {"pid": part.ENDED}))


def _settings(arguments: Sequence[str] | None) -> Settings:
    parser = argparse.ArgumentParser(prog="hallmark.twin.cluster.server", description="The Kubernetes API of the twin.")
    parser.add_argument("--state", type=Path, required=True, help="folder of the objects, keys and the lock")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--kubelet-address", default="", help="address of all kubelets, in place of their nodes' own")
    parser.add_argument("--authentication-webhook", default="", help="URL that is asked about unknown tokens")
    parser.add_argument("--service-account-issuer", dest="issuer", default=DEFAULT_ISSUER, help="URL in issued tokens")
    return Settings(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
