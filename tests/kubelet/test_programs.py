"""Programs of pods: what they need, how they fail, and in whose words."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.programs import dependencies
from hallmark.twin.programs.container import Container
from hallmark.twin.programs.langsmith import blob, hooks, service
from hallmark.twin.programs.langsmith.addresses import BadAddress, postgres, redis
from hallmark.twin.programs.langsmith.frontend import route
from hallmark.twin.programs.langsmith.stores import STORES, Trouble

Json = dict[str, Any]
RDS, CACHE = "pg.aaaa.us-east-1.rds.amazonaws.com", "master.c.aaaa.use1.cache.amazonaws.com"
NEEDED = {"LANGSMITH_LICENSE_KEY": "key", "API_KEY_SALT": "salt"}


def inside(environment: dict[str, str], root: Path = Path("/nowhere"), **more: Any) -> Container:
    """A container with this environment."""
    names = dict.fromkeys(("name", "pod", "namespace", "address", "ip", "gate", "log"), "")
    settings = {"role": "backend", "version": "0.16.45"} | more.pop("settings", {})
    spec = {**names, "arguments": [], "read_only": [], "speed": 1000.0, "settings": settings, **more}
    return Container.of({**spec, "environment": environment, "root": str(root)})


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Json:
    """The gate's answers, to be set by the test."""
    answers: Json = {
        "connect": {"outcome": "connected", "ip": "", "address": "", "port": 1},
        "login": {"outcome": "accepted", "message": ""},
    }
    monkeypatch.setattr(dependencies, "ask", lambda _container, action, **_facts: answers[action])
    return answers


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "password", "database", "tls"),
    [
        ("ann:pw@db:5433/app", "db", 5433, "ann", "pw", "app", True),
        ("postgres://ann:p%40w@db/app?sslmode=require", "db", 5432, "ann", "p@w", "app", True),
        ("postgresql://ann:pw@db:5432/app?sslmode=disable", "db", 5432, "ann", "pw", "app", False),
    ],
)
def test_postgres_urls(  # noqa: PLR0917  (one row a URL)
    url: str,
    host: str,
    port: int,
    user: str,
    password: str,
    database: str,
    tls: bool,  # noqa: FBT001  (a column)
) -> None:
    """URLs of PostgreSQL are read with and without a driver's name."""
    found = postgres(url)

    assert (found.host, found.port, found.user, found.password) == (host, port, user, password)
    assert (found.database, found.tls) == (database, tls)


def test_redis_urls() -> None:
    """The scheme of a Redis URL says whether it speaks TLS."""
    secure, plain = redis("rediss://:tok@cache:6380"), redis("redis://cache")

    assert (secure.host, secure.port, secure.password, secure.tls) == ("cache", 6380, "tok", True)
    assert (plain.port, plain.password, plain.tls) == (6379, "", False)


@pytest.mark.parametrize(
    ("read", "url", "words"),
    [
        (postgres, "postgres://ann:hunter#2@db:5432/x", "invalid port number in POSTGRES_DATABASE_URI"),
        (postgres, "postgres://ann:hunter/2@db:5432/x", "invalid port number in POSTGRES_DATABASE_URI"),
        (postgres, "postgres://ann:hunter@2@db:5432/x", "more than one @"),
        (
            redis,
            "http://:hunter2@cache:6379",
            "must specify one of the following schemes (redis://, rediss://, unix://)",
        ),
        (redis, "rediss://:hunter?2@cache:6379", "invalid port number in REDIS_DATABASE_URI"),
    ],
)
def test_urls_that_cannot_be_read(read: Callable[[str], object], url: str, words: str) -> None:
    """A URL that special characters break is told without quoting any of it."""
    with pytest.raises(BadAddress) as caught:
        read(url)
    assert words in str(caught.value)
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(
    ("store", "outcome", "words"),
    [
        ("postgres", "unknown host", f'could not translate host name "{RDS}" to address: Name or service not known'),
        ("postgres", "refused", f'connection to server at "{RDS}", port 5432 failed: Connection refused'),
        ("postgres", "timed out", f'connection to server at "{RDS}", port 5432 failed: Connection timed out'),
        ("redis", "unknown host", f"Error -2 connecting to {CACHE}:6379. Name or service not known."),
        ("redis", "refused", f"Error 111 connecting to {CACHE}:6379. Connection refused."),
        ("redis", "timed out", f"Timeout connecting to {CACHE}:6379: connection timed out"),
        ("redis", "reset", f"Error 104 while reading from {CACHE}:6379: Connection reset by peer"),
        ("clickhouse", "refused", "Failed to establish a new connection: Connection refused"),
    ],
)
def test_connections_fail_in_the_drivers_words(gate: Json, store: str, outcome: str, words: str) -> None:
    """Each way a connection fails has the driver's own words."""
    gate["connect"] = {"outcome": outcome}
    environment = {
        "POSTGRES_DATABASE_URI": f"u:p@{RDS}:5432/x",
        "REDIS_DATABASE_URI": f"rediss://:t@{CACHE}:6379",
        "CLICKHOUSE_HOST": "ch",
        "CLICKHOUSE_PORT": "8123",
    }
    with pytest.raises(Trouble) as caught:
        STORES[store](inside(environment)).use()
    assert words in str(caught.value)


def test_a_refused_login_is_told_in_the_stores_words(gate: Json) -> None:
    """A wrong password is what the store says it is."""
    gate["login"] = {"outcome": "denied", "message": 'FATAL:  password authentication failed for user "u"'}
    with pytest.raises(Trouble, match='password authentication failed for user "u"'):
        STORES["postgres"](inside({"POSTGRES_DATABASE_URI": f"u:p@{RDS}:5432/x"})).use()


def test_a_connection_that_stands_does_not_log_in_again(gate: Json) -> None:
    """A rotated password hurts at the next start, not before."""
    store = STORES["postgres"](inside({"POSTGRES_DATABASE_URI": f"u:p@{RDS}:5432/x"}))
    store.use()
    gate["login"] = {"outcome": "denied", "message": "no"}
    store.use()
    gate["connect"] = {"outcome": "refused"}
    with pytest.raises(Trouble):
        store.use()
    gate["connect"] = {"outcome": "connected", "ip": "", "address": "", "port": 1}
    with pytest.raises(Trouble, match="no"):
        store.use()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"API_KEY_SALT": "s"}, "required setting LANGSMITH_LICENSE_KEY is missing or empty"),
        ({"LANGSMITH_LICENSE_KEY": "k", "API_KEY_SALT": " "}, "required setting API_KEY_SALT is missing or empty"),
        ({**NEEDED, "BASIC_AUTH_ENABLED": "true"}, "required setting BASIC_AUTH_JWT_SECRET is missing or empty"),
        (NEEDED, "startup error: postgres: POSTGRES_DATABASE_URI is not set"),
    ],
)
def test_what_a_backend_needs_to_start(
    capsys: pytest.CaptureFixture[str], environment: dict[str, str], words: str
) -> None:
    """Without a required setting it ends with exit code 1 and a line that names it."""
    with pytest.raises(SystemExit) as caught:
        service.main(inside(environment))
    assert caught.value.code == 1
    assert words in capsys.readouterr().out


def test_what_it_is_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """The first line of each log says that this is a stand-in."""
    with pytest.raises(SystemExit):
        service.main(inside({}))
    assert "langsmith backend 0.16.45: Hallmark's stand-in, not the product" in capsys.readouterr().out


@pytest.mark.parametrize(("seconds", "complaint"), [(29, ""), (31, "postgres")])
def test_the_pool_hides_a_loss_for_a_while(monkeypatch: pytest.MonkeyPatch, seconds: float, complaint: str) -> None:
    """A lost database makes a backend unhealthy only when its pool is empty; ClickHouse never does."""
    monkeypatch.setattr(time, "monotonic", lambda: 100.0 + seconds)
    health = service.Health({"postgres": 100.0, "clickhouse": 0.0})

    assert health.complaint(service.ROLES["backend"], 1.0) == complaint


@pytest.mark.parametrize(
    ("path", "upstream", "inner"),
    [
        ("/api/v1/info", "platform-backend", "/info"),
        ("/api/v1/runs/batch", "platform-backend", "/runs/batch"),
        ("/api/runs", "platform-backend", "/runs"),
        ("/api/v1/runs/query", "backend", "/api/v1/runs/query"),
        ("/api/v1/sessions", "backend", "/api/v1/sessions"),
        ("/api/sessions", "backend", "/api/v1/sessions"),
        ("/api/v2/runs", "platform-backend", "/api/v2/runs"),
        ("/api/v1/playground/x", "playground", "/x"),
        ("/api/docs", "backend", "/api/docs"),
        ("/ok", "", "/ok"),
        ("/", "", "/"),
    ],
)
def test_public_paths(path: str, upstream: str, inner: str) -> None:
    """The frontend sends each public path where the product's does; what is left is the single-page app."""
    assert route(path) == (upstream, inner)


@pytest.mark.parametrize("password", ["short1!A", "nouppercase1!xx", "NOLOWERCASE1!XX", "NoSymbolAtAll12"])
def test_a_weak_admin_password(gate: Json, capsys: pytest.CaptureFixture[str], password: str) -> None:
    """The bootstrap Job refuses a weak password and does not print it."""
    assert gate
    given = {"BASIC_AUTH_JWT_SECRET": "j", "INITIAL_ORG_ADMIN_EMAIL": "a@b.c", "INITIAL_ORG_ADMIN_PASSWORD": password}
    with pytest.raises(SystemExit) as caught:
        hooks.main(inside({**NEEDED, **given}, settings={"role": "auth-bootstrap"}))
    output = capsys.readouterr().out

    assert caught.value.code == 1
    assert "needs 12 characters" in output
    assert password not in output


@pytest.mark.parametrize(("store", "job"), [("postgres", "migrations"), ("clickhouse", "ch-migrations")])
def test_migrations_need_their_database(gate: Json, capsys: pytest.CaptureFixture[str], store: str, job: str) -> None:
    """A migration succeeds with its database, and fails without it in the driver's words."""
    environment = {
        "POSTGRES_DATABASE_URI": f"u:p@{RDS}:5432/x",
        "CLICKHOUSE_HOST": "ch",
        "CLICKHOUSE_PORT": "8123",
    }
    assert hooks.main(inside(environment, settings={"role": job})) == 0
    gate["connect"] = {"outcome": "refused"}
    with pytest.raises(SystemExit) as caught:
        hooks.main(inside(environment, settings={"role": job}))
    assert caught.value.code == 1
    assert f"error: {store}: " in capsys.readouterr().out


class Aws:
    """A stand-in of STS and S3 with answers of the test's."""

    def __init__(self) -> None:
        self.sts = (200, "<Code/>")
        self.s3: tuple[int, str] = (200, "us-east-1")
        self.asked: list[tuple[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked.append(("POST", self.path))
                status, body = outer.sts
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def do_HEAD(self) -> None:
                outer.asked.append(("HEAD", self.headers["Authorization"].split("/")[2]))
                self.send_response(outer.s3[0])
                self.send_header("x-amz-bucket-region", outer.s3[1])
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name)
                """Stay silent."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port


KEYS = "<AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken>"
DENIED = (
    "<Error><Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error>"
)
IRSA = {"AWS_ROLE_ARN": "arn:aws:iam::1:role/app", "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token"}
BLOBS = {"S3_BUCKET_NAME": "traces", "S3_API_URL": "https://s3.us-east-1.amazonaws.com"}


@pytest.fixture
def aws(gate: Json) -> Iterator[Aws]:
    """STS and S3, and a way to them."""
    found = Aws()
    gate["connect"] = {"outcome": "connected", "ip": "52.216.0.9", "address": "127.0.0.1", "port": found.port}
    found.sts = (200, KEYS)
    threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def rooted(tmp_path: Path) -> Path:
    """A root folder with a token of the service account."""
    (tmp_path / "var/run").mkdir(parents=True)
    (tmp_path / "var/run/token").write_text("jwt")
    return tmp_path


def test_blobs_with_a_role(aws: Aws, rooted: Path) -> None:
    """With a role and a token the bucket is used in its region."""
    blob.check(inside({**IRSA, **BLOBS}, rooted))

    assert aws.asked == [("POST", "/"), ("HEAD", "us-east-1")]


@pytest.mark.parametrize(
    ("change", "sts", "s3", "words"),
    [
        ({"AWS_ROLE_ARN": ""}, (200, KEYS), (200, "us-east-1"), "no EC2 IMDS role found"),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/gone"}, (200, KEYS), (200, "us-east-1"), "unable to read file at /gone"),
        (
            {},
            (403, DENIED),
            (200, "us-east-1"),
            "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
        ),
        ({}, (200, KEYS), (404, ""), "NoSuchBucket"),
        ({}, (200, KEYS), (403, ""), "AccessDenied: Access Denied"),
        (
            {"S3_API_URL": "https://s3.us-west-2.amazonaws.com"},
            (200, KEYS),
            (200, "us-east-1"),
            "the region 'us-west-2' is wrong; expecting 'us-east-1' (PermanentRedirect)",
        ),
        ({"S3_BUCKET_NAME": ""}, (200, KEYS), (200, "us-east-1"), "S3_BUCKET_NAME is not set"),
    ],
)
def test_how_blobs_fail(  # noqa: PLR0917  (one row a failure)
    aws: Aws, rooted: Path, change: dict[str, str], sts: tuple[int, str], s3: tuple[int, str], words: str
) -> None:
    """Each mistake around the bucket is told in the SDK's words."""
    aws.sts, aws.s3 = sts, s3
    with pytest.raises(Trouble) as caught:
        blob.check(inside({**IRSA, **BLOBS, **change}, rooted))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ({"outcome": "timed out", "ip": "52.216.0.9"}, "dial tcp 52.216.0.9:443: i/o timeout"),
        ({"outcome": "unknown host"}, "dial tcp: lookup s3.us-east-1.amazonaws.com: no such host"),
    ],
)
def test_blobs_without_a_way(aws: Aws, gate: Json, way: Json, words: str) -> None:
    """Who gets no connection to S3 says so as the SDK does, with its method and URL."""
    gate["connect"] = way
    with pytest.raises(Trouble) as caught:
        blob.check(inside({**BLOBS, "S3_ACCESS_KEY": "A", "S3_ACCESS_KEY_SECRET": "S"}))

    sent = 'operation error S3: request send failed, Head "https://s3.us-east-1.amazonaws.com/traces"'
    assert (str(caught.value), aws.asked) == (f"{sent}: {words}", [])


def test_blobs_with_pod_identity(aws: Aws, rooted: Path, gate: Json) -> None:
    """Without a role in the environment, the node's agent gives credentials, or says why not."""
    container = inside({**BLOBS, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/var/run/token"}, rooted)
    gate["credentials"] = {"outcome": "connected", "AccessKeyId": "A", "SecretAccessKey": "S", "Token": "T"}
    blob.check(container)
    assert aws.asked == [("HEAD", "us-east-1")]

    gate["credentials"] = {"outcome": "denied", "message": "ResourceNotFoundException: no association"}
    with pytest.raises(Trouble, match="ResourceNotFoundException: no association"):
        blob.check(container)
    gate["credentials"] = {"outcome": "refused"}
    with pytest.raises(Trouble, match=r"dial tcp 169\.254\.170\.23:80: connect: connection refused"):
        blob.check(container)


def test_blobs_with_static_keys(aws: Aws) -> None:
    """Static keys, if given, are used in place of a role."""
    blob.check(inside({**BLOBS, "S3_ACCESS_KEY": "A", "S3_ACCESS_KEY_SECRET": "S"}))

    assert aws.asked == [("HEAD", "us-east-1")]


def test_a_path_cannot_leave_the_container(tmp_path: Path) -> None:
    """Whatever a path says, it stays below the root."""
    container = inside({}, tmp_path)

    assert container.path("../../etc/passwd") == tmp_path / "etc/passwd"
    assert container.path("/a/../../b") == tmp_path / "b"


def clickhouse(password: str, **more: Any) -> Json:
    """A pod of ClickHouse."""
    env = [{"name": "CLICKHOUSE_PASSWORD", "value": password}]
    more["readinessProbe"] = {"httpGet": {"path": "/ping", "port": 8123}}
    container = {"name": "clickhouse", "image": "clickhouse/clickhouse-server:25.12", "env": env, **more}
    return {"containers": [container]}


def ready(pod: Json) -> bool:
    """Whether a pod's container is ready."""
    return bool(pod["status"].get("containerStatuses", [{}])[0].get("ready"))


def backend(address: str, password: str) -> Json:
    """A pod of the queue's exec shell, which is enough to query ClickHouse."""
    env = {"CLICKHOUSE_HOST": address, "CLICKHOUSE_PORT": "8123", "CLICKHOUSE_PASSWORD": password}
    variables = [{"name": name, "value": value} for name, value in env.items()]
    container = {"name": "ch-migrations", "image": "langchain/langsmith-backend:0.16.45", "env": variables}
    return {"containers": [container], "restartPolicy": "Never"}


def test_clickhouse_checks_passwords_and_grows_under_load(cluster: Any) -> None:
    """Only queries with the right password make the working set outgrow a limit of 2Gi."""
    limits = {"resources": {"limits": {"memory": "2Gi"}}}
    path = cluster.pod("ch", clickhouse("right", **limits))
    address = cluster.when(path, ready)["status"]["podIP"]
    cluster.pod("wrong", backend(address, "bad"))
    assert "Authentication failed" in cluster.logged("wrong", "error: clickhouse")
    assert cluster.get(path)["status"]["containerStatuses"][0]["restartCount"] == 0

    cluster.pod("right", backend(address, "right"))
    pod = cluster.when(path, lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] >= 1)
    assert pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["reason"] == "OOMKilled"


def test_clickhouse_lives_with_enough_memory(cluster: Any) -> None:
    """With the chart's limit the same load is borne, and shows in the usage."""
    path = cluster.pod("ch-large", clickhouse("right", resources={"limits": {"memory": "32Gi"}}))
    address = cluster.when(path, ready)["status"]["podIP"]
    migration = cluster.pod("loads", backend(address, "right"))
    cluster.when(migration, lambda pod: pod["status"]["phase"] == "Succeeded")
    used = {each["podRef"]["name"]: each for each in cluster.call("GET", "/api/v1/nodes/n1/proxy/stats")["pods"]}

    assert used["ch-large"]["memory"]["workingSetBytes"] == 3 * 1024**3


def test_probes_of_stores_in_the_cluster(cluster: Any) -> None:
    """PostgreSQL and Redis inside the cluster answer the chart's probes and no more."""
    command = ["/bin/sh", "-c", "exec pg_isready -d postgres -U postgres"]
    env = [{"name": "POSTGRES_PASSWORD", "value": "x"}]
    probe = {"exec": {"command": command}, "periodSeconds": 1}
    container = {"name": "postgres", "image": "postgres:14.7", "env": env, "readinessProbe": probe}
    path = cluster.pod("pg", {"containers": [container]})

    cluster.when(path, ready)
    assert cluster.exec("pg", "pg_isready")[1] == "/var/run/postgresql:5432 - accepting connections\n"


def test_add_ons_show_their_controllers_log(cluster: Any) -> None:
    """The pod of an add-on answers its probe and shows what its controller writes from then on."""
    probe = {"httpGet": {"path": "/health-check", "port": 8085}, "periodSeconds": 1}
    container = {
        "name": "a",
        "image": "registry.k8s.io/autoscaling/cluster-autoscaler:v1.35.0",
        "readinessProbe": probe,
    }
    path = cluster.pod("scaler", {"containers": [container]})
    cluster.when(path, ready)
    logs = cluster.state / "addons"
    logs.mkdir(exist_ok=True)
    (logs / "cluster-autoscaler.log").write_text("no candidates for scale down\n")

    assert "no candidates for scale down" in cluster.logged("scaler", "no candidates")


def test_the_frontend_needs_its_upstreams(cluster: Any) -> None:
    """Like nginx, the frontend does not start while a Service it names is missing."""
    env = [{"name": "GO_ENDPOINT", "value": "http://ls-platform:1986"}]
    container = {"name": "frontend", "image": "langchain/langsmith-frontend:0.16.45", "env": env}
    cluster.pod("front", {"containers": [container]})

    assert cluster.logged("front", 'nginx: [emerg] host not found in upstream "ls-platform"')


def test_the_frontend_answers_for_itself(cluster: Any) -> None:
    """Its health says nothing of the application; unknown paths are the single-page app; a lost upstream is a 502."""
    service = {"metadata": {"name": "ls-lost"}, "spec": {"ports": [{"port": 1986}], "selector": {"x": "y"}}}
    cluster.create("/api/v1/namespaces/default/services", {"apiVersion": "v1", "kind": "Service", **service})
    env = [{"name": "GO_ENDPOINT", "value": "http://ls-lost:1986"}]
    probe = {"httpGet": {"path": "/health", "port": 8080}}
    container = {
        "name": "frontend",
        "image": "langchain/langsmith-frontend:0.16.45",
        "env": env,
        "readinessProbe": probe,
    }
    path = cluster.pod("alone", {"containers": [container]})
    cluster.when(path, ready)
    script = "; ".join(
        f"curl -s -o /dev/null -w '%{{http_code}} ' http://localhost:8080{path}"
        for path in ("/health", "/ok", "/api/v1/info")
    )

    assert cluster.exec("alone", "sh", "-c", script)[1] == "200 200 502 "
    assert "connect() failed (111: Connection refused)" in cluster.log("alone")
