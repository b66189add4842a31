"""Redis: queues between the API and the workers, as streams read by one group of workers.

An entry stays until its work is done: what a dead worker held is taken over by another.
"""

import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from hallmark.twin.platform.looks import Looks
from hallmark.twin.platform.pool import NotHere
from hallmark.twin.programs.container import Container
from hallmark.twin.programs.langsmith.stores import STORES, Store, Trouble

INGESTION, FEEDBACK, ADHOC = "langsmith:ingestion", "langsmith:feedback", "langsmith:adhoc"
LATE = "langsmith:late"
"""Payloads of runs that are written, which S3 has not taken yet."""
GROUP = "workers"
BLOCK_SECONDS, ANSWER_SECONDS = 4, 10
TAKEN_OVER_AFTER = 15.0
"""Seconds after which another worker may take over an entry that is not done."""

T = TypeVar("T")
Entry = tuple[str, Mapping[bytes, bytes]]


class Connection(redis.Connection):
    """A connection that asks the network before it is made.

    Args:
        store: The store it leads to.
        **options: Those of redis-py.
    """

    def __init__(self, *, store: Store, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._store = store

    def _connect(self) -> Any:
        route = self._store.open()
        if not route.address:
            raise NotHere("no Redis server behind this name")
        self.host, self.port = route.address, route.port
        plain = super()._connect()  # type: ignore[no-untyped-call]
        address = self._store.where()
        if not (address.tls and route.authority):
            return plain
        return ssl.create_default_context(cafile=route.authority).wrap_socket(plain, server_hostname=address.host)

    def _host_error(self) -> str:
        address = self._store.where()
        return f"{address.host}:{address.port}"


class Broker:
    """The application's queues.

    Args:
        container: Who uses them.
    """

    name = "redis"

    def __init__(self, container: Container) -> None:
        self._consumer = container.pod
        self._store = STORES[self.name](container)
        self._looks = Looks(self._store, lambda: self._worded(lambda client: client.ping()))
        self._lock = threading.Lock()
        self._made: redis.Redis | None = None

    def add(self, queue: str, entries: Sequence[Mapping[bytes, bytes]]) -> None:
        """Append entries, all of them or none.

        Raises:
            Trouble: In Redis' words.
        """

        def work(client: redis.Redis) -> None:
            with client.pipeline(transaction=len(entries) > 1) as pipeline:
                for entry in entries:
                    pipeline.xadd(queue, dict(entry))  # type: ignore[arg-type]
                pipeline.execute()

        self._worded(work)

    def take(self, queue: str, count: int) -> list[Entry]:
        """Wait a little for entries, and hold them for this worker."""
        group, consumer, block = GROUP, self._consumer, BLOCK_SECONDS * 1000

        def work(client: redis.Redis) -> list[Entry]:
            answer: Any = client.xreadgroup(group, consumer, {queue: ">"}, count, block)
            return _entries(answer[0][1]) if answer else []

        return self._in_group(queue, work)

    def take_over(self, queue: str, count: int) -> list[Entry]:
        """Hold entries that another worker has held for long without getting them done."""
        idle = int(TAKEN_OVER_AFTER * 1000)

        def work(client: redis.Redis) -> list[Entry]:
            return _entries(client.xautoclaim(queue, GROUP, self._consumer, idle, count=count)[1])

        return self._in_group(queue, work)

    def done(self, queue: str, identities: Sequence[str]) -> None:
        """Remove entries whose work is done."""

        def work(client: redis.Redis) -> None:
            with client.pipeline(transaction=False) as pipeline:
                pipeline.xack(queue, GROUP, *identities)
                pipeline.xdel(queue, *identities)
                pipeline.execute()

        self._worded(work)

    def forget(self, queue: str, seconds: int) -> int:
        """Drop what has waited for longer; how much that was."""
        oldest = int((time.time() - seconds) * 1000)
        return int(self._worded(lambda client: client.xtrim(queue, approximate=False, minid=oldest)))

    def pending(self, queue: str) -> int:
        """How many entries wait or are in work."""
        return int(self._worded(lambda client: client.xlen(queue)))

    def use(self) -> None:
        """See whether it answers; without a server behind the name, whether it would.

        Raises:
            Trouble: It does not.
        """
        self._looks.look()

    def _in_group(self, queue: str, work: Callable[[redis.Redis], T]) -> T:
        # The group is gone after an eviction or on a fresh server: it is made when that is noticed.
        try:
            return self._worded(work)
        except Trouble as trouble:
            if not str(trouble).startswith("NOGROUP"):
                raise
        self._worded(lambda client: client.xgroup_create(queue, GROUP, id="0", mkstream=True))
        return self._worded(work)

    def _worded(self, work: Callable[[redis.Redis], T]) -> T:
        try:
            return work(self._client())
        except ResponseError as error:
            raise Trouble(str(error)) from None
        except RedisError as error:
            raise Trouble(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from None

    def _client(self) -> redis.Redis:
        with self._lock:
            if self._made is None:
                address = self._store.where()
                options: dict[str, Any] = {"username": address.user or None, "password": address.password or None}
                pool = redis.ConnectionPool(
                    connection_class=Connection, max_connections=100, protocol=2, driver_info=None,
                    db=int(address.database or 0), socket_timeout=ANSWER_SECONDS, socket_connect_timeout=2,
                    retry=Retry(NoBackoff(), 1), store=self._store, **options,
                )  # fmt: skip
                self._made = redis.Redis(connection_pool=pool)
            return self._made


def _entries(answer: Any) -> list[Entry]:
    return [(identity.decode(), fields) for identity, fields in answer if fields]
