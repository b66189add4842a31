"""Valkey as ElastiCache gives it: one user without a name, with no, one or two tokens, and an administrator of ours.

The configuration is told on standard input, so that tokens are neither in a file nor on a command line, and even there
as hashes. Existing connections outlive a change of tokens, as with ElastiCache.
"""

import hashlib
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hallmark.twin.stores import binaries
from hallmark.twin.stores.server import PATIENCE, Server

ADMINISTRATOR = "hallmark"
FORBIDDEN = (
    *("acl|setuser", "acl|deluser", "acl|load", "acl|log", "acl|save", "bgrewriteaof", "bgsave", "cluster|failover"),
    *("cluster|reset", "config", "debug", "migrate", "psync", "replicaof", "save", "shutdown", "slaveof", "sync"),
)
"""Commands that ElastiCache does not have (its user guide, "Supported and restricted commands")."""
SETTINGS = {
    "bind": "127.0.0.1",
    "protected-mode": "no",
    "daemonize": "no",
    "save": '""',
    "appendonly": "yes",
    "hz": "1",  # looks a second at what is due; ten wake an idle machine for nothing
    "maxmemory": "256mb",
    "maxmemory-policy": "volatile-lru",
}


class Valkey(Server):
    """One Valkey server.

    Args:
        folder: Where its data is.
        passwords: Tokens it takes; without any, everybody is let in.
        settings: Changes of configuration, for example ``maxmemory-policy``.
    """

    def __init__(self, folder: Path, passwords: Iterable[str] = (), settings: dict[str, str] | None = None) -> None:
        super().__init__(folder, "Valkey")
        self.settings = dict(settings or {})
        self._passwords = tuple(passwords)
        self._secret = secrets.token_urlsafe(24)

    def set_passwords(self, passwords: Iterable[str]) -> None:
        """Take these tokens, and no others, from now on."""
        self._passwords = tuple(passwords)
        if self.is_alive:
            self._execute("ACL", "SETUSER", "default", *self._rules())

    def set_settings(self, settings: dict[str, str]) -> None:
        """Change the configuration, at once."""
        self.settings.update(settings)
        if self.is_alive:
            self._execute("CONFIG", "SET", *(word for pair in settings.items() for word in pair))

    def _command(self, port: int) -> tuple[list[str], bytes]:
        place = self.folder / "data"
        place.mkdir(mode=0o700, exist_ok=True)
        settings = {**SETTINGS, **self.settings, "port": str(port), "dir": f'"{place}"'}
        lines = [f"{name} {value}" for name, value in settings.items()]
        lines.append(f"user default {' '.join(self._rules())}")
        lines.append(f"user {ADMINISTRATOR} on #{_hash(self._secret)} ~* &* +@all")
        return [str(binaries.valkey()), "-"], "\n".join([*lines, ""]).encode()

    def _rules(self) -> list[str]:
        tokens = [f"#{_hash(each)}" for each in self._passwords] or ["nopass"]
        return ["reset", "on", *tokens, "~*", "&*", "+@all", *(f"-{each}" for each in FORBIDDEN)]

    def _is_ready(self) -> bool:
        with suppress(redis.RedisError, OSError):
            about: dict[str, object] = self._execute("INFO", "server")
            return about.get("process_id") == self.pid
        return False

    def _execute(self, *words: str) -> dict[str, object]:
        host, port = self.address
        with redis.Redis(
            host=host,
            port=port,
            username=ADMINISTRATOR,
            password=self._secret,
            socket_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),  # who waits for it asks again anyway
            protocol=2,
        ) as client:
            answer = client.execute_command(*words)
            return answer if isinstance(answer, dict) else {}


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
