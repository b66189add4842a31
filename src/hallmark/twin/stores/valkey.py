"""Valkey as ElastiCache gives it: one user without a name, with no, one or two tokens, and an administrator of ours.

The configuration is told on standard input, so that tokens are neither in a file nor on a command line, and even there
as hashes. Existing connections outlive a change of tokens, as with ElastiCache. What a given server has held before is
read in at the first start.
"""

import hashlib
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import redis

from hallmark.twin.stores import binaries
from hallmark.twin.stores.copies import client, execute, load_keys
from hallmark.twin.stores.held import Held
from hallmark.twin.stores.login import Login
from hallmark.twin.stores.server import Server

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
        self.passwords = tuple(passwords)
        self._secret = secrets.token_urlsafe(24)

    def set_passwords(self, passwords: Iterable[str]) -> None:
        """Take these tokens, and no others, from now on."""
        self.passwords = tuple(passwords)
        if self.is_alive:
            self._execute("ACL", "SETUSER", "default", *self._rules())

    def set_settings(self, settings: dict[str, str]) -> None:
        """Change the configuration, at once."""
        self.settings.update(settings)
        if self.is_alive:
            self._execute("CONFIG", "SET", *(word for pair in settings.items() for word in pair))

    @property
    def login(self) -> Login:
        """How the administrator gets in, while it runs."""
        return Login(*self.address, ADMINISTRATOR, self._secret)

    def clear(self) -> None:
        """Remove its data: they are somewhere else now."""
        shutil.rmtree(self.folder / "data", ignore_errors=True)

    def _settle(self) -> None:
        held = Held(self.folder)
        if held.state:  # broken off, it is done again from the start
            held.require()
            self._execute("FLUSHALL")
            load_keys(self.login, held.file)
        held.forget()

    def _command(self, port: int) -> tuple[list[str], bytes]:
        place = self.folder / "data"
        place.mkdir(mode=0o700, exist_ok=True)
        settings = {**SETTINGS, **self.settings, "port": str(port), "dir": f'"{place}"'}
        lines = [f"{name} {value}" for name, value in settings.items()]
        lines.append(f"user default {' '.join(self._rules())}")
        lines.append(f"user {ADMINISTRATOR} on #{hashed(self._secret)} ~* &* +@all")
        return [str(binaries.valkey()), "-"], "\n".join([*lines, ""]).encode()

    def _rules(self) -> list[str]:
        tokens = [f"#{hashed(each)}" for each in self.passwords] or ["nopass"]
        return ["reset", "on", *tokens, "~*", "&*", "+@all", *(f"-{each}" for each in FORBIDDEN)]

    def _is_ready(self) -> bool:
        with suppress(redis.RedisError, OSError):
            about: dict[str, object] = self._execute("INFO", "server")
            return about.get("process_id") == self.pid
        return False

    def _execute(self, *words: str) -> dict[str, object]:
        with client(self.login) as open_one:
            answer = execute(open_one, *words)
            return answer if isinstance(answer, dict) else {}


def hashed(token: str) -> str:
    """Return a token as ACLs hold it."""
    return hashlib.sha256(token.encode()).hexdigest()
