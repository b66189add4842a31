"""The data stores as the application's drivers meet them: opened at the start, looked at now and then.

Each driver complains in its own words, which an operator will look for in a log.
"""

import http.client
from abc import ABC, abstractmethod
from collections.abc import Mapping

from hallmark.twin.programs.container import Container
from hallmark.twin.programs.dependencies import (
    REFUSED,
    RESET,
    TIMED_OUT,
    UNKNOWN_HOST,
    LoginRefused,
    Route,
    Unreachable,
    connect,
    login,
)  # fmt: skip
from hallmark.twin.programs.langsmith.addresses import Address, BadAddress, postgres, redis


class Trouble(Exception):
    """A store cannot be used; the message is the driver's, without secrets."""


class Store(ABC):
    """One data store of the application.

    Args:
        container: Who uses it.
    """

    name: str

    def __init__(self, container: Container) -> None:
        self._container = container
        self._established = False

    def use(self) -> None:
        """Open a connection, or use the one that stands.

        Raises:
            Trouble: It does not work.
        """
        address = self.where()
        try:
            self._use(address)
        except (Unreachable, LoginRefused) as error:
            self._established = False
            raise Trouble(self._words(error, address)) from None
        self._established = True

    def open(self) -> Route:
        """Ask the network and the store for one new connection; says where it really leads.

        Raises:
            Trouble: There is none to be had.
        """
        address = self.where()
        try:
            route = connect(self._container, address.host, address.port)
            self.log_in(address)
        except (Unreachable, LoginRefused) as error:
            raise Trouble(self._words(error, address)) from None
        return route

    def where(self) -> Address:
        """Its address as the environment says it.

        Raises:
            Trouble: It cannot be read.
        """
        try:
            return self.address(self._container.environment)
        except BadAddress as error:
            raise Trouble(str(error)) from None

    def _use(self, address: Address) -> None:
        connect(self._container, address.host, address.port, established=self._established)
        if not self._established:
            self.log_in(address)

    def log_in(self, address: Address) -> None:
        """Log in over a new connection."""
        given = {"user": address.user, "password": address.password, "database": address.database, "tls": address.tls}
        login(self._container, address.host, address.port, store=self.name, **given)

    def _words(self, error: Unreachable | LoginRefused, address: Address) -> str:
        return self.words(error.outcome, address) if isinstance(error, Unreachable) else str(error)

    @abstractmethod
    def address(self, environment: Mapping[str, str]) -> Address:
        """Where it is, from the container's environment."""

    @abstractmethod
    def words(self, outcome: str, address: Address) -> str:
        """What the driver says when a connection fails."""


class Postgres(Store):
    """PostgreSQL, in the words of libpq."""

    name = "postgres"

    def address(self, environment: Mapping[str, str]) -> Address:
        """Read ``POSTGRES_DATABASE_URI``; agents call it ``DATABASE_URI``."""
        return postgres(_wanted(environment, "POSTGRES_DATABASE_URI", "DATABASE_URI"))

    def words(self, outcome: str, address: Address) -> str:
        """Words of libpq."""
        if outcome == UNKNOWN_HOST:
            return f'could not translate host name "{address.host}" to address: Name or service not known'
        said = {REFUSED: "Connection refused", TIMED_OUT: "Connection timed out"}.get(
            outcome, "Connection reset by peer"
        )
        return f'connection to server at "{address.host}", port {address.port} failed: {said}'


class Redis(Store):
    """Redis, in the words of redis-py."""

    name = "redis"

    def address(self, environment: Mapping[str, str]) -> Address:
        """Read ``REDIS_DATABASE_URI``; agents call it ``REDIS_URI``."""
        return redis(_wanted(environment, "REDIS_DATABASE_URI", "REDIS_URI"))

    def words(self, outcome: str, address: Address) -> str:
        """Words of redis-py."""
        where = f"connecting to {address.host}:{address.port}"
        return {
            UNKNOWN_HOST: f"Error -2 {where}. Name or service not known.",
            REFUSED: f"Error 111 {where}. Connection refused.",
            TIMED_OUT: f"Timeout {where}: connection timed out",
        }.get(outcome, f"Error 104 while reading from {address.host}:{address.port}: Connection reset by peer")


class ClickHouse(Store):
    """ClickHouse over HTTP. It is asked for real: where it runs in the cluster, its program answers."""

    name = "clickhouse"

    def address(self, environment: Mapping[str, str]) -> Address:
        """Read ``CLICKHOUSE_HOST`` and its siblings."""
        port = _wanted(environment, "CLICKHOUSE_PORT")
        if not port.isdigit():
            raise BadAddress("CLICKHOUSE_PORT is not a number")
        return Address(
            host=_wanted(environment, "CLICKHOUSE_HOST"),
            port=int(port),
            user=environment.get("CLICKHOUSE_USER", "default"),
            password=environment.get("CLICKHOUSE_PASSWORD", ""),
            database=environment.get("CLICKHOUSE_DB", "default"),
            tls=environment.get("CLICKHOUSE_TLS", "").lower() == "true",
        )

    def _use(self, address: Address) -> None:
        route = connect(self._container, address.host, address.port)
        if not route.address:
            return
        self.log_in(address)
        query = http.client.HTTPConnection(route.address, route.port, timeout=10)
        headers = {"X-ClickHouse-User": address.user, "X-ClickHouse-Key": address.password}
        try:
            query.request("POST", f"/?database={address.database}", "SELECT 1", headers)
            answer = query.getresponse()
            said = answer.read().decode("utf-8", "replace").strip()
        except (OSError, http.client.HTTPException):
            raise Unreachable(REFUSED) from None
        finally:
            query.close()
        if answer.status != 200:  # noqa: PLR2004  (HTTP)
            raise LoginRefused(said)

    def log_in(self, address: Address) -> None:
        """Speak its language: it answers without TLS inside the cluster. Who asks is in each request."""
        if address.tls:
            raise Unreachable(RESET)

    def words(self, outcome: str, address: Address) -> str:
        """Words of the HTTP client."""
        where = f"host='{address.host}', port={address.port}"
        return {
            UNKNOWN_HOST: f"HTTPConnectionPool({where}): Failed to resolve '{address.host}'",
            REFUSED: f"HTTPConnectionPool({where}): Failed to establish a new connection: Connection refused",
            TIMED_OUT: f"HTTPConnectionPool({where}): connection timed out",
        }.get(outcome, f"HTTPConnectionPool({where}): Connection reset by peer")


STORES: dict[str, type[Store]] = {each.name: each for each in (Postgres, Redis, ClickHouse)}


def _wanted(environment: Mapping[str, str], *names: str) -> str:
    value = next((environment[name] for name in names if environment.get(name)), "")
    if not value:
        raise BadAddress(f"{names[0]} is not set")
    return value
