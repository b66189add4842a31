"""A platform that can be broken in many ways: HTTPS, plain HTTP, and the proxy that leads to both.

Loaded by the tests beside it with :func:`runpy.run_path`; a *switch* turns one defect on.
"""

import asyncio
import contextlib
import ssl
import threading
import uuid
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trustme
from aiohttp import web

HOST = "langsmith.hallmark.example"
KEY = "lsv2_sk_of_the_tests_0123456789abcdef"
PAGE = "<!doctype html><title>LangSmith</title>"
FIREWALL_BYTES = 8192


@dataclass
class Platform:
    """The stand-in.

    Attributes:
        switches: What is broken.
        slow: Reads of a run that find nothing before it is there.
        projects: Projects by id.
        runs: Runs by id.
        judged: Feedback.
        reads: How often each run was asked for.
        requests: Methods and paths in their order.
        keys: API keys in the same order.
        proxy: Its address.
        url: The address of the platform without the proxy; needs the name ``localhost`` in the certificate.
    """

    switches: set[str] = field(default_factory=set)
    slow: int = 0
    projects: dict[str, str] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    judged: list[dict[str, Any]] = field(default_factory=list)
    reads: dict[str, int] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    proxy: str = ""
    url: str = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request over TLS."""
        body = await request.read()
        self.requests.append(f"{request.method} {request.path}")
        self.keys.append(request.headers.get("x-api-key", ""))
        if broken := await self._broken(request, body):
            return broken
        if "awselb" in self.switches:
            return _balancer(403)
        if request.path == "/api/v1/info":
            return web.json_response({"version": "0.16.45", "license_expiration_time": "2099-01-01T00:00:00Z"})
        if not request.path.startswith("/api/v1/"):
            return web.Response(text=PAGE, content_type="text/html")
        if self.keys[-1] != KEY and "open" not in self.switches:
            return web.json_response({"detail": "Unauthorized"}, status=401)
        return await self._api(request, body)

    async def _broken(self, request: web.Request, body: bytes) -> web.StreamResponse | None:
        """Do what stands in front of the application, or its machine, may do."""
        for switch in ("reset", "silent", "drip", "huge", "loop", "page"):
            if switch in self.switches:
                found: web.StreamResponse = await getattr(self, f"_{switch}")(request)
                return found
        if "firewall" in self.switches and len(body) > FIREWALL_BYTES:
            return _balancer(403)
        return None

    async def _reset(self, request: web.Request) -> web.StreamResponse:
        if request.transport:
            request.transport.abort()
        return web.Response()

    async def _silent(self, request: web.Request) -> web.StreamResponse:
        while request.transport and not request.transport.is_closing():  # noqa: ASYNC110  (nobody tells)
            await asyncio.sleep(0.02)
        return web.Response()

    async def _drip(self, request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"content-type": "application/json"})
        await reply.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await reply.write(b" ")
                await asyncio.sleep(0.02)
        return reply

    async def _huge(self, request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"content-type": "application/json"})
        await reply.prepare(request)
        with contextlib.suppress(ConnectionError):
            for _ in range(64):
                await reply.write(b" " * 65536)
            await reply.write(b"[]")
        return reply

    async def _loop(self, request: web.Request) -> web.StreamResponse:
        location = f"https://me:word@{HOST}{request.path}?ticket=secret#x"
        return web.Response(status=302, headers={"location": location})

    async def _page(self, request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(text=PAGE, content_type="text/html")

    async def _api(self, request: web.Request, body: bytes) -> web.StreamResponse:
        document = await request.json() if body else {}
        kind, _, one = request.path.removeprefix("/api/v1/").partition("/")
        found: web.StreamResponse = getattr(self, f"_{kind}")(request, one, document)
        return found

    def _sessions(self, request: web.Request, one: str, document: dict[str, Any]) -> web.StreamResponse:
        match request.method:
            case "POST":
                return self._create(request, document["name"])
            case "DELETE":
                return self._delete(one)
        wanted = request.query.get("name", "")
        found = [{"id": i, "name": name} for i, name in self.projects.items() if wanted in {"", name}]
        return web.json_response(found[:1])

    def _runs(self, request: web.Request, one: str, document: dict[str, Any]) -> web.StreamResponse:
        match request.method, one:
            case "POST", "":
                return self._ingest(document)
            case "POST", "query":
                return self._query(document)
            case "PATCH", _:
                self.runs.get(one, {}).update(document if "unfinished" not in self.switches else {})
                return web.json_response({}, status=202)
        return self._run(one)

    def _feedback(self, request: web.Request, one: str, document: dict[str, Any]) -> web.StreamResponse:
        del one
        if request.method == "POST":
            self.judged.append(document)
            return web.json_response({})
        found = [each for each in self.judged if each["run_id"] == request.query["run"]]
        return web.json_response([] if "no_feedback" in self.switches else found)

    def _create(self, request: web.Request, name: str) -> web.StreamResponse:
        made = str(uuid.uuid4())
        self.projects[made] = name
        if "half_created" in self.switches and request.transport:
            request.transport.abort()
        if "wild_id" in self.switches:
            return web.json_response({"id": "../datasets/all"})
        return web.json_response({"id": made})

    def _delete(self, one: str) -> web.StreamResponse:
        if "keeps" in self.switches:
            return web.json_response({}, status=500)
        del self.projects[one]
        return web.json_response({}, status=202)

    def _ingest(self, run: dict[str, Any]) -> web.StreamResponse:
        large = len(run["inputs"]["text"]) > FIREWALL_BYTES
        if "forgets" not in self.switches and not (large and "small_only" in self.switches):
            self.runs[run["id"]] = run
        return web.json_response({"message": "accepted"}, status=202)

    def _run(self, one: str) -> web.StreamResponse:
        self.reads[one] = self.reads.get(one, 0) + 1
        if "store_down" in self.switches:
            return web.json_response({}, status=503)
        if one not in self.runs or self.reads[one] <= self.slow:
            return web.json_response({"detail": "Run not found"}, status=404)
        found = dict(self.runs[one])
        if "altered" in self.switches:
            text = found["inputs"]["text"]
            found["inputs"] = {"text": text[:-1] + ("0" if text[-1] != "0" else "1")}
        if "preview" in self.switches and len(found["inputs"]["text"]) > FIREWALL_BYTES:
            found["inputs"] = {}
        return web.json_response(found)

    def _query(self, asked: dict[str, Any]) -> web.StreamResponse:
        name = asked["filter"].split('"')[1]
        found = [run for run in self.runs.values() if "unfiltered" in self.switches or run["name"] == name]
        return web.json_response({"runs": [{"id": run["id"]} for run in found], "cursors": {"next": None}})

    async def plain(self, request: web.Request) -> web.StreamResponse:
        """Answer one request without TLS."""
        if "plain" in self.switches:
            return web.Response(text=PAGE, content_type="text/html")
        where = f"https://{HOST}:443{request.path}"
        return web.Response(status=301, headers={"location": where, "server": "awselb/2.0"})


def _balancer(status: int) -> web.Response:
    """Answer as a load balancer does."""
    text = f"<html><head><title>{status} Forbidden</title></head></html>"
    return web.Response(status=status, text=text, content_type="text/html", headers={"server": "awselb/2.0"})


@contextlib.contextmanager
def running(folder: Path, *switches: str, names: tuple[str, ...] = (HOST,), days: int = 90) -> Iterator[Platform]:
    """Run a platform until the block ends; its authority is written to ``ca.pem`` in *folder*.

    Args:
        folder: Where the certificate goes.
        switches: What is broken; of the certificate itself: ``stranger``; of TLS: ``old_tls``, ``no_tls``.
        names: What the certificate is for.
        days: How long it is valid; negative: since when it is not.
    """
    ca, other = trustme.CA(), trustme.CA()
    (folder / "ca.pem").write_bytes(ca.cert_pem.bytes())
    issuer = other if "stranger" in switches else ca
    secured = _context(issuer.issue_cert(*names, not_after=datetime.now(UTC) + timedelta(days=days)), set(switches))
    found, ready, loop = Platform(set(switches)), threading.Event(), asyncio.new_event_loop()
    thread = threading.Thread(target=_run, args=(loop, found, secured, ready))
    thread.start()
    try:
        assert ready.wait(30)
        yield found
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)


def _context(certificate: trustme.LeafCert, switches: set[str]) -> ssl.SSLContext | None:
    if "no_tls" in switches:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if "old_tls" in switches:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def _run(
    loop: asyncio.AbstractEventLoop, found: Platform, secured: ssl.SSLContext | None, ready: threading.Event
) -> None:
    asyncio.set_event_loop(loop)
    stop = loop.run_until_complete(_start(found, secured))
    ready.set()
    loop.run_forever()
    loop.run_until_complete(stop())
    others = asyncio.all_tasks(loop)
    for task in others:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*others, return_exceptions=True))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


async def _start(found: Platform, secured: ssl.SSLContext | None) -> Any:
    runners, ports = [], {}
    for port, handler, context in ((443, found.serve, secured), (80, found.plain, None)):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        runners.append(runner)
        ports[port] = runner.addresses[0][1]
    proxy = await asyncio.start_server(lambda r, w: _tunnel(found, ports, r, w), "127.0.0.1", 0)
    found.proxy = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    found.url = f"https://localhost:{ports[443]}"

    async def stop() -> None:
        proxy.close()
        for runner in runners:
            await runner.cleanup()

    return stop


async def _tunnel(
    found: Platform, ports: dict[int, int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer CONNECT as a proxy does: for the host, and for nobody else."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        asked = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        host, _, port = asked.rpartition(":")
        status = next((s for s in ("403", "504") if f"proxy_{s}" in found.switches), "502" if host != HOST else "")
        if status:
            writer.write(f"HTTP/1.1 {status} could not resolve\r\ncontent-length: 0\r\n\r\n".encode())
        else:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            back, forth = await asyncio.open_connection("127.0.0.1", ports[int(port)])
            await asyncio.gather(_pass_on(reader, forth), _pass_on(back, writer))
        await writer.drain()
    writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.close()
