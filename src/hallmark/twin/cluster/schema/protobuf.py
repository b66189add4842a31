"""Objects in the API's protobuf form, which ``kubectl create`` sends and does not fall back from.

Field numbers come from the published ``.proto`` files, what a zero means from the Go types, see ``data/README.md``.
Source of the wire format: protobuf.dev, "Encoding"; of the envelope: Kubernetes documentation, "Kubernetes Protobuf
encoding".
"""

import base64
import json
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hallmark.twin.cluster.schema import definitions
from hallmark.twin.cluster.schema.values import Json

MAGIC = b"k8s\x00"

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SIGN = 1 << 63


class BadMessage(ValueError):
    """The bytes are no object in protobuf form, or of a kind whose form is not known."""


def decode(body: bytes) -> Json:
    """Read an object.

    Args:
        body: The request's body, with its four magic bytes.

    Returns:
        The object as its JSON would be; parts that are empty are left out as Go leaves them out.

    Raises:
        BadMessage: The bytes are not what they should be.
    """
    if not body.startswith(MAGIC):
        raise BadMessage("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    try:
        envelope = dict(_parts(body[len(MAGIC) :]))
        of_type = dict(_parts(envelope.get(1, b"")))
        api_version, kind = (of_type.get(number, b"").decode() for number in (1, 2))
        return {"apiVersion": api_version, "kind": kind, **_message(_name(api_version, kind), envelope.get(2, b""))}
    except (IndexError, UnicodeDecodeError, struct.error, AttributeError) as error:
        raise BadMessage("the message ends too early, or a field is not of its type") from error


@cache
def _messages() -> dict[str, dict[int, tuple[str, str, str, str]]]:
    raw = definitions.load("messages")
    return {name: {int(number): tuple(field) for number, field in fields.items()} for name, fields in raw.items()}


def _name(api_version: str, kind: str) -> str:
    group, _, version = api_version.rpartition("/")
    schema = definitions.builtin(group, version, kind)
    if schema is None or schema.definition not in _messages():
        raise BadMessage(f'no kind "{kind}" is registered for version "{api_version}" in protobuf form')
    return schema.definition


def _parts(data: bytes) -> Iterator[tuple[int, Any]]:
    """Number and raw value of each field: an integer, or bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == _BYTES:
            size, at = _varint(data, at)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise BadMessage(f"illegal wireType {wire}")
        if at + size > len(data):
            raise IndexError(at)
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says that more follows
            return value, at
        shift += 7


def _message(name: str, data: bytes) -> Json:
    fields = _messages()[name]
    result: Json = {}
    for number, raw in _parts(data):
        if number in fields:
            _add(result, fields[number], raw)
    for field, _, shape, zero in fields.values():
        if shape == "one" and zero == "drop" and field in result and not result[field]:
            del result[field]
    return result


def _add(result: Json, field: tuple[str, str, str, str], raw: Any) -> None:
    name, kind, shape, _ = field
    if shape == "map":
        entry = dict(_parts(raw))
        result.setdefault(name, {})[entry.get(1, b"").decode()] = _value(kind, entry.get(2, _zero(kind)))
    elif shape == "many":
        result.setdefault(name, []).append(_value(kind, raw))
    elif not name:  # a struct that Go inlines: its fields are the owner's
        result.update(_value(kind, raw))
    elif (value := _value(kind, raw)) is not None:
        result[name] = value


def _zero(kind: str) -> Any:
    return 0 if kind in ("bool", "int32", "int64") else b""


def _value(kind: str, raw: Any) -> Any:
    read = _SCALARS.get(kind) or _SPECIAL.get(kind)
    if read:
        return read(raw)
    fields = _messages()[kind]
    # Lists that Go gives a name of their own are messages with nothing but items.
    if len(fields) == 1 and fields.get(1, ("",))[0] == "items":
        return _message(kind, raw).get("items", [])
    return _message(kind, raw)


def _integer(raw: int) -> int:
    return raw - 2 * _SIGN if raw >= _SIGN else raw


def _time(raw: bytes) -> str | None:
    parts = dict(_parts(raw))
    if 1 not in parts:
        return None
    moment = datetime.fromtimestamp(_integer(parts[1]), UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro_time(raw: bytes) -> str | None:
    whole, parts = _time(raw), dict(_parts(raw))
    return whole and f"{whole[:-1]}.{parts.get(2, 0) // 1000:06}Z"


def _quantity(raw: bytes) -> str:
    text: bytes = dict(_parts(raw)).get(1, b"0")
    return text.decode()


def _int_or_string(raw: bytes) -> int | str:
    parts = dict(_parts(raw))
    if parts.get(1):
        text: bytes = parts.get(3, b"")
        return text.decode()
    return _integer(parts.get(2, 0))


def _raw_json(raw: bytes) -> Any:
    text = dict(_parts(raw)).get(1, b"")
    return json.loads(text) if text else None


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "string": lambda raw: raw.decode(),
    "bytes": lambda raw: base64.b64encode(raw).decode(),
    "bool": bool,
    "int32": _integer,
    "int64": _integer,
    "uint32": int,
    "uint64": int,
    "double": lambda raw: struct.unpack("<d", raw)[0],
    "float": lambda raw: struct.unpack("<f", raw)[0],
}
_META = "apimachinery.pkg.apis.meta.v1"
_SPECIAL: dict[str, Callable[[Any], Any]] = {
    f"{_META}.Time": _time,
    f"{_META}.MicroTime": _micro_time,
    f"{_META}.FieldsV1": _raw_json,
    "apimachinery.pkg.api.resource.Quantity": _quantity,
    "apimachinery.pkg.util.intstr.IntOrString": _int_or_string,
    "apimachinery.pkg.runtime.RawExtension": _raw_json,
}
