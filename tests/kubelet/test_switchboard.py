"""The switchboard: faults of the way to a data store, with a real server behind a name of AWS."""

import json
import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hallmark.waiting import until

Json = dict[str, Any]


class Refused(Exception):
    """The kubelet does not do what it is asked; its argument is the HTTP status."""


@dataclass(frozen=True)
class Board:
    """A kubelet's switchboard, and the account and cluster around it."""

    account: Any
    cluster: Any

    def ask(self, method: str, path: str = "", body: Any = None, token: str | None = None) -> Json:
        """Call it."""
        data = None if body is None else json.dumps(body).encode()
        found: Json = json.loads(self.call(method, f"/network{path}", data, token))
        return found

    def call(self, method: str, path: str, data: bytes | None = None, token: str | None = None) -> bytes:
        """Call its kubelet."""
        state = self.cluster.state
        port = json.loads((state / "kubelet.json").read_text())["port"]
        shown = (state / "token").read_text() if token is None else token
        headers = {"Authorization": f"Bearer {shown}"}
        url = f"https://127.0.0.1:{port}{path}"
        request = urllib.request.Request(url, data, headers, method=method)
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        try:
            with urllib.request.urlopen(request, timeout=10, context=trust) as answer:  # noqa: S310  (https)
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code) from None

    def line(self, name: str) -> tuple[str, int]:
        """Where a pod is sent that asks for a name."""
        assert until(lambda: self.ask("GET")[name]["lines"], 10)
        address, _, port = self.ask("GET")[name]["lines"][-1].rpartition(":")
        return address, int(port)

    def nc(self, name: str, port: int) -> str:
        """`open` if netcat in a pod gets through, else what it says."""
        code, _, said = self.cluster.exec("try", "nc", "-z", "-v", name, str(port))
        return said if code else "open"

    def carries(self, name: str, port: int) -> bool:
        """Whether a pod gets through to a server: as long as there is none, a name alone is open, and has no line."""
        return self.nc(name, port) == "open" and bool(self.ask("GET").get(name, {}).get("lines"))

    @property
    def authority(self) -> str:
        """The certificate that programs verify by."""
        return str(self.cluster.state / "stores-ca.pem")

    def database(self, mode: str = "verify-full", name: str = "") -> psycopg.Connection:
        """A connection to the database, by the line of pods, verified under its own name or another."""
        address, port = self.line(self.account.database)
        return psycopg.connect(
            host=name or self.account.database, hostaddr=address, port=port, user="ann", dbname="app", sslmode=mode,
            password=self.account.password, autocommit=True, connect_timeout=10, sslrootcert=self.authority,
        )  # fmt: skip

    def cache(self) -> redis.Redis:
        """A client of the cache, by the line of pods."""
        address, port = self.line(self.account.cache)
        return redis.Redis(
            host=address, port=port, password=self.account.token, protocol=2, socket_timeout=3,
            retry=Retry(NoBackoff(), 0),
        )  # fmt: skip


@pytest.fixture(scope="module")
def whole(account: Any, lab: Any) -> Iterator[Board]:
    """Real servers behind the account's names, and a pod that may reach them."""
    state = account.folder / "stores"
    state.mkdir()
    command = [sys.executable, "-m", "hallmark.twin.stores.main", "--state", str(state)]
    command += ["--aws-state", str(account.folder), "--endpoint", account.clients.endpoint]
    command += ["--account", account.clients.account]
    with (state / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            board = Board(account, lab)
            account.allow()
            assert until(lambda: board.carries(account.database, 5432), 60), (state / "log").read_text()
            assert until(lambda: board.carries(account.cache, 6379), 60), (state / "log").read_text()
            yield board
        finally:
            process.terminate()


@pytest.fixture
def board(whole: Board) -> Iterator[Board]:
    """The switchboard with nothing wrong, before and after."""
    yield whole
    for name, about in whole.ask("GET").items():
        if about["set"]:
            whole.ask("DELETE", f"/{name}")


def seconds(work: Any) -> float:
    """How long something takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def test_pods_are_sent_through_the_switchboard(board: Board) -> None:
    """The line is not the server's own address, the server answers there, and the connection is counted."""
    real = json.loads((board.account.folder / "stores" / "addresses.json").read_text())[board.account.database]
    assert board.line(board.account.database) != (real["address"], real["port"])
    with board.database() as connection:
        assert connection.execute("select 1").fetchone() == (1,)
        assert board.ask("GET")[board.account.database]["connections"] == 1
    assert until(lambda: board.ask("GET")[board.account.database]["connections"] == 0, 5)


def test_latency(board: Board) -> None:
    """An answer comes later by what is set, over a connection that stood before, and in time again once cleared."""
    with board.database() as connection:
        board.ask("PUT", f"/{board.account.database}", {"latency": 1500})
        assert 1.5 <= seconds(lambda: connection.execute("select 1")) < 3
        board.ask("DELETE", f"/{board.account.database}")
        assert seconds(lambda: connection.execute("select 1")) < 1.5


def test_bandwidth(board: Board) -> None:
    """A large answer takes as long as the line needs for it; what is sent does, too."""
    with board.cache() as client:
        client.set("large", b"x" * 200_000)
        board.ask("PUT", f"/{board.account.cache}", {"bandwidth": 200_000})
        assert 0.9 <= seconds(lambda: client.get("large")) < 3
        assert 0.9 <= seconds(lambda: client.set("large", b"y" * 200_000)) < 3
        board.ask("DELETE", f"/{board.account.cache}")
        assert seconds(lambda: client.get("large")) < 0.9
        assert client.get("large") == b"y" * 200_000


def test_a_cut_ends_what_stands_and_nothing_else(board: Board) -> None:
    """Established connections are reset at once; new ones are made as ever, and what is set stays set."""
    board.ask("PUT", f"/{board.account.database}", {"latency": 20})
    with closing(board.database()) as connection:
        connection.execute("select 1")
        board.ask("POST", f"/{board.account.database}/cut")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    with socket.create_connection(board.line(board.account.cache)) as plain:
        plain.sendall(b"PING\r\n")
        assert plain.recv(100)
        board.ask("POST", f"/{board.account.cache}/cut")
        with pytest.raises(ConnectionResetError):
            plain.recv(100)
    with board.database() as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert board.ask("GET")[board.account.database]["latency"] == 20


def test_a_black_hole(board: Board) -> None:
    """Queries time out over connections that stay open, new connections time out; cleared, the same one goes on."""
    with board.cache() as client:
        client.set("key", "value")
        standing = client.connection_pool.get_connection()
        standing.send_command("GET", "key")
        assert standing.read_response() == b"value"
        board.ask("PUT", f"/{board.account.cache}", {"black_hole": True})
        standing.send_command("GET", "key")
        with pytest.raises(redis.TimeoutError):
            standing.read_response(disconnect_on_error=False)
        assert "timed out" in board.nc(board.account.cache, 6379)
        assert board.nc(board.account.database, 5432) == "open"
        board.ask("DELETE", f"/{board.account.cache}")
        assert standing.read_response() == b"value"
        assert board.nc(board.account.cache, 6379) == "open"


def test_who_gives_up_in_a_black_hole_is_noticed_afterwards(board: Board) -> None:
    """A server does not hear that its client went away until something passes again."""
    address = board.line(board.account.cache)
    with socket.create_connection(address) as plain:
        plain.sendall(b"PING\r\n")
        assert plain.recv(100)
        board.ask("PUT", f"/{board.account.cache}", {"black_hole": True})
    time.sleep(0.3)  # nothing happens, which cannot be waited for
    assert board.ask("GET")[board.account.cache]["connections"] == 1
    board.ask("DELETE", f"/{board.account.cache}")
    assert until(lambda: board.ask("GET")[board.account.cache]["connections"] == 0, 5)


def test_postgresql_in_tls(board: Board) -> None:
    """The line speaks TLS under the name of AWS, and under no other; without TLS it speaks as well."""
    with board.database() as connection:
        assert connection.pgconn.ssl_in_use
        assert connection.execute("select repeat('x', 1000000)").fetchone() == ("x" * 1_000_000,)
        assert board.ask("GET")[board.account.database]["tls"] == 1
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        board.database(name="other.rds.amazonaws.com")
    with board.database("disable") as connection:
        assert not connection.pgconn.ssl_in_use


def test_redis_in_tls(board: Board) -> None:
    """The cache's line speaks TLS from the first byte; a client that trusts others does not talk to it."""
    address, port = board.line(board.account.cache)
    trust = ssl.create_default_context(cafile=board.authority)
    with (
        socket.create_connection((address, port)) as plain,
        trust.wrap_socket(plain, server_hostname=board.account.cache) as secure,
    ):
        secure.sendall(f"AUTH {board.account.token}\r\n".encode())
        assert secure.recv(100) == b"+OK\r\n"
    with socket.create_connection((address, port)) as plain, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(plain, server_hostname=board.account.cache)


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("PUT", "/nobody.rds.amazonaws.com", {"latency": 1}, 404),
        ("PUT", "/DATABASE", {"latency": -1}, 400),
        ("PUT", "/DATABASE", {"latency": "1"}, 400),
        ("PUT", "/DATABASE", {"latency": True}, 400),
        ("PUT", "/DATABASE", {"bandwidth": -1}, 400),
        ("PUT", "/DATABASE", {"black_hole": 1}, 400),
        ("PUT", "/DATABASE", {"loss": 1}, 400),
        ("PUT", "/DATABASE", [], 400),
        ("POST", "/nobody/cut", None, 404),
    ],
)
def test_what_makes_no_sense_is_refused(board: Board, method: str, path: str, body: Any, code: int) -> None:
    """Unknown names and values change nothing."""
    before = board.ask("GET")
    with pytest.raises(Refused) as refused:
        board.ask(method, path.replace("DATABASE", board.account.database), body)
    assert refused.value.args[0] == code
    assert board.ask("GET") == before


def test_strangers_are_turned_away(board: Board) -> None:
    """Nobody without the kubelet's token shapes anything."""
    with pytest.raises(Refused) as refused:
        board.ask("PUT", f"/{board.account.database}", {"black_hole": True}, token="wrong")
    assert refused.value.args[0] == 401


@pytest.fixture
def command(board: Board, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """`hallmark twin network` for a twin whose kubelet is the board's: exit code and what is said."""
    (tmp_path / "twin").mkdir()
    (tmp_path / "twin" / "cluster").symlink_to(board.cluster.state)

    def run(*words: str) -> tuple[int, str]:
        line = [sys.executable, "-c", "from hallmark.cli import main; main()", "twin", "network", *words]
        environment = os.environ | {"HALLMARK_HOME": str(tmp_path), "COLUMNS": "200"}
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60, env=environment)
        return done.returncode, done.stdout + done.stderr

    return run


def test_the_command(board: Board, command: Callable[..., tuple[int, str]]) -> None:
    """It lists, shapes, cuts and clears; a name may be short as long as it is clear."""
    assert command("rds", "--latency", "100", "--bandwidth", "5000")[0] == 0
    about = board.ask("GET")[board.account.database]
    assert (about["latency"], about["bandwidth"], about["black_hole"]) == (100, 5000, False)
    code, said = command()
    assert (code, "latency 100 ms, 5000 bytes/s" in said, board.account.cache in said) == (0, True, True)

    with closing(board.database()) as connection:
        assert command("pg", "--cut")[0] == 0
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    command(board.account.database, "--black-hole")
    about = board.ask("GET")[board.account.database]
    assert (about["latency"], about["black_hole"]) == (0, True)
    assert command("rds", "--clear")[0] == 0
    assert not board.ask("GET")[board.account.database]["set"]

    assert command("amazonaws", "--cut")[0] == 2
    code, said = command("nobody", "--cut")
    assert (code, "knows no name of AWS and no Service by 'nobody'" in said) == (2, True)


def test_a_workload_in_a_black_hole(board: Board, platform: Any) -> None:
    """The real stand-in, with standing connections, stops being ready in a black hole, and is ready again after it."""
    path = board.cluster.pod("platform", platform(board.account, board.account.password))

    def ready(pod: Json) -> bool:
        return bool(pod["status"].get("containerStatuses", [{}])[0].get("ready"))

    board.cluster.when(path, ready, 30)
    for name in (board.account.database, board.account.cache):
        about = board.ask("GET")[name]
        assert about["tls"] == about["connections"] > 0
    board.ask("PUT", f"/{board.account.database}", {"black_hole": True})
    board.cluster.when(path, lambda pod: not ready(pod), 40)
    board.ask("DELETE", f"/{board.account.database}")
    board.cluster.when(path, ready, 40)


def test_a_service_of_the_cluster(board: Board) -> None:
    """New connections to a Service that is shaped go through the switchboard."""
    pods, services = "/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/services"
    slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
    path = board.cluster.pod("web", {"containers": [{"name": "c", "image": "nginx:1.27"}]})
    ip = board.cluster.when(path, lambda pod: pod["status"].get("podIP"))["status"]["podIP"]
    spec = {"ports": [{"port": 80}]}
    board.cluster.create(services, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})
    target = {"kind": "Pod", "name": "web", "namespace": "default"}
    board.cluster.create(
        slices,
        {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": "web", "labels": {"kubernetes.io/service-name": "web"}},
            "ports": [{"name": "", "port": 80, "protocol": "TCP"}],
            "endpoints": [{"addresses": [ip], "conditions": {"ready": True}, "targetRef": target}],
        },
    )  # fmt: skip

    def get() -> str:
        return str(board.cluster.exec("try", "wget", "-qO-", "http://web/")[1])

    assert until(lambda: "Welcome" in get(), 10)
    name = "web.default.svc.cluster.local"
    board.ask("PUT", f"/{name}", {"latency": 4000})
    assert seconds(get) >= 4
    assert "Welcome" in get()
    board.ask("DELETE", f"/{name}")
    assert min(seconds(get) for _ in range(3)) < 4
    board.cluster.call("DELETE", f"{services}/web")
    board.cluster.call("DELETE", f"{pods}/web")


def test_a_server_that_stops_ends_its_connections(board: Board) -> None:
    """A stopped database hangs up on idle clients in TLS, too, and the report does not stumble over them."""
    rds = board.account.clients("rds")
    with closing(board.database()) as connection:
        rds.stop_db_instance(DBInstanceIdentifier="pg")
        try:
            assert until(lambda: board.ask("GET").get(board.account.database, {}).get("connections", 0) == 0, 30)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("select 1")
        finally:
            rds.start_db_instance(DBInstanceIdentifier="pg")
    assert until(lambda: board.nc(board.account.database, 5432) == "open", 60)


def test_an_earlier_state_has_a_sound_network(board: Board) -> None:
    """What was set is gone when the twin goes back to a snapshot: that is when volumes are put in place."""
    kept = board.call("GET", "/disks")
    board.ask("PUT", f"/{board.account.database}", {"latency": 50})
    board.call("PUT", "/disks", kept)
    assert not any(about["set"] for about in board.ask("GET").values())


def test_a_new_kubelet_knows_of_nothing(board: Board) -> None:
    """What was set is gone with the kubelet."""
    board.ask("PUT", f"/{board.account.database}", {"latency": 50})
    board.cluster.stop()
    board.cluster.start()
    assert not any(about["set"] for about in board.ask("GET").values())
