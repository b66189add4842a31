"""What clients may send, well and badly formed."""

import gzip
import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest
import zstandard

from hallmark.twin.platform.calls import Refusal
from hallmark.twin.platform.multipart import parts, plain
from hallmark.twin.platform.protobuf import Malformed, read
from hallmark.twin.platform.rows import moment, part
from hallmark.waiting import until

BOUNDARY = "a-boundary"


def form(fields: Mapping[str, Any]) -> bytes:
    """A body of multipart/form-data."""
    pieces = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Length: 1\r\n\r\n'.encode()
        + (value if isinstance(value, bytes) else json.dumps(value).encode())
        + b"\r\n"
        for name, value in fields.items()
    ]
    return b"".join(pieces) + f"--{BOUNDARY}--\r\n".encode()


def send(platform: Any, body: bytes, **headers: str) -> int:
    """Send a form."""
    known = {"x_api_key": platform.key, "Content_Type": f"multipart/form-data; boundary={BOUNDARY}"}
    status: int = platform.call("POST", "/runs/multipart", body, **known, **headers)[0]
    return status


@pytest.mark.parametrize("encoding", ["identity", "zstd", "gzip"])
def test_forms(platform: Any, encoding: str) -> None:
    """A run in parts arrives whole, compressed or not; text that looks like a boundary is only text."""
    identity, text = str(uuid4()), f"--{BOUNDARY} and --{BOUNDARY}--"
    main = {"id": identity, "trace_id": identity, "name": "parts", "run_type": "llm", "session_name": "forms"}
    body = form(
        {
            f"post.{identity}": main, f"post.{identity}.inputs": {"text": text}, f"post.{identity}.error": "it failed",
            f"patch.{identity}": {"id": identity, "end_time": "2026-01-02T03:04:05Z"},
            f"patch.{identity}.outputs": {"o": 1}, f"attachment.{identity}.picture": b"\x00\x01",
        }
    )  # fmt: skip
    packed = {"identity": body, "zstd": zstandard.ZstdCompressor().compress(body), "gzip": gzip.compress(body)}
    assert send(platform, packed[encoding], Content_Encoding=encoding) == 202
    run = platform.readable(identity)

    assert (run["name"], run["inputs"], run["error"], run["status"]) == ("parts", {"text": text}, "it failed", "error")
    assert until(lambda: platform.readable(identity)["outputs"] == {"o": 1}, 60)
    assert run["start_time"].endswith("+00:00")


def test_batches(platform: Any) -> None:
    """The older form of a batch, and the legacy path without a version."""
    one, two = str(uuid4()), str(uuid4())
    runs = [{"id": each, "name": "b", "run_type": "chain", "start_time": 1_767_000_000_000} for each in (one, two)]
    body = {"post": runs, "patch": [{"id": one, "outputs": {"x": 1}, "end_time": 1_767_000_001.5}]}
    assert platform.ask(f"{platform.url}/api/runs/batch", "POST", body)[0] == 202
    assert platform.readable(two)["status"] == "pending"
    assert until(lambda: platform.readable(one)["status"] == "success", 60)

    assert platform.readable(one)["start_time"] == "2025-12-29T09:20:00.000000+00:00"
    assert platform.readable(one)["trace_id"] == one


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/runs", b"{", 422),
        ("/runs", b"[]", 422),
        ("/runs", {"id": "no uuid", "name": "x"}, 422),
        ("/runs", {"id": str(UUID(int=1)), "start_time": "yesterday"}, 422),
        ("/runs/batch", {"post": ["no run"]}, 422),
        ("/runs/query", {"filter": "eq(name"}, 400),
        ("/runs/query", {"session": ["no uuid"]}, 422),
        ("/runs/query", {"cursor": "x"}, 400),
        ("/feedback", {"run_id": str(UUID(int=1))}, 422),
        ("/sessions", {}, 422),
        ("/sessions", {"name": "x", "trace_tier": "for-ever"}, 422),
        ("/datasets", {}, 422),
        ("/examples", {"dataset_id": str(UUID(int=1))}, 404),
        ("/examples/bulk", {}, 422),
        ("/otel/v1/traces", b"\xff", 422),
        ("/no-such-route", {}, 404),
    ],
)
def test_bodies_that_are_refused(platform: Any, path: str, body: Any, status: int) -> None:
    """What cannot be read is the caller's mistake, and is not queued."""
    assert platform.call("POST", path, body)[0] == status


def test_forms_that_are_refused(platform: Any) -> None:
    """A form without end, with an unknown part, or not compressed as it says."""
    identity = str(uuid4())
    whole = form({f"post.{identity}": {"id": identity}})
    assert send(platform, whole[:-10]) == 400
    assert send(platform, form({"other": {}})) == 422
    assert send(platform, form({f"post.{identity}": b"{"})) == 422
    assert send(platform, b"no zstd", Content_Encoding="zstd") == 400


def test_frames_of_zstd() -> None:
    """A client that streams sends several frames without sizes; a bomb is refused before it is unpacked."""
    one, two = zstandard.ZstdCompressor().compressobj(), zstandard.ZstdCompressor().compressobj()
    body = one.compress(b"first ") + one.flush() + two.compress(b"second") + two.flush()
    assert plain({"content-encoding": "zstd"}, body) == b"first second"

    bomb = zlib.compressobj(wbits=31)
    packed = b"".join([bomb.compress(bytes(10_000_000)) for _ in range(11)]) + bomb.flush()
    with pytest.raises(Refusal, match="too large"):
        plain({"content-encoding": "gzip"}, packed)


def test_forms_need_a_boundary() -> None:
    """Another content type is refused."""
    with pytest.raises(Refusal, match="boundary"):
        list(parts("application/json", b"{}"))


@pytest.mark.parametrize(
    ("given", "read_as"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02 03:04:05.000000"),
        ("2026-01-02T03:04:05.5+02:00", "2026-01-02 01:04:05.500000"),
        ("2026-01-02T03:04:05.123456", "2026-01-02 03:04:05.123456"),
        (1_767_000_000, "2025-12-29 09:20:00.000000"),
    ],
)
def test_times(given: object, read_as: str) -> None:
    """Times are read with and without an offset, and as numbers."""
    assert moment(given) == read_as


def test_a_part_says_only_what_it_knows() -> None:
    """The end of a run does not touch what the beginning said, and the other way round."""
    identity = str(uuid4())
    end = part("patch", {"id": identity, "end_time": "2026-01-02T03:04:05Z", "name": None}, {}, "t")
    begin = part("post", {"id": identity, "name": "n", "outputs": {}}, {}, "t")

    assert set(end.row) == {"id", "tenant_id", "end_time"}
    assert end.project == ""
    assert not {"outputs", "end_time"} & set(begin.row)
    assert begin.project == "default"


def test_an_end_without_a_beginning(platform: Any) -> None:
    """A run whose beginning has not arrived is not there yet; then it has what both said."""
    identity = str(uuid4())
    assert (
        platform.call("PATCH", f"/runs/{identity}", {"outputs": {"o": 1}, "end_time": "2026-01-02T03:04:05Z"})[0] == 202
    )
    assert until(lambda: platform.pending() == 0, 60)
    assert platform.call("GET", f"/runs/{identity}")[0] == 404
    assert platform.call("POST", "/runs", {"id": identity, "inputs": {"i": 2}})[0] == 202
    run = platform.readable(identity)

    assert (run["name"], run["inputs"], run["outputs"], run["status"]) == ("Unnamed", {"i": 2}, {"o": 1}, "success")


def attribute(key: str, value: bytes) -> bytes:
    """A KeyValue of OpenTelemetry."""
    return many(9, many(1, key.encode()) + many(2, many(1, value)))


def many(number: int, content: bytes) -> bytes:
    """A field with a length."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(number: int) -> bytes:
    """A number."""
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def fixed(number: int, value: int) -> bytes:
    """A field of 64 bits."""
    return bytes([number << 3 | 1]) + struct.pack("<Q", value)


def test_opentelemetry(platform: Any) -> None:
    """Spans in protobuf become runs: the root is called as its trace."""
    trace, root, child = uuid4(), b"\x01" * 8, b"\x02" * 8
    facts = attribute("input.value", b'{"q": 1}') + attribute("langsmith.span.kind", b"llm")
    times = fixed(7, 1_767_000_000_000_000_000) + fixed(8, 1_767_000_001_000_000_000)
    first = many(1, trace.bytes) + many(2, root) + many(5, b"root span") + times + facts
    second = many(1, trace.bytes) + many(2, child) + many(4, root) + many(5, b"child") + times
    second += many(15, many(2, b"it broke") + b"\x18\x02")
    body = many(1, many(2, many(2, first) + many(2, second)))
    headers = {"x_api_key": platform.key, "Content_Type": "application/x-protobuf", "Langsmith_Project": "otel"}
    assert platform.call("POST", "/otel/v1/traces", body, **headers)[0] == 200
    assert platform.call("POST", "/otel/v1/traces", b"\xff", **headers)[0] == 400
    run = platform.readable(str(trace))
    other = platform.readable(str(UUID(int=int(child.hex(), 16))))

    assert (run["name"], run["run_type"], run["inputs"], run["status"]) == ("root span", "llm", {"q": 1}, "success")
    assert (other["trace_id"], other["error"]) == (str(trace), "it broke")


def test_opentelemetry_in_json(platform: Any) -> None:
    """The same in JSON."""
    trace = uuid4()
    span = {"traceId": trace.hex, "spanId": "01" * 8, "name": "j", "startTimeUnixNano": "1767000000000000000",
            "attributes": [{"key": "gen_ai.prompt", "value": {"stringValue": "why"}},
                           {"key": "n", "value": {"arrayValue": {"values": [{"intValue": "3"}]}}}]}  # fmt: skip
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    assert platform.call("POST", "/otel/v1/traces", body)[0] == 200
    run = platform.readable(str(trace))

    assert run["inputs"] == {"value": "why"}
    assert run["extra"]["metadata"]["otel"] == {"n": [3]}


@pytest.mark.parametrize("content", [b"\x0a", b"\x0a\x05x", b"\x80" * 11, b"\x0b", b"\x08\x01"])
def test_messages_that_are_none(content: bytes) -> None:
    """What is cut off, or of another kind, is refused; it never raises anything else."""
    with pytest.raises(Malformed):
        read("Request", content)
