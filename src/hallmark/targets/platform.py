"""The platform as its users meet it, as a target: through its public name, with their TLS and with an API key.

Answers say what became of a request: status, kind of content, who served it, how long it took. No body is kept, and
no header but these. What cannot be told (no way there, no answer in time) is *failed*; any status is an observation.
"""

import re
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any

from hallmark.errors import AuthorError
from hallmark.model import Answer, Call, Status
from hallmark.targets.platform_http import Client, introduction, place
from hallmark.targets.platform_road import HTTP, Road, explain
from hallmark.targets.platform_tls import look
from hallmark.targets.platform_trip import Trip
from hallmark.targets.profile import Profile
from hallmark.targets.unanswered import NotAnswered

KEYS = ("HALLMARK_API_KEY", "LANGSMITH_API_KEY")
"""Variables an API key is taken from, and nothing else is: no file, no flag."""
KEYED = frozenset({"authorized", "round_trip"})
"""Operations that need one."""
NO_KEY = "no-key"
"""Cause of what could not be asked without one."""
PATIENCE = 60.0
"""Seconds within which what was written has to be readable."""
_FAREWELL = 10.0
"""Seconds before the end of a collection that belong to cleaning up."""
_SHAPE = re.compile(r"[\x21-\x7e]{8,512}")


def key_of(environment: Mapping[str, str]) -> str:
    """Return the API key of this process's environment; empty: there is none."""
    return next((key for name in KEYS if (key := environment.get(name, "").strip())), "")


class PlatformSource:
    """Answers calls of the service ``platform``.

    Args:
        profile: The target: its host or address, a proxy, a private authority.
        key: API key, see :func:`key_of`; empty: what needs one is not observed.
        patience: Seconds a trace may take from written to readable.
        seconds: How long one request may take.
    """

    def __init__(self, profile: Profile, key: str = "", patience: float = PATIENCE, seconds: float = 10) -> None:
        self._road = Road.of(profile, seconds)
        self._key = key
        self._patience = patience
        self._budget = max(profile.deadline - _FAREWELL, seconds)
        self._operations: dict[str, Callable[..., Any]] = {
            "handshake": lambda: look(self._road),
            "redirect": self._redirect,
            "get": lambda path: self._ask("GET", path),
            "post": lambda path: self._ask("POST", path, body={}),
            "authorized": lambda path: self._ask("GET", path, self._checked_key()),
            "forged": lambda path: self._ask("GET", path, f"lsv2_pt_{uuid.uuid4().hex}_{uuid.uuid4().hex[:10]}"),
            "round_trip": self._round_trip,
        }

    def answer(self, call: Call) -> Answer:
        """Ask once and say what became of it.

        ``handshake`` tells certificate and TLS versions; ``redirect`` what port 80 does. ``get`` asks *path* without a
        key, ``post`` sends an empty object there, ``authorized`` asks with the key, ``forged`` with one that was made
        up. ``round_trip`` writes traces to a project of its own, reads them back, and deletes the project.
        """
        if call.operation not in self._operations:
            raise AuthorError(f"platform.{call.operation} is not a question about the platform.")
        started = time.monotonic()
        try:
            value = self._operations[call.operation](**call.arguments)
            status, code, message = Status.OBSERVED, "", ""
        except NotAnswered as reason:
            value, status, code, message = None, reason.status, reason.code, reason.message
        return Answer(status, value, code, message, round((time.monotonic() - started) * 1000))

    def _ask(self, method: str, path: str, key: str = "", body: Any = None) -> dict[str, Any]:
        with Client(self._road, key) as client:
            return client.send(method, path, body).facts()

    def _redirect(self) -> dict[str, Any]:
        """Ask port 80. Where the machine itself says that nobody listens, that is an answer, too."""
        started = time.monotonic()
        try:
            connection = self._road.connection(HTTP)
        except NotAnswered as reason:
            if isinstance(reason.__cause__, ConnectionRefusedError) and not self._road.proxy:
                raise NotAnswered(Status.ABSENT, "NotFound", f"nothing listens on {self._road.host}:80") from reason
            raise
        try:
            connection.request("GET", f"{self._road.base}/", headers=introduction())
            reply = connection.getresponse()
            location, server = place(reply.headers.get("Location", "")), reply.headers.get("Server", "")
        except (OSError, HTTPException, socket.gaierror) as error:
            raise explain(error, f"{self._road.host}:80") from error
        finally:
            connection.close()
        milliseconds = round((time.monotonic() - started) * 1000)
        return {"status": reply.status, "location": location, "server": server, "milliseconds": milliseconds}

    def _round_trip(self) -> dict[str, Any]:
        with Client(self._road, self._checked_key()) as client:
            return Trip(client, self._patience, self._budget).go()

    def _checked_key(self) -> str:
        """Return the key.

        Raises:
            NotAnswered: There is none, or it cannot be one: a client would print what it cannot send.
        """
        if not self._key:
            words = f"no API key: make one in the settings of the platform, export it as {KEYS[0]}, and ask again"
            raise NotAnswered(Status.DENIED, NO_KEY, words)
        if not _SHAPE.fullmatch(self._key):
            raise NotAnswered(Status.DENIED, NO_KEY, f"{KEYS[0]} holds what cannot be an API key: export it again")
        return self._key
