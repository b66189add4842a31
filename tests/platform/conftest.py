"""The whole stand-in for the tests of a module: real stores, an emulated AWS, every role a process of its own.

Only the kubelet's gate is replaced, by one that knows the names of this test and does what a test tells it.
"""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
import redis

from hallmark.twin.clients import Clients
from hallmark.twin.stores.postgres import Postgres
from hallmark.twin.stores.valkey import Valkey
from hallmark.waiting import until

Json = dict[str, Any]
RDS, CACHE, CLICKHOUSE = (
    "pg.aaaa.us-east-1.rds.amazonaws.com",
    "master.c.aaaa.use1.cache.amazonaws.com",
    "ls-clickhouse",
)
PASSWORD, TOKEN, SALT = "correct-horse-battery", "a-token-of-sixteen-letters", "salt-of-the-test"
EMAIL, ADMIN = "admin@example.com", "Correct-Horse-1"
PORTS = {"backend": 1984, "platform-backend": 1986, "queue": 8080, "ingest-queue": 1989, "frontend": 8080}
RUNNER = """
import json, sys, importlib
from pathlib import Path
from hallmark.twin.programs.zygote import die_with
from hallmark.twin.programs.container import Container
given = json.loads(sys.stdin.readline())
die_with(given["parent"])
sys.stdout.reconfigure(line_buffering=True)
sys.exit(importlib.import_module(given["program"]).main(Container.of(given["spec"], given["reports"])))
"""
EXEC = """
import json, sys
from hallmark.twin.platform.commands import COMMANDS
from hallmark.twin.programs.container import Container
from hallmark.twin.programs.shell.interpreter import Shell, Streams
shell = Shell(Container.of(json.load(sys.stdin)), Streams(sys.stdin, sys.stdout, sys.stderr), COMMANDS)
sys.exit(shell.call(["saq", "app.settings", "--check"]))
"""
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Gate:
    """Answers programs as the kubelet would: names of this test lead somewhere, or fail as a test says."""

    def __init__(self) -> None:
        self.routes: dict[str, tuple[str, int]] = {}
        self.outcomes: dict[str, str] = {}
        self.denials: dict[str, str] = {}
        self.credentials: Json = {}
        self.asked: list[tuple[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                body = json.dumps(outer.answer(self.path.rpartition("/")[2], asked)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name)
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/token"

    def answer(self, action: str, asked: Json) -> Json:
        """One answer."""
        host = asked.get("host", "")
        self.asked.append((action, host))
        if action == "credentials":
            return {"outcome": "connected", **self.credentials}
        if action == "login":
            if host in self.denials:
                return {"outcome": "denied", "message": self.denials[host]}
            return {"outcome": "accepted", "message": ""}
        if outcome := self.outcomes.get(host) or ("" if host in self.routes else "unknown host"):
            return {"outcome": outcome}
        address, port = self.routes[host]
        return {"outcome": "connected", "ip": "", "address": address, "port": port, "name": host, "addresses": ["x"]}

    def close(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Pod:
    """One role as a process."""

    process: subprocess.Popen[bytes]
    file: Path
    reports: int
    port: int = 0

    @property
    def log(self) -> str:
        """What it has written."""
        return self.file.read_text()

    def ready(self) -> bool:
        """Wait until it listens."""
        told = b""
        while b'"listening"' not in told:
            piece = os.read(self.reports, 65536)
            if not piece:
                return False
            told += piece
        lines = [json.loads(line) for line in told.splitlines()]
        self.port = next(int(port) for each in lines for port in each.get("listening", {}).values())
        return True

    def stop(self, sign: int = signal.SIGTERM) -> int:
        """End it; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        code = self.process.wait(20)
        if self.reports >= 0:
            os.close(self.reports)
            self.reports = -1
        return code


@dataclass
class Platform:
    """The stand-in, its stores, and short ways to talk to it."""

    RDS: ClassVar = RDS
    CACHE: ClassVar = CACHE
    CLICKHOUSE: ClassVar = CLICKHOUSE
    EMAIL: ClassVar = EMAIL
    ADMIN: ClassVar = ADMIN

    folder: Path
    gate: Gate
    aws: Clients
    database: Postgres
    cache: Valkey
    clickhouse: subprocess.Popen[str] | None = None
    pods: dict[str, Pod] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """What the chart gives every workload."""
        return {
            "LANGSMITH_LICENSE_KEY": "license", "API_KEY_SALT": SALT, "BASIC_AUTH_ENABLED": "true",
            "BASIC_AUTH_JWT_SECRET": "signs", "INITIAL_ORG_ADMIN_EMAIL": EMAIL, "INITIAL_ORG_ADMIN_PASSWORD": ADMIN,
            "POSTGRES_DATABASE_URI": f"ann:{PASSWORD}@{RDS}:5432/app", "REDIS_DATABASE_URI": f"rediss://:{TOKEN}@{CACHE}:6379",
            "CLICKHOUSE_HOST": CLICKHOUSE, "CLICKHOUSE_PORT": "8123", "CLICKHOUSE_USER": "default",
            "CLICKHOUSE_PASSWORD": PASSWORD, "CLICKHOUSE_DB": "default", "FF_BLOB_STORAGE_ENABLED": "true",
            "S3_BUCKET_NAME": "traces", "S3_API_URL": "https://s3.us-east-1.amazonaws.com",
            "MIN_BLOB_STORAGE_SIZE_KB": "20", "REDIS_RUNS_EXPIRY_SECONDS": "21600",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/token", "GO_ENDPOINT": "http://ls-platform-backend:1986",
            "SMITH_BACKEND_ENDPOINT": "http://ls-backend:1984", "X_SERVICE_AUTH_JWT_SECRET": "shared by services",
        }  # fmt: skip

    def spec(self, role: str, name: str, **changes: str) -> Json:
        """What a kubelet would say of a container."""
        settings = {"role": role, "version": "0.16.45"}
        return {
            "name": role, "pod": name, "namespace": "langsmith", "arguments": [], "read_only": [], "speed": 20.0,
            "environment": {**self.environment(), **changes}, "root": str(self.folder / "root"), "address": "127.0.0.1",
            "ip": "10.0.0.9", "gate": self.gate.url, "log": "", "settings": settings,
        }  # fmt: skip

    def start(self, role: str, name: str = "", **changes: str) -> Pod:
        """Start a role as a process."""
        name = name or role
        module = "hallmark.twin.programs.langsmith.frontend" if role == "frontend" else "hallmark.twin.platform.main"
        reads, writes = os.pipe()
        given = {"program": module, "spec": self.spec(role, name, **changes), "reports": writes, "parent": os.getpid()}
        file = self.folder / f"{name}.log"
        with file.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", RUNNER], stdin=subprocess.PIPE, stdout=log, stderr=log, pass_fds=[writes]
            )
        os.close(writes)
        assert process.stdin
        with process.stdin as pipe:
            pipe.write(json.dumps(given).encode() + b"\n")
        return Pod(process, file, reads)

    def run(self, role: str, name: str = "", **changes: str) -> tuple[int, str]:
        """Run a Job: its exit code, and its log."""
        pod = self.start(role, name or role, **changes)
        pod.process.wait(120)
        return pod.stop(), pod.log

    def serve(self, role: str, name: str = "", **changes: str) -> Pod:
        """Start a workload and put it behind its Service's name."""
        pod = self.start(role, name, **changes)
        self.pods[name or role] = pod
        assert pod.ready(), pod.log
        self.gate.routes[f"ls-{name or role}"] = ("127.0.0.1", pod.port)
        return pod

    def again(self, role: str, **changes: str) -> Pod:
        """Restart a workload."""
        self.pods[role].stop()
        return self.serve(role, **changes)

    @property
    def url(self) -> str:
        """Where the frontend listens."""
        return f"http://127.0.0.1:{self.pods['frontend'].port}"

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Call the public API: status and content."""
        return self.ask(f"{self.url}/api/v1{path}", method, body, **headers)

    def ask(self, url: str, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, Any]:
        """Call any URL; the key of the test goes along unless headers are given."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        known = {name.replace("_", "-"): value for name, value in headers.items()} or {"x-api-key": self.key}
        known |= {"Content-Type": known.get("Content-Type", "application/json")}
        request = urllib.request.Request(url, data, known, method=method)  # noqa: S310  (http)
        try:
            with OPENER.open(request, timeout=60) as answer:
                return answer.status, _content(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _content(error.read())

    @property
    def key(self) -> str:
        """An API key of the administrator."""
        if "key" not in self.keys:
            self.keys["key"] = self.call("POST", "/api-key/current", {}, Authorization=f"Bearer {self.login()}")[1][
                "key"
            ]
        return self.keys["key"]

    def login(self, password: str = ADMIN) -> str:
        """Log in with a password; a token."""
        pair = base64.b64encode(f"{EMAIL}:{password}".encode()).decode()
        status, answer = self.call("POST", "/login", Authorization=f"Basic {pair}")
        assert status == 200, answer
        return str(answer["access_token"])

    def pending(self) -> int:
        """How many runs wait."""
        url = f"http://127.0.0.1:{self.pods['platform-backend'].port}/metrics?format=json"
        return int(self.ask(url)[1]["ingestion_queue"]["pending"])

    def saq(self) -> int:
        """Run the liveness probe of the queue; its exit code."""
        words = [sys.executable, "-c", EXEC]
        given = json.dumps(self.spec("queue", "queue"))
        return subprocess.run(words, input=given, text=True, check=False, capture_output=True, timeout=60).returncode

    def cache_age(self) -> float:
        """Seconds since the oldest run that waits was accepted."""
        with redis.Redis(*self.cache.address, password=TOKEN, protocol=2) as client:
            found: Any = client.xrange("langsmith:ingestion", count=1)
        return time.time() - int(found[0][0].split(b"-")[0]) / 1000 if found else 0.0

    def readable(self, identity: str, seconds: float = 60.0) -> Json:
        """Wait until a run can be read."""
        found: Json = {}

        def look() -> bool:
            status, answer = self.call("GET", f"/runs/{identity}")
            found.update(answer if status == 200 else {})
            return status == 200

        assert until(look, seconds, pause=0.02), [pod.log[-2000:] for pod in self.pods.values()]
        return found

    def allow(self, *actions: str, resource: str = "arn:aws:s3:::traces/*") -> None:
        """Let the pods' role do this with objects of the bucket."""
        which = ["arn:aws:s3:::traces", resource]
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": which}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.aws("iam").put_role_policy(RoleName="app", PolicyName="blobs", PolicyDocument=document)

    def start_clickhouse(self) -> None:
        """Start ClickHouse's engine."""
        command = [sys.executable, "-m", "hallmark.twin.stores.clickhouse", "--path", str(self.folder / "ch")]
        self.clickhouse = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.clickhouse.stdin
        assert self.clickhouse.stdout
        with self.clickhouse.stdin as pipe:
            pipe.write(json.dumps({"users": {"default": {"password": PASSWORD}}}) + "\n")
        with self.clickhouse.stdout as pipe:
            port = int(pipe.readline().split()[1])
        self.gate.routes[CLICKHOUSE] = ("127.0.0.1", port)

    def stop_clickhouse(self) -> None:
        """Stop it."""
        if self.clickhouse:
            self.clickhouse.terminate()
            self.clickhouse.wait(30)
            self.clickhouse = None
            self.gate.outcomes[CLICKHOUSE] = "refused"

    def log(self, role: str, words: str, seconds: float = 60.0) -> bool:
        """Wait until a role's log holds some words."""
        return until(lambda: words in self.pods[role].log, seconds)

    def close(self) -> None:
        """End everything."""
        for pod in self.pods.values():
            pod.stop(signal.SIGKILL)
        if self.clickhouse:
            self.clickhouse.kill()
            self.clickhouse.wait(30)
        self.database.stop()
        self.cache.stop()
        self.gate.close()


def _content(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode()


@pytest.fixture(scope="session")
def _aws(emulated: Any) -> Clients:
    return Clients(emulated.endpoint, "330000000002", "us-east-1")


def _credentials(aws: Clients) -> Json:
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = aws("iam").create_role(RoleName="app", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    keys = aws("sts").assume_role(RoleArn=role, RoleSessionName="pod")["Credentials"]
    return {
        "AccessKeyId": keys["AccessKeyId"],
        "SecretAccessKey": keys["SecretAccessKey"],
        "Token": keys["SessionToken"],
    }


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory, _aws: Clients) -> Iterator[Platform]:
    """Stores and AWS; no schema, no workload."""
    folder = tmp_path_factory.mktemp("platform")
    folder.chmod(0o711)
    (folder / "root").mkdir()
    (folder / "root" / "token").write_text("jwt")
    database = Postgres(folder / "pg", "ann", PASSWORD, "app")
    found = Platform(folder, Gate(), _aws, database, Valkey(folder / "valkey", [TOKEN]))
    try:
        found.database.start()
        found.cache.start()
        found.start_clickhouse()
        found.gate.routes |= {RDS: database.address, CACHE: found.cache.address}
        endpoint = urlsplit(_aws.endpoint)
        found.gate.routes["s3.us-east-1.amazonaws.com"] = (str(endpoint.hostname), int(endpoint.port or 0))
        _aws("s3").create_bucket(Bucket="traces")
        found.gate.credentials = _credentials(_aws)
        found.allow("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket")
        yield found
    finally:
        found.close()


@pytest.fixture(scope="session")
def platform(bare: Platform) -> Platform:
    """The whole stand-in: migrated, bootstrapped, all roles running behind the frontend."""
    for job in ("migrations", "ch-migrations", "auth-bootstrap"):
        code, log = bare.run(job)
        assert code == 0, log
    for role in ("platform-backend", "backend", "queue", "ingest-queue", "frontend"):
        bare.serve(role)
    return bare
