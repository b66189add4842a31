"""Projects, which the API calls sessions: in PostgreSQL, with statistics from ClickHouse."""

from typing import Any
from uuid import uuid4

import orjson

from hallmark.twin.platform.broker import ADHOC
from hallmark.twin.platform.calls import Answer, Call, Endpoint, Refusal, optional_uuid, uuid
from hallmark.twin.platform.database import Row
from hallmark.twin.platform.runs import Runs
from hallmark.twin.platform.stores import Stores
from hallmark.twin.programs.langsmith.stores import Trouble

COLUMNS = "id, tenant_id, name, description, extra, reference_dataset_id, trace_tier, start_time, end_time"
MINE = f"select {COLUMNS} from tracer_session where tenant_id = %s::uuid"  # noqa: S608  (our own columns)
TIERS = frozenset({"shortlived", "longlived"})


class Projects:
    """Keeps projects.

    Args:
        stores: PostgreSQL, and Redis for deletions.
        runs: Knows statistics.
    """

    def __init__(self, stores: Stores, runs: Runs) -> None:
        self._stores = stores
        self._runs = runs

    def endpoints(self) -> list[Endpoint]:
        """Routes of backend."""
        return [
            Endpoint("GET", "/sessions", self._list),
            Endpoint("POST", "/sessions", self._create),
            Endpoint("GET", "/sessions/{id}", self._read),
            Endpoint("PATCH", "/sessions/{id}", self._update),
            Endpoint("DELETE", "/sessions/{id}", self._delete),
        ]

    def _list(self, call: Call) -> Answer:
        name, part, ids = call.one("name"), call.one("name_contains"), [uuid(each) for each in call.query.get("id", ())]
        found = self._stores.database.ask(
            f"{MINE} and (%s::text is null or name = %s) and (%s::text is null or strpos(lower(name), lower(%s)) > 0)"
            " and (%s or id = any(%s::uuid[])) order by start_time desc, id limit %s offset %s",
            call.caller.tenant, name, name, part, part, not ids, ids,
            min(call.number("limit", 100), 100), call.number("offset", 0),
        )  # fmt: skip
        wanted = (call.one("include_stats") or "true").lower() != "false"
        return Answer(self._with_statistics(found) if wanted else found)

    def _create(self, call: Call) -> Answer:
        said = call.json()
        if not said.get("name"):
            raise Refusal(422, "a project needs a name")
        again = "do nothing"
        if call.one("upsert") == "true":
            again = "do update set extra = excluded.extra, description = excluded.description"
        found = self._stores.database.ask(
            "insert into tracer_session (id, tenant_id, name, description, extra, reference_dataset_id, trace_tier)"  # noqa: S608
            " values (%s, %s, %s, %s, %s::jsonb, %s, %s)"
            f" on conflict (tenant_id, name) {again} returning {COLUMNS}",
            uuid(said.get("id") or uuid4()), call.caller.tenant, str(said["name"]), said.get("description"),
            _json(said.get("extra")), optional_uuid(said.get("reference_dataset_id")), _tier(said),
        )  # fmt: skip
        if not found:
            raise Refusal(409, "Session already exists.")
        return Answer(found[0])

    def _read(self, call: Call) -> Answer:
        row = self._one(f"{MINE} and id = %s::uuid", call)
        return Answer(self._with_statistics([row])[0] if call.one("include_stats") == "true" else row)

    def _update(self, call: Call) -> Answer:
        said = call.json()
        change = (
            "update tracer_session set name = coalesce(%s, name), description = coalesce(%s, description),"  # noqa: S608
            " extra = coalesce(%s::jsonb, extra), end_time = coalesce(%s::timestamptz, end_time),"
            f" trace_tier = coalesce(%s, trace_tier) where tenant_id = %s::uuid and id = %s::uuid returning {COLUMNS}"
        )
        tier = _tier(said) if "trace_tier" in said else None
        values = (said.get("name"), said.get("description"), _json(said.get("extra")), said.get("end_time"), tier)
        found = self._stores.database.ask(change, *values, call.caller.tenant, call.identity())
        if not found:
            raise Refusal(404, "Session not found")
        return Answer(found[0])

    def _delete(self, call: Call) -> Answer:
        row = self._one(f"{MINE} and id = %s::uuid", call)
        order = {"delete": "session", "id": str(row["id"]), "tenant": call.caller.tenant}
        self._stores.broker.add(ADHOC, [{b"order": orjson.dumps(order)}])  # its runs go later
        self._stores.database.ask("delete from tracer_session where id = %s::uuid", row["id"])
        return Answer({"message": "Session deleted"}, 202)

    def _one(self, question: str, call: Call) -> Row:
        found = self._stores.database.ask(question, call.caller.tenant, call.identity())
        if not found:
            raise Refusal(404, "Session not found")
        return found[0]

    def _with_statistics(self, rows: list[Row]) -> list[Row]:
        # Without ClickHouse the projects are listed all the same: it knows their numbers only.
        tenant = str(rows[0]["tenant_id"]) if rows else ""
        try:
            found = self._runs.statistics(tenant, [str(row["id"]) for row in rows])
        except Trouble:
            return [row | {"run_count": None} for row in rows]
        return [row | found[str(row["id"])] for row in rows]


def _tier(said: dict[str, Any]) -> str:
    tier = said.get("trace_tier") or "shortlived"
    if tier not in TIERS:
        raise Refusal(422, "trace_tier is shortlived or longlived")
    return str(tier)


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
