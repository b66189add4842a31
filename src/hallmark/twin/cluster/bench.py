"""How fast the API server is: measured from outside, over TLS, as its clients see it.

``python -m hallmark.twin.cluster.bench`` prints what was measured beside the goals.
"""

import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hallmark.twin.cluster import client as rest
from hallmark.waiting import until

CLIENTS = 8
OBJECTS = 1000
GETS = 4000
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
STARTS_WITHIN = 20.0
KIB = 1024

Measurement = tuple[str, str, str]


@dataclass(frozen=True)
class Server:
    """A server that is measured.

    Attributes:
        state: Its state folder.
        pid: Its process id.
        port: Its port.
        started_in: Seconds from its start to its first answer.
    """

    state: Path
    pid: int
    port: int
    started_in: float

    def context(self) -> ssl.SSLContext:
        """TLS settings that trust it."""
        return ssl.create_default_context(cafile=str(self.state / "ca.crt"))

    def token(self) -> str:
        """The administrator's token."""
        return (self.state / "token").read_text()

    def megabytes(self) -> float:
        """Resident memory."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / KIB


class Client:
    """One keep-alive connection that does no more than it must, so that the server is what is measured."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self._reader = reader
        self._writer = writer
        self._head = (
            f"Host: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nUser-Agent: bench/1\r\nAccept: application/json\r\n"
        )

    @classmethod
    async def connect(cls, server: Server) -> "Client":
        """Connect to a server."""
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=server.context())
        return cls(reader, writer, server.token())

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Send a request; returns the status and the body of its answer."""
        head = f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in answer.split(b"\r\n") if line[:15].lower() == b"content-length:")
        return int(answer[9:12]), await self._reader.readexactly(length)

    async def follow(self, path: str) -> asyncio.StreamReader:
        """Send a request whose answer has no end; returns where its lines come in."""
        self._writer.write(f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode())
        await self._reader.readuntil(b"\r\n\r\n")
        return self._reader

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        with suppress(ssl.SSLError):  # data of an endless answer may be on its way
            await self._writer.wait_closed()


def measure() -> list[Measurement]:
    """Measure a server of its own, in a folder that is gone afterwards.

    Returns:
        What, measured, goal.
    """
    with tempfile.TemporaryDirectory() as folder:
        with running(Path(folder)):
            pass  # keys and certificates are made once in the life of a cluster
        with running(Path(folder)) as server:
            return asyncio.run(_measure(server))


@contextmanager
def running(state: Path, *options: str) -> Iterator[Server]:
    """A server for as long as the block runs.

    Args:
        state: Its state folder.
        options: More of its command line.
    """
    command = [sys.executable, "-m", "hallmark.twin.cluster.server", "--state", str(state), "--port", "0", *options]
    begun = time.monotonic()
    process = subprocess.Popen(command)
    try:
        port = until(lambda: _port(state, process.pid), STARTS_WITHIN, pause=0.005)
        with rest.Client.of(state / "kubeconfig") as client:
            client.get("/api/v1/namespaces/default")
        yield Server(state, process.pid, port, time.monotonic() - begun)
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.wait(timeout=STARTS_WITHIN)


def _port(state: Path, pid: int) -> int:
    try:
        about = json.loads((state / "server.json").read_text())
    except (FileNotFoundError, ValueError):
        return 0
    return int(about["port"]) if about["pid"] == pid else 0


async def _measure(server: Server) -> list[Measurement]:
    creates = await _rate(server, OBJECTS, lambda number: ("POST", CONFIGMAPS, _configmap(number)))
    gets = await _rate(server, GETS, lambda number: ("GET", f"{CONFIGMAPS}/bench-{number % OBJECTS}", b""))
    megabytes = server.megabytes()
    delay = await _watch_delay(server)
    return [
        ("start to first answer", f"{server.started_in:.2f} s", "<= 1.5 s"),
        (f"creates, {CLIENTS} clients", f"{creates:.0f}/s", ">= 1000/s"),
        (f"gets, {CLIENTS} clients", f"{gets:.0f}/s", ">= 2000/s"),
        ("watch delay, worst of 50", f"{delay * 1000:.1f} ms", "<= 50 ms"),
        (f"memory with {OBJECTS} objects", f"{megabytes:.0f} MB", "<= 150 MB"),
    ]


async def _rate(server: Server, total: int, request: Callable[[int], tuple[str, str, bytes]]) -> float:
    clients = [await Client.connect(server) for _ in range(CLIENTS)]
    numbers = iter(range(total))

    async def work(client: Client) -> None:
        for number in numbers:
            status, body = await client.ask(*request(number))
            if status >= 300:  # noqa: PLR2004 - HTTP's successes are below
                raise RuntimeError(body.decode())

    begun = time.monotonic()
    await asyncio.gather(*(work(client) for client in clients))
    seconds = time.monotonic() - begun
    for client in clients:
        await client.close()
    return total / seconds


async def _watch_delay(server: Server) -> float:
    watcher, writer = await Client.connect(server), await Client.connect(server)
    _, body = await writer.ask("GET", f"{CONFIGMAPS}?limit=1")
    revision = json.loads(body)["metadata"]["resourceVersion"]
    lines = await watcher.follow(f"{CONFIGMAPS}?watch=1&resourceVersion={revision}")
    delays = []
    for number in range(50):
        begun = time.monotonic()
        await writer.ask("POST", CONFIGMAPS, _configmap(OBJECTS + number))
        await lines.readuntil(b'"type":"ADDED"')
        delays.append(time.monotonic() - begun)
    await watcher.close()
    await writer.close()
    return max(delays)


def _configmap(number: int) -> bytes:
    return json.dumps({"metadata": {"name": f"bench-{number}"}, "data": {"key": "value"}}).encode()


if __name__ == "__main__":
    for line in measure():
        sys.stdout.write("  ".join(line) + "\n")
