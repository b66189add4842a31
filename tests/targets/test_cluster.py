"""What an API server does to us, and what we make of it; and that nothing secret of a cluster leaves the source.

A small HTTP server plays an API server that misbehaves; the client is the real one.
"""

import base64
import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hallmark.errors import AuthorError, UsageError
from hallmark.evidence import snapshot
from hallmark.evidence.redact import Redactor
from hallmark.model import Answer, Call, Status
from hallmark.targets.cluster import ClusterSource, defects
from hallmark.targets.profile import Profile

PODS = Call.of("kubernetes", "list", version="v1", resource="pods", namespace="n")
POD = Call.of("kubernetes", "get", version="v1", resource="pods", namespace="n", name="p")
Reply = Callable[[BaseHTTPRequestHandler], None]
NOT_FOUND = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}


def _json(status: int, body: object, **headers: str) -> Reply:
    def reply(request: BaseHTTPRequestHandler) -> None:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    return reply


def _hang(request: BaseHTTPRequestHandler) -> None:
    request.server.release.wait(5)  # type: ignore[attr-defined]  # set by _server below


def _cut(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    request.wfile.write(b'{"items": [{"met')
    request.close_connection = True


def _hang_up(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True


def _in_turn(replies: list[Reply]) -> Reply:
    def reply(request: BaseHTTPRequestHandler) -> None:
        replies.pop(0)(request)

    return reply


@contextmanager
def _server(reply: Reply) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply(self)

        do_POST = do_GET  # noqa: N815  (the base class's spelling)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.release = threading.Event()  # type: ignore[attr-defined]  # lets a hanging reply end with the test
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.release.set()  # type: ignore[attr-defined]  # see above
        server.shutdown()
        server.server_close()
        thread.join()


def _source(folder: Path, server: str, deadline: int = 20, attempts: int = 1) -> ClusterSource:
    file = folder / "kubeconfig"
    content = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    file.write_text(json.dumps(content))
    return ClusterSource(Profile(kubeconfig=str(file), deadline=deadline), attempts)


WAYS = {
    "answers": (_json(200, {"items": [{"metadata": {"name": "p"}}]}), Status.OBSERVED, ""),
    "does not know the kind": (_json(404, b"404 page not found\n"), Status.ABSENT, "NotFound"),
    "does not have it": (_json(404, NOT_FOUND), Status.ABSENT, "NotFound"),
    "is somebody else's web server": (_json(404, b"<html>nothing here</html>"), Status.FAILED, "malformed"),
    "does not know us": (_json(401, {"kind": "Status"}), Status.FAILED, "credentials"),
    "refuses": (_json(403, {"kind": "Status"}), Status.DENIED, "denied"),
    "has forgotten the list": (_json(410, {"kind": "Status"}), Status.FAILED, "truncated"),
    "is busy": (_json(429, {"kind": "Status"}), Status.FAILED, "throttled"),
    "fails": (_json(500, {"kind": "Status"}), Status.FAILED, "server"),
    "is not ready": (_json(503, b"no endpoints"), Status.FAILED, "server"),
    "waited in vain itself": (_json(504, b""), Status.FAILED, "timeout"),
    "sends elsewhere": (_json(302, b"", Location="http://127.0.0.1:1/login"), Status.FAILED, "server"),
    "is a proxy": (_json(200, b"<html>a login page</html>"), Status.FAILED, "malformed"),
    "sends a list": (_json(200, []), Status.FAILED, "malformed"),
    "sends an object for a list": (_json(200, {"metadata": {"name": "p"}}), Status.FAILED, "malformed"),
    "sends text for the items": (_json(200, {"items": "p"}), Status.FAILED, "malformed"),
    "sends null for the items": (_json(200, {"items": None}), Status.FAILED, "malformed"),
    "sends an item that is none": (_json(200, {"items": ["p"]}), Status.FAILED, "malformed"),
    "sends an item without metadata": (_json(200, {"items": [{"metadata": "p"}]}), Status.FAILED, "malformed"),
    "breaks off": (_cut, Status.FAILED, "truncated"),
    "hangs up": (_hang_up, Status.FAILED, "unreachable"),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_fail_has_its_code(tmp_path: Path, way: str) -> None:
    """Observed, absent, denied and failed are kept apart; none of the failures has a value."""
    reply, status, code = WAYS[way]
    with _server(reply) as server:
        answer = _source(tmp_path, server).answer(PODS)

    assert (answer.status, answer.code) == (status, code)
    assert (answer.value is None) == (status is not Status.OBSERVED)


def test_a_hanging_server_is_a_timeout(tmp_path: Path) -> None:
    """A read that takes too long is not an answer."""
    with _server(_hang) as server:
        assert _source(tmp_path, server, deadline=1).answer(PODS).code == "timeout"


def test_a_closed_port_is_unreachable(tmp_path: Path) -> None:
    """Nobody listening is its own cause."""
    assert _source(tmp_path, "http://127.0.0.1:1").answer(PODS).code == "unreachable"


def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    """As often as allowed, and after the pause it asks for."""
    replies = [_json(429, {}, Retry_After="0"), _json(503, {}), _json(200, {"items": []})]
    with _server(_in_turn(replies)) as server:
        answer = _source(tmp_path, server, attempts=3).answer(PODS)

    assert (answer.status, answer.value, replies) == (Status.OBSERVED, {"items": []}, [])


def _page(names: str, more: str = "") -> dict[str, Any]:
    return {"metadata": {"continue": more}, "items": [{"metadata": {"name": name}} for name in names]}


def _names(answer: Answer) -> str:
    return "".join(item["metadata"]["name"] for item in answer.value["items"])


def test_a_list_is_read_whole(tmp_path: Path) -> None:
    """Every page, each with the token of the one before."""
    pages = {"": _page("ab", "1"), "1": _page("cd", "2"), "2": _page("e")}

    def reply(request: BaseHTTPRequestHandler) -> None:
        _json(200, pages[parse_qs(urlsplit(request.path).query).get("continue", [""])[0]])(request)

    with _server(reply) as server:
        assert _names(_source(tmp_path, server).answer(PODS)) == "abcde"


def test_a_list_that_expired_on_the_way_is_begun_again_once(tmp_path: Path) -> None:
    """Half of the old list and half of the new one are no list."""
    replies = [_json(200, _page("ab", "1")), _json(410, {}), _json(200, _page("cd", "2")), _json(200, _page("e"))]
    with _server(_in_turn(replies)) as server:
        assert _names(_source(tmp_path, server).answer(PODS)) == "cde"


def test_pages_in_a_circle_are_malformed(tmp_path: Path) -> None:
    """A server that hands out the same token for ever does not hold up the grade."""
    with _server(_json(200, _page("a", "again"))) as server:
        assert _source(tmp_path, server).answer(PODS).code == "malformed"


@pytest.mark.parametrize("call", [
    Call.of("kubernetes", "list", version="v1", resource="secrets"),
    Call.of("kubernetes", "get", version="v1", resource="secrets", namespace="n", name="s"),
    Call.of("kubernetes", "delete", version="v1", resource="pods", namespace="n", name="p"),
])  # fmt: skip
def test_a_grade_never_writes_and_never_reads_a_secret(tmp_path: Path, call: Call) -> None:
    """The refusal comes before anything leaves the process."""
    with pytest.raises(AuthorError, match="not a read"):
        _source(tmp_path, "http://127.0.0.1:1").answer(call)


@pytest.mark.parametrize("text", ["", "[]", "{", "clusters: 5", "current-context: gone\ncontexts: []\n"])
def test_a_kubeconfig_that_cannot_be_used_is_the_persons_to_mend(tmp_path: Path, text: str) -> None:
    """One sentence with the file and the next command; nothing of the file itself."""
    (tmp_path / "kubeconfig").write_text(text)

    with pytest.raises(UsageError, match="cannot be used") as caught:
        ClusterSource(Profile(kubeconfig=str(tmp_path / "kubeconfig"))).answer(PODS)

    assert caught.value.hint.startswith("kubectl --kubeconfig")


def test_a_missing_kubeconfig_is_named(tmp_path: Path) -> None:
    """The same sentence as for one that is broken."""
    with pytest.raises(UsageError, match="gone cannot be used"):
        ClusterSource(Profile(kubeconfig=str(tmp_path / "gone"))).answer(PODS)


def test_without_a_kubeconfig_eks_says_where_the_cluster_is() -> None:
    """Endpoint from EKS; the token is a question to STS that names the cluster in a signed header."""
    seen: list[str] = []

    def reply(request: BaseHTTPRequestHandler) -> None:
        host = f"http://{request.headers['Host']}"
        if request.path.startswith("/clusters/"):
            authority = {"data": base64.b64encode(b"x").decode()}
            _json(200, {"cluster": {"name": "c", "endpoint": host, "certificateAuthority": authority}})(request)
        else:
            seen.append(request.headers["Authorization"])
            _json(200, {"items": []})(request)

    with _server(reply) as server:
        answer = ClusterSource(Profile(target="localstack", endpoint=server, cluster="c")).answer(PODS)

    assert answer.status is Status.OBSERVED
    token = seen[0].removeprefix("Bearer k8s-aws-v1.")
    question = urlsplit(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
    assert f"http://{question.netloc}" == server
    assert parse_qs(question.query)["Action"] == ["GetCallerIdentity"]
    assert parse_qs(question.query)["X-Amz-Expires"] == ["60"]
    assert parse_qs(question.query)["X-Amz-SignedHeaders"] == ["host;x-k8s-aws-id"]


@pytest.mark.parametrize(
    ("reply", "status", "code"),
    [
        (_json(404, {}, x_amzn_ErrorType="ResourceNotFoundException"), Status.FAILED, "unreachable"),
        (_json(403, {}, x_amzn_ErrorType="AccessDeniedException"), Status.DENIED, "denied"),
        (_json(200, {"cluster": {"name": "c", "status": "CREATING"}}), Status.FAILED, "unreachable"),
    ],
    ids=["absent", "denied", "creating"],
)
def test_a_cluster_eks_does_not_show_is_not_an_empty_one(reply: Reply, status: Status, code: str) -> None:
    """Nothing is known of what is in it."""
    with _server(reply) as server:
        source = ClusterSource(Profile(target="localstack", endpoint=server, cluster="c"))
        answers = [source.answer(call) for call in (PODS, POD)]

    assert [(answer.status, answer.code) for answer in answers] == [(status, code)] * 2


# What is read of a cluster, and what is left out.

WORDS = ("Tr0ub4dor-und-3", "origin-Verify-5e4d3c2b1a", "LSENT-7Q2M-55ZK-planted", "AKIAPLANTED7EXAMPLE0")
URL = f"postgres://langsmith:{WORDS[0]}@db.internal:5432/langsmith?sslmode=require"
SECRETS = (*WORDS, URL)
NOTE = " ".join(SECRETS)


def _planted_metadata(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": "n",
        "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"data": NOTE}),
            "team.example/note": NOTE,
            "alb.ingress.kubernetes.io/actions.hidden": NOTE,
            "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/app",
        },
        "labels": {"app.kubernetes.io/name": "langsmith", "team": WORDS[1]},
        "managedFields": [{"manager": "x", "fieldsV1": {"f:data": {f"f:{WORDS[1]}": {}}}}],
    }


def _planted_pod() -> dict[str, Any]:
    container = {
        "name": "backend",
        "image": "docker.io/langchain/langsmith-backend:0.16.45",
        "command": ["sh", "-c", NOTE],
        "args": [f"--password={WORDS[0]}", "--workers=4", "--verbose", WORDS[1]],
        "env": [
            {"name": "S3_BUCKET_NAME", "value": "traces"},
            {"name": "FF_BLOB_STORAGE_ENABLED", "value": "true"},
            {"name": "NOTE", "value": WORDS[1]},
            {"name": "API_KEY_SALT", "value": WORDS[2]},
            {"name": "POSTGRES_DATABASE_URI", "value": URL},
            {"name": "REDIS_DATABASE_URI", "valueFrom": {"secretKeyRef": {"name": "redis", "key": "connection_url"}}},
        ],
        "livenessProbe": {
            "httpGet": {
                "path": f"/health?key={WORDS[1]}",
                "port": 1984,
                "httpHeaders": [{"name": "X-Key", "value": WORDS[1]}],
            },
        },
        "lifecycle": {"preStop": {"exec": {"command": ["curl", f"--header=X-Key: {WORDS[1]}"]}}},
    }
    volumes = [
        {"name": "v", "csi": {"driver": "d", "volumeAttributes": {"secretProviderClass": "spc", "key": WORDS[1]}}}
    ]
    status = {"conditions": [{"type": "Ready", "status": "False", "reason": "Unschedulable", "message": NOTE}]}
    spec = {"containers": [container], "volumes": volumes, "nodeSelector": {"pool": WORDS[1]}}
    return {"metadata": _planted_metadata("p"), "spec": spec, "status": status}


def _planted_config() -> dict[str, Any]:
    data = {
        "AUTH_TYPE": "mixed",
        "nginx.conf": f"proxy_set_header X-Key {WORDS[1]};",
        "app.env": f"DEBUG=1\nDB_PASSWORD={WORDS[0]}\n",
        "SALT": WORDS[2],
    }
    return {"metadata": _planted_metadata("c"), "data": data}


def _planted_secret() -> dict[str, Any]:
    values = {
        "connection_url": URL,
        "redis_cluster_node_uris": json.dumps(["rediss://a:6379", "rediss://b:6379"]),
        "clickhouse_password": WORDS[0],
        "clickhouse_host": "clickhouse.internal",
        "langsmith_license_key": WORDS[2],
        "note": NOTE,
        "blank": " ",
    }
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"metadata": _planted_metadata("s"), "type": "Opaque", "data": data}


def _record(revision: int, status: str, config: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "langsmith", "version": "0.16.11", "appVersion": "0.16.45"}
    body = {
        "name": "langsmith",
        "namespace": "n",
        "version": revision,
        "info": {"status": status, "description": NOTE, "notes": NOTE, "last_deployed": "2026-11-24T12:00:00Z"},
        "chart": {"metadata": metadata, "values": {"x": NOTE}},
        "config": config,
        "manifest": NOTE,
    }
    packed = base64.b64encode(gzip.compress(json.dumps(body).encode()))
    labels = {"owner": "helm", "name": "langsmith", "version": str(revision), "status": status}
    name = f"sh.helm.release.v1.langsmith.v{revision}"
    data = {"release": base64.b64encode(packed).decode()}
    return {"metadata": {"name": name, "labels": labels}, "type": "helm.sh/release.v1", "data": data}


CONFIG = {
    "config": {
        "hostname": "langsmith.example.com",
        "apiKeySalt": WORDS[2],
        "existingSecretName": "langsmith-config",
        "basicAuth": {"enabled": True, "initialOrgAdminPassword": WORDS[0]},
        "note": WORDS[1],
    },
    "commonEnv": [{"name": "DB_PASSWORD", "value": WORDS[0]}, {"name": "X", "value": URL}],
    "clickhouse": {"statefulSet": {"resources": {"limits": {"cpu": 8, "memory": "32Gi"}}}},
    "existingSecret": "name-of-a-secret",
}


def _ask(folder: Path, body: object, operation: str, **params: Any) -> Any:
    with _server(_json(200, body)) as server:
        answer = _source(folder, server).answer(Call.of("kubernetes", operation, **params))
    assert answer.status is Status.OBSERVED, answer
    assert defects(operation, answer.value) == []
    return answer.value


@pytest.mark.parametrize(
    ("planted", "operation", "params"),
    [
        (_planted_pod(), "list", {"version": "v1", "resource": "pods"}),
        (_planted_config(), "list", {"version": "v1", "resource": "configmaps"}),
        (_planted_secret(), "secrets", {"namespace": "n"}),
        (
            {"metadata": _planted_metadata("e"), "spec": {"target": {"template": {"data": {"k": NOTE}}}}},
            "list",
            {"group": "external-secrets.io", "version": "v1", "resource": "externalsecrets"},
        ),
        (
            {"metadata": _planted_metadata("x"), "spec": {"anything": NOTE}, "data": NOTE},
            "list",
            {"group": "example.com", "version": "v1", "resource": "things"},
        ),
        (
            {"metadata": _planted_metadata("e"), "message": NOTE, "note": NOTE, "reason": "BackOff"},
            "list",
            {"version": "v1", "resource": "events"},
        ),
        (_record(1, "deployed", CONFIG), "release", {"namespace": "n", "name": "langsmith"}),
    ],
    ids=["pod", "configmap", "secret", "externalsecret", "unknown kind", "event", "release"],
)
def test_nothing_that_was_planted_in_a_cluster_is_in_the_evidence(
    tmp_path: Path, planted: dict[str, Any], operation: str, params: dict[str, Any]
) -> None:
    """Whatever has no shape of its own is known by its place; the rest is cut out when the evidence is taken."""
    value = _ask(tmp_path, {"items": [planted]}, operation, **params)
    text = json.dumps(Redactor({}).texts(value))

    assert [word for word in SECRETS if word in text or base64.b64encode(word.encode()).decode()[:-4] in text] == []


def test_what_says_how_a_pod_is_set_up_is_kept(tmp_path: Path) -> None:
    """Harmless values, references to Secrets, what a literal looks like, and where it leads."""
    value = _ask(tmp_path, {"items": [_planted_pod()]}, "list", version="v1", resource="pods")
    pod = value["items"][0]
    (container,) = pod["spec"]["containers"]
    environment = {entry["name"]: entry for entry in container["env"]}

    assert environment["S3_BUCKET_NAME"] == {"name": "S3_BUCKET_NAME", "value": "traces"}
    assert environment["FF_BLOB_STORAGE_ENABLED"]["value"] == "true"
    assert "leak" not in environment["NOTE"]
    assert environment["API_KEY_SALT"]["leak"] == "literal value of API_KEY_SALT"
    assert environment["POSTGRES_DATABASE_URI"]["leak"] == "URL with a password"
    assert environment["POSTGRES_DATABASE_URI"]["url"] == {
        "scheme": "postgres",
        "host": "db.internal",
        "port": 5432,
        "userinfo": True,
        "password": True,
        "sslmode": "require",
    }
    assert environment["REDIS_DATABASE_URI"]["valueFrom"]["secretKeyRef"] == {"name": "redis", "key": "connection_url"}
    assert container["args"][1:3] == ["--workers=4", "--verbose"]
    assert container["leaks"] == ["AWS access key id", "literal value of password"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/health"
    assert pod["metadata"]["annotations"]["eks.amazonaws.com/role-arn"] == "arn:aws:iam::111122223333:role/app"
    assert set(pod["metadata"]) == {"name", "namespace", "annotations", "labels"}
    assert pod["metadata"]["labels"]["app.kubernetes.io/name"] == "langsmith"
    assert pod["spec"]["volumes"][0]["csi"]["volumeAttributes"]["secretProviderClass"] == "spc"
    assert pod["status"]["conditions"][0]["reason"] == "Unschedulable"


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (["redis-server", "--password", WORDS[0]], ["literal value of password"]),
        (["sh", "-c", f"export DB_PASSWORD={WORDS[0]}\nexec serve"], ["literal value of DB_PASSWORD"]),
        (["migrate", "--to", f"langsmith:{WORDS[0]}@db.internal/langsmith"], ["URL with a password"]),
        (["serve", "--password=$(DB_PASSWORD)", "--token-file=/run/token", "--workers", "4"], []),
        (["sh", "-c", 'exec redis-cli -a "$REDIS_PASSWORD" ping'], []),
    ],
)
def test_what_a_command_gives_away_is_named(tmp_path: Path, words: list[str], kinds: list[str]) -> None:
    """As a flag with its value, the two apart, or in a script; a reference to a variable gives nothing away."""
    pod = {"metadata": _planted_metadata("p"), "spec": {"containers": [{"name": "c", "command": words}]}}
    value = _ask(tmp_path, {"items": [pod]}, "list", version="v1", resource="pods")

    assert value["items"][0]["spec"]["containers"][0].get("leaks", []) == kinds


def test_a_selector_still_fits_its_labels(tmp_path: Path) -> None:
    """A label of one's own is masked in both places alike."""
    deployment = {
        "metadata": {"name": "d"},
        "spec": {
            "selector": {"matchLabels": {"team": "a"}},
            "template": {"metadata": {"labels": {"team": "a", "other": "b"}}},
        },
    }
    value = _ask(tmp_path, {"items": [deployment]}, "list", group="apps", version="v1", resource="deployments")
    spec = value["items"][0]["spec"]

    assert spec["selector"]["matchLabels"]["team"] == spec["template"]["metadata"]["labels"]["team"] != "a"
    assert spec["template"]["metadata"]["labels"]["other"] != spec["template"]["metadata"]["labels"]["team"]


def test_what_a_configmap_gives_away_is_named(tmp_path: Path) -> None:
    """A file is looked through line by line, an entry by its name."""
    data = _ask(tmp_path, {"items": [_planted_config()]}, "list", version="v1", resource="configmaps")["items"][0][
        "data"
    ]

    assert data["AUTH_TYPE"] == {"value": "mixed"}
    assert {key: entry.get("leak", "") for key, entry in data.items()} == {
        "AUTH_TYPE": "",
        "nginx.conf": "",
        "app.env": "literal value of DB_PASSWORD",
        "SALT": "literal value of SALT",
    }


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("DATABASE", f"langsmith:{WORDS[0]}@db.internal:5432/langsmith", "URL with a password"),
        ("CACHE", f":{WORDS[0]}@cache.internal:6379", "URL with a password"),
        ("DATABASE", "langsmith:$(PASSWORD)@db.internal:5432/langsmith", ""),
        ("DATABASE", "langsmith@db.internal:5432/langsmith", ""),
        ("IMAGE", f"redis:7@sha256:{'0a' * 32}", ""),
        ("CONTACT", "mailto:platform@example.com", ""),
        ("PGPASSWORD", WORDS[1], "literal value of PGPASSWORD"),
    ],
)
def test_what_a_value_without_shape_gives_away(tmp_path: Path, name: str, value: str, kind: str) -> None:
    """A connection as LangSmith's documentation writes it has no scheme, and libpq's variable no underscore."""
    config = {"metadata": _planted_metadata("c"), "data": {name: value}}
    (found,) = _ask(tmp_path, {"items": [config]}, "list", version="v1", resource="configmaps")["items"]

    assert found["data"][name].get("leak", "") == kind


def test_facts_about_a_secret_say_enough_to_judge_it(tmp_path: Path) -> None:
    """Which keys, whether empty, where URLs lead, whether a password is the chart's own."""
    planted = _planted_secret()
    planted["metadata"]["managedFields"] = [
        {"time": "2026-11-24T12:00:00Z", "fieldsV1": {"f:data": {}}},
        {"time": "2026-11-24T13:00:00Z", "fieldsV1": {"f:metadata": {}}},
    ]
    (found,) = _ask(tmp_path, {"items": [planted]}, "secrets", namespace="n")["items"]
    keys = found["keys"]

    assert {key: facts["empty"] for key, facts in keys.items() if facts["empty"]} == {"blank": True}
    assert keys["connection_url"]["urls"][0]["host"] == "db.internal"
    assert [url["host"] for url in keys["redis_cluster_node_uris"]["urls"]] == ["a", "b"]
    assert keys["clickhouse_host"]["value"] == "clickhouse.internal"
    assert keys["clickhouse_password"]["default"] is False
    assert found["changed"] == "2026-11-24T12:00:00Z"


@pytest.mark.parametrize(("password", "is_default"), [("password", True), ("Password", False), ("", False)])
def test_the_charts_own_clickhouse_password_is_recognised(tmp_path: Path, password: str, is_default: bool) -> None:  # noqa: FBT001  (what is expected)
    """Everybody knows it: a fact worth telling, and the only one about the value."""
    data = {"clickhouse_password": base64.b64encode(password.encode()).decode()}
    (found,) = _ask(tmp_path, {"items": [{"metadata": {"name": "s"}, "data": data}]}, "secrets", namespace="n")["items"]

    assert found["keys"]["clickhouse_password"]["default"] is is_default


def test_the_records_of_helm_and_of_service_accounts_are_not_secrets_of_the_application(tmp_path: Path) -> None:
    """They have readers of their own, or none."""
    token = {"metadata": {"name": "t"}, "type": "kubernetes.io/service-account-token", "data": {"token": "eA=="}}
    assert _ask(tmp_path, {"items": [_record(1, "deployed", {}), token]}, "secrets", namespace="n") == {"items": []}


def test_the_newest_revision_of_a_release_counts(tmp_path: Path) -> None:
    """Revision 10 is newer than revision 9, whatever the alphabet says."""
    records = [_record(10, "pending-upgrade", CONFIG), _record(9, "deployed", {})]
    found = _ask(tmp_path, {"items": records}, "release", namespace="n", name="langsmith")

    assert (found["revision"], found["status"]) == (10, "pending-upgrade")
    assert found["chart"] == {"name": "langsmith", "version": "0.16.11", "appVersion": "0.16.45"}
    assert found["revisions"] == {"9": "deployed", "10": "pending-upgrade"}


def test_a_value_of_several_lines_is_looked_through(tmp_path: Path) -> None:
    """A file within the values gives away what a line of it does."""
    config = {"extra": f"listen: 8080\npassword: {WORDS[0]}\n", "script": "set -e\nexec serve --workers=4\n"}
    found = _ask(tmp_path, {"items": [_record(1, "deployed", config)]}, "release", namespace="n", name="langsmith")

    assert found["leaks"] == {"extra": "literal value of password"}


def test_values_keep_names_and_sizes_and_tell_where_a_secret_stands(tmp_path: Path) -> None:
    """Each finding has its path; a name of a Secret is none."""
    found = _ask(tmp_path, {"items": [_record(1, "deployed", CONFIG)]}, "release", namespace="n", name="langsmith")

    assert found["values"]["config"]["hostname"] == "langsmith.example.com"
    assert found["values"]["config"]["existingSecretName"] == "langsmith-config"
    assert found["values"]["config"]["basicAuth"]["enabled"] is True
    assert found["values"]["clickhouse"]["statefulSet"]["resources"]["limits"] == {"cpu": 8, "memory": "32Gi"}
    assert found["leaks"] == {
        "config.apiKeySalt": "literal value of apiKeySalt",
        "config.basicAuth.initialOrgAdminPassword": "literal value of initialOrgAdminPassword",
        "commonEnv[0].DB_PASSWORD": "literal value of DB_PASSWORD",
        "commonEnv[1].X": "URL with a password",
    }


@pytest.mark.parametrize("data", [{}, {"release": "!"}, {"release": base64.b64encode(b"H4sIAAAA").decode()}])
def test_a_damaged_release_record_is_malformed(tmp_path: Path, data: dict[str, str]) -> None:
    """Not absent: there is one, and nobody can read it."""
    record = _record(1, "deployed", {}) | {"data": data}
    with _server(_json(200, {"items": [record]})) as server:
        answer = _source(tmp_path, server).answer(Call.of("kubernetes", "release", namespace="n", name="langsmith"))

    assert (answer.status, answer.code) == (Status.FAILED, "malformed")


def test_no_release_is_an_observation(tmp_path: Path) -> None:
    """The server answered, and there is none."""
    with _server(_json(200, {"items": []})) as server:
        answer = _source(tmp_path, server).answer(Call.of("kubernetes", "release", namespace="n", name="langsmith"))

    assert answer.status is Status.ABSENT


AGGREGATED = {
    "kind": "APIGroupDiscoveryList",
    "items": [
        {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [{"resource": "deployments"}]}]}
    ],
}
CORE = {
    "kind": "APIGroupDiscoveryList",
    "items": [{"metadata": {}, "versions": [{"version": "v1", "resources": [{"resource": "pods"}]}]}],
}


@pytest.mark.parametrize("replies", [
    {"/api": CORE, "/apis": AGGREGATED},
    {
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "groups": [{"versions": [{"groupVersion": "apps/v1"}]}]},
        "/api/v1": {"resources": [{"name": "pods"}, {"name": "pods/log"}]},
        "/apis/apps/v1": {"resources": [{"name": "deployments"}]},
    },
], ids=["aggregated", "plain"])  # fmt: skip
def test_discovery_gives_the_resources_by_group_and_version(tmp_path: Path, replies: dict[str, Any]) -> None:
    """In one form, whichever of the two the server speaks."""
    with _server(lambda request: _json(200, replies[request.path])(request)) as server:
        answer = _source(tmp_path, server).answer(Call.of("kubernetes", "discovery"))

    assert answer.value == {"resources": {"v1": ["pods"], "apps/v1": ["deployments"]}}


def test_a_review_tells_what_the_grader_may_do(tmp_path: Path) -> None:
    """The one POST there is: the server stores nothing of it."""
    asked: list[Any] = []

    def reply(request: BaseHTTPRequestHandler) -> None:
        asked.append((request.path, json.loads(request.body)["spec"]))  # type: ignore[attr-defined]  # set by _server
        _json(201, {"status": {"allowed": True, "reason": NOTE}})(request)

    with _server(reply) as server:
        call = Call.of("kubernetes", "can", verb="list", resource="events", namespace="n")
        answer = _source(tmp_path, server).answer(call)

    attributes = {"verb": "list", "group": "", "resource": "events", "namespace": "n"}
    assert answer.value == {"allowed": True}
    assert asked == [("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"resourceAttributes": attributes})]


@pytest.mark.parametrize(
    ("call", "value"),
    [
        (PODS, {"items": "x"}),
        (PODS, {"items": [{"metadata": {"name": 5}}]}),
        (PODS, {}),
        (POD, {"metadata": []}),
        (POD, None),
        (Call.of("kubernetes", "release", namespace="n", name="r"), {"status": "deployed"}),
        (Call.of("kubernetes", "secrets", namespace="n"), {"items": [{"metadata": {"name": "s"}, "keys": []}]}),
        (Call.of("kubernetes", "discovery"), {"resources": {"v1": "pods"}}),
        (Call.of("kubernetes", "can", verb="list", resource="events"), {"allowed": "yes"}),
        (Call.of("kubernetes", "version"), {}),
        (Call.of("kubernetes", "delete"), {}),
    ],
)
def test_stored_evidence_of_another_shape_is_malformed(tmp_path: Path, call: Call, value: Any) -> None:
    """A mangled file is a failure to observe, long before a check reads it."""
    file = tmp_path / "evidence.json"
    file.write_text(snapshot.Snapshot({call.key: Answer(Status.OBSERVED, value)}).to_json())

    answer = snapshot.read(file).answers[call.key]

    assert (answer.status, answer.code) == (Status.FAILED, "malformed")
