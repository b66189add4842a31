"""Talking to the control paths of the server (`hallmark.twin.aws.control` is the other end)."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from hallmark.errors import EnvironmentFault, UsageError

HEALTHY_WITHIN = 10.0
"""Seconds a healthy server answers in, even while Terraform keeps it busy."""
PATIENCE = 120.0
"""Seconds for a snapshot of a large account on a slow machine."""


@dataclass(frozen=True)
class Control:
    """The control paths of one server.

    Attributes:
        port: Its port on 127.0.0.1.
        token: What proves that we may.
    """

    port: int
    token: str

    def health(self) -> dict[str, Any] | None:
        """What the server says of itself, or None if it does not answer as ours would."""
        try:
            health: dict[str, Any] = json.loads(self._call("GET", "health", timeout=HEALTHY_WITHIN))
        except (EnvironmentFault, UsageError, json.JSONDecodeError):
            return None
        return health

    def snapshot(self, account: str) -> bytes:
        """Everything an account holds, sealed."""
        return self._call("GET", "snapshot", account=account)

    def restore(self, account: str, sealed: bytes) -> None:
        """Replace what an account holds.

        Raises:
            UsageError: The snapshot is foreign, changed, of other versions, or of another account.
        """
        self._call("POST", "restore", sealed, account=account)

    def drop(self, account: str) -> None:
        """Empty an account."""
        self._call("POST", "drop", account=account)

    def clone(self, account: str, target: str) -> None:
        """Make one account a copy of another."""
        self._call("POST", "clone", account=account, target=target)

    def login(self, account: str, credentials: dict[str, Any]) -> dict[str, str]:
        """Whether a data store of an account would let somebody in, see :mod:`hallmark.twin.aws.logins`."""
        answer: dict[str, str] = json.loads(
            self._call("POST", "login", json.dumps(credentials).encode(), account=account)
        )
        return answer

    def store_secrets(self, account: str) -> dict[str, list[dict[str, Any]]]:
        """The data stores of an account with passwords and tokens, for the process that runs their servers only."""
        answer: dict[str, list[dict[str, Any]]] = json.loads(
            self._call("GET", "store-secrets", timeout=HEALTHY_WITHIN, account=account)
        )
        return answer

    def target_health(self, account: str, found: Mapping[str, Sequence[Sequence[object]]]) -> None:
        """Tell what health checks found, see :func:`hallmark.twin.aws.extension.elbv2.observe`."""
        self._call("POST", "target-health", json.dumps(found).encode(), HEALTHY_WITHIN, account=account)

    def _call(
        self, method: str, action: str, content: bytes | None = None, timeout: float = PATIENCE, **query: str
    ) -> bytes:
        url = f"http://127.0.0.1:{self.port}/_hallmark/{action}?{urlencode(query)}"
        headers = {"X-Hallmark-Token": self.token}
        request = urllib.request.Request(url, data=content, method=method, headers=headers)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=timeout) as answer:
                body: bytes = answer.read()
                return body
        except urllib.error.HTTPError as error:
            raise _refusal(error) from error
        except (OSError, urllib.error.URLError) as error:
            raise EnvironmentFault(f"The twin does not answer: {error}.", "hallmark twin up") from error


def _refusal(error: urllib.error.HTTPError) -> UsageError | EnvironmentFault:
    try:
        said = json.loads(error.read())
        return UsageError(said["message"], said["hint"])
    except (json.JSONDecodeError, KeyError, TypeError):
        return EnvironmentFault(f"Something else answers on the twin's port: HTTP {error.code}.", "hallmark twin up")
