"""Objects as the server stores them: values it fills in, and what its encoding leaves out.

Nothing here knows a kind: ``data/defaults.toml`` says what is filled in, the published definitions what is left out.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from hallmark.twin.cluster.schema import computed, definitions, quantities
from hallmark.twin.cluster.schema.definitions import Schema
from hallmark.twin.cluster.schema.errors import BadQuantity
from hallmark.twin.cluster.schema.values import Json, clone

Step = Callable[[Json], None]


def apply(group: str, kind: str, obj: Json) -> None:
    """Bring an object of a built-in kind into the form the server stores, in place.

    Unknown fields, nulls and empty values that Go does not encode are left out, empty ones that it does encode are
    there, quantities are written canonically, and fields that have a default and no value get it. An unknown kind is
    left as it is.

    Args:
        group: API group, empty for the core group.
        kind: Kind.
        obj: The object, free of type errors; its ``apiVersion`` names the version.
    """
    version = str(obj.get("apiVersion", "v1")).rpartition("/")[2]
    schema = definitions.builtin(group, version, kind)
    if schema:
        _walk(obj, schema, fill=True)


def normalise(obj: Json, schema: Schema) -> None:
    """The same without the defaults, for an object that has them already; custom ones only lose their nulls."""
    if schema.definition:
        _walk(obj, schema, fill=False)
    else:
        canonical(obj, schema)


def fill(obj: Json, schema: Schema) -> None:
    """Fill in the defaults that a custom resource's own schema names, in place."""
    _fill(obj, schema)


def canonical(value: Any, schema: Schema) -> None:
    """Drop nulls and write quantities canonically, in place; everything else stays, empty or not.

    A null stays where a custom resource's schema allows it, or does not know the field.
    """
    if isinstance(value, dict):
        for key in [key for key, each in value.items() if each is None and not _may_be_null(schema.at(key))]:
            del value[key]
        for key, each in value.items():
            below = schema.at(key)
            if below.type == "quantity":
                value[key] = _quantity(each)
            else:
                canonical(each, below)
    elif isinstance(value, list):
        for each in value:
            canonical(each, schema.items)


def _may_be_null(schema: Schema) -> bool:
    return bool(schema.custom and (schema.raw.get("nullable") or schema.type == "any"))


def of(schema: Schema, field: str) -> Any:
    """The default of one field; None when it has none."""
    own = schema.fields[field].raw.get("default") if schema.custom and field in schema.fields else None
    return own if own is not None else _table().get(schema.name, {}).get(field)


@dataclass(frozen=True)
class _Plan:
    """What happens to objects of one type.

    Attributes:
        nested: Fields with something to do below them.
        quantities: Fields that are quantities.
        dropped: Fields that are left out when they are empty.
        kept: Fields that are there even when nobody set them, and what they are then.
        steps: What fills in the defaults, in order.
    """

    nested: Mapping[str, Schema]
    quantities: frozenset[str]
    dropped: frozenset[str]
    kept: Mapping[str, Any]
    steps: tuple[Step, ...]


def _walk(obj: Json, schema: Schema, *, fill: bool) -> None:
    plan = _plan(schema.definition)
    dropped = plan.dropped
    known = schema.fields
    for name in [n for n, each in obj.items() if n not in known or (not each and (each is None or n in dropped))]:
        del obj[name]
    for name, empty in plan.kept.items():
        if name not in obj:
            obj[name] = clone(empty)
    if fill:
        for step in plan.steps:
            step(obj)
    for name in plan.quantities & obj.keys():
        obj[name] = _quantity(obj[name])
    nested = plan.nested
    for name, value in obj.items():
        below = nested.get(name)
        if below is not None:
            _walk_below(value, below, fill=fill)


def _walk_below(value: Any, schema: Schema, *, fill: bool) -> None:
    if isinstance(value, list):
        if None in value and schema.items.type == "object":
            value[:] = [{} if each is None else each for each in value]  # as Go decodes it
        for each in value:
            _walk_below(each, schema.items, fill=fill)
    elif isinstance(value, dict):
        if schema.values is None:
            _walk(value, schema, fill=fill)
            return
        for key, each in value.items():
            if schema.values.type == "quantity":
                value[key] = _quantity(each)
            else:
                _walk_below(each, schema.values, fill=fill)


def _quantity(value: Any) -> Any:
    try:
        return quantities.canonical(str(value))
    except BadQuantity:
        return value  # validation says what is wrong with it


@cache
def _plan(definition: str) -> _Plan:
    schema = Schema({"$ref": definition})
    fields = schema.fields
    kept = {name: zero(each) for name, each in fields.items() if each.zero == "keep" and zero(each) is not None}
    return _Plan(
        {name: each for name, each in fields.items() if _has_more(each)},
        frozenset(name for name, each in fields.items() if each.type == "quantity"),
        frozenset(name for name, each in fields.items() if each.zero == "drop"),
        kept,
        tuple(_steps(_table().get(schema.name, {}))),
    )


def zero(schema: Schema) -> Any:
    """What a field is that nobody set, if it is there at all; None when it is not known."""
    if schema.type == "object":
        return {} if schema.fields else None
    return {"quantity": "0", "string": "", "integer": 0, "boolean": False}.get(schema.type)


def _has_more(schema: Schema) -> bool:
    """Whether there can be something to do below: anything but scalars, and lists and maps of them."""
    if schema.type == "array":
        return _has_more(schema.items)
    if schema.type == "object":
        below = schema.values
        return below is None or below.type == "quantity" or _has_more(below)
    return False


@cache
def _table() -> dict[str, Json]:
    return tomllib.loads((definitions.DATA / "defaults.toml").read_text())


def _steps(table: Json) -> list[Step]:
    steps = [_setter(path, value) for path, value in table.items() if path not in ("compute", "when")]
    for condition, values in table.get("when", {}).items():
        path, _, wanted = condition.partition("=")
        steps += [_setter(each, value, (path.split("."), wanted)) for each, value in values.items()]
    return steps + [getattr(computed, name) for name in table.get("compute", ())]


def _setter(path: str, default: Any, condition: tuple[list[str], str] | None = None) -> Step:
    *parents, last = path.split(".")

    def set_default(obj: Json) -> None:
        if condition and _at(obj, condition[0]) != condition[1]:
            return
        owner = obj
        for key in parents:
            owner = owner.setdefault(key, {})
        if owner.get(last) in (None, ""):
            owner[last] = clone(default)

    return set_default


def _at(value: Any, path: list[str]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _fill(value: Any, schema: Schema) -> None:
    if isinstance(value, dict):
        for name, below in schema.fields.items():
            missing = name not in value or (value[name] is None and not below.raw.get("nullable"))
            if missing and "default" in below.raw:
                value[name] = clone(below.raw["default"])
        for name, each in value.items():
            _fill(each, schema.at(name))
    elif isinstance(value, list):
        for each in value:
            _fill(each, schema.items)
