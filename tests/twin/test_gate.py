"""The gate in front of moto: retried calls are answered, not run again; parallel calls do not race."""

import io
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hallmark.twin.aws.gate import REMEMBERED, Gate
from hallmark.twin.clients import Clients

ACCOUNT = "111122223333"


class Counter:
    """An application that counts how often it is really called."""

    def __init__(self, status: str = "200 OK") -> None:
        self.calls = 0
        self._status = status

    def __call__(self, _: Any, start_response: Any) -> Iterable[bytes]:
        """Answer with the number of this call."""
        self.calls += 1
        start_response(self._status, [])
        return [str(self.calls).encode()]


def _send(gate: Gate, attempt: int = 1, invocation: str = "one", call: dict[str, str] | None = None) -> bytes:
    more = call or {}
    body = more.get("body", "Action=CreateVpc")
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body.encode()),
        "HTTP_AMZ_SDK_INVOCATION_ID": invocation,
        "HTTP_AMZ_SDK_REQUEST": f"attempt={attempt}; max=5",
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20261124/us-east-1/ec2/aws4_request",
        **more,
    }
    return b"".join(gate(environ, lambda *_: None))


def test_a_retried_change_gets_the_first_answer() -> None:
    """The answer was lost on the way, not the call."""
    application = Counter()
    gate = Gate(application)

    assert [_send(gate), _send(gate, attempt=2), _send(gate, attempt=3)] == [b"1", b"1", b"1"]
    assert application.calls == 1


def test_another_call_is_run() -> None:
    """Only the invocation id makes two calls one; attempt 12 is not attempt 1."""
    application = Counter()
    gate = Gate(application)

    assert [_send(gate), _send(gate, invocation="two"), _send(gate, attempt=12)] == [b"1", b"2", b"1"]


def test_a_failed_call_is_run_again() -> None:
    """A 5xx is no answer worth keeping."""
    application = Counter("500 Internal Server Error")
    gate = Gate(application)

    assert [_send(gate), _send(gate, attempt=2)] == [b"1", b"2"]


def test_the_memory_of_answers_is_bounded() -> None:
    """The oldest go first."""
    application = Counter()
    gate = Gate(application)
    for number in range(REMEMBERED + 1):
        _send(gate, invocation=str(number))

    assert _send(gate, attempt=2, invocation=str(REMEMBERED)) == str(REMEMBERED + 1).encode()
    assert _send(gate, attempt=2, invocation="0") == str(REMEMBERED + 2).encode()


@pytest.mark.parametrize(
    ("call", "changes"),
    [
        ({"body": "Action=CreateVpc"}, True),
        ({"body": "Version=2016-11-15&Action=DescribeVpcs"}, False),
        ({"body": "Action=GetRole"}, False),
        ({"REQUEST_METHOD": "GET"}, False),
        ({"REQUEST_METHOD": "PUT", "CONTENT_TYPE": ""}, True),
        ({"CONTENT_TYPE": "application/x-amz-json-1.1", "HTTP_X_AMZ_TARGET": "AWSWAF_20190729.ListWebACLs"}, False),
        ({"CONTENT_TYPE": "application/x-amz-json-1.1", "HTTP_X_AMZ_TARGET": "AWSWAF_20190729.CreateWebACL"}, True),
    ],
)
def test_a_change_is_told_from_a_question(call: dict[str, str], changes: bool) -> None:  # noqa: FBT001  (a table)
    """Changed accounts are saved; whoever only asks causes no save."""
    gate = Gate(Counter())

    _send(gate, call=call)

    assert bool(gate.unsaved) is changes


def test_log_events_and_sessions_are_no_reason_to_hurry() -> None:
    """They come all the time; whatever else is done is a change like any other."""
    gate = Gate(Counter())
    json = {"CONTENT_TYPE": "application/x-amz-json-1.1"}

    _send(gate, call=json | {"HTTP_X_AMZ_TARGET": "Logs_20140328.PutLogEvents"})
    assert (len(gate.unsaved), len(gate.unhurried)) == (0, 1)
    _send(gate, call={"CONTENT_TYPE": "", "PATH_INFO": "/clusters/lab/assume-role-for-pod-identity"})
    assert (len(gate.unsaved), len(gate.unhurried)) == (0, 1)
    _send(gate, call=json | {"HTTP_X_AMZ_TARGET": "Logs_20140328.CreateLogStream"})
    assert len(gate.unsaved) == 1


def test_who_follows_is_told_of_changes_of_an_account_alone() -> None:
    """A session that a token asks for is unsigned, and concerns none; it is asked for every minute."""
    told: list[int] = []
    gate = Gate(Counter(), lambda: told.append(1))

    _send(gate, call={"HTTP_AUTHORIZATION": "", "body": "Action=AssumeRoleWithWebIdentity"})
    assert told == []
    _send(gate, invocation="two")
    assert told == [1]


def test_the_body_still_reaches_the_application() -> None:
    """Looking at the call does not consume it."""
    bodies = []

    def application(environ: Any, start_response: Any) -> Iterable[bytes]:
        bodies.append(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return []

    _send(Gate(application), call={"body": "Action=CreateVpc&CidrBlock=10.0.0.0%2F16"})

    assert bodies == [b"Action=CreateVpc&CidrBlock=10.0.0.0%2F16"]


def test_parallel_calls_do_not_race(aws: Clients) -> None:
    """Plain moto answers some of these with HTTP 500."""
    secrets = aws("secretsmanager")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: secrets.create_secret(Name=f"s{number}", SecretString="x"), range(120)))

    pages = secrets.get_paginator("list_secrets").paginate()
    assert sum(len(page["SecretList"]) for page in pages) == 120
