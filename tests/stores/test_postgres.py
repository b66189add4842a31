"""PostgreSQL as RDS gives it: starts, keeps, survives, refuses."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hallmark.twin.stores.postgres import Postgres
from hallmark.waiting import until

PASSWORD = "correct-horse-battery"
Run = Callable[[Any], Any]


def ask(server: Postgres, statement: str, password: str = PASSWORD, database: str = "app", user: str = "ann") -> Any:
    """The first row of what a client is told."""
    host, port = server.address
    with psycopg.connect(
        host=host, port=port, user=user, password=password, dbname=database, autocommit=True, connect_timeout=30
    ) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchone() if cursor.description else None


@pytest.fixture
def server(run: Run, tmp_path: Path) -> Postgres:
    """A running server."""
    running: Postgres = run(Postgres(tmp_path / "pg", "ann", PASSWORD, "app", {"max_connections": "17"}))
    return running


def test_data_outlives_the_server(server: Postgres) -> None:
    """What was written is there after an orderly end, and after a violent one."""
    ask(server, "CREATE TABLE t AS SELECT 7 AS n")
    server.stop()
    assert not server.is_alive
    server.start()
    assert ask(server, "SELECT n FROM t") == (7,)

    os.kill(server.pid, signal.SIGKILL)
    assert until(lambda: not server.is_alive, 30)
    server.start()
    assert ask(server, "SELECT n FROM t") == (7,)


def test_starting_and_stopping_twice_does_no_harm(server: Postgres) -> None:
    """Both are what they say, not steps."""
    pid = server.pid
    server.start()
    assert server.pid == pid
    server.stop()
    server.stop()


def test_a_frozen_server_is_stopped(server: Postgres) -> None:
    """One that was halted hears the request to end as soon as it is made."""
    os.kill(server.pid, signal.SIGSTOP)
    server.stop()
    assert not server.is_alive


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "wrong"}, 'password authentication failed for user "ann"'),
        ({"user": "bob"}, 'password authentication failed for user "bob"'),
        ({"database": "no"}, 'database "no" does not exist'),
    ],
)
def test_it_refuses(server: Postgres, change: dict[str, str], words: str) -> None:
    """Who it does not know, it does not let in."""
    with pytest.raises(psycopg.OperationalError, match=words):
        ask(server, "SELECT 1", **change)


def test_the_password_can_be_changed(server: Postgres) -> None:
    """At once, and for every later start; neither password is in a file of the server."""
    server.set_password("another-battery")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(server, "SELECT 1")
    server.stop()
    server.start()
    assert ask(server, "SELECT 1", "another-battery") == (1,)
    written = [file.read_bytes() for file in server.folder.rglob("*") if file.is_file()]
    assert not [content for content in written if PASSWORD.encode() in content or b"another-battery" in content]


def test_the_master_is_no_superuser(server: Postgres) -> None:
    """As on RDS: it makes roles, databases and trusted extensions, but cannot reach the machine."""
    for name in ("btree_gin", "btree_gist", "citext", "ltree", "pg_trgm"):
        ask(server, f"CREATE EXTENSION {name}")
    ask(server, "CREATE ROLE reader")
    ask(server, "CREATE DATABASE other")
    assert ask(server, "SELECT current_setting('max_connections')") == ("17",)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(server, "COPY (SELECT 1) TO PROGRAM 'cat'")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give itself up")
def test_it_never_runs_as_root(server: Postgres) -> None:
    """Below folders that are closed to everybody else, as those of a test and of root's home are."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    assert "Uid:\t0" not in status
    assert server.folder.parent.stat().st_mode & 0o077 == 0


def test_files_are_closed_to_others(server: Postgres) -> None:
    """Data, log and the administrator's password."""
    for each in ("data", "log", "administrator"):
        assert (server.folder / each).stat().st_mode & 0o077 == 0, each
