"""What the workers do: runs and feedback go to ClickHouse, deletions through all stores."""

import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import orjson

from hallmark.twin.platform.broker import Entry
from hallmark.twin.platform.stores import Stores

REMEMBERED = 30.0
"""Seconds for which the id of a project is not looked up again."""
PROJECT = """
insert into tracer_session (id, tenant_id, name) values (%s, %s::uuid, %s)
on conflict (tenant_id, name) do update set name = excluded.name returning id
"""


class Work:
    """Gets entries done.

    Args:
        stores: Where things go.
    """

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._projects: dict[tuple[str, str], tuple[float, str]] = {}

    def ingest(self, entries: Sequence[Entry]) -> None:
        """Write parts of runs; a project that is not there yet is made."""
        self._stores.warehouse.insert("runs", [self._row(fields) for _, fields in entries])

    def remark(self, entries: Sequence[Entry]) -> None:
        """Write feedback."""
        self._stores.warehouse.insert("feedback", [fields[b"row"] for _, fields in entries])

    def delete(self, entries: Sequence[Entry]) -> None:
        """Delete what is ordered."""
        handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            "session": self._delete_runs, "feedback": self._delete_feedback
        }  # fmt: skip
        for _, fields in entries:
            order = orjson.loads(fields[b"order"])
            handlers[order["delete"]](order)

    def _row(self, fields: Any) -> bytes:
        # The API has written the whole row but for the project's id, which stands in front now.
        row: bytes = fields[b"row"]
        if b"project" not in fields:
            return row
        identity = self._project(fields[b"tenant"].decode(), fields[b"project"].decode())
        return b'{"session_id":"' + identity.encode() + b'",' + row[1:]

    def _project(self, tenant: str, name: str) -> str:
        until, identity = self._projects.get((tenant, name), (0.0, ""))
        if time.monotonic() > until:
            identity = str(self._stores.database.ask(PROJECT, uuid4(), tenant, name)[0]["id"])
            self._projects[tenant, name] = time.monotonic() + REMEMBERED, identity
        return identity

    def _delete_runs(self, order: dict[str, Any]) -> None:
        warehouse = self._stores.warehouse
        facts = {"tenant": order["tenant"], "id": order["id"]}
        mine = "tenant_id = {tenant:UUID} AND session_id = {id:UUID}"
        for row in warehouse.ask(f"SELECT inputs_s3, outputs_s3 FROM runs FINAL WHERE {mine}", **facts):  # noqa: S608
            for key in filter(None, row.values()):
                self._stores.bucket.delete(key)
        whole = f"id IN (SELECT id FROM runs WHERE {mine})"  # noqa: S608  (other parts of a run may not know the project)
        for table, which in {"feedback": whole.replace("id IN", "run_id IN", 1), "runs": whole}.items():
            warehouse.tell(f"ALTER TABLE {table} DELETE WHERE {which} SETTINGS mutations_sync = 1", **facts)

    def _delete_feedback(self, order: dict[str, Any]) -> None:
        which = "tenant_id = {tenant:UUID} AND id = {id:UUID}"
        command = f"ALTER TABLE feedback DELETE WHERE {which} SETTINGS mutations_sync = 1"
        self._stores.warehouse.tell(command, tenant=order["tenant"], id=order["id"])
