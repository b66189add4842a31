"""What the emulated AWS wants of a store's server, and how a server is brought to that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from hallmark.twin.stores.given.address import Address
from hallmark.twin.stores.given.postgres import GivenPostgres
from hallmark.twin.stores.given.redis import GivenRedis
from hallmark.twin.stores.given.server import Owner
from hallmark.twin.stores.postgres import Postgres
from hallmark.twin.stores.valkey import Valkey

UP = frozenset({"available", "modifying", "backing-up", "storage-optimization", "configuring-enhanced-monitoring"})
"""In which a store serves (RDS and ElastiCache user guides)."""
GONE = "deleting"
CONNECTIONS = range(6, 1001)
"""What a laptop can give; RDS takes more."""
DEFAULT_CONNECTIONS = 200
POLICIES = frozenset(f"{whose}-{what}" for whose in ("volatile", "allkeys") for what in ("lru", "lfu", "random")) | {
    "volatile-ttl",
    "noeviction",
}
DEFAULT_POLICY = "volatile-lru"
"""Of ElastiCache's parameter group for Redis 7."""


class Store(Protocol):
    """What serves a store: a server of ours, or one that is given."""

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""

    @property
    def is_alive(self) -> bool:
        """Whether it serves."""

    def start(self) -> None:
        """Have it serve; nothing happens if it does."""

    def stop(self) -> None:
        """Have it serve nobody; nothing happens if it does not."""


@dataclass(frozen=True)
class Place:
    """A given server for a store.

    Attributes:
        address: Where it is.
        owner: Whose the store is.
    """

    address: Address
    owner: Owner


class Wanted(Protocol):
    """One store."""

    @property
    def key(self) -> str:
        """Name of its folder; a store that is made anew under an old name has another."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Its endpoints."""

    @property
    def serves(self) -> bool:
        """Whether its server should run."""

    def make(self, folder: Path) -> Store:
        """A server for it."""

    def change(self, server: Store, before: "Wanted") -> None:
        """Make of a server what it should be now; it may be stopped for that."""


@dataclass(frozen=True)
class Database:
    """An instance of RDS.

    Attributes:
        key: Its resource id.
        hosts: Its endpoint.
        serves: Whether its server should run.
        user: The master user.
        password: The master's password.
        database: The database it was made with.
        connections: ``max_connections``; effective from the next start.
        reboots: How often it was rebooted.
        place: The given server it is on; None for one of our own.
    """

    key: str
    hosts: tuple[str, ...]
    serves: bool
    user: str
    password: str = field(repr=False)
    database: str
    connections: int
    reboots: int
    place: Place | None = None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Database":
        """Read what AWS says."""
        return cls(
            key=str(told["key"]),
            hosts=tuple(told["hosts"]),
            serves=told["status"] in UP,
            user=str(told["user"]),
            password=str(told["password"]),
            database=str(told["database"]),
            connections=_connections(str(told["max_connections"])),
            reboots=int(told["reboots"]),
        )

    @property
    def _settings(self) -> dict[str, str]:
        return {"max_connections": str(self.connections)}

    def make(self, folder: Path) -> Postgres | GivenPostgres:
        """A server for it."""
        own = Postgres(folder, self.user, self.password, self.database, self._settings)
        return GivenPostgres(folder, self.place.address, self.place.owner, own) if self.place else own

    def change(self, server: Store, before: Wanted) -> None:
        """Another password, at once; other parameters at the next start, or now if it was rebooted."""
        if isinstance(server, Postgres | GivenPostgres) and isinstance(before, Database):
            server.settings = self._settings
            if before.password != self.password:
                server.set_password(self.password)
            if before.reboots != self.reboots:
                server.stop()


@dataclass(frozen=True)
class Cache:
    """A replication group of ElastiCache; one server is all its nodes.

    Attributes:
        key: Its name, and something that tells it from an earlier one of that name.
        hosts: Its endpoints.
        serves: Whether its server should run.
        tokens: What it takes; while a token is rotated, two.
        policy: ``maxmemory-policy``.
        place: The given server it is on; None for one of our own.
    """

    key: str
    hosts: tuple[str, ...]
    serves: bool
    tokens: tuple[str, ...] = field(repr=False)
    policy: str
    place: Place | None = None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Cache":
        """Read what AWS says."""
        policy = str(told["maxmemory_policy"])
        return cls(
            key=str(told["key"]),
            hosts=tuple(told["hosts"]),
            serves=told["status"] in UP,
            tokens=tuple(told["tokens"]),
            policy=policy if policy in POLICIES else DEFAULT_POLICY,
        )

    @property
    def _settings(self) -> dict[str, str]:
        return {"maxmemory-policy": self.policy}

    def make(self, folder: Path) -> Valkey | GivenRedis:
        """A server for it."""
        own = Valkey(folder, self.tokens, self._settings)
        return GivenRedis(folder, self.place.address, self.place.owner, own) if self.place else own

    def change(self, server: Store, before: Wanted) -> None:
        """Other tokens and parameters, at once."""
        if isinstance(server, Valkey | GivenRedis) and isinstance(before, Cache):
            if before.tokens != self.tokens:
                server.set_passwords(self.tokens)
            if before.policy != self.policy:
                server.set_settings(self._settings)


def read(told: Mapping[str, list[dict[str, Any]]]) -> list[Wanted]:
    """Every store that is not about to go.

    Args:
        told: As :meth:`hallmark.twin.control.Control.store_secrets` has it.
    """
    found: list[Wanted] = [Database.of(each) for each in told["databases"] if each["status"] != GONE]
    found += [Cache.of(each) for each in told["caches"] if each["status"] != GONE]
    return found


def _connections(text: str) -> int:
    # A formula of memory, RDS' default, is no number.
    if not text.isdigit():
        return DEFAULT_CONNECTIONS
    return min(max(int(text), CONNECTIONS.start), CONNECTIONS.stop - 1)
