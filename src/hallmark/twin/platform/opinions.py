"""Feedback on its way in: a row for ClickHouse of what a caller thinks of a run."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson

from hallmark.twin.platform.calls import Caller, Refusal, optional_uuid, uuid
from hallmark.twin.platform.rows import moment

JSON = ("value", "correction", "feedback_source", "extra")


def opinion(said: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """Read one feedback.

    Raises:
        Refusal: It has no key, or a value cannot be read.
    """
    if not said.get("key"):
        raise Refusal(422, "feedback needs a key")
    row: dict[str, Any] = {"id": uuid(said.get("id") or uuid4()), "tenant_id": caller.tenant, "key": str(said["key"])}
    row |= {name: optional_uuid(said[name]) for name in ("run_id", "trace_id", "session_id") if said.get(name)}
    row["created_at"] = moment(said.get("created_at") or datetime.now(UTC).isoformat())
    return row | changes(said)


def changes(said: Mapping[str, Any]) -> dict[str, Any]:
    """What may change of a feedback later."""
    row: dict[str, Any] = {"modified_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}"}
    if isinstance(said.get("score"), int | float):
        row["score"] = float(said["score"])
    if said.get("comment"):
        row["comment"] = str(said["comment"])
    return row | {name: orjson.dumps(said[name]).decode() for name in JSON if said.get(name) is not None}
