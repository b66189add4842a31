"""Data of a store as one file, out of any server and into any other: PostgreSQL by its own tools, Redis key by key."""

import base64
import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hallmark.twin.stores import binaries
from hallmark.twin.stores.held import GivenFault
from hallmark.twin.stores.login import Login
from hallmark.twin.stores.server import ENVIRONMENT

T = TypeVar("T")
WITHIN = 600.0
"""Seconds for a copy; a lab's data takes less than one."""
ANSWERS_WITHIN = 10.0
AT_ONCE = 500
"""Keys in one round."""
OWNERLESS = ("--no-owner", "--no-acl")
"""Roles differ from server to server; whoever reads the copy in becomes the owner."""
UNKNOWN_BEFORE_17 = b"SET transaction_timeout = 0;\n"
"""In the head of what ``pg_restore`` 17 and later writes: older servers do not know it, and newer ones have it so."""


def save_database(login: Login, database: str, file: Path) -> None:
    """Write a database into a file, which is there whole or not at all.

    Raises:
        GivenFault: It could not be read.
    """
    partial = file.with_name(f".{file.name}")
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    how = ["--format=custom", "--compress=1", *OWNERLESS, f"--file={partial}"]
    _run("pg_dump", [*_whom(login), *how, database], login.password)
    partial.replace(file)


def load_database(login: Login, database: str, owner: str, file: Path) -> None:
    """Read a file into an empty database, all of it or nothing.

    Args:
        login: Of a superuser.
        database: Its name.
        owner: Role that everything in it belongs to.
        file: As :func:`save_database` wrote it.

    Raises:
        GivenFault: The server does not take it.
    """
    script = _run("pg_restore", [*OWNERLESS, f"--role={owner}", "--file=-", str(file)])
    strictly = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", f"--dbname={database}"]
    _run("psql", [*_whom(login), *strictly], login.password, script.replace(UNKNOWN_BEFORE_17, b"", 1))


def _whom(login: Login) -> list[str]:
    return [f"--host={login.host}", f"--port={login.port}", f"--username={login.user}", "--no-password"]


def _run(tool: str, arguments: list[str], password: str = "", said: bytes = b"") -> bytes:
    # Not on the command line, which anybody can read. What a tool says may hold data: it is not passed on.
    environment = {**ENVIRONMENT, "PGPASSWORD": password}
    command = [str(binaries.postgres(tool)), *arguments]
    try:
        done = subprocess.run(command, env=environment, input=said, capture_output=True, timeout=WITHIN, check=True)
    except subprocess.SubprocessError:
        fault = GivenFault(f"{tool} could not copy the data of PostgreSQL.", "read the log of that server")
        raise fault from None
    return done.stdout


def client(login: Login, number: int = 0) -> redis.Redis:
    """Return a client for an administrator; to be closed.

    Args:
        login: Who.
        number: Number of the database.
    """
    return redis.Redis(
        host=login.host,
        port=login.port,
        db=number,
        username=login.user or None,
        password=login.password,
        socket_timeout=ANSWERS_WITHIN,
        socket_connect_timeout=ANSWERS_WITHIN,
        retry=Retry(NoBackoff(), 0),  # who waits for it asks again anyway
        protocol=2,
    )


def execute(open_one: redis.Redis, *words: str) -> Any:
    """Run a command that the library has no method for, or not an equal one for all versions."""
    return open_one.execute_command(*words)  # type: ignore[no-untyped-call]


def numbers(open_one: redis.Redis) -> list[int]:
    """Return the databases of a Redis that hold keys."""
    return sorted(int(name.removeprefix("db")) for name in execute(open_one, "INFO", "keyspace"))


def save_keys(login: Login, file: Path, but: bytes) -> None:
    """Write all keys of a Redis into a file, which is there whole or not at all; nobody else may write meanwhile.

    Args:
        login: Of an administrator.
        file: Where to.
        but: Key that is left out.
    """
    partial = file.with_name(f".{file.name}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as opened:
        with client(login) as first:
            filled = numbers(first)
        for number in filled:
            with client(login, number) as each:
                opened.writelines(f"{json.dumps([number, *entry])}\n" for entry in _entries(each, but))
    partial.replace(file)


def _entries(open_one: redis.Redis, but: bytes) -> Iterator[tuple[str, int, str]]:
    # SCAN gives a key twice while the table shrinks; reading it in replaces, so that does no harm.
    for keys in _some(key for key in open_one.scan_iter(count=AT_ONCE) if key != but):
        with open_one.pipeline(transaction=False) as asked:
            asked.time()
            for key in keys:
                asked.dump(key)
                asked.pttl(key)
            (seconds, micros), *told = asked.execute()
        now = seconds * 1000 + micros // 1000
        for key, content, left in zip(keys, told[::2], told[1::2], strict=True):
            if content is not None:  # else it has expired meanwhile
                until = now + left if left >= 0 else 0
                yield base64.b64encode(key).decode(), until, base64.b64encode(content).decode()


def load_keys(login: Login, file: Path) -> None:
    """Read all keys of a file into a Redis.

    Raises:
        GivenFault: The file was written by a newer server than this one.
    """
    with file.open(encoding="ascii") as opened:
        for lines in _some(opened):
            entries = [json.loads(line) for line in lines]
            for number in {entry[0] for entry in entries}:
                _restore(login, number, [entry[1:] for entry in entries if entry[0] == number])


def _restore(login: Login, number: int, entries: list[Any]) -> None:
    with client(login, number) as open_one, open_one.pipeline(transaction=False) as asked:
        for key, until, content in entries:
            asked.restore(base64.b64decode(key), until, base64.b64decode(content), replace=True, absttl=bool(until))
        try:
            asked.execute()
        except redis.ResponseError as error:
            said = "Redis does not take the keys that are kept: they were written by a newer version, or it is full."
            hint = "name a server of that version in HALLMARK_TWIN_REDIS, then: hallmark twin up; or begin again: "
            raise GivenFault(said, f"{hint}hallmark twin reset --to baseline, hallmark twin deploy") from error


def _some(of: Iterable[T]) -> Iterator[list[T]]:
    each = iter(of)
    while part := list(islice(each, AT_ONCE)):
        yield part
