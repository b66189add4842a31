"""Stores on servers that somebody else runs, and on which other data lives."""

import base64
import json
import shutil
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import redis

from hallmark.errors import EnvironmentFault, HallmarkError, UsageError
from hallmark.twin.stores import held
from hallmark.twin.stores.copies import client
from hallmark.twin.stores.given import chosen, marks
from hallmark.twin.stores.given import postgres as given_postgres
from hallmark.twin.stores.given import redis as given_redis
from hallmark.twin.stores.given.address import POSTGRES, REDIS, Address
from hallmark.twin.stores.given.assigned import Assigned
from hallmark.twin.stores.given.postgres import GivenPostgres
from hallmark.twin.stores.given.redis import MARK, GivenRedis
from hallmark.twin.stores.given.server import Given, Owner
from hallmark.twin.stores.login import Login
from hallmark.twin.stores.postgres import Postgres
from hallmark.twin.stores.server import free_port
from hallmark.twin.stores.valkey import Valkey
from hallmark.twin.stores.wanted import Cache, Database, Wanted
from hallmark.twin.workers import Workers

PASSWORD = "their/Sesame:77"
"""Of whoever runs the server; it has to be written otherwise in a URL."""
MASTER, TOKEN = "correct-horse-battery", "a-token-of-sixteen-letters"
TWIN = "00c0ffee"


@dataclass
class Theirs:
    """A server of the person's, and what a twin makes of it.

    Attributes:
        setting: Which kind it is.
        server: It, with an administrator who is not the twin's.
        url: What the person tells the twin.
        folder: A store's.
    """

    setting: str
    server: Postgres | Valkey
    url: str
    folder: Path
    made: list[Any] = field(default_factory=list)

    @property
    def address(self) -> Address:
        """Where it is."""
        return Address.read(self.setting, self.url)

    def own(self) -> Any:
        """The store as a server of the twin's own."""
        if self.setting == POSTGRES:
            self.made.append(Postgres(self.folder, "ann", MASTER, "app", {"max_connections": "20"}))
        else:
            self.made.append(Valkey(self.folder, [TOKEN], {"maxmemory-policy": "allkeys-lru"}))
        return self.made[-1]

    def given(self, twin: str = TWIN, key: str = "one") -> Any:
        """The store on the server."""
        kind: Any = GivenPostgres if self.setting == POSTGRES else GivenRedis
        return kind(self.folder, self.address, Owner(twin, key), self.own())

    def put(self, store: Any, what: str) -> None:
        """Write something, as a client of the store."""
        if self.setting == POSTGRES:
            as_client(store, "create table if not exists t (what text)")
            as_client(store, "insert into t values (%s)", what)
        else:
            with client(Login(store.address[0], store.address[1], "", TOKEN)) as open_one:
                open_one.sadd("t", what)
                open_one.expire("t", 1000)

    def what(self, store: Any) -> set[str]:
        """Everything that was written, as a client of the store sees it."""
        if self.setting == POSTGRES:
            return {row[0] for row in as_client(store, "select what from t")}
        with client(Login(store.address[0], store.address[1], "", TOKEN)) as open_one:
            assert {each.decode() for each in open_one.scan_iter()} <= {"t", MARK}
            assert open_one.ttl("t") > 0
            return {each.decode() for each in open_one.smembers("t")}

    def refuses(self, store: Any) -> bool:
        """Whether a client is not let in."""
        with suppress(psycopg.OperationalError, redis.AuthenticationError):
            self.what(store)
            return False
        return True

    def traces(self) -> list[Any]:
        """What is on the server that was not there in the beginning."""
        if self.setting == POSTGRES:
            roles = "select rolname from pg_roles where rolname = 'ann'"
            return [*self.sql(roles), *self.sql("select datname from pg_database where datname = 'app'")]
        with client(self.server.login) as open_one:
            users, tokens = open_one.acl_users(), open_one.acl_getuser("default")["passwords"]
            assert open_one.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-lru"}
            return [*open_one.scan_iter(), *(each for each in users if TWIN in each), *tokens[1:]]

    def sql(self, statement: str, database: str = "postgres") -> Any:
        """Do something as whoever runs the server."""
        with psycopg.connect(
            host="127.0.0.1", port=self.server.address[1], user="boss", password=PASSWORD, dbname=database
        ) as open_one:
            open_one.autocommit = True
            cursor = open_one.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


def as_client(store: Any, statement: str, *values: str) -> Any:
    """Run a statement as the instance's master."""
    host, port = store.address
    with psycopg.connect(host=host, port=port, user="ann", password=MASTER, dbname="app") as open_one:
        cursor = open_one.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture(params=[POSTGRES, REDIS])
def theirs(request: pytest.FixtureRequest, tmp_path: Path, end: Callable[[Any], None]) -> Iterator[Theirs]:
    """A server with something of the person's on it, as far as the twin takes such a one."""
    made = their_postgres(tmp_path) if request.param == POSTGRES else their_redis(tmp_path)
    yield made
    for each in (*made.made, made.server):
        end(each)


def their_postgres(folder: Path) -> Theirs:
    """A PostgreSQL with another database."""
    server = Postgres(folder / "theirs", "bob", "b", "shop")
    server.start()
    host, port = server.address
    with psycopg.connect(
        host=host, port=port, user=server.login.user, password=server.login.password, dbname="postgres"
    ) as open_one:
        open_one.execute(f"create role boss superuser login password '{PASSWORD}'".encode())
    made = Theirs(POSTGRES, server, f"postgres://boss:{quote(PASSWORD, '')}@localhost:{port}/", folder / "one")
    made.sql("create table goods as select generate_series(1, 100) as n", "shop")
    return made


def their_redis(folder: Path) -> Theirs:
    """A Valkey with a password of the person's, and nothing in it."""
    server = Valkey(folder / "theirs", [PASSWORD])
    server.start()
    user, secret = server.login.user, server.login.password
    return Theirs(REDIS, server, f"redis://{user}:{secret}@127.0.0.1:{server.address[1]}", folder / "one")


def test_data_goes_from_server_to_server(theirs: Theirs) -> None:
    """From one of our own to the person's, and back."""
    own, given = theirs.own(), theirs.given()
    own.start()
    theirs.put(own, "a")
    own.stop()
    given.start()
    assert theirs.what(given) == {"a"}
    assert not (theirs.folder / "data").exists()
    theirs.put(given, "b")
    given.stop()
    own.start()
    assert theirs.what(own) == {"a", "b"}
    assert held.Held(theirs.folder).state == ""


def test_a_resting_store_is_refused_and_the_server_runs_on(theirs: Theirs) -> None:
    """As a stopped instance is; what the person has there works on."""
    given = theirs.given()
    given.start()
    theirs.put(given, "a")
    assert given.is_alive
    given.stop()
    assert not given.is_alive
    assert theirs.refuses(given)
    assert theirs.server.is_alive
    given.start()
    assert theirs.what(given) == {"a"}


def test_going_back_to_a_snapshot(theirs: Theirs, tmp_path: Path) -> None:
    """The folder of a resting store holds all there is."""
    given = theirs.given()
    given.start()
    theirs.put(given, "a")
    given.stop()
    shutil.copytree(theirs.folder, tmp_path / "kept")
    given.start()
    theirs.put(given, "b")
    given.stop()
    shutil.rmtree(theirs.folder)
    (tmp_path / "kept").rename(theirs.folder)
    again = theirs.given()
    again.start()
    assert theirs.what(again) == {"a"}


def test_after_a_crash_the_servers_data_go_on(theirs: Theirs) -> None:
    """Nobody stopped the store in order."""
    given = theirs.given()
    given.start()
    theirs.put(given, "a")
    again = theirs.given()
    again.start()
    assert theirs.what(again) == {"a"}


@pytest.mark.parametrize("step", ["fill", "mark", "begin", "open", "shut", "save"])
def test_killed_between_two_steps(theirs: Theirs, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was done last, the next start finds the data of the last rest."""

    class KilledError(BaseException):
        """The process ends here."""

    given = theirs.given()
    given.start()
    theirs.put(given, "a")
    given.stop()
    held.Held(theirs.folder)._mark.write_text("of another state")
    (saved,) = theirs.folder.glob("held-*")
    saved.rename(theirs.folder / "held-of another state")
    kind = given_postgres.Administration if theirs.setting == POSTGRES else given_redis.Administration
    where: Any = held.Held if step == "begin" else kind
    with monkeypatch.context() as patch:
        work: Callable[..., None] = getattr(where, step)

        def end(*arguments: Any) -> None:
            work(*arguments)
            raise KilledError

        patch.setattr(where, step, end)
        with pytest.raises(KilledError):  # noqa: PT012  (some steps are of the start, some of the rest)
            given.start()
            given.stop()
    again = theirs.given()
    again.start()
    assert theirs.what(again) == {"a"}


def test_what_the_person_has_is_untouched(theirs: Theirs) -> None:
    """All that is left of a store that is gone is what was there before."""
    given = theirs.given()
    given.start()
    theirs.put(given, "a")
    marks.erase(theirs.address, Owner("another", "one"))
    marks.erase(theirs.address, Owner(TWIN, "two"))
    assert theirs.what(given) == {"a"}
    given.stop()
    marks.erase(theirs.address, Owner(TWIN, "one"))
    assert theirs.traces() == []
    if theirs.setting == POSTGRES:
        assert theirs.sql("select count(*) from goods", "shop") == [(100,)]


def test_a_store_of_an_earlier_time_makes_room(theirs: Theirs) -> None:
    """A twin's own former store, whose folder a snapshot has removed, is nothing to keep."""
    given = theirs.given()
    given.start()
    theirs.put(given, "a")
    given.stop()
    shutil.rmtree(theirs.folder)
    new = theirs.given(key="two")
    new.start()
    theirs.put(new, "b")
    assert theirs.what(new) == {"b"}


def test_another_twins_store_is_not_touched(theirs: Theirs) -> None:
    """Two twins do not share a server."""
    given = theirs.given()
    given.start()
    theirs.put(given, "a")
    other = theirs.given(twin="another")
    other.folder = theirs.folder.with_name("other")
    with pytest.raises(held.GivenFault, match=r"not th(e|is) twin's"):
        other.start()
    assert theirs.what(given) == {"a"}


def test_data_that_is_gone_is_not_replaced_by_nothing(theirs: Theirs) -> None:
    """The person made the server anew: an empty store would look as if that were right."""
    given = theirs.given()
    given.start()
    marks.erase(theirs.address, Owner(TWIN, "one"))
    with pytest.raises(held.GivenFault, match="does not hold the data of one any more") as caught:
        theirs.given().start()
    assert caught.value.hint == "hallmark twin reset"
    shutil.rmtree(theirs.folder)
    theirs.given().start()


def test_a_server_that_is_away(theirs: Theirs, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It can be stopped nevertheless; but nothing is kept as if it were all, and the data go on with the server."""
    given = theirs.given()
    given.start()
    theirs.put(given, "a")
    port = theirs.server.address[1]
    theirs.server.stop()
    given._looked = 0.0
    assert not given.is_alive
    with pytest.raises(held.GivenFault, match=f"The server of {theirs.setting} does not answer"):
        given.start()
    given.stop()
    assert "its data was not read" in caplog.text
    stores = tmp_path / "stores" / "data"
    stores.mkdir(parents=True)
    shutil.copytree(theirs.folder, stores / "one")
    with pytest.raises(EnvironmentFault, match="The data of one could not be read"):
        Workers(tmp_path, tmp_path / "cluster", tmp_path / "kubeconfig").data()
    theirs.server.start()
    theirs.url = theirs.url.replace(str(port), str(theirs.server.address[1]))
    again = theirs.given()
    again.start()
    assert theirs.what(again) == {"a"}


def test_passwords_of_the_store_change(theirs: Theirs) -> None:
    """The new one counts at once, and whoever runs the server is let in as before."""
    global MASTER, TOKEN  # noqa: PLW0603  (what clients show)
    given, before = theirs.given(), (MASTER, TOKEN)
    given.start()
    theirs.put(given, "a")
    try:
        if theirs.setting == POSTGRES:
            given.set_password("another-one")
        else:
            given.set_passwords(["another-one"])
        assert theirs.refuses(given)
        MASTER = TOKEN = "another-one"
        assert theirs.what(given) == {"a"}
    finally:
        MASTER, TOKEN = before
    with theirs.given().session():
        assert theirs.server.is_alive


def test_what_is_in_the_way_is_refused(tmp_path: Path) -> None:
    """A role or a database of that name, and a user who may not do the work."""
    theirs = their_postgres(tmp_path)
    try:
        theirs.sql("create database app")
        refused(theirs, "has a database 'app' that is not the twin's")
        theirs.sql("create role ann")
        refused(theirs, "has a role 'ann' that is not the twin's")
        theirs.sql("create role weak login createdb createrole password 'weak'")
        theirs.url = f"postgres://weak:weak@127.0.0.1:{theirs.server.address[1]}/"
        refused(theirs, "knows this user as no superuser")
        theirs.url = f"postgres://boss:wrong@127.0.0.1:{theirs.server.address[1]}/"
        refused(theirs, "does not let us in")
        theirs.url = f"postgres://boss:wrong@127.0.0.1:{free_port()}/"
        refused(theirs, "does not answer")
        assert theirs.sql("select rolcanlogin from pg_roles where rolname = 'ann'") == [(False,)]
    finally:
        theirs.server.stop()


@pytest.mark.parametrize(
    ("oldest", "tools", "words"), [(99, 99, r"is PostgreSQL \d+\."), (14, 9, "newer than pg_dump")]
)
def test_versions(oldest: int, tools: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too old a server, and one that our tools do not read."""
    theirs = their_postgres(tmp_path)
    monkeypatch.setattr(given_postgres, "OLDEST", oldest)
    monkeypatch.setattr(given_postgres, "tools_version", lambda: tools)
    monkeypatch.setattr(given_redis, "OLDEST", oldest)
    try:
        refused(theirs, words)
    finally:
        theirs.server.stop()


def test_keys_of_somebody_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In any of the databases; and wrong passwords, and a server without one."""
    theirs = their_redis(tmp_path)
    try:
        with client(theirs.server.login, 3) as open_one:
            open_one.set("precious", "1")
            refused(theirs, "holds keys that are not this twin's, and nothing was done to them")
            assert open_one.get("precious") == b"1"
            open_one.delete("precious")
        with monkeypatch.context() as patch:
            patch.setattr(given_redis, "OLDEST", 99)
            refused(theirs, "is Redis")
        right, theirs.url = theirs.url, f"redis://:wrong@127.0.0.1:{theirs.server.address[1]}"
        refused(theirs, "does not let us in")
        theirs.url = right
        with client(theirs.server.login) as open_one:
            open_one.execute_command("ACL", "SETUSER", "default", "nopass")
        refused(theirs, "has no password for its user default")
        theirs.url = f"redis://:wrong@127.0.0.1:{free_port()}"
        refused(theirs, "does not answer")
    finally:
        theirs.server.stop()


def refused(theirs: Theirs, words: str) -> None:
    """A store does not begin, and says why, without a password."""
    with pytest.raises(held.GivenFault, match=words) as caught:
        theirs.given().start()
    assert theirs.setting in caught.value.message
    assert caught.value.hint
    shown = caught.value.hint + "".join(traceback.format_exception(caught.value))
    assert not any(each in shown for each in (PASSWORD, quote(PASSWORD, "")))
    assert list(theirs.folder.glob("given*")) == []


def test_a_mark_that_was_evicted_comes_back(tmp_path: Path) -> None:
    """A learner may empty the cache, or let it run full."""
    theirs = their_redis(tmp_path)
    given = theirs.given()
    try:
        given.start()
        with client(theirs.server.login) as open_one:
            open_one.flushall()
            theirs.put(given, "a")
            given._looked = 0.0
            assert given.is_alive
            assert json.loads(open_one.get(MARK) or "{}")["twin"] == TWIN
            open_one.delete(MARK)
        given.stop()
        given.start()
        assert theirs.what(given) == {"a"}
    finally:
        theirs.server.stop()


def test_a_password_of_the_person_is_never_taken_away(tmp_path: Path) -> None:
    """Not even if it is the store's token as well."""
    theirs = their_redis(tmp_path)
    given = theirs.given()
    try:
        given.set_passwords([PASSWORD, TOKEN])
        given.start()
        given.set_passwords([TOKEN])
        given.stop()
        with client(Login(*theirs.server.address, "", PASSWORD)) as open_one:
            assert open_one.ping()
    finally:
        theirs.server.stop()


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        (POSTGRES, "mysql://boss:sesame@127.0.0.1/"),
        (POSTGRES, "postgres://boss@127.0.0.1/"),
        (POSTGRES, "postgres://boss:se/same@127.0.0.1/"),
        (POSTGRES, "postgres://boss:sesame@127.0.0.1/?sslmode=require"),
        (POSTGRES, "postgres://boss:sesame@db.example.com/"),
        (POSTGRES, "postgres://boss:sesame@[::1/"),
        (POSTGRES, "boss:sesame"),
        (REDIS, "rediss://:sesame@127.0.0.1"),
        (REDIS, "redis://:se#same@127.0.0.1"),
        (REDIS, "redis://:sesame@10.0.0.1"),
        (REDIS, "redis://127.0.0.1"),
    ],
)
def test_urls_that_cannot_be_used(setting: str, url: str) -> None:
    """Each is refused in a sentence with the setting, and without anything of the password."""
    with pytest.raises(UsageError, match=setting) as caught:
        Address.read(setting, url)
    assert "same" not in caught.value.hint + "".join(traceback.format_exception(caught.value))


def test_urls_that_can() -> None:
    """A password is written as URLs have it, and shown nowhere."""
    found = Address.read(POSTGRES, "postgresql://boss:a%2Fb@localhost:55/maintenance")
    assert (found.login, found.database) == (Login("127.0.0.1", 55, "boss", "a/b"), "maintenance")
    assert Address.read(REDIS, "redis://:secret@127.0.0.2").login == Login("127.0.0.2", 6379, "", "secret")
    assert "a/b" not in repr(found)


def test_one_store_on_each_server(tmp_path: Path) -> None:
    """The first one, or the one that was there; the others have servers of our own, and a person is told so."""
    told = {"twin": TWIN, "urls": {POSTGRES: "postgres://boss:b@127.0.0.1/"}}
    (tmp_path / chosen.FILE).write_text(json.dumps(told))
    one, two, cache = database("one"), database("two"), Cache("three", (), True, (TOKEN,), "volatile-lru")  # noqa: FBT003
    assigned = Assigned(tmp_path)
    assert placed(assigned.place([one, two, cache])) == ["one"]
    assert assigned.notes == [f"two has a server of the twin's own: {POSTGRES} serves one store, one."]
    for key in ("one", "two"):
        (tmp_path / "data" / key).mkdir(parents=True)
    assert placed(assigned.place([two])) == []
    assert placed(assigned.place([two, database("new")])) == ["new"]
    held.Held(tmp_path / "data" / "two").begin("state")
    assert placed(Assigned(tmp_path).place([one, two])) == ["two"]


def database(key: str) -> Database:
    """An instance."""
    return Database(key, (), serves=True, user="ann", password=MASTER, database="app", connections=20, reboots=0)


def placed(wanted: list[Wanted]) -> list[str]:
    """Those that are on a given server."""
    return [each.key for each in wanted if isinstance(each, Database | Cache) and each.place]


def test_a_choice_is_remembered(theirs: Theirs, tmp_path: Path) -> None:
    """A variable that is missing changes nothing; the word `own` goes back, and takes along what is there."""
    state, paused = tmp_path / "stores", list[int]()
    (state / "data").mkdir(parents=True)

    def change(value: str) -> bool:
        environment = {theirs.setting: value} if value else {}
        return chosen.change(state, environment, lambda: paused.append(1))

    assert not change("")
    assert change(theirs.url)
    assert (state / chosen.FILE).stat().st_mode & 0o777 == 0o600
    assert not change(theirs.url)
    assert not change("")
    assert len(paused) == 1
    theirs.folder = state / "data" / "one"
    given = theirs.given(twin=chosen.Chosen.of(state).twin)
    given.start()
    theirs.put(given, "a")
    given.stop()
    assert change("own")
    assert chosen.Chosen.of(state).addresses == {}
    assert theirs.traces() == []
    own = theirs.own()
    own.start()
    assert theirs.what(own) == {"a"}


def test_a_wrong_choice_changes_nothing(theirs: Theirs, tmp_path: Path) -> None:
    """The twin goes on as it was."""
    wrong = f"{theirs.url.partition('://')[0]}://boss:wrong@127.0.0.1:{theirs.server.address[1]}/"
    with pytest.raises(HallmarkError, match=f"The server of {theirs.setting} does not let us in"):
        chosen.change(tmp_path, {theirs.setting: wrong}, lambda: pytest.fail("paused"))
    assert not (tmp_path / chosen.FILE).exists()


def test_an_own_server_does_not_begin_without_the_data(theirs: Theirs) -> None:
    """They are on a server that is not used any more."""
    given: Given[Any] = theirs.given()
    given.start()
    with pytest.raises(held.GivenFault, match="is on a server that was given by URL"):
        theirs.own().start()


def test_keys_of_a_newer_server(tmp_path: Path) -> None:
    """They are not left out, as if there were none: the person is told what can be done."""
    folder = tmp_path / "one"
    folder.mkdir()
    state = held.Held(folder)
    state.begin("state")
    newer = base64.b64encode(b"\x00\x011\xff\xff" + bytes(8)).decode()  # a version that no server has yet
    state.file.write_text(json.dumps([0, base64.b64encode(b"t").decode(), 0, newer]))
    own = Valkey(folder, [TOKEN])
    with pytest.raises(held.GivenFault, match="written by a newer version") as caught:
        own.start()
    assert "hallmark twin reset --to baseline" in caught.value.hint
    assert state.file.exists()
