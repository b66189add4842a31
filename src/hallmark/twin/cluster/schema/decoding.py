"""What Go's decoder refuses, in its words ("json: cannot unmarshal string into Go struct field ...").

Source: sigs.k8s.io/json, and the UnmarshalJSON methods of Quantity, Time, IntOrString and byte slices.
"""

import re
from collections.abc import Iterator
from typing import Any

from hallmark.twin.cluster.schema import quantities
from hallmark.twin.cluster.schema.definitions import Schema
from hallmark.twin.cluster.schema.errors import BadQuantity
from hallmark.twin.cluster.schema.values import TYPES

_RANGE = {"int32": 2**31, "int64": 2**63}
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})")
_NO_BASE64 = re.compile(r"[^A-Za-z0-9+/=]")


def check(value: Any, schema: Schema, struct: str = "", path: str = "") -> Iterator[str]:
    """Values of a type their field does not have.

    Args:
        value: The value.
        schema: What it should be.
        struct: Name of the Go struct the field belongs to.
        path: Names of the fields that lead to it, without indexes, as Go keeps them.
    """
    if value is None or schema.type == "any":
        return
    special = _special(value, schema)
    if special is not None:
        yield from special
    elif not _fits(value, schema):
        yield f"json: cannot unmarshal {_json_type(value, schema)} into Go {_place(struct, path)} of type {_go(schema)}"
    elif isinstance(value, dict):
        for key, each in value.items():
            named = schema.fields.get(key)
            if named:
                yield from check(each, named, schema.name, f"{path}.{key}" if path else key)
            elif schema.values:
                yield from check(each, schema.values, struct, path)
    elif isinstance(value, list):
        for each in value:
            yield from check(each, schema.items, struct, path)


def _special(value: Any, schema: Schema) -> Iterator[str] | None:
    """Types that decode themselves; None for the others."""
    if schema.type == "quantity":
        return _quantity(value)
    if schema.type == "int-or-string":
        return _int_or_string(value)
    if schema.raw.get("format") == "byte" and isinstance(value, str):
        return _bytes(value)
    if schema.raw.get("format") == "date-time" and isinstance(value, str):
        return _time(value)
    return None


def _quantity(value: Any) -> Iterator[str]:
    try:
        # What is neither text nor number is no quantity, whatever Python calls it.
        quantities.parse("" if isinstance(value, bool | dict | list) else str(value))
    except BadQuantity as error:
        yield str(error)


def _int_or_string(value: Any) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int | str):
        yield f"json: cannot unmarshal {_json_type(value)} into Go value of type int32"


def _bytes(text: str) -> Iterator[str]:
    plain = text.replace("\r", "").replace("\n", "")
    stripped = plain.rstrip("=")
    bad = _NO_BASE64.search(plain) or re.search("=", stripped)
    if bad:
        yield f"illegal base64 data at input byte {bad.start()}"
    elif len(plain) % 4 or len(plain) - len(stripped) > 2:  # noqa: PLR2004 - base64 works in groups of four
        yield f"illegal base64 data at input byte {len(plain) - len(plain) % 4}"


def _time(text: str) -> Iterator[str]:
    if not _TIME.fullmatch(text):
        form = "2006-01-02T15:04:05Z07:00"
        yield f'parsing time "{text}" as "{form}": cannot parse "{text}" as "2006"'


def _fits(value: Any, schema: Schema) -> bool:
    if isinstance(value, bool):
        return schema.type == "boolean"
    if not isinstance(value, TYPES.get(schema.type, object)):
        return isinstance(value, float) and schema.type == "integer" and value.is_integer()
    limit = _RANGE.get(str(schema.raw.get("format")))
    return not (limit and isinstance(value, int)) or -limit <= value < limit


def _json_type(value: Any, schema: Schema | None = None) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return f"number {value}" if schema and schema.type in ("integer", "number") else "number"
    names: dict[type, str] = {str: "string", dict: "object", list: "array"}
    return names[type(value)]


def _place(struct: str, path: str) -> str:
    return f"struct field {struct}.{path}" if path else "value"


def _go(schema: Schema) -> str:
    if schema.type == "array":
        return f"[]{_go(schema.items)}"
    if schema.name:
        version = schema.definition.rsplit(".", 2)[-2]
        return f"{version}.{schema.name}"
    if schema.type == "object":
        return f"map[string]{_go(schema.values)}" if schema.values else "map[string]interface {}"
    simple = {"boolean": "bool", "integer": schema.raw.get("format", "int32"), "number": "float64"}
    return str(schema.raw.get("x-go") or simple.get(schema.type, schema.type))
