"""Bodies that kubectl sends in protobuf form.

kubectl_bodies.json was recorded from kubectl 1.37: the bytes it sent, and what ``--dry-run=client -o json`` of the same
command printed, without its nulls.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.cluster.schema import protobuf

RECORDED: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "kubectl_bodies.json").read_text())


@pytest.mark.parametrize("command", sorted(RECORDED))
def test_kubectl(command: str) -> None:
    """The bytes say the same as kubectl's own JSON: zeros left out, inlined structs where they belong."""
    recorded = RECORDED[command]
    assert protobuf.decode(base64.b64decode(recorded["body"])) == recorded["object"]


def test_recordings_are_of_many_kinds() -> None:
    """The recordings cover what kubectl creates."""
    kinds = {each["object"]["kind"] for each in RECORDED.values()}
    assert len(kinds) == 20


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{}", "does not appear to be a protobuf message"),
        (b"k8s\x00\x0a\x10\x0a\x02v1\x12\x0aSpaceships", 'no kind "Spaceships" is registered for version "v1"'),
        (b"k8s\x00\x0a\xff", "ends too early"),
        (b"k8s\x00\x0b", "illegal wireType 3"),
    ],
)
def test_other_bytes(body: bytes, words: str) -> None:
    """Bytes that are no object are refused with a reason."""
    with pytest.raises(protobuf.BadMessage, match=words):
        protobuf.decode(body)


def test_times_numbers_and_any_json() -> None:
    """Negative numbers, times and embedded JSON keep their meaning."""

    def message(*parts: bytes) -> bytes:
        return b"".join(parts)

    def text(number: int, value: bytes) -> bytes:
        return varint(number << 3 | 2) + varint(len(value)) + value

    def varint(value: int) -> bytes:
        value, out = value & (1 << 64) - 1, b""
        while value > 0x7F:
            out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
        return out + bytes([value])

    moment = text(8, b"\x08" + varint(1_700_000_000))
    entry = text(17, text(1, b"me") + text(7, text(1, b'{"f:data":{}}')))
    revision = message(text(1, text(1, b"r") + moment + entry), text(2, text(1, b'{"any":[1]}')), b"\x18" + varint(-3))
    kind = text(1, b"apps/v1") + text(2, b"ControllerRevision")
    assert protobuf.decode(b"k8s\x00" + text(1, kind) + text(2, revision)) == {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": "r",
            "creationTimestamp": "2023-11-14T22:13:20Z",
            "managedFields": [{"manager": "me", "fieldsV1": {"f:data": {}}}],
        },
        "data": {"any": [1]},
        "revision": -3,
    }
