"""A store's folder goes into a snapshot and comes back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import redis

from hallmark.twin.stores.archive import archive, unpack
from hallmark.twin.stores.postgres import Postgres
from hallmark.twin.stores.valkey import Valkey

PASSWORD = "correct-horse-battery"
Run = Callable[[Any], Any]


def sql(server: Postgres, statement: str) -> Any:
    """The first row of what a client is told."""
    host, port = server.address
    with psycopg.connect(host=host, port=port, user="ann", password=PASSWORD, dbname="app") as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchone() if cursor.description else None


def test_servers_go_on_from_an_archive(run: Run, tmp_path: Path) -> None:
    """What was written before is there, what was written since is not; as any user, at any place."""
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    postgres = run(Postgres(data / "pg", "ann", PASSWORD, "app"))
    valkey = run(Valkey(data / "cache"))
    sql(postgres, "CREATE TABLE t AS SELECT 7 AS n")
    with redis.Redis(port=valkey.address[1]) as client:
        client.set("a", "1")
    postgres.stop()
    valkey.stop()
    kept = archive(data)
    postgres.start()
    sql(postgres, "DROP TABLE t")
    postgres.stop()

    for folder in (data, elsewhere):
        unpack(folder, kept)
        assert sql(run(Postgres(folder / "pg", "ann", PASSWORD, "app")), "SELECT n FROM t") == (7,)
        restored = run(Valkey(folder / "cache"))
        with redis.Redis(port=restored.address[1], decode_responses=True) as client:
            assert client.get("a") == "1"
    assert len(kept) < 20_000_000


def test_folders_and_modes_are_kept(tmp_path: Path) -> None:
    """Empty folders, who may read a file, and links: ClickHouse finds its tables by them."""
    one, other = tmp_path / "one", tmp_path / "other"
    (one / "empty").mkdir(parents=True, mode=0o700)
    (one / "secret").write_text("x")
    (one / "secret").chmod(0o600)
    (one / "link").symlink_to("empty")
    unpack(other, archive(one))

    assert (other / "link").readlink() == Path("empty")
    assert (other / "empty").stat().st_mode & 0o777 == 0o700
    assert (other / "secret").stat().st_mode & 0o777 == 0o600
    assert (other / "secret").read_text() == "x"


def test_what_was_there_goes(tmp_path: Path) -> None:
    """An archive of nothing leaves nothing."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "old").write_text("x")
    for packed in (archive(tmp_path / "missing"), b""):
        unpack(tmp_path / "data", packed)
        assert list((tmp_path / "data").iterdir()) == []
