"""Messages of OpenTelemetry in protobuf's wire format, read into the shape of their JSON form.

A library for this would bring a compiler of schemas along; what is needed of the schema stands here.
Sources: protobuf.dev "Encoding"; opentelemetry-proto ``trace/v1``, ``common/v1``, ``resource/v1``.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

VARINT, EIGHT, MANY, FOUR = 0, 1, 2, 5


class Malformed(ValueError):
    """This is no such message."""


@dataclass(frozen=True)
class Field:
    """A field of a message.

    Attributes:
        name: In JSON.
        kind: A name of MESSAGES, or of KINDS.
        many: Whether it may come more than once.
    """

    name: str
    kind: str
    many: bool = False


MESSAGES: Mapping[str, Mapping[int, Field]] = {
    "Request": {1: Field("resourceSpans", "ResourceSpans", many=True)},
    "ResourceSpans": {1: Field("resource", "Resource"), 2: Field("scopeSpans", "ScopeSpans", many=True)},
    "Resource": {1: Field("attributes", "KeyValue", many=True)},
    "ScopeSpans": {2: Field("spans", "Span", many=True)},
    "Span": {
        1: Field("traceId", "hex"),
        2: Field("spanId", "hex"),
        4: Field("parentSpanId", "hex"),
        5: Field("name", "text"),
        7: Field("startTimeUnixNano", "fixed"),
        8: Field("endTimeUnixNano", "fixed"),
        9: Field("attributes", "KeyValue", many=True),
        15: Field("status", "Status"),
    },
    "Status": {2: Field("message", "text"), 3: Field("code", "integer")},
    "KeyValue": {1: Field("key", "text"), 2: Field("value", "AnyValue")},
    "AnyValue": {
        1: Field("stringValue", "text"),
        2: Field("boolValue", "truth"),
        3: Field("intValue", "integer"),
        4: Field("doubleValue", "double"),
        5: Field("arrayValue", "ArrayValue"),
        6: Field("kvlistValue", "KeyValueList"),
    },
    "ArrayValue": {1: Field("values", "AnyValue", many=True)},
    "KeyValueList": {1: Field("values", "KeyValue", many=True)},
}
DEEPEST = 30


def read(message: str, content: bytes, depth: int = 0) -> dict[str, Any]:
    """Read a message; unknown fields are passed over.

    Raises:
        Malformed: It is none.
    """
    if depth > DEEPEST:
        raise Malformed("nested too deep")
    found: dict[str, Any] = {}
    for number, raw in _fields(content):
        field = MESSAGES[message].get(number)
        if field is None:
            continue
        value = _value(field, raw, depth)
        if field.many:
            found.setdefault(field.name, []).append(value)
        else:
            found[field.name] = value
    return found


def _value(field: Field, raw: bytes | int, depth: int) -> Any:
    if field.kind in MESSAGES:
        return read(field.kind, _bytes(raw), depth + 1)
    return KINDS[field.kind](raw)


def _bytes(raw: bytes | int) -> bytes:
    if isinstance(raw, int):
        raise Malformed("a field has another kind")
    return raw


def _integer(raw: bytes | int) -> int:
    number = raw if isinstance(raw, int) else 0
    return number - (1 << 64) if number >> 63 else number


def _eight(form: str, raw: bytes | int) -> Any:
    try:
        return struct.unpack(form, _bytes(raw))[0]
    except struct.error:
        raise Malformed("a field has another kind") from None


KINDS: Mapping[str, Callable[[bytes | int], Any]] = {
    "hex": lambda raw: _bytes(raw).hex(),
    "text": lambda raw: _bytes(raw).decode("utf-8", "replace"),
    "truth": bool,
    "integer": _integer,
    "fixed": lambda raw: _eight("<Q", raw),
    "double": lambda raw: _eight("<d", raw),
}


def _fields(content: bytes) -> Iterator[tuple[int, bytes | int]]:
    position = 0
    while position < len(content):
        tag, position = _varint(content, position)
        kind = tag & 7
        if kind == VARINT:
            number, position = _varint(content, position)
            yield tag >> 3, number
            continue
        if kind == MANY:
            length, position = _varint(content, position)
        elif kind in {EIGHT, FOUR}:
            length = 8 if kind == EIGHT else 4
        else:
            raise Malformed("unknown kind of field")
        if position + length > len(content):
            raise Malformed("cut off")
        yield tag >> 3, content[position : position + length]
        position += length


def _varint(content: bytes, position: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        if position >= len(content):
            raise Malformed("cut off")
        byte = content[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:  # noqa: PLR2004  (the last byte has no continuation bit)
            return number, position
    raise Malformed("number too long")
