"""PostgreSQL: accounts, keys, projects and data sets. Short statements over a few connections."""

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.rows import dict_row

from hallmark.twin.platform.looks import Looks
from hallmark.twin.platform.pool import NotHere, Pool
from hallmark.twin.platform.settings import number
from hallmark.twin.programs.container import Container
from hallmark.twin.programs.langsmith.stores import STORES, Trouble

Row = dict[str, Any]
T = TypeVar("T")
CONNECT_SECONDS = 5
ANSWER_SECONDS = 20.0
"""How long a statement may take: libpq waits for ever where nothing comes back."""
_WHERE = re.compile(r'connection to server at "[^"]*"(?: \([^)]*\))?, port \d+')


class NoAnswer(psycopg.DatabaseError):
    """A statement took too long. The connection is closed: nobody knows what is on its way."""


class Connection(psycopg.Connection[Row]):
    """A connection whose statements do not wait for ever."""

    def wait(self, gen: PQGen[T], *arguments: Any, **options: Any) -> T:
        """Run one step of a statement; psycopg comes by every tenth of a second."""
        return super().wait(self._bounded(gen), *arguments, **options)

    def _bounded(self, gen: PQGen[T]) -> PQGen[T]:
        until = time.monotonic() + ANSWER_SECONDS
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > until:
                    self.close()
                    raise NoAnswer(f"TimeoutError: no answer within {ANSWER_SECONDS:.0f} seconds")
                wanted = gen.send(ready)
        except StopIteration as end:
            result: T = end.value
            return result


class Database:
    """The application's database.

    Args:
        container: Who uses it.
    """

    name = "postgres"

    def __init__(self, container: Container) -> None:
        self._environment = container.environment
        self._store = STORES[self.name](container)
        self._looks = Looks(self._store, lambda: self.ask("select 1"))
        self._pool: Pool[Connection] = Pool(
            self._connect,
            alive=lambda connection: not connection.closed,
            close=lambda connection: connection.close(),
            lost=(psycopg.OperationalError, psycopg.InterfaceError),
            limit=number(container.environment, "ASYNCPG_POOL_MAX_SIZE", 5),
        )

    def ask(self, statement: str, *parameters: object) -> list[Row]:
        """Run one statement; the rows that it returns.

        Raises:
            Trouble: In the database's words.
        """

        def work(connection: Connection) -> list[Row]:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

        return self._worded(work)

    def change(self, *statements: str) -> None:
        """Run statements, all of them or none.

        Raises:
            Trouble: In the database's words.
        """

        def work(connection: Connection) -> None:
            with connection.transaction():
                for statement in statements:
                    connection.execute(statement.encode())

        self._worded(work)

    def use(self) -> None:
        """See whether it answers; without a server behind the name, whether it would.

        Raises:
            Trouble: It does not.
        """
        self._looks.look()

    def _worded(self, work: Callable[[Connection], T]) -> T:
        try:
            return self._pool.run(work)
        except psycopg.Error as error:
            raise Trouble(self._named(error)) from None

    def _connect(self) -> Connection:
        route, address = self._store.open(), self._store.where()
        if not route.address:
            raise NotHere("no PostgreSQL server behind this name")
        secure = address.tls and route.authority  # whether that is right was asked when the store was opened
        connection = Connection.connect(
            host=address.host,
            hostaddr=route.address,
            port=route.port,
            user=address.user,
            password=address.password,
            dbname=address.database or address.user,
            sslmode="verify-full" if secure else "disable",
            sslrootcert=route.authority or None,
            gssencmode="disable",
            connect_timeout=CONNECT_SECONDS,
            autocommit=True,
            row_factory=dict_row,
            prepare_threshold=None,
        )
        if schema := self._environment.get("POSTGRES_SCHEMA", ""):
            connection.execute("select set_config('search_path', %s, false)", (schema,))
        return connection

    def _named(self, error: psycopg.Error) -> str:
        # The first line, with the name that the operator knows in place of the real address.
        address = self._store.where()
        known = f'connection to server at "{address.host}", port {address.port}'
        said = str(error).strip().splitlines() or [type(error).__name__]
        return _WHERE.sub(lambda _: known, said[0])
