"""HTTP servers of programs, each on its pod's own address.

The port a program wants may be taken on this machine by something that listens on all addresses. Then it takes any
other and tells the kubelet, which is the only one that connects: nobody inside the cluster notices.
"""

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from hallmark.twin.programs.container import Container


@dataclass(frozen=True)
class Request:
    """What a client asks, and who it is: address and port, as its connection has them."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    client: str = ""
    port: int = 0


@dataclass(frozen=True)
class Reply:
    """What it gets."""

    status: int = 200
    body: bytes | str = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Callable[[Request], Reply]
LONGEST_LINE = 65537
"""Bytes of a request line that are read, as :mod:`http.server` does."""


def serve(container: Container, port: int, answer: Answer) -> None:
    """Answer HTTP on a port of the pod, in threads, until the container ends."""
    server = _Server(listen(container, port), answer)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 3600}, daemon=True).start()


def accept(container: Container, port: int) -> None:
    """Take connections on a port and close them: all that a probe of a TCP port asks."""
    listener = listen(container, port)

    def loop() -> None:
        while True:
            connection, _ = listener.accept()
            connection.close()

    threading.Thread(target=loop, daemon=True).start()


def listen(container: Container, port: int) -> socket.socket:
    """A listening socket that the cluster reaches as *port* of the pod."""
    # The protocol is named, since asyncio sends small packets at once only where it is.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((container.address, port))
    except OSError:  # taken, or a port below 1024 that needs a right we do not want
        listener.bind((container.address, 0))
    listener.listen(128)
    container.report(listening={str(port): listener.getsockname()[1]})
    return listener


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listener: socket.socket, answer: Answer) -> None:
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.answer = answer

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent about clients that hang up."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "hallmark", ""
    wbufsize = -1  # head and body leave together: apart, the second waits for the first one's acknowledgement

    def handle_one_request(self) -> None:
        """Answer whatever the method is."""
        self.raw_requestline = self.rfile.readline(LONGEST_LINE)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        headers = dict(self.headers.items())
        reply = self.server.answer(Request(self.command, self.path, headers, self._body(), *self.client_address[:2]))
        content = reply.body.encode() if isinstance(reply.body, str) else reply.body
        headers = {"Server": self.version_string(), "Date": self.date_time_string(), "Content-Type": reply.content_type}
        self.send_response_only(reply.status)
        for name, value in ({**headers, **reply.headers, "Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts: list[bytes] = []
        while size := int(self.rfile.readline(LONGEST_LINE).partition(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline(LONGEST_LINE)
        while self.rfile.readline(LONGEST_LINE).strip():
            pass  # trailers
        return b"".join(parts)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class calls it so)
        """Stay silent: a program says itself what it answered, see :mod:`hallmark.twin.programs.access`."""
