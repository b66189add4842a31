"""The server process: moto with our extension on one loopback port.

``python -m hallmark.twin.aws.server --port 4566 --state .hallmark/twin``

It holds a lock on ``server.lock`` in the state directory for as long as it lives, so that whether it runs is never
guessed from a process id, and it tells ``server.json`` where it can be reached.
"""

import argparse
import gc
import json
import logging
import os
import signal
import socket
import sys
import types
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

# ruff: noqa: E402  (see the threshold below)
SELDOM = (20_000, 20, 20)
"""Thresholds of the garbage collector: it looks at all that is remembered, while callers wait."""
gc.set_threshold(*SELDOM)  # before the imports, of which it would take a tenth

from hallmark.twin.aws import lean

lean.apply()  # what follows imports moto's services, which read large tables while they are imported

import waitress
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from hallmark.evidence.redact import Redactor
from hallmark.twin import part, pulse
from hallmark.twin.aws import extension, memory, published
from hallmark.twin.aws.autosave import Autosave
from hallmark.twin.aws.control import Control
from hallmark.twin.aws.gate import Gate
from hallmark.twin.aws.seal import Seal
from hallmark.twin.aws.sending import Channel
from hallmark.twin.aws.versions import versions
from hallmark.twin.files import write

THREADS = 16


class Discreet(logging.Formatter):
    """Writes down what went wrong without secrets: an exception's message may hold a part of a request.

    Args:
        environment: Variables of this process, see :class:`hallmark.evidence.redact.Redactor`.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")
        self._redactor = Redactor(environment)

    def format(self, record: logging.LogRecord) -> str:
        """Format a record, its traceback included."""
        return self._redactor.text(super().format(record))


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop. Returns an exit code of :class:`hallmark.errors.Exit`."""
    options = _options(arguments)
    state: Path = options.state
    log = logging.StreamHandler()
    log.setFormatter(Discreet(os.environ))
    logging.basicConfig(level=logging.WARNING, handlers=[log])
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # calls in line are what the gate is for, no news
    signal.signal(signal.SIGTERM, _stop)
    busy = "Another server of this twin is running."
    return part.run(
        state / "server.lock", busy, lambda: serve(part.listen(options.port), state, autosaves=options.autosave)
    )


def serve(listener: socket.socket, state: Path, *, autosaves: bool) -> None:
    """Serve on a bound socket until SIGTERM or Ctrl-C; save what is unsaved before returning."""
    gc.freeze()  # what is imported stays
    extension.install()
    memory.teach_pickle()
    published.place(state)
    seal = Seal.of(state)
    gate = Gate(DomainDispatcherApplication(create_backend_app), lambda: pulse.beat(state))
    pulse.beat(state)
    autosave = Autosave(gate, seal, state)
    about = _about(listener)
    write(state / "server.json", json.dumps(about))
    if autosaves:
        autosave.start()
    server = waitress.create_server(
        Control(gate, seal, autosave),
        sockets=[listener],
        threads=THREADS,
        connection_limit=2000,
        channel_timeout=300,
        clear_untrusted_proxy_headers=True,
    )
    server.channel_class = Channel
    server.run()
    if autosaves:
        autosave.stop()
    write(state / "server.json", json.dumps(about | {"pid": part.ENDED}))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hallmark.twin.aws.server", description="The AWS part of the twin.")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--state", type=Path, required=True, help="directory of the key, the lock and the saves")
    parser.add_argument("--no-autosave", dest="autosave", action="store_false", help="keep everything in memory")
    return parser.parse_args(arguments)


def _about(listener: socket.socket) -> dict[str, object]:
    started = datetime.now(UTC).isoformat(timespec="seconds")
    port = listener.getsockname()[1]
    return {"pid": os.getpid(), "port": port, "started": started, "versions": versions()}


def _stop(_signal: int, _frame: types.FrameType | None) -> None:
    raise SystemExit


if __name__ == "__main__":
    sys.exit(main())
