"""The control paths of the server, under ``/_hallmark/``: health, snapshots, accounts, logins, stores, token reviews.

Each call must carry the token of the state directory: a restored snapshot runs code in the server. Only the review of
a token is open, as a webhook of Kubernetes cannot carry it: it changes nothing, and who asks has to show a token.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from hallmark.errors import HallmarkError, UsageError
from hallmark.twin.aws import logins, memory, token_review
from hallmark.twin.aws.autosave import Autosave
from hallmark.twin.aws.extension import elbv2
from hallmark.twin.aws.gate import Application, Environ, Gate, Reply, StartResponse
from hallmark.twin.aws.seal import Seal
from hallmark.twin.aws.versions import versions

PREFIX = "/_hallmark/"


class Control:
    """WSGI application that answers the control paths and passes everything else to the gate.

    Args:
        gate: The door to moto; its lock is held while state is read or replaced.
        seal: Signs and opens snapshots, and knows the token.
        autosave: Its last error is part of the health.
    """

    def __init__(self, gate: Gate, seal: Seal, autosave: Autosave) -> None:
        self._gate = gate
        self._seal = seal
        self._autosave = autosave
        self._actions: dict[tuple[str, str], Callable[[dict[str, str], bytes], bytes]] = {
            ("GET", "health"): self._health,
            ("GET", "snapshot"): self._snapshot,
            ("POST", "restore"): self._restore,
            ("POST", "drop"): self._drop,
            ("POST", "clone"): self._clone,
            ("POST", "login"): self._login,
            ("GET", "store-secrets"): self._store_secrets,
            ("POST", "target-health"): self._target_health,
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        if not path.startswith(PREFIX):
            gate: Application = self._gate
            return gate(environ, start_response)
        return self._answer(path.removeprefix(PREFIX), environ).give(start_response)

    def _answer(self, name: str, environ: Environ) -> Reply:
        if (environ["REQUEST_METHOD"], name) == ("POST", "token-review"):
            return self._review(environ)
        if not self._seal.admits(environ.get("HTTP_X_HALLMARK_TOKEN", "")):
            return _message("403 Forbidden", "The control token is missing or wrong.")
        action = self._actions.get((environ["REQUEST_METHOD"], name))
        if action is None:
            return _message("404 Not Found", f"There is no control action {name!r}.")
        try:
            with self._gate.lock:
                body = action(_query(environ), _content(environ))
        except HallmarkError as error:
            return _message("409 Conflict", error.message, error.hint)
        return Reply("200 OK", [("Content-Length", str(len(body)))], body)

    def _review(self, environ: Environ) -> Reply:
        query = _query(environ)
        try:
            account, asked = _account(query, "account"), json.loads(_content(environ))
        except (UsageError, ValueError) as error:
            return _message("400 Bad Request", str(error))
        with self._gate.lock:
            answer = token_review.review(account, query.get("region", "us-east-1"), query.get("cluster", ""), asked)
        body = json.dumps(answer).encode()
        return Reply("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))], body)

    def _health(self, _: dict[str, str], __: bytes) -> bytes:
        return _json(versions=versions(), accounts=memory.accounts(), autosave_error=self._autosave.error)

    def _snapshot(self, query: dict[str, str], _: bytes) -> bytes:
        account = _account(query, "account")
        return self._seal.close(account, memory.dump(account))

    def _restore(self, query: dict[str, str], content: bytes) -> bytes:
        account = _account(query, "account")
        made_of, payload = self._seal.open(content)
        if made_of != account:
            raise UsageError(f"This snapshot is of account {made_of}, not of {account}.")
        memory.load(account, payload)
        return self._changed(account)

    def _drop(self, query: dict[str, str], _: bytes) -> bytes:
        account = _account(query, "account")
        memory.drop(account)
        return self._changed(account)

    def _clone(self, query: dict[str, str], _: bytes) -> bytes:
        target = _account(query, "target")
        memory.clone(_account(query, "account"), target)
        return self._changed(target)

    def _login(self, query: dict[str, str], content: bytes) -> bytes:
        return _json(**logins.verdict(_account(query, "account"), logins.Login.of(json.loads(content))))

    def _store_secrets(self, query: dict[str, str], _: bytes) -> bytes:
        return _json(**logins.servers(_account(query, "account")))

    def _target_health(self, query: dict[str, str], content: bytes) -> bytes:
        elbv2.observe(_account(query, "account"), json.loads(content))
        return _json()

    def _changed(self, account: str) -> bytes:
        self._gate.note(account)
        return _json(account=account)


def _query(environ: Environ) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(environ.get("QUERY_STRING", "")).items()}


def _content(environ: Environ) -> bytes:
    content: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return content


def _account(query: dict[str, str], name: str) -> str:
    account = query.get(name, "")
    if not re.fullmatch(r"\d{12}", account):
        raise UsageError(f"An AWS account number has 12 digits; {account!r} has not.")
    return account


def _json(**content: Any) -> bytes:
    return json.dumps(content).encode()


def _message(status: str, message: str, hint: str = "") -> Reply:
    body = _json(message=message, hint=hint)
    return Reply(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))], body)
