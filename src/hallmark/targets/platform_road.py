"""The way to the platform: its public address, a proxy that may lead to it, who vouches for it, and what can go wrong.

A proxy is always asked for a tunnel (``CONNECT``, RFC 9110, section 9.3.6), for port 80 too: so it is the platform that
is met at the other end, and never what the proxy makes of it.
"""

import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from hallmark.model import Status
from hallmark.targets.profile import Profile
from hallmark.targets.unanswered import NotAnswered

HTTP, HTTPS = 80, 443
_PROXY_STATUS = re.compile(r"\b([45]\d\d)\b")
_TELLING = (OSError, UnicodeError, httpx.TimeoutException, httpx.ProxyError)
"""Errors that say what is behind those of a library."""
_REFUSED = "Tunnel connection failed"
"""How the standard library begins what it says of a proxy that refuses."""
_BROKEN_OFF = ("Server disconnected", "peer closed")
"""How httpx begins what it says of a server that went away in the middle."""


@dataclass(frozen=True)
class Road:
    """How the platform is reached.

    Attributes:
        url: Its public address, ``https://HOST[:PORT][/PATH]``.
        proxy: ``http://HOST:PORT``; empty: there is none in between.
        ca: File with certificates of a private authority; empty: none.
        seconds: How long one step may take.
    """

    url: str
    proxy: str = ""
    ca: str = ""
    seconds: float = 10

    @classmethod
    def of(cls, profile: Profile, seconds: float = 10) -> "Road":
        """Read it from the settings of the target."""
        return cls((profile.url or f"https://{profile.host}").rstrip("/"), profile.proxy, profile.ca, seconds)

    @property
    def host(self) -> str:
        """The name that is asked for, lower case."""
        return (urlsplit(self.url).hostname or "").rstrip(".")

    @property
    def port(self) -> int:
        """Where it speaks TLS."""
        return urlsplit(self.url).port or HTTPS

    @property
    def base(self) -> str:
        """The path everything lies below, without a slash at its end."""
        return urlsplit(self.url).path

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """What a careful client demands: a certificate that is valid, for the name, by somebody known."""
        context = httpx.create_ssl_context()
        if self.ca:
            try:
                context.load_verify_locations(Path(self.ca).expanduser())
            except OSError as error:
                raise NotAnswered(Status.FAILED, "malformed", f"{self.ca} is not a file of certificates") from error
        return context

    def connection(self, port: int) -> HTTPConnection:
        """Return a connection to *port* of the platform that is open, and not encrypted.

        Raises:
            NotAnswered: Nobody is there.
        """
        first = urlsplit(self.proxy or f"//{self.host}:{port}")
        made = HTTPConnection(first.hostname or "", first.port or HTTP, timeout=self.seconds)
        if self.proxy:
            made.set_tunnel(self.host, port)
        try:
            made.connect()
        except (OSError, HTTPException, ValueError) as error:
            made.close()
            raise explain(error, f"{self.host}:{port}") from error
        return made

    def socket(self, port: int) -> socket.socket:
        """Return the socket of such a connection; whoever asks closes it."""
        opened: socket.socket = self.connection(port).sock
        return opened


def explain(error: BaseException, where: str) -> NotAnswered:
    """Say in words of our own why *where* did not answer: what libraries say may hold what was sent."""
    if isinstance(error, httpx.RemoteProtocolError | HTTPException) and not str(error).startswith(_BROKEN_OFF):
        return NotAnswered(Status.FAILED, "malformed", f"{where} answers something that is not HTTP")
    cause = next((one for one in _causes(error) if isinstance(one, _TELLING)), error)
    if isinstance(cause, TimeoutError | httpx.TimeoutException):
        return NotAnswered(Status.FAILED, "timeout", f"{where} did not answer in time")
    if isinstance(cause, httpx.ProxyError) or _REFUSED in str(cause):
        return _by_proxy(str(cause), where)
    return NotAnswered(Status.FAILED, "unreachable", f"{where} {_failure(cause)}")


def _failure(error: BaseException) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"shows a certificate that is not accepted: {error.verify_message}"
        case socket.gaierror() | UnicodeError():
            return "is a name that does not resolve"
        case ConnectionRefusedError():
            return "refuses connections"
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError() | ConnectionError():
            return "broke the connection off"
        case OSError():
            words = error.reason if isinstance(error, ssl.SSLError) else error.strerror
            return f"cannot be reached ({words or type(error).__name__})"
        case _:
            return "broke the connection off"


def _by_proxy(words: str, where: str) -> NotAnswered:
    """Tell apart what a proxy means by its status (RFC 9110, sections 15.5 and 15.6)."""
    found = _PROXY_STATUS.search(words)
    status = found[1] if found else ""
    if status in {"403", "407"}:
        return NotAnswered(Status.DENIED, "denied", f"the proxy does not lead to {where} (status {status})")
    code = "timeout" if status == "504" else "unreachable"
    return NotAnswered(Status.FAILED, code, f"the proxy finds no way to {where} (status {status or 'unknown'})")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield *error* and what led to it, the nearest first; what is an operating system's error says most."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        error = error.__cause__ or error.__context__
    yield from seen
