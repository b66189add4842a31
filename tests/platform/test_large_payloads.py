"""Large payloads that S3 refuses: who says so, what is there meanwhile, and that all of it is there afterwards.

What is late is tried again after 15 seconds or more, so most of these are proofs.
"""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from hallmark.waiting import until

REFUSED = "blob storage error: operation error S3: PutObject"
ALL = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket")
LARGE = {"t": "x" * 30_000}
OTHER = {"t": "y" * 30_000}


def run(**more: Any) -> dict[str, Any]:
    """A run; without more its payload is small."""
    return {"id": str(uuid4()), "name": "b", "run_type": "chain", "session_name": "blobs", "inputs": {"a": 1}, **more}


@contextmanager
def refusing(platform: Any) -> Iterator[None]:
    """The role of all components may read what is in the bucket, and write nothing."""
    platform.allow("s3:GetObject", "s3:ListBucket")
    try:
        yield
    finally:
        platform.allow(*ALL)


def send(platform: Any, one: dict[str, Any]) -> None:
    """Create a run that is accepted."""
    assert platform.call("POST", "/runs", one)[0] == 202


def form(platform: Any, one: dict[str, Any]) -> tuple[int, Any]:
    """Send a run as the SDK does: inputs in a part of their own."""
    main = {name: value for name, value in one.items() if name != "inputs"}
    parts = {f"post.{one['id']}": main, f"post.{one['id']}.inputs": one["inputs"]}
    lines = [
        f'--mark\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{json.dumps(value)}\r\n'
        for name, value in parts.items()
    ]
    body = ("".join(lines) + "--mark--\r\n").encode()
    kind = {"Content_Type": "multipart/form-data; boundary=mark", "x_api_key": platform.key}
    status, answer = platform.call("POST", "/runs/multipart", body, **kind)
    return int(status), answer


def holds(platform: Any, one: dict[str, Any], name: str, value: Any) -> bool:
    """Wait until a run has this payload."""

    def is_there() -> bool:
        found: dict[str, Any] = platform.call("GET", f"/runs/{one['id']}")[1]
        return bool(found.get(name) == value)

    return until(is_there, 60, pause=0.1)


def keys(platform: Any, one: dict[str, Any]) -> list[str]:
    """Objects of a run."""
    listed = platform.aws("s3").list_objects_v2(Bucket="traces").get("Contents", [])
    return [each["Key"] for each in listed if one["id"] in each["Key"]]


def test_a_form_is_refused(platform: Any) -> None:
    """What comes apart goes to the bucket at once: 500 with the cause; small ones are accepted."""
    large = run(inputs=LARGE)
    with refusing(platform):
        status, answer = form(platform, large)
        assert status == 500
        assert answer["detail"].startswith(REFUSED)
        assert "AccessDenied" in answer["detail"]
        assert platform.log("platform-backend", f"POST /runs/multipart 500: {REFUSED}")
        assert form(platform, run())[0] == 202
        assert platform.call("GET", f"/runs/{large['id']}")[0] == 404
    assert form(platform, large)[0] == 202
    assert platform.readable(large["id"])["inputs"] == LARGE


def test_a_run_without_its_payload(platform: Any) -> None:
    """Accepted, and there at once without what is large; it waits, and is there when the bucket takes it."""
    large = run(inputs=LARGE, outputs={"b": 2})
    said = platform.pods["ingest-queue"].log.count(REFUSED)
    with refusing(platform):
        send(platform, large)
        found = platform.readable(large["id"])
        assert (found["inputs"], found["outputs"], found["name"]) == ({}, {"b": 2}, "b")
        assert until(lambda: platform.pods["ingest-queue"].log.count(REFUSED) == said + 1, 60)
        assert platform.pending() == 1
        assert not keys(platform, large)
    assert holds(platform, large, "inputs", LARGE)
    assert until(lambda: platform.pending() == 0, 60)
    assert platform.call("GET", f"/runs/{large['id']}")[1]["outputs"] == {"b": 2}


@pytest.mark.proof
def test_small_runs_do_not_wait(platform: Any) -> None:
    """Hundreds of refusals stand in nobody's way, are told in a few lines, and come to a good end each."""
    lost = [run(inputs=LARGE) for _ in range(200)]
    said = platform.pods["ingest-queue"].log.count(REFUSED)
    with refusing(platform):
        assert platform.call("POST", "/runs/batch", {"post": lost})[0] == 202
        small = run()
        send(platform, small)
        assert platform.readable(small["id"])["inputs"] == {"a": 1}
        assert until(lambda: platform.pending() == 200, 60)
        assert platform.pods["ingest-queue"].log.count(REFUSED) - said < 20
    assert until(lambda: platform.pending() == 0, 90)
    assert all(platform.call("GET", f"/runs/{each['id']}")[1]["inputs"] == LARGE for each in lost)


@pytest.mark.proof
@pytest.mark.parametrize("newer", [{"c": 3}, OTHER], ids=["small", "large"])
def test_what_is_late_overwrites_nothing_newer(platform: Any, newer: dict[str, Any]) -> None:
    """A run is finished a second time while the first outputs wait: the second stand in the end."""
    one = run(outputs=LARGE)
    with refusing(platform):
        send(platform, one)
        platform.readable(one["id"])
        assert platform.call("PATCH", f"/runs/{one['id']}", {"outputs": newer, "extra": {"n": 2}})[0] == 202
        assert holds(platform, one, "extra", {"n": 2})
        assert holds(platform, one, "outputs", newer if newer != OTHER else None)
    assert until(lambda: platform.pending() == 0, 60)
    found = platform.call("GET", f"/runs/{one['id']}")[1]
    assert (found["outputs"], found["extra"]) == (newer, {"n": 2})


@pytest.mark.proof
def test_what_is_late_does_not_bring_back_what_was_deleted(platform: Any) -> None:
    """The project is gone before the bucket takes the payload: no row, and no object."""
    project = f"gone-{uuid4()}"
    one = run(inputs=LARGE, session_name=project)
    with refusing(platform):
        send(platform, one)
        found = platform.readable(one["id"])
        assert platform.call("DELETE", f"/sessions/{found['session_id']}")[0] < 300
        assert until(lambda: platform.call("GET", f"/runs/{one['id']}")[0] == 404, 60)
    assert until(lambda: platform.pending() == 0, 60)
    assert platform.call("GET", f"/runs/{one['id']}")[0] == 404
    assert not keys(platform, one)


@pytest.mark.proof
def test_a_worker_that_is_killed_while_payloads_wait(platform: Any) -> None:
    """The next one takes them over."""
    one = run(inputs=LARGE)
    said = platform.pods["ingest-queue"].log.count(REFUSED)
    with refusing(platform):
        send(platform, one)
        assert until(lambda: platform.pods["ingest-queue"].log.count(REFUSED) > said, 60)
        platform.pods["ingest-queue"].stop(signal.SIGKILL)
    platform.pods["ingest-queue"] = platform.serve("ingest-queue", "ingest-after-kill")
    assert holds(platform, one, "inputs", LARGE)
    assert until(lambda: platform.pending() == 0, 60)


@pytest.mark.proof
def test_a_payload_that_waits_too_long(platform: Any) -> None:
    """It is dropped as a run would be; what is written of the run stays."""
    one = run(inputs=LARGE)
    with refusing(platform):
        send(platform, one)
        platform.readable(one["id"])
        assert until(lambda: platform.pending() == 1, 60)
        platform.again("ingest-queue", REDIS_RUNS_EXPIRY_SECONDS="1")
        assert until(lambda: platform.pending() == 0, 60)
    platform.again("ingest-queue")
    found = platform.call("GET", f"/runs/{one['id']}")[1]
    assert (found["inputs"], found["name"]) == ({}, "b")


@pytest.mark.proof
def test_a_role_for_one_prefix(platform: Any) -> None:
    """Where the bucket takes one tier only, payloads of the other wait, and no one else's do."""
    status, made = platform.call("POST", "/sessions", {"name": f"long-{uuid4()}", "trace_tier": "longlived"})
    assert status == 200
    lasting = run(inputs=LARGE, session_id=made["id"])
    short = run(inputs=LARGE)
    platform.allow(*ALL, resource="arn:aws:s3:::traces/ttl_s/*")
    try:
        assert platform.call("POST", "/runs/batch", {"post": [lasting, short]})[0] == 202
        assert platform.readable(short["id"])["inputs"] == LARGE
        assert platform.readable(lasting["id"])["inputs"] == {}
    finally:
        platform.allow(*ALL)
    assert holds(platform, lasting, "inputs", LARGE)
    assert until(lambda: platform.pending() == 0, 60)


def test_blobs_switched_off(platform: Any) -> None:
    """Without blob storage large payloads stay in ClickHouse, whichever way they came."""
    for role in ("platform-backend", "ingest-queue"):
        platform.again(role, FF_BLOB_STORAGE_ENABLED="false")
    one, other = run(inputs=LARGE), run(inputs=LARGE)
    send(platform, one)
    assert form(platform, other)[0] == 202
    for each in (one, other):
        assert platform.readable(each["id"])["inputs"] == LARGE
        assert not keys(platform, each)
    for role in ("platform-backend", "ingest-queue"):
        platform.again(role)
