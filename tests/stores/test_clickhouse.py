"""ClickHouse behind HTTP: starts, keeps, survives, refuses, and loses nothing.

All of it for the stand-in, and for ClickHouse's own listeners where ``HALLMARK_CLICKHOUSE`` says that they are there.
"""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.stores.clickhouse.library import VARIABLE
from hallmark.twin.stores.clickhouse.statements import insert

STAND_IN, LISTENERS = "stand-in", "listeners"
ENGINES = [STAND_IN, LISTENERS] if os.environ.get(VARIABLE) else [STAND_IN]
COMMAND = [sys.executable, "-m", "hallmark.twin.stores.clickhouse"]
PASSWORD = "correct-horse-battery"
LIMIT = 400_000_000
USERS = {"default": {"password": PASSWORD}, "reader": {"password": "r", "readonly": True}}
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Engine:
    """A server process, and a client of it."""

    def __init__(self, kind: str, path: Path, **settings: Any) -> None:
        self.environment = environment(kind)
        self.path = path
        self._settings = {"users": USERS, **settings}
        self.process: subprocess.Popen[str] | None = None
        self.port = 0

    def start(self) -> None:
        """Start it and wait until it says so."""
        command, pipe = [*COMMAND, "--path", str(self.path)], subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=self.environment)
        assert self.process.stdin
        assert self.process.stdout
        with self.process.stdin as told:
            told.write(json.dumps(self._settings) + "\n")
        with self.process.stdout as said:
            word, port = said.readline().split()
        assert word == "ready"
        self.port = int(port)

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """End it; returns its exit code."""
        assert self.process
        self.process.send_signal(sign)
        return self.process.wait(60)

    def ask(
        self,
        statement: str | bytes,
        *,
        user: str = "default",
        password: str = PASSWORD,
        headers: Mapping[str, str] | None = None,
        **query: str,
    ) -> str:
        """Post a statement; returns the answer, or the error's code and status."""
        body = statement.encode() if isinstance(statement, str) else statement
        url = f"http://127.0.0.1:{self.port}/?{urllib.parse.urlencode(query)}"
        all_headers = {"X-ClickHouse-User": user, "X-ClickHouse-Key": password, **(headers or {})}
        request = urllib.request.Request(url, body or None, all_headers)
        try:
            with OPENER.open(request, timeout=60) as answer:
                content: bytes = answer.read()
                return content.decode().strip()
        except urllib.error.HTTPError as error:
            with error:
                code = error.headers["X-ClickHouse-Exception-Code"]
                return f"{error.code} {code} {error.read().decode()}"


def environment(kind: str) -> dict[str, str]:
    """The environment in which this engine is taken."""
    return {name: value for name, value in os.environ.items() if name != VARIABLE or kind == LISTENERS}


@pytest.fixture(scope="module", params=ENGINES)
def kind(request: pytest.FixtureRequest) -> str:
    """Which engine it is."""
    return str(request.param)


@pytest.fixture
def start(kind: str, tmp_path: Path) -> Iterator[Callable[..., Engine]]:
    """Start an engine; it is ended when the test ends."""
    started: list[Engine] = []

    def run(**settings: Any) -> Engine:
        engine = Engine(kind, tmp_path / "ch", **settings)
        started.append(engine)
        engine.start()
        return engine

    yield run
    for engine in started:
        with suppress(AssertionError):
            engine.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def engine(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine for all tests that leave nothing behind."""
    running = Engine(kind, tmp_path_factory.mktemp("ch"), memory=LIMIT)
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def table(engine: Engine) -> Iterator[None]:
    """An empty table ``t``."""
    engine.ask("CREATE TABLE t (a UInt32, b String) ENGINE = MergeTree ORDER BY a")
    yield
    engine.ask("DROP TABLE t")


def test_data_outlives_the_server(start: Callable[..., Engine]) -> None:
    """What was acknowledged is there after an orderly end, and after a violent one."""
    engine = start()
    engine.ask("CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a")
    engine.ask('INSERT INTO t FORMAT JSONEachRow\n{"a": 7}')
    assert engine.stop() == 0
    engine.start()
    assert engine.ask("SELECT a FROM t") == "7"

    engine.ask("INSERT INTO t VALUES (8)")
    engine.stop(signal.SIGKILL)
    engine.start()
    assert engine.ask("SELECT sum(a) FROM t") == "15"


def test_only_one_server_has_the_data(start: Callable[..., Engine], tmp_path: Path) -> None:
    """A second one says so and ends."""
    command, environment = [*COMMAND, "--path", str(tmp_path / "ch")], start().environment
    second = subprocess.run(
        command, input="{}\n", capture_output=True, text=True, timeout=60, check=False, env=environment
    )

    assert second.returncode != 0
    assert "Another server has this data." in second.stderr


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    """Nothing is left running when the one that started it was killed."""
    command = [*COMMAND, "--path", str(tmp_path), "--parent", "1"]
    orphan = subprocess.run(command, input="{}\n", capture_output=True, text=True, timeout=60, check=False)

    assert orphan.returncode != 0
    assert "ready" not in orphan.stdout


def test_it_is_well_without_a_password(engine: Engine) -> None:
    """Probes have none."""
    for path in ("ping", "replicas_status", ""):
        with OPENER.open(f"http://127.0.0.1:{engine.port}/{path}", timeout=60) as answer:
            assert answer.read() == b"Ok.\n"


@pytest.mark.parametrize("login", [{"password": "wrong"}, {"user": "nobody"}, {"user": "", "password": ""}])
def test_it_refuses(engine: Engine, kind: str, login: dict[str, str]) -> None:
    """A wrong login, in ClickHouse's words and with its code: the listeners ask a browser for default's password."""
    answer = engine.ask("SELECT 1", **login)  # type: ignore[arg-type]
    name = login.get("user") or "default"
    status, code = (401, 194) if (kind, name) == (LISTENERS, "default") else (403, 516)
    word = {194: "REQUIRED_PASSWORD", 516: "AUTHENTICATION_FAILED"}[code]

    assert answer.startswith(f"{status} {code} Code: {code}. DB::Exception: {name}: Authentication failed: password is")
    assert f"({word})" in answer


def test_logins_of_other_kinds(engine: Engine) -> None:
    """HTTP's own, and the URL's."""
    url = f"http://127.0.0.1:{engine.port}/?query=SELECT+1"
    with OPENER.open(f"{url}&user=reader&password=r", timeout=60) as answer:
        assert answer.read() == b"1\n"
    basic = urllib.request.Request(url, headers={"Authorization": "Basic cmVhZGVyOnI="})
    with OPENER.open(basic, timeout=60) as answer:
        assert answer.read() == b"1\n"


@pytest.mark.usefixtures("table")
def test_readers_only_read(engine: Engine) -> None:
    """Neither a reader nor a GET changes anything."""
    for statement in ("INSERT INTO t VALUES (1, 'x')", "INSERT INTO t FORMAT TSV\n1\tx", "DROP TABLE t"):
        assert engine.ask(statement, user="reader", password="r").startswith("500 164 ")
        assert engine.ask("", query=statement).startswith("500 164 ")
    assert engine.ask("SELECT count() FROM t", user="reader", password="r") == "0"


def test_inserts_say_what_went_wrong(engine: Engine) -> None:
    """Too many parts: an error, and what is counted is what was acknowledged. No INSERT is lost in silence."""
    engine.ask(
        "CREATE TABLE p (a UInt32) ENGINE = MergeTree ORDER BY a "
        "SETTINGS parts_to_throw_insert = 3, parts_to_delay_insert = 2, max_delay_to_insert = 0"
    )
    engine.ask("SYSTEM STOP MERGES p")
    answers = [engine.ask(f'INSERT INTO p FORMAT JSONEachRow\n{{"a": {number}}}') for number in range(6)]

    assert answers[-1].startswith("500 252 ")
    assert engine.ask("SELECT count() FROM p") == str(answers.count(""))
    engine.ask("DROP TABLE p")


@pytest.mark.usefixtures("table")
def test_inserts_by_url_and_by_body(engine: Engine) -> None:
    """The statement in the URL, the data in the body; or both in the body; with columns and settings; wrong data."""
    engine.ask('{"a": 1, "b": "x format TSV"}\n', query="INSERT INTO t FORMAT JSONEachRow")
    engine.ask("INSERT INTO default.`t` (b, a) SETTINGS max_threads=1 FORMAT TabSeparated\ny\t2")
    engine.ask("INSERT INTO t VALUES (3, 'z FORMAT TSV')")

    assert engine.ask("SELECT a, b FROM t ORDER BY a") == "1\tx format TSV\n2\ty\n3\tz FORMAT TSV"
    assert engine.ask('{"a": "no"}', query="INSERT INTO t FORMAT JSONEachRow").startswith("400 27 ")
    assert engine.ask("SELECT 1 FROM missing").startswith("404 60 ")


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "lz4"])
@pytest.mark.usefixtures("table")
def test_bodies_of_many_frames(engine: Engine, encoding: str) -> None:
    """Compressed bodies are read to the end: clients send several frames one after the other."""
    module = import_module({"gzip": "gzip", "zstd": "zstandard", "lz4": "lz4.frame"}[encoding])
    first, second = b"INSERT INTO t FORMAT TSV\n1\tx\n", b"2\ty\n"
    engine.ask(module.compress(first) + module.compress(second), headers={"Content-Encoding": encoding})

    assert engine.ask("SELECT count() FROM t") == "2"


def test_a_body_that_cannot_be_read(engine: Engine) -> None:
    """An unknown compression, one that is not what it says, and nothing at all."""
    assert engine.ask(b"x", headers={"Content-Encoding": "rot13"}).startswith("501 48 ")
    assert engine.ask(b"x", headers={"Content-Encoding": "zstd"}).startswith("500 ")
    assert engine.ask("", query=" ").startswith("400 62 ")


@pytest.mark.usefixtures("table")
def test_what_is_acknowledged_is_there(engine: Engine) -> None:
    """Whatever a client says of waiting."""
    clause = "SETTINGS async_insert = 1, wait_for_async_insert = 0"
    for number, statement in enumerate(("INSERT INTO t FORMAT TSV\n1\tx", "INSERT INTO t VALUES (2, 'y')"), 1):
        engine.ask(statement, async_insert="1", wait_for_async_insert="0")
        assert engine.ask("SELECT count() FROM t") == str(number)
    for rest in ("FORMAT TSV\n3\tz", "VALUES (4, 'z')"):
        engine.ask(f"INSERT INTO t {clause} {rest}")
    assert engine.ask("SELECT count() FROM t") == "4"


def test_a_full_disk(engine: Engine) -> None:
    """An INSERT is refused while there is no space, and reading goes on."""
    engine.ask("CREATE TABLE d (a UInt32) ENGINE = MergeTree ORDER BY a")
    engine.ask("INSERT INTO d FORMAT TSV\n1")
    engine.ask("ALTER TABLE d MODIFY SETTING min_free_disk_bytes_to_perform_insert = 1000000000000000000")
    for statement in ("INSERT INTO d FORMAT TSV\n2", "INSERT INTO d VALUES (2)"):
        assert engine.ask(statement).startswith("500 243 ")
    assert engine.ask("SELECT count() FROM d") == "1"
    engine.ask("DROP TABLE d")


def test_nothing_of_one_client_is_left_for_the_next(engine: Engine) -> None:
    """Settings of the URL, ``SET`` and ``USE`` end with the request."""
    question = "SELECT getSetting('max_threads'), currentDatabase()"
    before = engine.ask(question)
    assert engine.ask(question, max_threads="3", database="system") == "3\tsystem"
    engine.ask("SET max_threads = 3")
    engine.ask("USE system")
    engine.ask("SELECT nonsense", max_threads="3")
    for _ in range(8):
        assert engine.ask(question) == before
    assert engine.ask("SELECT 1", no_such_setting="1").startswith("404 115 ")


def test_values_are_given_apart(engine: Engine) -> None:
    """A statement's parameters."""
    assert engine.ask("SELECT {x:String}", param_x="a'b", default_format="TabSeparatedRaw") == "a'b"


def test_memory_is_limited(engine: Engine) -> None:
    """A statement that wants more than there is fails, the server goes on."""
    hungry = "SELECT count() FROM (SELECT number FROM numbers(100000000) GROUP BY number)"
    in_memory = {"max_bytes_before_external_group_by": "0", "max_bytes_ratio_before_external_group_by": "0"}
    assert engine.ask(hungry, **in_memory).startswith("500 241 ")  # type: ignore[arg-type]
    assert engine.ask("SELECT 1") == "1"


def test_statements_at_once_are_limited(start: Callable[..., Engine]) -> None:
    """As in ClickHouse, more are refused at once."""
    assert start(queries=0).ask("SELECT 1").startswith("500 202 ")


def test_no_password_can_be_seen(engine: Engine) -> None:
    """Not on the command line, and not in the environment."""
    assert engine.process
    for file in ("cmdline", "environ"):
        seen = Path(f"/proc/{engine.process.pid}/{file}")
        assert not seen.exists() or PASSWORD.encode() not in seen.read_bytes()


def test_files_are_closed_to_others(engine: Engine) -> None:
    """Nobody else passes its folder."""
    assert engine.path.stat().st_mode & 0o077 == 0


def test_what_it_was_told_is_not_kept(engine: Engine) -> None:
    """No password and no digest of one stays in the folder, which snapshots hold."""
    digest = sha256(PASSWORD.encode()).hexdigest().encode()
    for file in engine.path.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert PASSWORD.encode() not in content
        assert digest not in content


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"INSERT INTO a.b FORMAT TSV\n1", ("INSERT INTO a.b", "", "TSV", b"1")),
        (
            b"-- x\n/* y */ insert into `a b` (c, d) format Native\r\n\n1",
            ("insert into `a b` (c, d)", "", "Native", b"\n1"),
        ),
        (b"INSERT INTO a SETTINGS x=1, y='z' FORMAT CSV 1", ("INSERT INTO a", "SETTINGS x=1, y='z'", "CSV", b"1")),
        (b"INSERT INTO a VALUES ('FORMAT TSV\n')", None),
        (b"INSERT INTO a FORMAT Values (1)", None),
        (b"INSERT INTO a SELECT 1 FORMAT TSV\n1", None),
        (b"INSERT INTO a FORMAT TSV", None),
        (b"SELECT 1 FORMAT TSV", None),
    ],
)
def test_what_is_data(text: bytes, expected: tuple[str, str, str, bytes] | None) -> None:
    """Where an INSERT's data begins."""
    found = insert(text)
    assert (found and (found.target, found.settings, found.format, found.data)) == expected


def test_clickhouse_connect(engine: Engine) -> None:
    """The official client works: commands, rows in its binary format and its compression, queries, errors."""
    connect = import_module("clickhouse_connect")
    client = connect.get_client(host="127.0.0.1", port=engine.port, username="default", password=PASSWORD)
    try:
        client.command("CREATE TABLE c (a UInt32, b String) ENGINE = MergeTree ORDER BY a")
        client.insert("c", [[number, "x" * 300] for number in range(20_000)], column_names=["a", "b"])
        assert client.query("SELECT count(), max(a) FROM c").result_rows == [(20_000, 19_999)]
        assert len(client.query("SELECT * FROM c").result_rows) == 20_000
        with pytest.raises(connect.driver.exceptions.DatabaseError, match="UNKNOWN_TABLE"):
            client.query("SELECT * FROM missing")
    finally:
        client.command("DROP TABLE IF EXISTS c")
        client.close()


def test_the_engine_comes_without_its_package(tmp_path: Path) -> None:
    """That one would open a database for itself, and import NumPy and PyArrow."""
    code = (
        "import sys, pathlib; from hallmark.twin.stores.clickhouse.engine import Engine, Statement; "
        "print(Engine(pathlib.Path(sys.argv[1])).run(Statement(b'SELECT 6 * 7')).body); "
        "print(sorted({'chdb', 'numpy', 'pandas', 'pyarrow'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == [r"b'42\n'", "[]"]
