"""Runs on their way in: what the SDK sends of one becomes a row for ClickHouse.

A run comes in parts, first and last, in any order: each is a row with what it knows, and ClickHouse keeps the latest
value of each column. So nothing may be written that another part could know better.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from hallmark.twin.platform.calls import Refusal, optional_uuid, uuid

DEFAULT_PROJECT = "default"
PAYLOADS = ("inputs", "outputs")
TEXTS = ("name", "run_type", "dotted_order")
JSON = ("extra", "events", "serialized", "tags")
IDENTITIES = ("trace_id", "session_id", "parent_run_id", "reference_example_id")
MOMENTS = ("start_time", "end_time")
EMPTY = (b"{}", b"null", b"")
MILLISECONDS = 1e11
"""Numbers above are milliseconds since 1970, below seconds."""


@dataclass
class Part:
    """What one call says of one run.

    Attributes:
        first: Whether it is the run's creation.
        row: Columns.
        payloads: Inputs and outputs as JSON text, not yet in the row.
        project: Name of the project, if the id is not known.
    """

    first: bool
    row: dict[str, Any]
    payloads: dict[str, bytes]
    project: str


def part(kind: str, said: Mapping[str, Any], raw: Mapping[str, bytes], tenant: str) -> Part:
    """Read one part of a run.

    Args:
        kind: ``post`` or ``patch``.
        said: Its fields.
        raw: Fields that came apart, as JSON text.
        tenant: The workspace.

    Raises:
        Refusal: A value cannot be read.
    """
    first = kind == "post"
    row: dict[str, Any] = {"id": uuid(said.get("id")), "tenant_id": tenant}
    row |= {name: str(said[name]) for name in TEXTS if said.get(name)}
    row |= {name: optional_uuid(said[name]) for name in IDENTITIES if said.get(name)}
    row |= {name: moment(said[name]) for name in MOMENTS if said.get(name)}
    texts = {name: text for name in (*JSON, *PAYLOADS) if (text := _text(name, said, raw)) not in EMPTY}
    row |= {name: text.decode() for name, text in texts.items() if name in JSON}
    row |= {"error": error} if (error := _error(said, raw)) else {}
    if first:
        _begin(row)
    project = "" if "session_id" in row else str(said.get("session_name") or (DEFAULT_PROJECT if first else ""))
    return Part(first, row, {name: text for name, text in texts.items() if name in PAYLOADS}, project)


def moment(value: object) -> str:
    """A time as ClickHouse reads it, in UTC.

    Raises:
        Refusal: It is none.
    """
    try:
        if isinstance(value, int | float):
            found = datetime.fromtimestamp(value / 1000 if value > MILLISECONDS else value, UTC)
        else:
            found = datetime.fromisoformat(str(value))
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise Refusal(422, "a value that must be a time is none") from None
    return f"{found:%Y-%m-%d %H:%M:%S.%f}"


def _text(name: str, said: Mapping[str, Any], raw: Mapping[str, bytes]) -> bytes:
    if name in raw:
        return raw[name]
    value = said.get(name)
    return b"" if value is None else orjson.dumps(value)


def _error(said: Mapping[str, Any], raw: Mapping[str, bytes]) -> str:
    error = orjson.loads(raw["error"]) if raw.get("error") else said.get("error")
    return error if isinstance(error, str) else orjson.dumps(error).decode() if error else ""


def _begin(row: dict[str, Any]) -> None:
    row.setdefault("start_time", f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}")
    row.setdefault("name", "Unnamed")
    row.setdefault("run_type", "chain")
    if "parent_run_id" not in row:
        row.setdefault("trace_id", row["id"])
