"""What a target does to us, and what we make of it: each failure has its own code, none is an answer.

A small HTTP server plays an AWS endpoint that misbehaves; boto3 is the real one.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hallmark.errors import AuthorError
from hallmark.model import Call, Status
from hallmark.targets.aws import AwsSource
from hallmark.targets.profile import Profile

CLUSTER = Call.of("eks", "describe_cluster", name="c")
Reply = Callable[[BaseHTTPRequestHandler], None]


def _json(status: int, body: object, kind: str = "") -> Reply:
    def reply(request: BaseHTTPRequestHandler) -> None:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        request.send_response(status)
        if kind:
            request.send_header("x-amzn-ErrorType", kind)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    return reply


def _hang(request: BaseHTTPRequestHandler) -> None:
    request.server.release.wait(5)  # type: ignore[attr-defined]  # set by _endpoint below


def _cut(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    request.wfile.write(b'{"cluster": {"na')


def _pages(pages: list[dict[str, object]]) -> Reply:
    def reply(request: BaseHTTPRequestHandler) -> None:
        _json(200, pages.pop(0))(request)

    return reply


@contextmanager
def _endpoint(reply: Reply) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reply(self)

        do_POST = do_GET  # noqa: N815  (the base class's spelling)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.release = threading.Event()  # type: ignore[attr-defined]  # lets a hanging reply end with the test
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.release.set()  # type: ignore[attr-defined]  # see above
        server.shutdown()
        server.server_close()
        thread.join()


def _source(endpoint: str, deadline: int = 20) -> AwsSource:
    return AwsSource(Profile(target="localstack", endpoint=endpoint, deadline=deadline), attempts=1)


WAYS = {
    "answers": (_json(200, {"cluster": {"name": "c"}}), Status.OBSERVED, ""),
    "not there": (
        _json(404, {"message": "no"}, "ResourceNotFoundException"),
        Status.ABSENT,
        "ResourceNotFoundException",
    ),
    "refuses": (_json(403, {"message": "no"}, "AccessDeniedException"), Status.DENIED, "denied"),
    "refuses in words of its own": (_json(403, {"message": "no"}, "SomethingNew"), Status.DENIED, "denied"),
    "throttles": (_json(429, {"message": "slow"}, "ThrottlingException"), Status.FAILED, "throttled"),
    "throttles with a 400": (_json(400, {"message": "slow"}, "TooManyRequestsException"), Status.FAILED, "throttled"),
    "session over": (_json(403, {"message": "old"}, "ExpiredTokenException"), Status.FAILED, "credentials"),
    "unknown key": (_json(403, {"message": "bad"}, "UnrecognizedClientException"), Status.FAILED, "credentials"),
    "fails": (_json(500, {"message": "oops"}, "InternalFailure"), Status.FAILED, "server"),
    "fails without a body": (_json(503, b"<html>busy</html>"), Status.FAILED, "server"),
    "is a proxy": (_json(200, b"<html>a login page</html>"), Status.FAILED, "malformed"),
    "sends a list for a structure": (_json(200, {"cluster": ["no"]}), Status.FAILED, "malformed"),
    "sends a structure for text": (_json(200, {"cluster": {"name": {"no": "text"}}}), Status.FAILED, "malformed"),
    "hangs up half-way": (_cut, Status.FAILED, "malformed"),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_fail_has_its_code(way: str) -> None:
    """Observed, absent, denied and failed are kept apart."""
    reply, status, code = WAYS[way]
    with _endpoint(reply) as endpoint:
        answer = _source(endpoint).answer(CLUSTER)

    assert (answer.status, answer.code) == (status, code)


def test_a_hanging_target_is_a_timeout() -> None:
    """A read that takes too long is not an answer."""
    with _endpoint(_hang) as endpoint:
        assert _source(endpoint, deadline=1).answer(CLUSTER).code == "timeout"


def test_a_closed_port_is_unreachable() -> None:
    """Nobody listening is its own cause."""
    assert _source("http://127.0.0.1:1").answer(CLUSTER).code == "unreachable"


def test_a_list_that_goes_on_is_truncated() -> None:
    """Half a list must not look like a whole one."""
    with _endpoint(_json(200, {"clusterVersions": [], "nextToken": "more"})) as endpoint:
        answer = _source(endpoint).answer(Call.of("eks", "describe_cluster_versions"))

    assert (answer.status, answer.code) == (Status.FAILED, "truncated")


def test_a_search_goes_on_until_it_finds_something() -> None:
    """CloudWatch may answer with an empty page and more to come; the first hits are enough."""
    pages: list[dict[str, object]] = [
        {"events": [], "nextToken": "a"},
        {"events": [{"timestamp": 1}, {"timestamp": 2}], "nextToken": "b"},
    ]
    with _endpoint(_pages(pages)) as endpoint:
        answer = _source(endpoint).answer(Call.of("logs", "filter_log_events", logGroupName="g", limit=1))

    assert (answer.status, answer.value["events"], pages) == (Status.OBSERVED, [{"timestamp": 1}], [])


def test_a_search_that_finds_nothing_is_an_observation() -> None:
    """All pages were read, and no event is there."""
    pages: list[dict[str, object]] = [{"events": [], "nextToken": "a"}, {"events": []}]
    with _endpoint(_pages(pages)) as endpoint:
        answer = _source(endpoint).answer(Call.of("logs", "filter_log_events", logGroupName="g", limit=1))

    assert (answer.status, answer.value["events"], pages) == (Status.OBSERVED, [], [])


@pytest.mark.parametrize(
    "call",
    [
        Call.of("ec2", "delete_vpc", VpcId="vpc-1"),
        Call.of("secretsmanager", "get_secret_value", SecretId="x"),
        Call.of("ssm", "get_parameter", Name="x"),
    ],
)
def test_a_grade_never_writes_and_never_reads_a_secret(call: Call) -> None:
    """The refusal comes before anything leaves the process."""
    with pytest.raises(AuthorError, match="not a read"):
        _source("http://127.0.0.1:1").answer(call)
