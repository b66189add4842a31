"""The whole way of a grade, by the real commands: from the target to the exit code, and again without the target."""

import base64
import hashlib
import json
import os
import re
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from hallmark import catalog
from hallmark.evidence.snapshot import CLUSTER, LOCAL

pytestmark = pytest.mark.xdist_group("whole-way")
BUILT = [lab.id for lab in catalog.labs(Path(__file__).parents[1]) if lab.start in {"empty", "baseline"}]
"""Labs that build what a new twin holds: their checks are passed on it, and hold all of the reference's clauses."""
LABS = [
    pytest.param(lab.id, marks=[] if lab.id in BUILT else pytest.mark.proof)
    for lab in catalog.labs(Path(__file__).parents[1])
]
FOUNDATION = BUILT[0]
"""Graded when no lab is named."""
FAULTY = "edge-waf-rate-limit"
DISCOVERY = f"{CLUSTER}.discovery"

HERMIT = """
import os, sys

def refuse(event, arguments):
    if event in {"socket.connect", "subprocess.Popen", "os.posix_spawn", "os.exec", "os.fork"}:
        with open(os.environ["HERMIT_LOG"], "a") as log:
            log.write(f"{event} {arguments}\\n")
        raise PermissionError(event)

sys.addaudithook(refuse)
"""
"""Python reads it at its start: whoever tries to reach anything is written down and stopped."""


def path_with(folder: Path) -> str:
    """Where Python looks for modules: this folder, then as always."""
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])


@pytest.fixture(scope="module")
def system(clone: Callable[[], Any]) -> Any:
    """A clone whose twin is up and holds the whole architecture."""
    mine = clone()
    assert mine.run("twin", "up").returncode == 0
    return mine


@pytest.fixture(scope="module")
def elsewhere(clone: Callable[[], Any]) -> Any:
    """A clone whose twin was never up."""
    return clone()


@pytest.fixture(scope="module")
def live(system: Any) -> Callable[[str], CompletedProcess[str]]:
    """Grade a lab on the twin, once."""
    return cache(lambda lab: system.run("grade", lab))


@pytest.fixture(scope="module")
def graded(system: Any, live: Callable[[str], CompletedProcess[str]]) -> Callable[[str], Path]:
    """The files of a grade that was passed."""

    def folder(lab: str) -> Path:
        done = live(lab)
        assert done.returncode == 0, done.stdout + done.stderr
        return Path(system.home / "grades" / lab)

    return folder


@pytest.mark.parametrize("lab", LABS)
def test_stored_evidence_gives_the_same_scorecard_and_asks_nobody(
    system: Any, elsewhere: Any, live: Callable[[str], CompletedProcess[str]], tmp_path: Path, lab: str
) -> None:
    """Without a twin, every connection and every process refused: byte for byte the same."""
    first = live(lab)
    (tmp_path / "sitecustomize.py").write_text(HERMIT)
    log = tmp_path / "log"
    alone = {"PYTHONPATH": path_with(tmp_path), "HERMIT_LOG": str(log)}

    evidence = system.home / "grades" / lab / "evidence.json"
    stored = elsewhere.run("grade", lab, "--evidence", str(evidence), environment=alone)

    assert not log.exists(), log.read_text()
    assert (stored.returncode, stored.stdout) == (first.returncode, first.stdout)
    for name in ("scorecard.json", "scorecard.html", "scorecard.xml", "evidence.json"):
        one, other = (each.home / "grades" / lab / name for each in (system, elsewhere))
        assert one.read_bytes() == other.read_bytes(), name
    assert not elsewhere.twin.status().running


def test_the_hermit_would_notice(system: Any, elsewhere: Any, tmp_path: Path) -> None:
    """The trap of the test above snaps when a target is asked."""
    (tmp_path / "sitecustomize.py").write_text(HERMIT)
    alone = {"PYTHONPATH": path_with(tmp_path), "HERMIT_LOG": str(tmp_path / "log")}

    done = elsewhere.run("--target", "localstack", "--endpoint", system.twin.endpoint, "grade", environment=alone)

    assert done.returncode != 0
    assert "socket.connect" in (tmp_path / "log").read_text()


@dataclass
class Counting:
    """A proxy that writes down each request, without what changes from try to try.

    Attributes:
        connect: Opens a connection to what is behind it.
        url: Where it answers.
        seen: How often each request was made.
    """

    connect: Callable[[], HTTPConnection]
    url: str = ""
    seen: Counter[tuple[str, str, str, bytes]] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def repeated(self) -> list[tuple[str, str, str, bytes]]:
        """Requests that were made more than once."""
        return [request for request, times in self.seen.items() if times > 1]

    def pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        """Hand one request over, and its answer back."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        with self.lock:
            self.seen[handler.command, handler.path, handler.headers.get("X-Amz-Target", ""), body] += 1
        connection = self.connect()
        connection.request(handler.command, handler.path, body, dict(handler.headers.items()))
        answer = connection.getresponse()
        content = answer.read()
        handler.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"transfer-encoding", "connection", "content-length", "server"}:
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(content)
        connection.close()


@contextmanager
def counting(connect: Callable[[], HTTPConnection]) -> Iterator[Counting]:
    """Run a counting proxy before whatever *connect* leads to."""
    counter = Counting(connect)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return lambda: counter.pass_on(self)
            raise AttributeError(name)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (http.server names it so)
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        counter.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield counter
        server.shutdown()


@dataclass(frozen=True)
class Wires:
    """The two ways to the twin, each with a counting proxy in it.

    Attributes:
        aws: On the way to the emulated AWS.
        cluster: On the way to the Kubernetes API.
        flags: Lead a command over them.
        environment: The same, where there is no flag.
    """

    aws: Counting
    cluster: Counting
    flags: tuple[str, ...]
    environment: Mapping[str, str]


@contextmanager
def wired(system: Any, folder: Path) -> Iterator[Wires]:
    """Put a counting proxy into each way to the twin."""
    config = yaml.safe_load(Path(system.twin.environment()["KUBECONFIG"]).read_text())
    place = config["clusters"][0]["cluster"]
    trusted = ssl.create_default_context(cadata=base64.b64decode(place.pop("certificate-authority-data")).decode())
    emulator, api = urlsplit(system.twin.endpoint).netloc, urlsplit(place["server"]).netloc
    with (
        counting(lambda: HTTPConnection(emulator, timeout=60)) as aws,
        counting(lambda: HTTPSConnection(api, timeout=60, context=trusted)) as cluster,
    ):
        place["server"] = cluster.url
        (folder / "kubeconfig").write_text(yaml.safe_dump(config))
        entrance = system.twin.entrance()
        way = ("--proxy", entrance.proxy, "--ca", str(entrance.authority))
        flags = ("--target", "localstack", "--endpoint", aws.url, *way)
        key = {"HALLMARK_API_KEY": system.twin.api_key()}
        yield Wires(aws, cluster, flags, {"HALLMARK_KUBECONFIG": str(folder / "kubeconfig"), **key})


@pytest.mark.parametrize("lab", BUILT)
def test_each_distinct_call_is_made_once_in_every_grade(
    system: Any, graded: Callable[[str], Path], tmp_path: Path, lab: str
) -> None:
    """Counted at both wires: as many requests as answers, none twice, in the first grade and in the second.

    The platform is reached as on AWS: by settings, and with a key of the environment.
    """
    asked = json.loads((graded(lab) / "evidence.json").read_text())["answers"]
    of_cluster = [key for key in asked if key.split(".")[0] == CLUSTER]
    of_aws = [key for key in asked if key.split(".")[0] not in {*LOCAL, CLUSTER}]
    for _ in range(2):
        with wired(system, tmp_path) as wires:
            done = system.run(*wires.flags, "grade", lab, environment=wires.environment)

        assert done.returncode == 0, done.stdout + done.stderr
        assert wires.aws.repeated == wires.cluster.repeated == []
        assert wires.aws.seen.total() == len(of_aws)
        # Discovery has two answers, see "Aggregated discovery" in the Kubernetes documentation.
        assert wires.cluster.seen.total() == len(of_cluster) + sum(key.startswith(DISCOVERY) for key in of_cluster)


def _edited(graded: Path, folder: Path, edit: Callable[[str], str]) -> str:
    changed = folder / "evidence.json"
    changed.write_text(edit((graded / "evidence.json").read_text()))
    return str(changed)


def _without_answer(text: str) -> str:
    body = json.loads(text)
    key = next(key for key in body["answers"] if key.startswith("rds.describe_db_instances"))
    body["answers"][key] = {"status": "denied", "code": "denied", "message": "rds.describe_db_instances: AccessDenied"}
    return json.dumps(body)


def _with_public_database(text: str) -> str:
    assert '"PubliclyAccessible": false' in text
    return text.replace('"PubliclyAccessible": false', '"PubliclyAccessible": true')


def test_the_exit_code_is_the_answer(system: Any, graded: Callable[[str], Path], tmp_path: Path) -> None:
    """0 passed, 1 not passed, 2 wrong use, 3 could not tell: what a pipeline reads."""
    stored = graded(FOUNDATION)
    worse = _edited(stored, tmp_path, _with_public_database)
    refused = system.run("grade", "--evidence", worse, "-o", str(tmp_path / "out"))
    unknown = system.run("grade", "--evidence", _edited(stored, tmp_path, _without_answer), "-o", str(tmp_path / "out"))
    nobody = system.run("--target", "localstack", "--endpoint", "http://127.0.0.1:1", "--deadline", "20", "grade")

    assert system.run("grade", "--evidence", str(stored / "evidence.json")).returncode == 0
    assert (refused.returncode, "NOT PASSED" in refused.stdout.upper()) == (1, True)
    assert (unknown.returncode, "denied" in unknown.stdout.lower()) == (3, True)
    assert system.run("grade", "no-such-lab").returncode == 2
    assert nobody.returncode == 3


@pytest.mark.proof
def test_a_fault_turns_the_exit_code_and_a_revert_turns_it_back(system: Any) -> None:
    """On the live target: start a lab, not passed; finish it, passed."""
    assert system.run("lab", "start", FAULTY).returncode == 0
    broken = system.run("grade", FAULTY)
    assert system.run("lab", "finish", FAULTY).returncode == 0
    mended = system.run("grade", FAULTY)

    assert (broken.returncode, mended.returncode) == (1, 0)


NAMED = re.compile(
    r'"(?:RoleName|PolicyName|DBInstanceIdentifier|DBParameterGroupName|DBSubnetGroupName|ReplicationGroupId'
    r"|CacheParameterGroupName|CacheSubnetGroupName|CacheClusterId|GroupName|Name|MetricName|AlarmName|LoadBalancerName"
    r'|launchTemplateName|LaunchTemplateName|nodegroupName|TargetGroupName)": "([^"]+)"'
)
"""Fields that hold a name somebody chose."""
OURS = re.compile(r"^(hallmark-twin(?!-eks$)[\w.-]+|k8s-[\w-]+)$")
"""Names our Terraform gives, and what its cluster's controllers derive from them. Paths of secrets keep their slash:
policies grant by prefix."""


def _renamed(text: str) -> str:
    """Give everything our Terraform names a name that says nothing; the same everywhere."""
    names = {name for name in NAMED.findall(text) if OURS.match(name)}
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, f"n{hashlib.sha256(name.encode()).hexdigest()[:16]}")
    assert len(names) > 10
    return text.replace("hallmark-twin", "acme-blue").replace("hallmark/", "acme/")


def _unlabelled(value: Any) -> Any:
    """Drop our tags but one, which gets another name: some tag in common is asked for, which one is free.

    What Kubernetes and its controllers need to find their things stays.
    """
    match value:
        case dict():
            return {NEW.get(name, name): _unlabelled(item) for name, item in value.items() if not _is_ours(name)}
        case list():
            kept = [item for item in value if not (isinstance(item, dict) and _is_tag_of_ours(item))]
            return [_unlabelled(item) for item in kept]
        case str() if value in NEW:
            return NEW[value]
        case _:
            return value


NEW = {"app": "cost-centre"}


def _is_ours(tag: str) -> bool:
    return tag in {"environment", "managed-by"} or tag.startswith("hallmark:")


def _is_tag_of_ours(item: dict[str, Any]) -> bool:
    key = item.get("Key")
    return isinstance(key, str) and (key == "Name" or _is_ours(key))


def _anonymous(text: str) -> str:
    body = json.loads(_renamed(text))
    for answer in body["answers"].values():
        answer["value"] = _unlabelled(answer["value"])
    return json.dumps(body)


@pytest.mark.parametrize("lab", BUILT)
def test_nothing_our_terraform_names_or_tags_is_needed(
    system: Any, graded: Callable[[str], Path], tmp_path: Path, lab: str
) -> None:
    """The same system under other names and without our tags passes just the same: references are followed."""
    anonymous = _edited(graded(lab), tmp_path, _anonymous)
    text = Path(anonymous).read_text()

    done = system.run("grade", lab, "--evidence", anonymous, "-o", str(tmp_path / "out"))

    assert "hallmark-twin" not in text
    assert not re.search(r'"(Key": "|)hallmark[:/]', text)
    assert done.returncode == 0, done.stdout
    first, second = (json.loads((f / "scorecard.json").read_text()) for f in (graded(lab), tmp_path / "out"))
    assert {r["check"]["id"]: r["verdict"] for r in first["results"]} == {
        r["check"]["id"]: r["verdict"] for r in second["results"]
    }


def test_what_a_reset_brings_back_works_at_once(system: Any) -> None:
    """From whichever state: a grade that comes next never sees a platform that is only about to answer."""
    system.twin.reset(to="baseline")
    system.twin.reset()

    with system.twin.entrance().client() as client:
        assert client.get("/api/v1/info").status_code == 200
