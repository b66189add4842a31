"""ClickHouse over HTTP: rows of runs and of feedback."""

import http.client
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import orjson

from hallmark.twin.platform.looks import Looks
from hallmark.twin.platform.pool import NotHere, Pool
from hallmark.twin.programs.container import Container
from hallmark.twin.programs.langsmith.stores import STORES, Trouble

Row = dict[str, Any]
SECONDS = 10.0
"""How long a query may take."""
LONGEST = 300
"""Characters of an exception that are passed on: the rest is a stack of the server, or a query."""


class Warehouse:
    """The application's column store.

    Args:
        container: Who uses it.
    """

    name = "clickhouse"

    def __init__(self, container: Container) -> None:
        self._store = STORES[self.name](container)
        self._looks = Looks(self._store, lambda: self._call("SELECT 1", {}))
        self._pool: Pool[http.client.HTTPConnection] = Pool(
            self._connect,
            alive=lambda connection: connection.sock is not None,
            close=lambda connection: connection.close(),
            lost=(OSError, http.client.HTTPException),
            limit=8,
        )

    def ask(self, query: str, **parameters: object) -> list[Row]:
        """Rows that a query finds; parameters stand as ``{name:Type}`` in it.

        Raises:
            Trouble: In ClickHouse's words.
        """
        answer = self._call(f"{query} FORMAT JSONEachRow", parameters)
        return [orjson.loads(line) for line in answer.splitlines()]

    def tell(self, command: str, **parameters: object) -> None:
        """Run a command that returns nothing."""
        self._call(command, parameters)

    def insert(self, table: str, rows: Sequence[bytes]) -> None:
        """Insert rows, each a line of JSON."""
        self._call(f"INSERT INTO {table} FORMAT JSONEachRow", {}, b"\n".join(rows))

    def use(self) -> None:
        """See whether it answers.

        Raises:
            Trouble: It does not.
        """
        self._looks.look()

    def _call(self, query: str, parameters: Mapping[str, object], body: bytes | None = None) -> bytes:
        address = self._store.where()
        asked = {"database": address.database, **{f"param_{name}": value for name, value in parameters.items()}}
        asked |= {} if body is None else {"query": query}
        path, content = f"/?{urlencode(asked)}", query.encode() if body is None else body
        headers = {"X-ClickHouse-User": address.user, "X-ClickHouse-Key": address.password}

        def work(connection: http.client.HTTPConnection) -> tuple[int, bytes]:
            try:
                connection.request("POST", path, content, headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                raise

        return self._worded(self._sent(work))

    def _sent(self, work: Callable[[http.client.HTTPConnection], tuple[int, bytes]]) -> tuple[int, bytes]:
        try:
            return self._pool.run(work)
        except TimeoutError:
            address = self._store.where()
            where = f"host='{address.host}', port={address.port}"
            raise Trouble(f"HTTPConnectionPool({where}): Read timed out. (read timeout={SECONDS:.0f})") from None
        except (OSError, http.client.HTTPException):
            raise Trouble(self._store.words("refused", self._store.where())) from None

    @staticmethod
    def _worded(answer: tuple[int, bytes]) -> bytes:
        status, content = answer
        if status != http.HTTPStatus.OK:
            said = content.decode("utf-8", "replace").strip().splitlines() or [f"HTTP {status}"]
            raise Trouble(said[0][:LONGEST])
        return content

    def _connect(self) -> http.client.HTTPConnection:
        route = self._store.open()
        if not route.address:
            raise NotHere("no ClickHouse server behind this name")
        connection = http.client.HTTPConnection(route.address, route.port, timeout=SECONDS)
        try:
            connection.connect()
        except OSError:
            raise Trouble(self._store.words("refused", self._store.where())) from None
        return connection
