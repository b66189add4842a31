"""One request to the platform, and what may be kept of the reply: never its body, of its headers only three."""

import json
import time
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from hallmark.targets.platform_road import Road, explain

LIMIT = 1 << 20
"""Bytes of a body that are read; nothing that is asked for here is longer."""
SELECTED = {"version": "version", "license_expiration_time": "valid_until"}
"""What is kept of a JSON object: its key there, and its name in evidence, where `license` would look like a secret."""
_AGAIN = frozenset({404, 408, 425, 429})
"""Statuses that may be different a moment later, as those of a server's own mistakes (5xx)."""
_HEADER = 200
"""Characters of a header that are kept."""


@dataclass(frozen=True)
class Reply:
    """What came back, whole: only :meth:`facts` may leave this package."""

    status: int
    content_type: str
    server: str
    location: str
    body: bytes | None
    milliseconds: int

    @cached_property
    def document(self) -> Any:
        """The body as JSON; None when it is not JSON, does not say so, or is longer than :data:`LIMIT`."""
        if self.body is None or "json" not in self.content_type.lower():
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def is_success(self) -> bool:
        """Whether the request was accepted: any 2xx."""
        return httpx.codes.is_success(self.status)

    @property
    def is_final(self) -> bool:
        """Whether asking again is in vain: it leads elsewhere, or says that the request itself is wrong."""
        wrong = httpx.codes.is_client_error(self.status) and self.status not in _AGAIN
        return wrong or httpx.codes.is_redirect(self.status)

    @property
    def is_page(self) -> bool:
        """Whether it is a page for people: the single-page application answers whatever nobody else does."""
        return "html" in self.content_type.lower()

    def facts(self) -> dict[str, Any]:
        """Return what evidence may hold of it."""
        found = self.document if isinstance(self.document, dict) else {}
        chosen = {name: found.get(key) for key, name in SELECTED.items()}
        return {
            "status": self.status,
            "content_type": self.content_type,
            "server": self.server,
            "location": self.location,
            "shape": _shape(self.document),
            "selected": {name: value[:_HEADER] for name, value in chosen.items() if isinstance(value, str)},
            "milliseconds": self.milliseconds,
        }


class Client:
    """Sends requests along a road. It follows no redirect, repeats nothing, keeps no cookie and asks no ``.netrc``.

    Args:
        road: How the platform is reached.
        key: API key; empty: requests carry none.
    """

    def __init__(self, road: Road, key: str = "") -> None:
        headers = {"accept-encoding": "identity"} | introduction()
        self._road = road
        self.seconds = road.seconds
        self._client = httpx.Client(
            verify=road.trust,
            proxy=road.proxy or None,
            headers=headers | ({"x-api-key": key} if key else {}),
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def send(self, method: str, path: str, body: Any = None, seconds: float = 0) -> Reply:
        """Send one request and read the reply as far as :data:`LIMIT`.

        Args:
            method: HTTP method.
            path: Below the platform's address, with a query if any.
            body: JSON; None: no body.
            seconds: How long it may take; 0: as long as a step of the road.

        Raises:
            NotAnswered: No reply, or none within its time.
        """
        started, seconds = time.monotonic(), seconds or self._road.seconds
        request = self._client.build_request(method, self._road.url + path, json=body, timeout=seconds)
        try:
            reply = self._client.send(request, stream=True)
            try:
                content = _content(reply, started + seconds)
            finally:
                reply.close()
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise explain(error, self._road.host) from error
        return _kept(reply, content, round((time.monotonic() - started) * 1000))


def introduction() -> dict[str, str]:
    """Say who asks: AWS's common rules block whoever does not (``NoUserAgent_HEADER``)."""
    return {"user-agent": f"hallmark/{version('hallmark')}"}


def _content(reply: httpx.Response, until: float) -> bytes | None:
    """Return the body; None when it is too long."""
    content = b""
    for piece in reply.iter_raw():
        content += piece
        if len(content) > LIMIT:
            return None
        if time.monotonic() > until:
            raise TimeoutError  # a server that sends a byte now and then would be waited for without end
    return content


def _kept(reply: httpx.Response, content: bytes | None, milliseconds: int) -> Reply:
    kind, server = (reply.headers.get(name, "")[:_HEADER] for name in ("content-type", "server"))
    return Reply(reply.status_code, kind, server, place(reply.headers.get("location", "")), content, milliseconds)


def _shape(document: Any) -> str:
    match document:
        case None:
            return ""
        case dict():
            return "object"
        case list():
            return "list"
        case _:
            return "value"


def place(location: str) -> str:
    """Return where a redirect leads, without user, query and fragment: they may carry what lets a client in."""
    try:
        parts = urlsplit(location)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "unreadable"
    netloc = f"{parts.hostname}{port}" if parts.netloc else ""
    return parts._replace(netloc=netloc, query="", fragment="").geturl()[:_HEADER]
