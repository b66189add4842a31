"""PostgreSQL as RDS gives it: a master user who is no superuser, passwords only, and an administrator of ours.

The administrator, ``rdsadmin`` as on RDS, has a random password in a file that only we can read. With it the master's
password is set at every start, so that a crash between two steps does no harm. The plain password never travels: the
server is told its SCRAM verifier. What a given server has held before is read in at the first start.
"""

import os
import pwd
import secrets
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql

from hallmark.errors import EnvironmentFault
from hallmark.twin.stores import binaries
from hallmark.twin.stores.copies import load_database
from hallmark.twin.stores.held import Held
from hallmark.twin.stores.login import Login
from hallmark.twin.stores.server import PATIENCE, Server, last_words, spawn
from hallmark.waiting import until

ADMINISTRATOR = "rdsadmin"
GROUP = "rds_superuser"
RIGHTS = ("pg_monitor", "pg_signal_backend", "pg_read_all_data")
"""What ``rds_superuser`` may, of what PostgreSQL has a role for (RDS user guide)."""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "log_min_error_statement": "panic",  # statements hold data, and sometimes secrets
    "log_timezone": "UTC",
    "timezone": "UTC",
    "jit": "off",
    "shared_buffers": "32MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "min_wal_size": "8MB",
    "max_wal_size": "64MB",
}
LETS_IN = f"host all {ADMINISTRATOR} 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.0/8 scram-sha-256\n"
READY = 8
"""Lines of ``postmaster.pid`` once the server is up; the last one says so."""


class Postgres(Server):
    """One PostgreSQL server.

    Args:
        folder: Where its data is.
        user: The master user.
        password: Its password.
        database: A database of the master's; none if empty.
        settings: Changes of configuration, for example ``max_connections``; effective from the next start.
    """

    gently = signal.SIGINT  # "fast": sessions are cut, data is written

    def __init__(
        self, folder: Path, user: str, password: str, database: str = "", settings: dict[str, str] | None = None
    ) -> None:
        super().__init__(folder, "PostgreSQL")
        self.user = user
        self.database = database
        self.settings = dict(settings or {})
        self.password = password
        self._data = folder / "data"
        self._secret = folder / "administrator"

    def set_password(self, password: str) -> None:
        """Change the master's password; sessions that stand are not cut, as on RDS."""
        self.password = password
        if self.is_alive:
            self._settle()

    @property
    def login(self) -> Login:
        """How the administrator gets in, while it runs."""
        return Login(*self.address, ADMINISTRATOR, self._secret.read_text(encoding="utf-8"))

    def clear(self) -> None:
        """Remove its data: they are somewhere else now."""
        shutil.rmtree(self._data, ignore_errors=True)
        self._secret.unlink(missing_ok=True)

    def _prepare(self) -> None:
        (self._data / "postmaster.pid").unlink(missing_ok=True)  # of a killed one: its id may be anybody's by now
        if not self._data.exists():
            self._initialise()
        elif self._account() not in {None, self._data.stat().st_uid}:
            for path in (self._secret, self._data, *self._data.rglob("*")):  # it comes from elsewhere
                self._give(path)
        self._own(self._data / "pg_hba.conf", LETS_IN)

    def _initialise(self) -> None:
        # In a folder of another name until it is whole, so that a killed one is simply done again.
        partial = self.folder / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        self._give(partial)
        self._own(self._secret, secrets.token_urlsafe(24))
        process = spawn(
            [
                str(binaries.postgres("initdb")),
                *("-D", str(partial), "-U", ADMINISTRATOR, "--pwfile", str(self._secret), "-A", "scram-sha-256"),
                *("--no-sync", "--locale=C", "-E", "UTF8", "--wal-segsize=4", "--no-instructions"),
            ],
            self.log,
            self._account(),
        )
        until(lambda: process.poll() is not None, PATIENCE)
        if process.poll() != 0:
            process.kill()
            process.wait()
            raise EnvironmentFault(f"PostgreSQL has no data: {last_words(self.log)}", f"read {self.log}")
        partial.rename(self._data)

    def _command(self, port: int) -> tuple[list[str], bytes]:
        settings = {**SETTINGS, **self.settings, "port": str(port)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(binaries.postgres("postgres")), "-D", str(self._data), *options], b""

    def _is_ready(self) -> bool:
        with suppress(OSError):
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            ours = lines[:1] == [str(self.pid)] and lines[3:4] == [str(self._port)]
            return ours and len(lines) >= READY and lines[READY - 1].strip() == "ready"
        return False

    def _settle(self) -> None:
        try:
            with connect(self.login, "postgres", PATIENCE) as connection:
                self._make_roles(connection)
                self._move_in(connection)
                for name in filter(None, ("postgres", self.database)):
                    self._make_database(connection, name)
        except psycopg.Error as error:
            said = error.diag.message_primary or type(error).__name__
            raise EnvironmentFault(f"PostgreSQL could not be set up: {said}", f"read {self.log}") from None

    def _move_in(self, connection: psycopg.Connection) -> None:
        """Read in what a given server has held; broken off, it is done again from the start."""
        held = Held(self.folder)
        if held.state and self.database:
            held.require()
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(self.database)))
            self._make_database(connection, self.database)
            load_database(self.login, self.database, self.user, held.file)
        held.forget()

    def _make_roles(self, connection: psycopg.Connection) -> None:
        for name in (GROUP, self.user):
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
        for name in RIGHTS:
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(name), sql.Identifier(GROUP)))
        verifier = connection.pgconn.encrypt_password(
            self.password.encode(), self.user.encode(), b"scram-sha-256"
        ).decode()
        change = sql.SQL("ALTER ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}")
        connection.execute(change.format(sql.Identifier(self.user), sql.Literal(verifier)))
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(GROUP), sql.Identifier(self.user)))

    def _make_database(self, connection: psycopg.Connection, name: str) -> None:
        what, whose = sql.Identifier(name), sql.Identifier(self.user)
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(what))
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(what, whose))

    def _account(self) -> int | None:
        return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None

    def _own(self, file: Path, content: str) -> None:
        """Write a file for the server's user alone."""
        with suppress(FileNotFoundError):
            file.unlink()
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
            opened.write(content)
        self._give(file)

    def _give(self, path: Path) -> None:
        if (account := self._account()) is not None:
            os.chown(path, account, account)


def connect(login: Login, database: str, seconds: float) -> psycopg.Connection:
    """Connect an administrator to a server on loopback, which speaks in clear; each statement counts at once.

    Args:
        login: Who.
        database: To which database.
        seconds: Within what time.

    Raises:
        psycopg.OperationalError: Nobody answers, or it lets nobody in.
    """
    return psycopg.connect(
        host=login.host,
        port=login.port,
        user=login.user,
        password=login.password,
        dbname=database,
        autocommit=True,
        connect_timeout=int(seconds),
        sslmode="disable",
        gssencmode="disable",
    )
