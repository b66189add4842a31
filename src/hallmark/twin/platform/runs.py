"""The way out: runs from ClickHouse, with their large payloads from S3."""

from collections.abc import Sequence
from typing import Any

import orjson

from hallmark.twin.platform.calls import Answer, Call, Endpoint, Refusal
from hallmark.twin.platform.payloads import Payloads
from hallmark.twin.platform.questions import STATISTICS, conditions, page, selection
from hallmark.twin.platform.warehouse import Row, Warehouse

OPINIONS = """
SELECT run_id, key, count() AS n, avg(score) AS mean FROM feedback FINAL
WHERE tenant_id = {tenant:UUID} AND run_id IN {runs:Array(UUID)} GROUP BY run_id, key
"""

NO_RUNS: dict[str, Any] = {
    "run_count": 0, "latency_p50": None, "latency_p99": None, "error_rate": None, "first_start_time": None,
    "last_run_start_time": None, "feedback_stats": {}, "total_tokens": 0,
}  # fmt: skip


class Runs:
    """Finds runs.

    Args:
        warehouse: Where their rows are.
        payloads: Where their payloads are.
    """

    def __init__(self, warehouse: Warehouse, payloads: Payloads) -> None:
        self._warehouse = warehouse
        self._payloads = payloads

    def endpoints(self) -> list[Endpoint]:
        """Routes of backend."""
        return [
            Endpoint("POST", "/runs/query", self._query),
            Endpoint("POST", "/runs/stats", self._statistics),
            Endpoint("GET", "/runs/{id}", self._read),
        ]

    def _query(self, call: Call) -> Answer:
        asked = call.json()
        limit, offset = page(asked)
        rows = self._find(call.caller.tenant, asked, limit, offset)
        fields = asked.get("select")
        runs = [self._run(row, call.caller.tenant, fields) for row in rows]
        if fields is None or "feedback_stats" in fields:
            self._add_opinions(call.caller.tenant, runs)
        cursor = str(offset + limit) if len(rows) == limit else None
        return Answer({"runs": runs, "cursors": {"next": cursor, "prev": None}})

    def _read(self, call: Call) -> Answer:
        rows = self._find(call.caller.tenant, {"id": [call.identity()]}, 1, 0)
        if not rows:
            raise Refusal(404, "Run not found")
        run = self._run(rows[0], call.caller.tenant, None)
        self._add_opinions(call.caller.tenant, [run])
        return Answer(run)

    def _statistics(self, call: Call) -> Answer:
        found = self._statistics_by("tenant_id", call.caller.tenant, call.json())
        return Answer(found[0] if found else NO_RUNS)

    def statistics(self, tenant: str, projects: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Counts and times of the runs of projects, by their ids."""
        found = self._statistics_by("session_id", tenant, {"session": list(projects)}) if projects else []
        return dict.fromkeys(projects, NO_RUNS) | {row.pop("session_id"): row for row in found}

    def _statistics_by(self, column: str, tenant: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
        wanted = conditions(tenant, asked)
        query = STATISTICS.replace("{conditions}", wanted.sql()).replace("{by}", column)
        return [
            NO_RUNS | row | {"run_count": int(row["run_count"])}
            for row in self._warehouse.ask(query, **wanted.parameters)
        ]

    def _find(self, tenant: str, asked: dict[str, Any], limit: int, offset: int) -> list[Row]:
        wanted = conditions(tenant, asked)
        return self._warehouse.ask(
            selection(wanted, limit, offset, str(asked.get("order") or "desc")), **wanted.parameters
        )

    def _run(self, row: Row, tenant: str, fields: Sequence[str] | None) -> dict[str, Any]:
        path = (row["dotted_order"] or "").split(".")
        run = {
            **row,
            **{name: _json(row[name]) for name in ("extra", "events", "serialized", "tags")},
            **{name: row[name] and f"{row[name].replace(' ', 'T')}+00:00" for name in ("start_time", "end_time")},
            "dotted_order": row["dotted_order"] or "",
            "parent_run_ids": [each.partition("Z")[2] for each in path[:-1]],
            "app_path": f"/o/{tenant}/projects/p/{row['session_id']}/r/{row['id']}",
            "feedback_stats": {},
        }
        for name in ("inputs", "outputs"):
            if fields is None or name in fields:
                run[name] = self._payloads.find(row, name)
        run["inputs"] = run["inputs"] or {}
        run["extra"] = run["extra"] or {"metadata": {}}
        always = {"id", "name", "run_type", "start_time", "trace_id", "dotted_order", "session_id", "app_path"}
        return {k: v for k, v in run.items() if not k.endswith("_s3") and (fields is None or k in {*fields, *always})}

    def _add_opinions(self, tenant: str, runs: Sequence[dict[str, Any]]) -> None:
        if not runs:
            return
        identities = "[" + ",".join(f"'{run['id']}'" for run in runs) + "]"
        of = {run["id"]: run["feedback_stats"] for run in runs}
        for row in self._warehouse.ask(OPINIONS, tenant=tenant, runs=identities):
            of[row["run_id"]][row["key"]] = {"n": int(row["n"]), "avg": row["mean"]}


def _json(text: str | None) -> Any:
    return orjson.loads(text) if text else None
