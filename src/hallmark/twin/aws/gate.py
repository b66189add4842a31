"""The one door in front of moto: one call at a time, and a retried call is answered, not run again.

moto keeps its state in plain dictionaries that concurrent requests would corrupt. An SDK that loses an answer sends
the call again under the same ``amz-sdk-invocation-id``; running it twice would create things twice.
"""

import io
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import RLock
from typing import Any

from moto.iam import models as iam

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

REMEMBERED = 512
CREDENTIAL = re.compile(r"Credential=([^/]+)/")
APPENDING, ASSUMING = "Logs_20140328.PutLogEvents", "/assume-role-for-pod-identity"
"""A target and the end of a path. Such calls add events to a log, or a session that lasts minutes: so often that saving
all for their sake would keep a core busy."""
READING = re.compile(r"(?:\bAction=|\.)(?:Describe|Get|List|Lookup|Simulate|Filter|Head|BatchGet)[A-Z]")


@dataclass(frozen=True)
class Reply:
    """A whole answer, kept so that a retry gets the same."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    def give(self, start_response: StartResponse) -> list[bytes]:
        """Answer a WSGI request with it."""
        start_response(self.status, self.headers)
        return [self.body]


class Gate:
    """WSGI application that serialises calls to another, replays retries and notes who wrote.

    Args:
        application: The application behind the gate, called by one thread at a time.
        changed: Called at each change, for those who follow.
    """

    def __init__(self, application: Application, changed: Callable[[], object] = lambda: None) -> None:
        self._application = application
        self._changed = changed
        self._replies: OrderedDict[str, Reply] = OrderedDict()
        self.lock = RLock()
        self.unsaved: dict[str, float] = {}
        """Accounts changed since the last save, each with the monotonic time of its last change."""
        self.unhurried: dict[str, float] = {}
        """Accounts with more log events or sessions since the last save, each with the monotonic time of the first."""

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, alone."""
        # waitress names it REQUEST_URI; moto needs the undecoded path for S3 keys with blanks and slashes.
        environ.setdefault("RAW_URI", environ.get("REQUEST_URI", ""))
        with self.lock:
            return self._answer(environ).give(start_response)

    def _answer(self, environ: Environ) -> Reply:
        invocation = environ.get("HTTP_AMZ_SDK_INVOCATION_ID", "")
        attempt = environ.get("HTTP_AMZ_SDK_REQUEST", "attempt=1")
        if invocation in self._replies and "attempt=1;" not in attempt + ";":
            return self._replies[invocation]
        changes = _changes(environ)
        reply = self._run(environ)
        if changes:
            self._note(environ)
            if invocation and not reply.status.startswith("5"):
                self._remember(invocation, reply)
        return reply

    def _run(self, environ: Environ) -> Reply:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            started[:] = [status, headers]

        body = b"".join(self._application(environ, start_response))
        return Reply(started[0], list(started[1]), body)

    def _remember(self, invocation: str, reply: Reply) -> None:
        self._replies[invocation] = reply
        while len(self._replies) > REMEMBERED:
            self._replies.popitem(last=False)

    def _note(self, environ: Environ) -> None:
        account = _account(environ)
        if environ.get("HTTP_X_AMZ_TARGET") != APPENDING and not environ.get("PATH_INFO", "").endswith(ASSUMING):
            self.note(account)
        elif account:
            self.unhurried.setdefault(account, time.monotonic())

    def note(self, account: str) -> None:
        """Take down that an account changed; an unsigned call concerns none."""
        if account:
            self.unsaved[account] = time.monotonic()
            self._changed()


def _account(environ: Environ) -> str:
    credential = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    return iam.get_account_id_from(credential[1]) if credential else ""


def _changes(environ: Environ) -> bool:
    # Whether the call may change state; a wrong "yes" costs one save too many, a wrong "no" would lose data.
    if environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
        return False
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return not READING.search(target)
    form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
    if not form:
        return True
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return not READING.search(body.decode("latin-1"))
