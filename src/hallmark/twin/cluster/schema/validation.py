"""What is wrong with an object, in the words of the real server.

``check`` needs nothing but the schema, ``semantic`` knows the rules of the kinds. Both only look.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hallmark.twin.cluster.schema import decoding, defaults, keywords, rules, words
from hallmark.twin.cluster.schema.definitions import Schema
from hallmark.twin.cluster.schema.rules import warnings as worth_a_word
from hallmark.twin.cluster.schema.values import Json

__all__ = ["Findings", "check", "prune", "semantic", "warnings"]


@dataclass
class Findings:
    """What a look at an object with its schema found.

    Attributes:
        errors: Wrong values, each with its field: ``spec.replicas: Required value``. They make a 422.
        type_errors: Values that cannot be decoded; what follows ``cannot be handled as a Pod: ``. They make a 400.
        unknown: Fields nobody knows: ``unknown field "spec.foo"``. A strict client gets a 400, others a warning.
    """

    errors: list[str] = field(default_factory=list)
    type_errors: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def check(obj: Json, schema: Schema, *, custom: bool) -> Findings:
    """Look at an object before it gets its defaults.

    Args:
        obj: The object as the client sent it.
        schema: Schema of its kind.
        custom: It is a custom resource, whose schema has types and bounds that are checked as a 422; rules in CEL
            are not evaluated.
    """
    found = Findings()
    if custom:
        found.type_errors = list(decoding.check(obj.get("metadata"), schema.at("metadata"), path="metadata"))
        found.errors = list(keywords.check(obj, schema))
        found.unknown = list(_unknown(obj, schema, ""))
        return found
    found.type_errors = list(decoding.check(obj, schema))
    found.unknown = list(_unknown(obj, schema, ""))
    if not found.type_errors:
        found.errors = list(_missing_or_unsupported(obj, schema, ""))
    return found


def semantic(group: str, kind: str, obj: Json, old: Json | None) -> list[str]:
    """Check the rules of a kind, beyond its schema.

    Args:
        group: API group, empty for the core group.
        kind: Kind.
        obj: The object with its defaults.
        old: The object before; None when it is created.

    Returns:
        What is wrong, each with its field: ``spec.selector: Invalid value: ...: field is immutable``.
    """
    return list(rules.check(group, kind, obj, old))


def warnings(group: str, kind: str, obj: Json) -> list[str]:
    """What is accepted and yet worth a word, for the answer's ``Warning`` headers.

    Args:
        group: API group, empty for the core group.
        kind: Kind.
        obj: The object with its defaults.
    """
    return list(worth_a_word.of(group, kind, obj))


def prune(obj: Json, schema: Schema) -> Json:
    """The object without fields its schema does not know."""
    pruned: Json = _prune(obj, schema)
    return pruned


def _prune(value: Any, schema: Schema) -> Any:
    if isinstance(value, dict):
        if schema.is_open:
            return {k: _prune(v, schema.fields[k]) if k in schema.fields else v for k, v in value.items()}
        fields, values = schema.fields, schema.values
        known = {key: fields.get(key) or values for key in value}
        return {key: _prune(each, below) for key, each in value.items() if (below := known[key]) is not None}
    if isinstance(value, list):
        return [_prune(each, schema.items) for each in value]
    return value


def _unknown(value: Any, schema: Schema, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            below = schema.fields.get(key) or schema.values
            place = f"{path}.{key}" if path else key
            if below is not None:
                yield from _unknown(each, below, place)
            elif not schema.is_open:
                yield f'unknown field "{place}"'
    elif isinstance(value, list):
        for i, each in enumerate(value):
            yield from _unknown(each, schema.items, f"{path}[{i}]")


def _missing_or_unsupported(value: Any, schema: Schema, path: str) -> Iterator[str]:
    """Required texts and lists that are empty, and values outside an enumeration; a status is not looked at."""
    if isinstance(value, dict):
        for name in schema.required:
            below = schema.fields[name]
            if not value.get(name) and below.type in ("string", "array") and _must_be_given(schema, name):
                reason = rules.table()["reasons"].get(f"{schema.name}.{name}", "")
                yield words.required(_child(path, name), reason)
        for key, each in value.items():
            if not (path == "" and key == "status"):
                yield from _missing_or_unsupported(each, schema.at(key), _child(path, key))
    elif isinstance(value, list):
        for i, each in enumerate(value):
            yield from _missing_or_unsupported(each, schema.items, f"{path}[{i}]")
    elif schema.enum and value and value not in schema.enum:
        yield words.unsupported(path, value, schema.enum)


def _must_be_given(schema: Schema, name: str) -> bool:
    return defaults.of(schema, name) is None and f"{schema.name}.{name}" not in rules.table()["may_be_empty"]


def _child(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
