"""The chart's hook Jobs: each does the part of its work that can fail in an operator's hands, and ends."""

import http.client
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from hallmark.twin.programs.container import Container
from hallmark.twin.programs.dependencies import Unreachable, connect
from hallmark.twin.programs.langsmith.service import SECRETS, introduce, require
from hallmark.twin.programs.langsmith.stores import STORES, Trouble

TRIES, BETWEEN = 6, 5.0
"""How often the end-to-end test tries, and the seconds between: it may start before the workloads are ready."""
STRONG = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[^A-Za-z0-9]).{12,}", re.DOTALL)


def main(container: Container) -> int:
    """Run the hook that the catalogue chose."""
    container.on_stop(143)
    name = container.settings["role"]
    introduce(container, name)
    HOOKS[name](container)
    container.say("INFO", f"{name}: done")
    return 0


def _migrations(container: Container) -> None:
    _use(container, "postgres")


def _clickhouse_migrations(container: Container) -> None:
    _use(container, "clickhouse")


def _bootstrap(container: Container) -> None:
    require(container, (*SECRETS, "BASIC_AUTH_JWT_SECRET", "INITIAL_ORG_ADMIN_EMAIL", "INITIAL_ORG_ADMIN_PASSWORD"))
    if not STRONG.fullmatch(container.environment["INITIAL_ORG_ADMIN_PASSWORD"]):
        container.fail("error: the initial admin's password needs 12 characters, lower and upper case and a symbol")
    _use(container, "postgres")


def _end_to_end(container: Container) -> None:
    require(container, SECRETS)
    services = {"platform-backend": ("GO_ENDPOINT", "/ok"), "backend": ("SMITH_BACKEND_ENDPOINT", "/health")}
    for name, (variable, path) in services.items():
        complaint = ""
        for attempt in range(TRIES):
            if attempt:
                container.pause(BETWEEN)
            complaint = _get(container, container.environment.get(variable, ""), path)
            if not complaint:
                break
        if complaint:
            container.fail(f"error: {name} does not answer: {complaint}")
    for store in STORES:
        _use(container, store)


def _use(container: Container, store: str) -> None:
    try:
        STORES[store](container).use()
    except Trouble as trouble:
        container.fail(f"error: {store}: {trouble}")


def _get(container: Container, endpoint: str, path: str) -> str:
    # What is wrong with an address of the cluster, or nothing.
    url = urlsplit(endpoint)
    try:
        route = connect(container, str(url.hostname), url.port or 80)
        connection = http.client.HTTPConnection(route.address, route.port, timeout=10)
        connection.request("GET", path)
        status = connection.getresponse().status
    except (Unreachable, OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    return "" if status < 400 else f"HTTP {status}"  # noqa: PLR2004  (HTTP)


HOOKS: dict[str, Callable[[Container], None]] = {
    "migrations": _migrations,
    "ch-migrations": _clickhouse_migrations,
    "auth-bootstrap": _bootstrap,
    "backfill-check": _migrations,
    "e2e-test": _end_to_end,
}
