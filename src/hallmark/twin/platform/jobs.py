"""The chart's hook Jobs: schemas, the first administrator, and a trace that is sent and read back.

Each first does what :mod:`hallmark.twin.programs.langsmith.hooks` does without data: settings and connections.
"""

from collections.abc import Callable
from uuid import uuid4

from hallmark.twin.platform import founding, secrets
from hallmark.twin.platform.pool import NotHere
from hallmark.twin.platform.schema import CLICKHOUSE, POSTGRES
from hallmark.twin.platform.smoke import smoke
from hallmark.twin.platform.stores import Stores
from hallmark.twin.programs.container import Container
from hallmark.twin.programs.langsmith.hooks import HOOKS
from hallmark.twin.programs.langsmith.service import introduce
from hallmark.twin.programs.langsmith.stores import Trouble


def run(container: Container, name: str) -> int:
    """Run a Job to its end."""
    container.on_stop(143)
    introduce(container, name)
    HOOKS[name](container)
    if name in JOBS:
        try:
            JOBS[name](container, Stores.of(container))
        except NotHere as trouble:
            container.say("INFO", f"{name}: {trouble}, nothing to do")
        except Trouble as trouble:
            container.fail(f"error: {name}: {trouble}")
    container.say("INFO", f"{name}: done")
    return 0


def _migrate(_: Container, stores: Stores) -> None:
    stores.database.change("select pg_advisory_xact_lock(42)", *POSTGRES)


def _migrate_clickhouse(_: Container, stores: Stores) -> None:
    for command in CLICKHOUSE:
        stores.warehouse.tell(command)


def _bootstrap(container: Container, stores: Stores) -> None:
    # The password is only initial: with a user there, nothing changes.
    environment, database = container.environment, stores.database
    organization = founding.organization(
        database, environment.get("INITIAL_ORG_NAME", ""), environment.get("DEFAULT_WORKSPACE_NAME", "")
    )
    database.ask(
        "insert into users (id, organization_id, email, password_hash) values (%s, %s, lower(%s), %s)"
        " on conflict (email) do nothing",
        uuid4(), organization, environment["INITIAL_ORG_ADMIN_EMAIL"],
        secrets.hash_password(environment["INITIAL_ORG_ADMIN_PASSWORD"]),
    )  # fmt: skip


def _end_to_end(container: Container, stores: Stores) -> None:
    stores.database.ask("select 1")  # nothing to send to without a database
    smoke(container)


JOBS: dict[str, Callable[[Container, Stores], None]] = {
    "migrations": _migrate,
    "ch-migrations": _migrate_clickhouse,
    "auth-bootstrap": _bootstrap,
    "e2e-test": _end_to_end,
}
