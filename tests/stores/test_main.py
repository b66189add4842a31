"""The process that follows the emulated AWS: a real server behind every endpoint."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hallmark.errors import HallmarkError
from hallmark.twin.clients import Clients
from hallmark.twin.control import Control
from hallmark.twin.process import Process
from hallmark.twin.stores.copies import client
from hallmark.twin.stores.given import chosen
from hallmark.twin.stores.given.address import POSTGRES, REDIS
from hallmark.twin.stores.login import Login
from hallmark.twin.stores.postgres import Postgres
from hallmark.twin.stores.valkey import Valkey
from hallmark.waiting import until

REGION, ACCOUNT = "us-east-1", "330000000001"
PASSWORD, TOKEN = "correct-horse-battery", "a-token-of-sixteen-letters"
PATIENCE = 60
DATABASE = {
    "DBInstanceIdentifier": "pg",
    "Engine": "postgres",
    "EngineVersion": "16.4",
    "DBInstanceClass": "db.t4g.medium",
    "AllocatedStorage": 20,
    "MasterUsername": "ann",
    "MasterUserPassword": PASSWORD,
    "DBName": "app",
}


@dataclass
class Lab:
    """An emulated AWS, and the process of the data stores beside it."""

    clients: Clients
    control: Control
    aws: Path
    state: Path

    @property
    def process(self) -> Process:
        """Of the stores."""
        return Process(self.state, "stores", "hallmark.twin.stores.main", "The stores")

    def launch(self) -> None:
        """Start the stores."""
        where = ["--endpoint", self.clients.endpoint, "--account", ACCOUNT, "--region", REGION]
        arguments = ["--state", str(self.state), *where, "--aws-state", str(self.aws)]
        self.process.launch(arguments, self.process.about)

    def create_database(self, name: str = "pg", **options: Any) -> str:
        """Make an instance; returns its endpoint."""
        rds = self.clients("rds")
        rds.create_db_instance(**DATABASE | {"DBInstanceIdentifier": name} | options)
        found = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        host: str = found["Endpoint"]["Address"]
        return host

    def address(self, host: str) -> tuple[str, int] | None:
        """Where the server of an endpoint is."""
        with suppress(KeyError):
            found = json.loads((self.state / "addresses.json").read_text())[host]
            return found["address"], found["port"]
        return None

    def sql(self, host: str, statement: str, password: str = PASSWORD) -> Any:
        """The first row that a client is told; None while there is none to tell."""
        found = self.address(host)
        if found is None:
            return None
        try:
            with psycopg.connect(
                host=found[0], port=found[1], user="ann", password=password, dbname="app", connect_timeout=30
            ) as connection:
                cursor = connection.execute(statement.encode())
                return cursor.fetchone() if cursor.description else ()
        except psycopg.OperationalError as error:
            return str(error)

    def redis(self, host: str, *words: str, token: str = TOKEN) -> Any:
        """What a client of a cache is told; None while there is none to tell."""
        found = self.address(host)
        if found is None:
            return None
        try:
            with redis.Redis(
                host=found[0],
                port=found[1],
                password=token,
                socket_timeout=30,
                decode_responses=True,
                protocol=2,
                retry=Retry(NoBackoff(), 0),
            ) as client:
                return client.execute_command(*words)
        except redis.RedisError as error:
            return str(error)


def come(condition: Callable[[], Any]) -> bool:
    """Whether something comes true in good time."""
    return bool(until(condition, PATIENCE, pause=0.2))


@pytest.fixture(scope="module")
def lab(emulated: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Both processes."""
    clients = Clients(emulated.endpoint, ACCOUNT, REGION)
    running = Lab(clients, emulated.control, emulated.state, tmp_path_factory.mktemp("stores"))
    _prepare(running)
    running.launch()
    yield running
    running.process.stop()


def _prepare(lab: Lab) -> None:
    ec2 = lab.clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.0.0/24", AvailabilityZone=f"{REGION}a")["Subnet"]["SubnetId"]
    lab.clients("elasticache").create_cache_subnet_group(
        CacheSubnetGroupName="g", CacheSubnetGroupDescription="g", SubnetIds=[subnet]
    )
    lab.clients("elasticache").create_cache_parameter_group(
        CacheParameterGroupName="p", CacheParameterGroupFamily="redis7", Description="p"
    )
    lab.clients("rds").create_db_parameter_group(
        DBParameterGroupName="p", DBParameterGroupFamily="postgres16", Description="p"
    )


@pytest.fixture(scope="module")
def database(lab: Lab) -> str:
    """An instance with a server."""
    host = lab.create_database(DBParameterGroupName="p")
    assert come(lambda: lab.address(host))
    return host


@pytest.fixture(scope="module")
def cache(lab: Lab) -> str:
    """A group with a server."""
    elasticache = lab.clients("elasticache")
    elasticache.create_replication_group(
        ReplicationGroupId="cache", ReplicationGroupDescription="c", Engine="redis", CacheNodeType="cache.t4g.small",
        NumCacheClusters=2, TransitEncryptionEnabled=True, AuthToken=TOKEN, CacheSubnetGroupName="g",
        CacheParameterGroupName="p", AutomaticFailoverEnabled=True,
    )  # fmt: skip
    shard = elasticache.describe_replication_groups()["ReplicationGroups"][0]["NodeGroups"][0]
    host: str = shard["PrimaryEndpoint"]["Address"]
    assert come(lambda: lab.address(host))
    return host


def test_a_database_can_be_used(lab: Lab, database: str) -> None:
    """Its master logs in with its password, and nobody with another."""
    assert lab.sql(database, "SELECT current_user") == ("ann",)
    assert "password authentication failed" in lab.sql(database, "SELECT 1", "wrong")
    assert (lab.state / "addresses.json").stat().st_mode & 0o777 == 0o600


def test_a_changed_password(lab: Lab, database: str) -> None:
    """It is changed in the server, too."""

    def change(old: str, new: str) -> None:
        options = {"MasterUserPassword": new, "ApplyImmediately": True}
        lab.clients("rds").modify_db_instance(DBInstanceIdentifier="pg", **options)
        assert come(lambda: lab.sql(database, "SELECT 1", new) == (1,))
        assert "password authentication failed" in lab.sql(database, "SELECT 1", old)

    change(PASSWORD, "another-battery")
    change("another-battery", PASSWORD)


def test_a_stopped_database(lab: Lab, database: str) -> None:
    """Nothing listens while it is stopped; afterwards its data is there, and its parameters are the new ones."""
    lab.sql(database, "CREATE TABLE kept AS SELECT 7 AS n")
    parameter = {"ParameterName": "max_connections", "ParameterValue": "23", "ApplyMethod": "pending-reboot"}
    lab.clients("rds").modify_db_parameter_group(DBParameterGroupName="p", Parameters=[parameter])
    lab.clients("rds").stop_db_instance(DBInstanceIdentifier="pg")
    assert come(lambda: lab.address(database) is None)
    lab.clients("rds").start_db_instance(DBInstanceIdentifier="pg")

    assert come(lambda: lab.sql(database, "SELECT n FROM kept") == (7,))
    assert lab.sql(database, "SELECT current_setting('max_connections')") == ("23",)


def test_a_server_that_dies_comes_back(lab: Lab, database: str) -> None:
    """As RDS recovers a crashed instance."""
    before = lab.sql(database, "SELECT pg_postmaster_start_time()::text")
    found = next(lab.state.glob("data/db-*/data/postmaster.pid"))
    os.kill(int(found.read_text().split()[0]), signal.SIGKILL)

    assert come(lambda: lab.sql(database, "SELECT pg_postmaster_start_time()::text") not in {None, before})
    assert come(lambda: lab.sql(database, "SELECT 1") == (1,))


def test_a_deleted_database(lab: Lab) -> None:
    """Its server and its data are gone; one made anew under its name is empty."""
    host = lab.create_database("short")
    assert come(lambda: lab.sql(host, "CREATE TABLE t (n int)") == ())
    folders = set(lab.state.glob("data/db-*"))
    lab.clients("rds").delete_db_instance(DBInstanceIdentifier="short", SkipFinalSnapshot=True)
    assert come(lambda: lab.address(host) is None)
    assert come(lambda: len(set(lab.state.glob("data/db-*"))) == len(folders) - 1)

    assert lab.create_database("short") == host
    assert come(lambda: lab.sql(host, "SELECT count(*) FROM pg_tables WHERE tablename = 't'") == (0,))
    lab.clients("rds").delete_db_instance(DBInstanceIdentifier="short", SkipFinalSnapshot=True)
    assert come(lambda: lab.address(host) is None)


def test_a_cache_can_be_used(lab: Lab, cache: str) -> None:
    """With its token, and with no other."""
    assert lab.redis(cache, "SET", "a", "1") is True
    assert "invalid username-password pair" in lab.redis(cache, "PING", token="wrong")


def test_a_rotated_token(lab: Lab, cache: str) -> None:
    """ROTATE lets both in, SET the new one alone."""
    new = "another-token-of-letters"
    lab.redis(cache, "SET", "a", "1")
    change = {"ReplicationGroupId": "cache", "AuthToken": new, "ApplyImmediately": True}
    elasticache = lab.clients("elasticache")
    elasticache.modify_replication_group(**change, AuthTokenUpdateStrategy="ROTATE")
    assert come(lambda: lab.redis(cache, "GET", "a", token=new) == "1")
    assert lab.redis(cache, "GET", "a") == "1"
    elasticache.modify_replication_group(**change, AuthTokenUpdateStrategy="SET")
    assert come(lambda: "invalid username-password pair" in str(lab.redis(cache, "PING")))
    elasticache.modify_replication_group(**change | {"AuthToken": TOKEN}, AuthTokenUpdateStrategy="SET")
    assert come(lambda: lab.redis(cache, "GET", "a") == "1")


def test_a_parameter_of_a_cache(lab: Lab, cache: str) -> None:
    """It is in force at once."""

    def policy() -> str:
        told: str = lab.redis(cache, "INFO", "memory")["maxmemory_policy"]
        return told

    assert policy() == "volatile-lru"
    parameter = {"ParameterName": "maxmemory-policy", "ParameterValue": "noeviction"}
    lab.clients("elasticache").modify_cache_parameter_group(
        CacheParameterGroupName="p", ParameterNameValues=[parameter]
    )
    assert come(lambda: policy() == "noeviction")


def test_the_stores_are_killed_and_start_again(lab: Lab, database: str, cache: str) -> None:
    """Servers end with the process, and what was written is there with the next."""
    lab.sql(database, "CREATE TABLE survives AS SELECT 8 AS n")
    lab.redis(cache, "SET", "b", "2")
    lab.redis(cache, "WAITAOF", "1", "0", "30000")
    pids = _servers(lab.state)
    assert len(pids) >= 2
    lab.process.signal(signal.SIGKILL)
    assert come(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))

    lab.launch()
    assert lab.process.responds()
    assert lab.sql(database, "SELECT n FROM survives") == (8,)
    assert lab.redis(cache, "GET", "b") == "2"


def test_an_orderly_end_leaves_nothing(lab: Lab, database: str) -> None:
    """No server, and no address."""
    lab.process.stop()
    assert lab.address(database) is None
    assert not _servers(lab.state)
    lab.launch()
    assert lab.address(database)


def test_secrets_are_kept(lab: Lab, database: str, cache: str) -> None:
    """Neither password nor token is in a log, in a file or on a command line; and only we are told them."""
    assert lab.address(database)
    assert lab.address(cache)
    secrets = [word.encode() for word in (PASSWORD, TOKEN, "another-battery", "another-token-of-letters")]
    written = [file.read_bytes() for file in lab.state.rglob("*") if file.is_file()]
    written += [
        Path(f"/proc/{pid}/{what}").read_bytes() for pid in _servers(lab.state) for what in ("cmdline", "environ")
    ]
    assert not [content for content in written if any(word in content for word in secrets)]
    with pytest.raises(HallmarkError, match="control token is missing or wrong"):
        Control(lab.control.port, "wrong").store_secrets(ACCOUNT)


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[tuple[Postgres, Valkey]]:
    """Servers that the person runs: one with a database of another kind, one with nothing in it."""
    postgres, valkey = Postgres(tmp_path / "pg", "bob", "b", "shop"), Valkey(tmp_path / "redis", ["of-the-person"])
    try:
        postgres.start()
        valkey.start()
        yield postgres, valkey
    finally:
        postgres.stop()
        valkey.stop()


def test_servers_of_the_person(
    lab: Lab, database: str, cache: str, theirs: tuple[Postgres, Valkey], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data moves there, outlives a kill, and goes with the stores; no password is seen on the way."""
    postgres, valkey = theirs
    lab.sql(database, "CREATE TABLE moves AS SELECT 8 AS n")
    lab.redis(cache, "SET", "moves", "1")
    urls = {POSTGRES: url("postgres", postgres.login), REDIS: url("redis", valkey.login)}
    for name, value in urls.items():
        monkeypatch.setenv(name, value)
    assert chosen.change(lab.state, os.environ, lab.process.stop)
    lab.launch()
    assert lab.address(database) == postgres.address
    assert lab.address(cache) == valkey.address
    assert lab.sql(database, "SELECT n FROM moves") == (8,)
    assert lab.redis(cache, "GET", "moves") == "1"

    lab.sql(database, "INSERT INTO moves VALUES (9)")
    lab.redis(cache, "SET", "moves", "2")
    lab.process.signal(signal.SIGKILL)
    assert come(lambda: not lab.process.is_alive)
    lab.launch()
    assert lab.sql(database, "SELECT sum(n) FROM moves") == (17,)
    assert lab.redis(cache, "GET", "moves") == "2"
    lab.process.stop()
    lab.launch()

    secrets = [form.encode() for each in theirs for form in (each.login.password, quote(each.login.password, ""))]
    files = [file for file in lab.state.rglob("*") if file.is_file() and file.name != chosen.FILE]
    pids = [path.name for path in Path("/proc").glob("[0-9]*") if str(lab.state) in shown(path / "cmdline")]
    assert pids
    texts = [file.read_bytes() for file in files] + [
        shown(Path("/proc") / pid / what).encode() for pid in pids for what in ("cmdline", "environ")
    ]
    assert not [text for text in texts if any(word in text for word in secrets)]

    lab.clients("rds").delete_db_instance(DBInstanceIdentifier="pg", SkipFinalSnapshot=True)
    lab.clients("elasticache").delete_replication_group(ReplicationGroupId="cache")
    assert come(lambda: not {"ann", "app"} & names(postgres))
    assert "shop" in names(postgres)
    with client(valkey.login) as open_one:
        assert come(lambda: open_one.dbsize() == 0)
        assert open_one.acl_users() == ["default", "hallmark"]


def url(scheme: str, login: Login) -> str:
    """What the person tells the twin."""
    return f"{scheme}://{login.user}:{quote(login.password, '')}@{login.host}:{login.port}/"


def shown(file: Path) -> str:
    """What the system shows of a process; nothing of one that has ended."""
    with suppress(OSError):
        return file.read_text(errors="replace")
    return ""


def names(server: Postgres) -> set[str]:
    """Roles and databases of a server."""
    login = server.login
    with psycopg.connect(
        host=login.host, port=login.port, user=login.user, password=login.password, dbname="shop"
    ) as open_one:
        asked = "SELECT rolname::text FROM pg_roles UNION SELECT datname::text FROM pg_database"
        return {row[0] for row in open_one.execute(asked)}


def _servers(state: Path) -> list[int]:
    """Processes that run for the stores, by their log."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str((process / "fd" / "2").readlink()).startswith(str(state / "data")):
                found.append(int(process.name))
    return found
