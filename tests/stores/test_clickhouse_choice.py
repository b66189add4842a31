"""Which of ClickHouse's two engines has a folder, and what each does with the native port."""

import asyncio
import json
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from hallmark.errors import EnvironmentFault, UsageError
from hallmark.twin.stores.clickhouse.choice import NEEDS_LIBRARY, STAYS, Served, Wanted, start
from hallmark.twin.stores.clickhouse.library import PACKAGE, VARIABLE, VERSION, find
from hallmark.twin.stores.clickhouse.listeners import Listeners
from hallmark.twin.stores.clickhouse.relay import http_worked, native_worked
from hallmark.twin.stores.clickhouse.standin import StandIn
from hallmark.twin.stores.clickhouse.users import Users

NO_LIBRARY = Path("/dev/null")
USERS = Users.of({"default": {"password": "right"}})
LIBRARY = find()
ENGINES = [LIBRARY, None] if LIBRARY else [None]


def installed(folder: Path, version: str) -> dict[str, str]:
    """What npm leaves in a folder; returns the environment that names it."""
    package = folder / "node_modules" / PACKAGE
    package.mkdir(parents=True)
    (package / "libchdb.so").touch()
    (package / "package.json").write_text(json.dumps({"version": version}))
    return {VARIABLE: str(folder)}


def test_where_the_library_is(tmp_path: Path) -> None:
    """The person says it, or there is none."""
    assert find({}) is None
    assert find(installed(tmp_path, VERSION)) == tmp_path / "node_modules" / PACKAGE / "libchdb.so"


def test_a_wrong_folder_is_an_error(tmp_path: Path) -> None:
    """No library, and another version: the message names both, and the command that helps."""
    with pytest.raises(UsageError, match=f"holds no {PACKAGE}"):
        find({VARIABLE: str(tmp_path)})
    with pytest.raises(UsageError, match=f"holds version 26.5.3 of {PACKAGE}, not {VERSION}") as caught:
        find(installed(tmp_path, "26.5.3"))
    assert f"npm install --prefix FOLDER {PACKAGE}@{VERSION}" in caught.value.hint
    with pytest.raises(UsageError, match="names a folder, and no server by URL") as caught:
        find({VARIABLE: "http://default:sesame@127.0.0.1:8123"})
    assert "sesame" not in caught.value.message + caught.value.hint


def test_listeners_that_do_not_start(tmp_path: Path) -> None:
    """In a new folder the stand-in takes over and keeps it; it says why."""
    said: list[str] = []
    for why in ("ClickHouse did not start: ", STAYS):
        engine = start(Wanted(tmp_path, USERS), NO_LIBRARY, said.append)
        engine.close()
        assert isinstance(engine, StandIn)
        assert said.pop().startswith(why)
    assert not (tmp_path / "listeners").exists()


@pytest.mark.parametrize(("library", "why"), [(None, NEEDS_LIBRARY), (NO_LIBRARY, "ClickHouse did not start: ")])
def test_data_is_never_left_for_an_empty_engine(tmp_path: Path, library: Path | None, why: str) -> None:
    """What the listeners wrote waits for them."""
    (tmp_path / "listeners").mkdir()
    with pytest.raises(EnvironmentFault, match=why):
        start(Wanted(tmp_path, USERS), library, str)


def test_what_counts_as_work() -> None:
    """Statements that were answered; no probe, no greeting, no pong, no refused login."""
    expose = b"HTTP/1.1 200 OK\r\nAccess-Control-Expose-Headers: X-ClickHouse-Query-Id,X-ClickHouse-Exception-Code"
    assert http_worked(expose + b"\r\nX-ClickHouse-Query-Id: 1\r\n\r\n", 0)
    assert not http_worked(expose + b"\r\nX-ClickHouse-Summary: {}\r\n\r\nOk.\n", 0)
    assert not http_worked(expose + b"\r\nX-ClickHouse-Query-Id: 1\r\nX-ClickHouse-Exception-Code: 60\r\n\r\n", 0)
    assert native_worked(b"\x01...", 1)
    assert not native_worked(b"\x00...", 0)
    assert not native_worked(b"\x04", 1)


@pytest.mark.parametrize("library", ENGINES)
def test_the_native_port(tmp_path: Path, library: Path | None) -> None:
    """The listeners serve it and refuse wrong passwords; the stand-in hangs up. Only a query counts as work."""
    worked: list[str] = []
    engine = start(Wanted(tmp_path, USERS), library, worked.append)
    try:
        refused = asyncio.run(answers(engine, hello("wrong"), b"Exception", worked))
        greeted = asyncio.run(answers(engine, hello("right"), b"ClickHouse", worked))
        assert not worked
        rows = asyncio.run(answers(engine, hello("right") + query("SELECT 'a' || 'b'"), b"ab", worked))
    finally:
        engine.close()

    assert isinstance(engine, Listeners if library else StandIn)
    assert (refused[:1], greeted[:1]) == ((b"\x02", b"\x00") if library else (b"", b""))
    assert (b"ab" in rows, bool(worked)) == (bool(library), bool(library))


@pytest.mark.parametrize("library", ENGINES)
def test_which_requests_are_work(tmp_path: Path, library: Path | None) -> None:
    """A statement with the right password is, over HTTP, and nothing else."""
    worked: list[str] = []
    engine = start(Wanted(tmp_path, USERS), library, worked.append)
    try:
        for path in ("/ping", "/replicas_status", "/", "/?query=SELECT+1&password=wrong"):
            asyncio.run(answers(engine, get(path), b"\r\n\r\n", worked, native=False))
        assert not worked
        asyncio.run(answers(engine, get("/?query=SELECT+1&password=right"), b"1\n", worked, native=False))
    finally:
        engine.close()

    assert worked


@pytest.mark.parametrize("library", ENGINES)
def test_bad_connections_end_nothing(tmp_path: Path, library: Path | None) -> None:
    """Clients that break off, speak something else, or ask nonsense: the next one is served."""
    engine = start(Wanted(tmp_path, USERS), library, str)
    try:
        for packets in (hello("right")[:9], b"\x16\x03\x01", hello("right") + query("SELECT nonsense"), b"GET /pi"):
            asyncio.run(answers(engine, packets, b"", []))
            asyncio.run(answers(engine, packets, b"", [], native=False))
        said = asyncio.run(answers(engine, get("/ping"), b"Ok.", [], native=False))
    finally:
        engine.close()

    assert said.startswith(b"HTTP/1.1 200 OK")


async def answers(engine: Served, packets: bytes, wanted: bytes, worked: list[str], *, native: bool = True) -> bytes:
    """What the port says to these packets, until it has said what is wanted or hangs up."""
    http, tcp = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    said = b""
    async with engine.serving(http, tcp, lambda: worked.append("a statement")), asyncio.timeout(30):
        reader, writer = await asyncio.open_connection(*(tcp if native else http).getsockname())
        writer.write(packets)
        with suppress(ConnectionError):
            while wanted not in said and (chunk := await reader.read(4096)):
                said += chunk
        writer.close()
    return said


def get(path: str) -> bytes:
    """A request."""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def hello(password: str) -> bytes:
    """The native protocol's first packet, of a very old client: the simplest there is."""
    texts = b"".join(text(each) for each in ("default", "default", password))
    return b"\x00" + text("test") + bytes([1, 1]) + number(50_000) + texts


def query(statement: str) -> bytes:
    """A query, and the empty block that ends its data."""
    block = b"\x01\x00\x02\xff\xff\xff\xff\x00" + bytes(2)
    return b"\x01" + text("") + text("") + b"\x02\x00" + text(statement) + b"\x02" + block


def text(content: str) -> bytes:
    """Text as the protocol has it."""
    return number(len(content)) + content.encode()


def number(value: int) -> bytes:
    """A number as the protocol has it: seven bits a byte, the lowest first."""
    return bytes([value]) if value < 128 else bytes([value % 128 + 128]) + number(value // 128)
