"""Keywords of a CustomResourceDefinition's schema, in the words of the real server.

Source: k8s.io/kube-openapi/pkg/validation and apiextensions-apiserver/pkg/apiserver/validation. Rules in CEL
(``x-kubernetes-validations``) are not evaluated.
"""

import ipaddress
import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from hallmark.twin.cluster.schema import words
from hallmark.twin.cluster.schema.definitions import Schema
from hallmark.twin.cluster.schema.pointers import same
from hallmark.twin.cluster.schema.values import TYPES, dig

IGNORED = ("x-kubernetes-validations",)
"""Keywords a schema may have and that nobody here evaluates."""

_METADATA = frozenset({"apiVersion", "kind", "metadata"})


def ignored(open_api_v3_schema: Any, path: str = "") -> Iterator[str]:
    """Places of a schema that have rules nobody here evaluates."""
    if isinstance(open_api_v3_schema, dict):
        yield from (f"{path}.{key}".lstrip(".") for key in IGNORED if key in open_api_v3_schema)
        for key, each in open_api_v3_schema.items():
            yield from ignored(each, f"{path}.{key}")


def check(obj: Any, schema: Schema) -> Iterator[str]:
    """Fields of a custom resource that break its schema; its metadata is looked at elsewhere."""
    yield from _check(obj, schema, "")


def _check(value: Any, schema: Schema, path: str) -> Iterator[str]:
    raw = schema.raw
    if value is None:
        # A null that is not allowed gives way to the default.
        if not raw.get("nullable") and "default" not in raw and schema.type != "any":
            yield _wrong_type(path, schema.type, "null")
        return
    if not _is(value, schema):
        yield _wrong_type(path, _type_name(schema), _json_type(value))
        return
    yield from _scalars(value, schema, path)
    yield from _combined(value, raw, path)
    if isinstance(value, dict):
        yield from _object(value, schema, path)
    elif isinstance(value, list):
        yield from _array(value, schema, path)


def _is(value: Any, schema: Schema) -> bool:
    if schema.type == "any":
        return True
    if schema.type == "int-or-string":
        return isinstance(value, int | str) and not isinstance(value, bool)
    if isinstance(value, bool):
        return schema.type == "boolean"
    if isinstance(value, float) and schema.type == "integer":
        return value.is_integer()
    return isinstance(value, TYPES[schema.type])


def _type_name(schema: Schema) -> str:
    return "integer,string" if schema.type == "int-or-string" else schema.type


def _json_type(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object", list: "array"}
    return names[type(value)]


def _wrong_type(path: str, wanted: str, found: str) -> str:
    return f'{path}: Invalid value: "{found}": {path} in body must be of type {wanted}: "{found}"'


def _object(value: dict[str, Any], schema: Schema, path: str) -> Iterator[str]:
    raw = schema.raw
    for name in schema.required:
        if name not in value and "default" not in schema.at(name).raw:
            yield words.required(_child(path, name))
    if len(value) < raw.get("minProperties", 0):
        yield words.invalid(path, value, f"{path} in body should have at least {raw['minProperties']} properties")
    if len(value) > raw.get("maxProperties", len(value)):
        yield f"{path}: Too many: {len(value)}: must have at most {raw['maxProperties']} items"
    for key, each in value.items():
        below = schema.fields.get(key) or schema.values
        if below is not None and not (path == "" and key in _METADATA):
            yield from _check(each, below, _child(path, key))


def _array(value: list[Any], schema: Schema, path: str) -> Iterator[str]:
    raw = schema.raw
    if len(value) < raw.get("minItems", 0):
        yield words.invalid(path, value, f"{path} in body should have at least {raw['minItems']} items")
    if len(value) > raw.get("maxItems", len(value)):
        yield f"{path}: Too many: {len(value)}: must have at most {raw['maxItems']} items"
    seen: list[Any] = []
    for i, each in enumerate(value):
        place = f"{path}[{i}]"
        key = _identity(each, schema)
        if key is not None and key in seen:
            yield words.duplicate(place, key)
        seen.append(key)
        yield from _check(each, schema.items, place)


def _identity(item: Any, schema: Schema) -> Any:
    if schema.list_type == "set":
        return item
    if schema.list_type == "map" and isinstance(item, dict):
        return {name: item.get(name) for name in schema.map_keys}
    return None


def _scalars(value: Any, schema: Schema, path: str) -> Iterator[str]:
    raw = schema.raw
    if "enum" in raw and not any(same(value, each) for each in raw["enum"]):
        yield words.unsupported(path, value, raw["enum"])
    if isinstance(value, str):
        yield from _text(value, raw, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from (words.invalid(path, value, f"{path} in body {why}") for why in _number(value, raw))


def _text(value: str, raw: Any, path: str) -> Iterator[str]:
    if len(value) < raw.get("minLength", 0):
        yield words.invalid(path, value, f"{path} in body should be at least {raw['minLength']} chars long")
    if len(value) > raw.get("maxLength", len(value)):
        yield f"{path}: Too long: may not be more than {raw['maxLength']} bytes"
    if "pattern" in raw and not re.search(_python(raw["pattern"]), value):
        yield words.invalid(path, value, f"{path} in body should match '{raw['pattern']}'")
    form = _FORMATS.get(raw.get("format", ""))
    if form and not form(value):
        yield words.invalid(path, value, f"{path} in body must be of type {raw['format']}: {json.dumps(value)}")


def _number(value: float, raw: Any) -> Iterator[str]:
    low, high = raw.get("minimum"), raw.get("maximum")
    if low is not None and (value <= low if raw.get("exclusiveMinimum") else value < low):
        yield f"should be greater than {'' if raw.get('exclusiveMinimum') else 'or equal to '}{low}"
    if high is not None and (value >= high if raw.get("exclusiveMaximum") else value > high):
        yield f"should be less than {'' if raw.get('exclusiveMaximum') else 'or equal to '}{high}"
    if raw.get("multipleOf") and value % raw["multipleOf"]:
        yield f"should be a multiple of {raw['multipleOf']}"


def _combined(value: Any, raw: Any, path: str) -> Iterator[str]:
    """anyOf, oneOf, allOf and not; the real server does not say which field of the object they belong to."""
    name = f'<nil>: Invalid value: "": "{path}" must'
    fitting = {
        key: sum(_satisfies(value, each) for each in raw[key]) for key in ("anyOf", "oneOf", "allOf") if key in raw
    }
    if fitting.get("anyOf", 1) < 1:
        yield f"{name} validate at least one schema (anyOf)"
    if fitting.get("oneOf", 1) != 1:
        found = f"{fitting['oneOf']} schemas" if fitting["oneOf"] else "none"
        yield f"{name} validate one and only one schema (oneOf). Found {found} valid"
    if "allOf" in raw and fitting["allOf"] < len(raw["allOf"]):
        yield f"{name} validate all the schemas (allOf)"
    if "not" in raw and _satisfies(value, raw["not"]):
        yield f"{name} not validate the schema (not)"


def _satisfies(value: Any, raw: Any) -> bool:
    # Below a combination a schema without a type only restricts: what is no object satisfies its properties.
    return not any(_check(value, Schema(_typed(value, raw), custom=True), "."))


def _typed(value: Any, raw: Any) -> Any:
    if "type" in raw or not isinstance(value, dict):
        return {key: each for key, each in raw.items() if isinstance(value, dict) or key != "properties"}
    properties = {key: _typed(dig(value, key), each) for key, each in raw.get("properties", {}).items()}
    return {**raw, "properties": properties}


def _child(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _python(pattern: str) -> str:
    """A Go pattern in Python's words: only the names of character classes and the end of the text differ."""
    classes = {
        "[:alpha:]": "a-zA-Z",
        "[:alnum:]": "a-zA-Z0-9",
        "[:digit:]": "0-9",
        "[:lower:]": "a-z",
        "[:upper:]": "A-Z",
    }
    for name, characters in classes.items():
        pattern = pattern.replace(name, characters)
    return re.sub(r"(?<!\\)\$$", r"\\Z", pattern).replace(r"\z", r"\Z")


def _parses(read: Callable[[str], Any]) -> Callable[[str], bool]:
    def test(text: str) -> bool:
        try:
            read(text)
        except ValueError:
            return False
        return True

    return test


_FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": lambda text: bool(
        re.fullmatch(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", text)
    ),
    "date": lambda text: bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text)),
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "cidr": _parses(lambda text: ipaddress.ip_network(text, strict=False)),
    "uuid": _parses(uuid.UUID),
    "email": lambda text: bool(re.fullmatch(r"[^@\s]+@[^@\s]+", text)),
    "uri": lambda text: bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|/", text)),
    "duration": lambda text: bool(re.fullmatch(r"[+-]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+", text)),
}
