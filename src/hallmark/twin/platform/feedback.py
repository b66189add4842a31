"""Feedback: queued on the way in, read from ClickHouse."""

from typing import Any
from uuid import uuid4

import orjson

from hallmark.twin.platform.broker import ADHOC, FEEDBACK
from hallmark.twin.platform.calls import Answer, Call, Caller, Endpoint, Refusal, uuid
from hallmark.twin.platform.opinions import JSON, changes, opinion
from hallmark.twin.platform.stores import Stores
from hallmark.twin.platform.warehouse import Row

COLUMNS = (
    "id, run_id, trace_id, session_id, key, score, value, comment, correction, feedback_source, extra, created_at, "
    "modified_at"
)


class Feedback:
    """Takes and finds feedback.

    Args:
        stores: Redis and ClickHouse.
    """

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def endpoints(self) -> list[Endpoint]:
        """Routes of backend."""
        return [
            Endpoint("POST", "/feedback", self._create),
            Endpoint("GET", "/feedback", self._list),
            Endpoint("GET", "/feedback/{id}", self._read),
            Endpoint("PATCH", "/feedback/{id}", self._update),
            Endpoint("DELETE", "/feedback/{id}", self._delete),
        ]

    def _create(self, call: Call) -> Answer:
        said = {"id": str(uuid4()), **call.json()}
        self._queue(opinion(said, call.caller))
        return Answer({"run_id": None, "trace_id": None, **said})

    def _update(self, call: Call) -> Answer:
        identity = call.identity()
        self._queue({"id": identity, "tenant_id": call.caller.tenant, **changes(call.json())})
        return Answer({"id": identity, **call.json()})

    def _delete(self, call: Call) -> Answer:
        order = {"delete": "feedback", "id": call.identity(), "tenant": call.caller.tenant}
        self._stores.broker.add(ADHOC, [{b"order": orjson.dumps(order)}])
        return Answer({"message": "Feedback deleted"})

    def _read(self, call: Call) -> Answer:
        found = self._find(call.caller, "id = {id:UUID}", 1, 0, id=call.identity())
        if not found:
            raise Refusal(404, "Feedback not found")
        return Answer(found[0])

    def _list(self, call: Call) -> Answer:
        wanted, facts = "1", dict[str, Any]()
        if runs := call.query.get("run"):
            wanted, facts["runs"] = "run_id IN {runs:Array(UUID)}", "[" + ",".join(f"'{uuid(r)}'" for r in runs) + "]"
        if keys := call.query.get("key"):
            wanted, facts["keys"] = f"{wanted} AND has({{keys:Array(String)}}, key)", _texts(keys)
        limit, offset = call.number("limit", 100), call.number("offset", 0)
        return Answer(self._find(call.caller, wanted, min(limit, 100), offset, **facts))

    def _find(self, caller: Caller, wanted: str, limit: int, offset: int, **facts: object) -> list[Row]:
        query = (
            f"SELECT {COLUMNS} FROM feedback FINAL WHERE tenant_id = {{tenant:UUID}} AND {wanted} "  # noqa: S608
            f"ORDER BY created_at DESC, id LIMIT {limit:d} OFFSET {offset:d}"
        )
        return [_shown(row) for row in self._stores.warehouse.ask(query, tenant=caller.tenant, **facts)]

    def _queue(self, row: dict[str, Any]) -> None:
        self._stores.broker.add(FEEDBACK, [{b"row": orjson.dumps(row)}])


def _shown(row: Row) -> Row:
    moments = {name: row[name] and f"{row[name].replace(' ', 'T')}+00:00" for name in ("created_at", "modified_at")}
    return row | moments | {name: orjson.loads(row[name]) if row[name] else None for name in JSON}


def _texts(values: Any) -> str:
    # An array of texts as ClickHouse reads a parameter.
    quoted = (each.replace("\\", "\\\\").replace("'", "\\'") for each in values)
    return "[" + ",".join(f"'{each}'" for each in quoted) + "]"
