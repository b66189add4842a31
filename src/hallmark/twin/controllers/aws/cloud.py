"""What every controller of this group works with: the account, roles of service accounts, add-ons and their logs."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from hallmark.errors import EnvironmentFault
from hallmark.evidence.redact import Redactor
from hallmark.twin.clients import Clients
from hallmark.twin.controllers.aws.gate import Addon, Gate
from hallmark.twin.controllers.aws.session import Sessions
from hallmark.twin.controllers.settings import Settings
from hallmark.twin.kube.cache import Caches

STALE = frozenset(
    {
        *("AuthFailure", "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId"),
        *("RequestExpired", "UnrecognizedClientException"),
    }
)
"""Codes that say that a session is over, for example because a snapshot was restored."""
REMEMBERED = 5.0
"""Seconds for which a cluster that was there is taken to be there."""
LONGEST = 1_000_000
"""Bytes after which a log file is begun again at the next start."""


class Inactive(Exception):
    """No pod of the add-on is ready, so what it does is not done."""


class Cloud:
    """One cluster and the account it is in.

    Args:
        caches: The cluster.
        settings: Where the emulated AWS is, and what the cluster is called there.
    """

    def __init__(self, caches: Caches, settings: Settings) -> None:
        self.caches = caches
        self.account = Clients(settings.endpoint, settings.account, settings.region)
        self.region = settings.region
        self.number = settings.account
        self.gate = Gate(caches)
        self.sessions = Sessions(caches, self.account)
        self.state = settings.state
        self._named = settings.cluster
        self.cluster = settings.cluster
        """Name of the EKS cluster; empty while the account has none."""
        self._looked = 0.0

    async def look(self) -> str:
        """Find the cluster's name if none was given: the account's first. Returns it, or empty."""
        if not self._named and not (self.cluster and time.monotonic() - self._looked < REMEMBERED):
            found = (await self.run(self.account("eks").list_clusters))["clusters"]
            self.cluster, self._looked = found[0] if found else "", time.monotonic()
        return self.cluster

    async def run(self, function: Callable[..., Any], **parameters: Any) -> Any:
        """Call an operation of AWS in a thread.

        Raises:
            ClientError: AWS refused.
            EnvironmentFault: The emulated AWS does not answer.
        """
        with _there():
            return await asyncio.to_thread(function, **parameters)

    async def act(self, addon: Addon, service: str, operation: str, **parameters: Any) -> Any:
        """Call an operation of AWS as an add-on's own role.

        Raises:
            Inactive: No pod of the add-on is ready.
            ClientError: AWS refused, or gave no session.
            EnvironmentFault: The emulated AWS does not answer.
        """
        identity = self.gate.identity(addon)
        if identity is None:
            raise Inactive(addon.name)
        for last in (False, True):
            with _there():
                client = await self.sessions.client(service, identity, self.cluster)
            try:
                return await self.run(getattr(client, operation), **parameters)
            except ClientError as error:
                if last or error.response["Error"]["Code"] not in STALE:
                    raise
                self.sessions.forget(identity)
        raise AssertionError("the loop returns or raises")

    def log(self, name: str) -> logging.Logger:
        """The log of an add-on, which its pods show."""
        return log_of(self.state, name)


@contextmanager
def _there() -> Iterator[None]:
    try:
        yield
    except BotoCoreError as error:
        raise EnvironmentFault(f"The emulated AWS does not answer: {error}", "hallmark twin up") from error


def log_of(state: Path, name: str) -> logging.Logger:
    """Return the logger that writes ``addons/<name>.log`` in a state directory."""
    logger = logging.getLogger(f"hallmark.addons.{state}.{name}")
    if not logger.handlers:
        file = state / "addons" / f"{name}.log"
        file.parent.mkdir(parents=True, exist_ok=True)
        again = file.exists() and file.stat().st_size > LONGEST
        handler = logging.FileHandler(file, mode="w" if again else "a", encoding="utf-8")
        handler.setFormatter(_Klog())
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    return logger


class _Klog(logging.Formatter):
    """Writes as klog does: I0102 15:04:05.000000 message.

    Add-ons name what people wrote, such as the key of a remote reference; what looks like a secret there is cut out.
    """

    def __init__(self) -> None:
        super().__init__("%(message)s")
        self._redactor = Redactor(os.environ)

    def format(self, record: logging.LogRecord) -> str:
        moment, text = self.formatTime(record, "%m%d %H:%M:%S"), self._redactor.text(super().format(record))
        return f"{record.levelname[0]}{moment}.{int(record.msecs * 1000):06d}] {text}"
