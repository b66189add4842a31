"""The application's long-running workloads: a table of roles, and one way to run them all.

A role reads its real settings and tries its real connections. What it needs to start ends it when it lacks; what
breaks later makes it unhealthy where the real one would become so (facts of the product's failure modes), and is in
the log in the driver's words.
"""

import itertools
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hallmark.twin.programs import access
from hallmark.twin.programs.container import Container
from hallmark.twin.programs.langsmith import blob
from hallmark.twin.programs.langsmith.stores import STORES, Trouble
from hallmark.twin.programs.shell.interpreter import Command, Shell
from hallmark.twin.programs.web import Reply, Request, serve
from hallmark.waiting import until

LOOKS_EVERY, BLOBS_EVERY = 10.0, 60.0
POOL_FAILS_AFTER = 30.0
"""Seconds: between two looks at the stores, at blob storage, and until a lost store has emptied the pool."""
SECRETS = ("LANGSMITH_LICENSE_KEY", "API_KEY_SALT")
REFUSED, PATIENCE = "Connection refused", 3.0
"""A store that refuses at the start may be starting itself: seconds for which it is tried again."""


@dataclass(frozen=True)
class Role:
    """One workload.

    Attributes:
        port: Where it listens unless ``PORT`` says otherwise.
        health: Path of its probes.
        settings: Variables it does not start without.
        fatal: Stores it does not start without.
        watched: Stores it uses, and complains about.
        unhealthy: Stores whose loss fails its probes once the pool is empty.
        blobs: Whether it writes to blob storage.
    """

    port: int
    health: str
    settings: tuple[str, ...] = ()
    fatal: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()
    unhealthy: tuple[str, ...] = ()
    blobs: bool = False


ALL = ("postgres", "redis", "clickhouse")
ROLES = {
    "backend": Role(1984, "/health", SECRETS, ("postgres",), ALL, ("postgres",), blobs=True),
    "platform-backend": Role(1986, "/ok", SECRETS, ("postgres", "redis"), ALL, ("postgres", "redis"), blobs=True),
    "queue": Role(8080, "/health", SECRETS, ("postgres", "redis"), ALL, ("redis",), blobs=True),
    "ingest-queue": Role(1989, "/health", SECRETS, ("postgres", "redis"), ALL, ("redis",), blobs=True),
    "playground": Role(1988, "/ok"),
    "ace-backend": Role(1987, "/ok"),
    "insights": Role(
        8000, "/ok", ("CLIO_ENCRYPTION_KEY",), ("postgres", "redis"), ("postgres", "redis"), ("postgres",)
    ),
    "polly": Role(8000, "/ok", ("POLLY_ENCRYPTION_KEY",), ("postgres", "redis"), ("postgres", "redis"), ("postgres",)),
}


@dataclass
class Health:
    """Since when which store is lost; None for one that works."""

    lost: dict[str, float | None] = field(default_factory=dict)

    def complaint(self, role: Role, speed: float) -> str:
        """The store that makes the role unhealthy, or nothing."""
        now = time.monotonic()
        gone = {name: since for name, since in self.lost.items() if since is not None and name in role.unhealthy}
        return next((name for name, since in gone.items() if (now - since) * speed >= POOL_FAILS_AFTER), "")


class Used(Protocol):
    """A store as a workload looks at it."""

    @property
    def name(self) -> str:
        """Its name in logs."""

    def use(self) -> None:
        """Use it once; raises Trouble."""


def main(container: Container) -> int:
    """Run the role that the catalogue chose."""
    role = ROLES[container.settings["role"]]
    container.on_stop(0)
    stores = [STORES[each](container) for each in role.watched]
    health = begin(container, role, stores)
    port = port_of(container, role)
    serve(container, port, lambda request: _logged(container, role, request, _answer(container, role, health, request)))
    container.say("INFO", f"listening on port {port}")
    keep_looking(container, role, stores, health)
    container.forever()


def begin(container: Container, role: Role, stores: Sequence[Used]) -> Health:
    """Start as the real workload does: say what this is, read the settings, try the stores."""
    introduce(container, container.settings["role"])
    require(container, role.settings)
    health = Health()
    for store in stores:
        _look(container, store, health, fatal=store.name in role.fatal)
    _look_at_blobs(container, role)
    return health


def keep_looking(container: Container, role: Role, stores: Sequence[Used], health: Health) -> None:
    """Look at the stores now and then, in a thread."""
    threading.Thread(target=_watch, args=(container, role, stores, health), daemon=True).start()


def port_of(container: Container, role: Role) -> int:
    """Where a workload listens."""
    return int(container.environment.get("PORT") or role.port)


def probed(container: Container, role: Role, health: Health) -> tuple[int, dict[str, str]]:
    """Status and content of the answer to a probe."""
    lost = health.complaint(role, container.speed)
    return (503, {"health": "unhealthy", "reason": f"{lost} is not available"}) if lost else (200, {"health": "ok"})


def introduce(container: Container, name: str) -> None:
    """Say plainly what this is."""
    container.say("INFO", f"langsmith {name} {container.settings['version']}: Hallmark's stand-in, not the product")


def require(container: Container, names: Sequence[str]) -> None:
    """End the container unless these variables have values."""
    for name in names:
        if not container.environment.get(name, "").strip():
            container.fail(f"startup error: required setting {name} is missing or empty")
    if container.environment.get("BASIC_AUTH_ENABLED") == "true" and "API_KEY_SALT" in names:
        require(container, ("BASIC_AUTH_JWT_SECRET",))


def _look(container: Container, store: Used, health: Health, *, fatal: bool = False) -> None:
    if trouble := _trouble(store, PATIENCE if fatal else 0.0):
        if fatal:
            container.fail(f"startup error: {store.name}: {trouble}")
        container.say("ERROR", f"{store.name} error: {trouble}")
        if health.lost.get(store.name) is None:
            health.lost[store.name] = time.monotonic()
        return
    if health.lost.get(store.name, 0.0) is not None:
        container.say("INFO", f"{store.name}: connected")
    health.lost[store.name] = None


def _trouble(store: Used, patience: float) -> Trouble | None:
    """Use a store once, or while it refuses again and again for so many seconds; say what is wrong with it."""
    found: Trouble | None = None

    def is_settled() -> bool:
        nonlocal found
        try:
            store.use()
            found = None
        except Trouble as trouble:
            found = trouble
        return found is None or REFUSED not in str(found)

    until(is_settled, patience, pause=0.5)
    return found


def _look_at_blobs(container: Container, role: Role) -> None:
    if role.blobs and blob.enabled(container.environment):
        try:
            blob.check(container)
        except Trouble as trouble:
            container.say("ERROR", f"blob storage error: {trouble}")


def _watch(container: Container, role: Role, stores: Sequence[Used], health: Health) -> None:
    for look in itertools.count(1):
        container.pause(LOOKS_EVERY)
        for store in stores:
            _look(container, store, health)
        if look % (BLOBS_EVERY // LOOKS_EVERY) == 0:
            _look_at_blobs(container, role)


def _logged(container: Container, role: Role, request: Request, reply: Reply) -> Reply:
    client = f"{request.client}:{request.port}"
    log_access(container, role, client, request.method, request.path, reply.status)
    return reply


def log_access(container: Container, role: Role, client: str, method: str, path: str, status: int) -> None:  # noqa: PLR0917  (fields of one line)
    """Log a request as uvicorn does, unless it is a probe: those of every pod would drown everything else."""
    if path.partition("?")[0] != role.health:
        container.say("INFO", access.uvicorn(client, method, path, status))


def _answer(container: Container, role: Role, health: Health, request: Request) -> Reply:
    path = request.path.split("?")[0]
    if path == role.health:
        status, content = probed(container, role, health)
        return as_json(status, **content)
    if path == "/info" and container.settings["role"] == "platform-backend":
        return as_json(200, version=container.settings["version"], stand_in=True)
    return as_json(404, detail="Not Found")


def as_json(status: int, **content: object) -> Reply:
    """An answer in JSON."""
    return Reply(status, json.dumps(content), "application/json")


def saq(look: Callable[[Container], None]) -> Command:
    """``saq SETTINGS --check``: whether the worker's Redis answers; the queue's liveness probe.

    Args:
        look: Uses Redis once; raises Trouble.
    """

    def check(shell: Shell, words: Sequence[str]) -> int:
        if "--check" not in words:
            shell.streams.errors.write("saq: only --check is available\n")
            return 2
        try:
            look(shell.container)
        except Trouble as trouble:
            shell.streams.errors.write(f"{trouble}\n")
            return 1
        return 0

    return check


COMMANDS: dict[str, Command] = {"saq": saq(lambda container: STORES["redis"](container).use())}
