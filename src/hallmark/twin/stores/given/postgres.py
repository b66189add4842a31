"""PostgreSQL that the person runs: an instance of RDS is one role and one database on it.

The role is marked by its comment, in the transaction that makes it. A database is ours if a marked role owns it, and
what is not ours is neither changed nor read: the role has no rights but in its own database.
"""

import json
import logging
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql

from hallmark.twin.stores import binaries
from hallmark.twin.stores.copies import ANSWERS_WITHIN, load_database, save_database
from hallmark.twin.stores.given.address import Address
from hallmark.twin.stores.given.server import Given, Owner, Session
from hallmark.twin.stores.postgres import Postgres, connect

LOG = logging.getLogger(__name__)
OLDEST = 14
LISTENS_WITHIN = 2.0
MARKED = "SELECT rolname, shobj_description(oid, 'pg_authid') FROM pg_roles"
OURS = "marked by Hallmark's twin, "
"""How the comment of a role begins; the rest is JSON."""
TAKEN = "has a {what} {name!r} that is not the twin's"
FREE = "rename it there, or give the twin another server"


class Administration(Session):
    """A superuser's connection.

    Args:
        address: The server's.
        connection: To it.
        owner: Whose store it is.
        wanted: The instance: master user, its password, database, settings; as the twin's own server has it.
    """

    def __init__(self, address: Address, connection: psycopg.Connection, owner: Owner, wanted: Postgres) -> None:
        self._address = address
        self._connection = connection
        self._owner = owner
        self._wanted = wanted

    def admit(self) -> None:
        """See the base class."""
        require_fit(self._address, self._connection)
        wanted, roles = self._wanted, self._roles()
        if not wanted.database:
            hint = "set db_name in Terraform, or unset the variable"
            raise self._address.fault("takes only an instance that was made with a database", hint)
        if self._exists("pg_roles", "rolname", wanted.user) and wanted.user not in roles:
            raise self._address.fault(TAKEN.format(what="role", name=wanted.user), FREE)
        asked = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s"
        found = self._connection.execute(asked, [wanted.database]).fetchone()
        if found and found[0] not in roles:
            raise self._address.fault(TAKEN.format(what="database", name=wanted.database), FREE)

    def state(self) -> str:
        """See the base class."""
        mark = self._roles().get(self._wanted.user, {})
        return mark.get("state", "") if mark.get("store") == self._owner.key else ""

    def mark(self, state: str) -> None:
        """See the base class."""
        mark = OURS + json.dumps({"twin": self._owner.twin, "store": self._owner.key, "state": state})
        comment = sql.SQL("COMMENT ON ROLE {} IS {}")
        self._connection.execute(comment.format(sql.Identifier(self._wanted.user), sql.Literal(mark)))

    def fill(self, file: Path | None) -> None:
        """See the base class."""
        self.drop(self._roles())
        user, database = sql.Identifier(self._wanted.user), sql.Identifier(self._wanted.database)
        with self._connection.transaction():
            if self._exists("pg_roles", "rolname", self._wanted.user):
                self._connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(user))
            else:
                self._connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(user))
            self.mark("")
        made = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'")
        self._connection.execute(made.format(database, user))
        said = sql.Literal("Of Hallmark's twin: hallmark twin destroy removes it.")
        self._connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(database, said))
        if file:
            load_database(self._address.login, self._wanted.database, self._wanted.user, file)

    def open(self) -> None:
        """See the base class."""
        user = self._wanted.user
        verifier = self._connection.pgconn.encrypt_password(
            self._wanted.password.encode(), user.encode(), b"scram-sha-256"
        ).decode()
        change = sql.SQL("ALTER ROLE {} LOGIN CONNECTION LIMIT {} PASSWORD {}").format(
            sql.Identifier(user), sql.Literal(int(self._wanted.settings["max_connections"])), sql.Literal(verifier)
        )
        self._connection.execute(change)

    def shut(self) -> None:
        """See the base class."""
        user = self._wanted.user
        self._connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(user)))
        self._connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [user])

    def save(self, file: Path) -> None:
        """See the base class."""
        save_database(self._address.login, self._wanted.database, file)

    def drop(self, roles: dict[str, dict[str, str]]) -> None:
        """Remove what roles of this twin own, and then the roles, but for one that owns something elsewhere."""
        for name in roles:
            asked = "SELECT datname FROM pg_database WHERE datdba = (SELECT oid FROM pg_roles WHERE rolname = %s)"
            for (database,) in self._connection.execute(asked, [name]).fetchall():
                gone = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database))
                self._connection.execute(gone)
            try:
                self._connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))
            except psycopg.errors.DependentObjectsStillExist:
                self._connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(name)))
                LOG.warning("role %s owns something in a database that is not the twin's: it stays", name)

    def _roles(self) -> dict[str, dict[str, str]]:
        return marked(self._connection, self._owner.twin)

    def _exists(self, table: str, column: str, name: str) -> bool:
        asked = sql.SQL("SELECT 1 FROM {} WHERE {} = %s").format(sql.Identifier(table), sql.Identifier(column))
        return self._connection.execute(asked, [name]).fetchone() is not None


class GivenPostgres(Given[Postgres]):
    """An instance of RDS on a server that the person runs."""

    @property
    def settings(self) -> dict[str, str]:
        """Changes of configuration; of these, ``max_connections`` counts, from the next start."""
        return self._own.settings

    @settings.setter
    def settings(self, settings: dict[str, str]) -> None:
        self._own.settings = settings

    def set_password(self, password: str) -> None:
        """Change the master's password; sessions that stand are not cut, as on RDS."""
        self._own.set_password(password)
        self._open_again()

    @contextmanager
    def session(self) -> Iterator[Administration]:
        """See the base class."""
        with connected(self._given) as connection:
            yield Administration(self._given, connection, self._owner, self._own)

    def _answers(self) -> bool:
        return answers(self.address)

    def _save_own(self, file: Path) -> None:
        save_database(self._own.login, self._own.database, file)


@contextmanager
def connected(address: Address) -> Iterator[psycopg.Connection]:
    """Connect as an administrator. A library's words may hold anything, so they are replaced.

    Raises:
        GivenFault: The server is not there, lets nobody in, or ended the work.
    """
    login, again = address.login, "then: hallmark twin up"
    try:
        with connect(login, address.database, ANSWERS_WITHIN) as connection:
            yield connection
    except psycopg.OperationalError as error:
        if "FATAL" in str(error):
            raise address.fault("does not let us in", f"mend user and password in {address.setting}, {again}") from None
        raise address.fault("does not answer", f"start it, or mend {address.setting}, {again}") from None
    except psycopg.Error as error:
        raise address.fault(f"refused the work ({type(error).__name__})", f"read its log, {again}") from None


def require_fit(address: Address, connection: psycopg.Connection) -> None:
    """Refuse a server of an old version, or a newer one than our tools, or somebody who may not do the work.

    Raises:
        GivenFault: It is unfit.
    """
    major = connection.info.server_version // 10000
    if major < OLDEST:
        raise address.fault(f"is PostgreSQL {major}", f"use {OLDEST} or later, then: hallmark twin up")
    if major > (ours := tools_version()):
        hint = f"use {ours} or earlier, then: hallmark twin up"
        raise address.fault(f"is PostgreSQL {major}, which is newer than pg_dump on this machine", hint)
    asked = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    if connection.execute(asked).fetchone() != (True,):
        raise address.fault("knows this user as no superuser", f"name a superuser in {address.setting}")


def erase(address: Address, owner: Owner) -> None:
    """Remove everything of one store.

    Raises:
        GivenFault: The server did not do it.
    """
    with connected(address) as connection:
        mine = {name: mark for name, mark in marked(connection, owner.twin).items() if mark["store"] == owner.key}
        at = Administration(address, connection, owner, Postgres(Path(), "", ""))
        at.drop(mine)


def marked(connection: psycopg.Connection, twin: str) -> dict[str, dict[str, str]]:
    """Return the roles that a twin has marked, with what their marks say."""
    told = ((name, str(comment)) for name, comment in connection.execute(MARKED.encode()))
    marks = {name: json.loads(comment.removeprefix(OURS)) for name, comment in told if comment.startswith(OURS)}
    return {name: mark for name, mark in marks.items() if mark["twin"] == twin}


def answers(place: tuple[str, int]) -> bool:
    """Whether somebody listens; PostgreSQL does not log a connection that says nothing."""
    try:
        socket.create_connection(place, LISTENS_WITHIN).close()
    except OSError:
        return False
    return True


@cache
def tools_version() -> int:
    """Return the major version of ``pg_dump``, which reads servers of its own version and of older ones."""
    command = [str(binaries.postgres("pg_dump")), "--version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # pg_dump (PostgreSQL) 18.6
    return int(told.split()[2].partition(".")[0])
