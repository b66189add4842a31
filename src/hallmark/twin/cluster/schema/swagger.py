"""The OpenAPI v2 document: one for everything served. kubectl reads it to validate a file that holds a ``List``.

Source: Kubernetes documentation, "The Kubernetes API", OpenAPI V2; what a custom schema loses on the way from v3 is
told in "Extend the Kubernetes API with CustomResourceDefinitions", section "Publish Validation Schema in OpenAPI".
Field numbers of the binary form are those of ``openapi.v2.Document`` (google/gnostic-models, ``OpenAPIv2.proto``).
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from hallmark.twin.cluster.schema import openapi
from hallmark.twin.cluster.schema.values import Json

_KEPT = frozenset({"description", "enum", "format", "required", "type"})
_EXTENSION = "x-kubernetes-"
_OPEN = ("nullable", "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields")
_TEXTS = {"$ref": 1, "format": 2, "description": 4}
_REQUIRED, _ENUM, _ADDITIONAL, _TYPE, _ITEMS, _PROPERTIES, _VENDOR = 19, 20, 21, 22, 23, 25, 31
_BYTES = 2


def document(resources: Iterable[openapi.Resource]) -> Json:
    """The document.

    Args:
        resources: Everything served.

    Returns:
        Its JSON. It has no paths: they are in v3, and no client in use reads them here.
    """
    definitions = {name: _old(schema) for name, schema in sorted(openapi.schemas(resources).items())}
    info = {"title": "Kubernetes", "version": openapi.VERSION}
    return {"swagger": "2.0", "info": info, "paths": {}, "definitions": definitions}


def encoded(of: Json) -> bytes:
    """The document's binary form, the only one that kubectl takes."""
    named = (_named(name, schema) for name, schema in of["definitions"].items())
    info = _text(1, of["info"]["title"]) + _text(2, of["info"]["version"])
    definitions = b"".join(_field(1, each) for each in named)
    return _text(1, of["swagger"]) + _field(2, info) + _field(8, b"") + _field(9, definitions)


def _old(schema: Json) -> Json:
    """A schema of v3 as v2 has it: a reference may have neighbours, and what v2 cannot say is left open."""
    references = [each["$ref"] for each in (schema, *schema.get("allOf", ())) if "$ref" in each]
    kept = {key: value for key, value in schema.items() if key in _KEPT or key.startswith(_EXTENSION)}
    if references:
        return {**kept, "$ref": references[0].replace("#/components/schemas/", "#/definitions/")}
    if any(schema.get(key) for key in _OPEN):
        kept.pop("required", None)
        return {key: value for key, value in kept.items() if key != "type" or value == "object"}
    for key in ("items", "additionalProperties"):
        if key in schema:
            kept[key] = _old(schema[key]) if isinstance(schema[key], dict) else schema[key]
    if "properties" in schema:
        kept["properties"] = {name: _old(each) for name, each in schema["properties"].items()}
    return kept


def _named(name: str, schema: Json) -> bytes:
    return _text(1, name) + _field(2, _schema(schema))


def _schema(of: Json) -> bytes:
    parts = [_text(number, of[key]) for key, number in _TEXTS.items() if key in of]
    parts += [_text(_REQUIRED, each) for each in of.get("required", ())]
    parts += [_field(_ENUM, _any(each)) for each in of.get("enum", ())]
    parts += [encode(of[key]) for key, encode in _PARTS.items() if key in of]
    parts += [_field(_VENDOR, _extension(key, each)) for key, each in of.items() if key.startswith(_EXTENSION)]
    return b"".join(parts)


def _additional(allowed: Any) -> bytes:
    return _field(_ADDITIONAL, _flag(2, allowed) if isinstance(allowed, bool) else _field(1, _schema(allowed)))


def _properties(of: Json) -> bytes:
    return _field(_PROPERTIES, b"".join(_field(1, _named(name, each)) for name, each in of.items()))


def _extension(key: str, value: Any) -> bytes:
    return _text(1, key) + _field(2, _any(value))


_PARTS: dict[str, Callable[[Any], bytes]] = {
    "additionalProperties": _additional,
    "type": lambda of: _field(_TYPE, _text(1, of)),
    "items": lambda of: _field(_ITEMS, _field(1, _schema(of))),
    "properties": _properties,
}


def _any(value: Any) -> bytes:
    return _text(2, json.dumps(value))  # YAML, of which JSON is a part


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _flag(number: int, value: bool) -> bytes:  # noqa: FBT001 - it is the value, not a switch
    return _varint(number << 3) + _varint(int(value))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    rest = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte, the highest says that more follows
        rest.append(value & 0x7F | 0x80)
        value >>= 7
    rest.append(value)
    return bytes(rest)
