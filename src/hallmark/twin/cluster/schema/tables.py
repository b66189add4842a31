"""Tables of objects as ``kubectl get`` shows them.

Source: Kubernetes documentation, "Kubernetes API Concepts", section "Receiving resources as Tables".
"""

import tomllib
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from hallmark.twin.cluster.schema import cells, definitions, durations, jsonpaths
from hallmark.twin.cluster.schema.cells import common, pods
from hallmark.twin.cluster.schema.values import Json

_OTHERS: list[Json] = [{"name": "Name", "path": ".metadata.name"}, {"name": "Age", "cell": "common.age"}]
"""Columns of a resource that has none of its own."""


def render(  # noqa: PLR0917 - what a table is of, in the order one says it
    group: str, plural: str, objects: Iterable[Json], columns: list[Json] | None, include: str, now: datetime
) -> Json:
    """Make the table of some objects.

    Args:
        group: API group, empty for the core group.
        plural: Resource.
        objects: Its objects.
        columns: ``additionalPrinterColumns`` of a CustomResourceDefinition; None for a built-in resource.
        include: What of each object goes with its row: ``None``, ``Metadata`` or ``Object``.
        now: The time that ages are counted from, with its time zone.
    """
    if columns is None:
        described = _built_in(f"{plural}.{group}" if group else plural)
    else:
        described = [_OTHERS[0], *(_custom(each) for each in columns)]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": [_definition(each) for each in described],
        "rows": [_row(obj, described, include, now) for obj in objects],
    }


@cache
def _table() -> dict[str, Json]:
    return tomllib.loads((definitions.DATA / "columns.toml").read_text())


@cache
def _built_in(name: str) -> list[Json]:
    entry = _table().get(name, {"columns": _OTHERS})
    columns: list[Json] = _table()[entry["same"]]["columns"] if "same" in entry else entry["columns"]
    return columns


def _custom(column: Json) -> Json:
    described: Json = {
        key: column[key] for key in ("name", "type", "format", "description", "priority") if key in column
    }
    return {**described, "path": column.get("jsonPath", ""), "custom": True}


def _definition(column: Json) -> Json:
    name = column["name"]
    return {
        "name": name,
        "type": column.get("type", "string"),
        "format": column.get("format", "name" if name == "Name" and not column.get("wide") else ""),
        "description": column.get("description", ""),
        "priority": column.get("priority", int(column.get("wide", False))),
    }


def _row(obj: Json, columns: list[Json], include: str, now: datetime) -> Json:
    row: Json = {"cells": [_cell(obj, each, now) for each in columns]}
    conditions = pods.row_conditions(obj)
    if conditions:
        row["conditions"] = conditions
    if include == "Object":
        row["object"] = obj
    elif include == "Metadata":
        metadata = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
        row["object"] = metadata
    return row


def _cell(obj: Json, column: Json, now: datetime) -> Any:
    if "cell" in column:
        return cells.named(column["cell"])(obj, now)
    try:
        found = jsonpaths.find(column["path"], obj)
    except ValueError:
        found = []
    if column.get("custom"):
        return _custom_cell(column, found, now)
    if not found or found[0] in (None, ""):
        return column.get("missing", "")
    return found[0] if isinstance(found[0], int) and column.get("type") else _text(found)


def _custom_cell(column: Json, found: list[Any], now: datetime) -> Any:
    """A cell of a custom resource: nothing when there is nothing, otherwise as its type says."""
    if not found or found[0] is None:
        return None
    kind, value = column.get("type"), found[0]
    if kind == "date":
        return durations.since(str(value), now)
    if kind in ("integer", "number", "boolean"):
        return value if isinstance(value, bool | int | float) else None
    return _text(found)


def _text(values: list[Any]) -> str:
    return " ".join(common.text(value) for value in values)
