"""What the workers of ``queue`` do: feedback goes to ClickHouse, deletions through all stores."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import orjson

from hallmark.twin.platform.broker import Entry
from hallmark.twin.platform.stores import Stores
from hallmark.twin.platform.uploads import LATE


class Work:
    """Gets entries done.

    Args:
        stores: Where things go.
    """

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def remark(self, entries: Sequence[Entry]) -> Collection[str]:
        """Write feedback."""
        self._stores.warehouse.insert("feedback", [fields[b"row"] for _, fields in entries])
        return ()

    def delete(self, entries: Sequence[Entry]) -> Collection[str]:
        """Delete what is ordered."""
        handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            "session": self._delete_runs, "feedback": self._delete_feedback
        }  # fmt: skip
        for _, fields in entries:
            order = orjson.loads(fields[b"order"])
            handlers[order["delete"]](order)
        return ()

    def _delete_runs(self, order: dict[str, Any]) -> None:
        warehouse = self._stores.warehouse
        facts = {"tenant": order["tenant"], "id": order["id"]}
        mine = "tenant_id = {tenant:UUID} AND session_id = {id:UUID}"
        for row in warehouse.ask(f"SELECT inputs_s3, outputs_s3 FROM runs FINAL WHERE {mine}", **facts):  # noqa: S608
            for key in filter(None, row.values()):
                if not key.startswith(LATE):
                    self._stores.bucket.delete(key)
        whole = f"id IN (SELECT id FROM runs WHERE {mine})"  # noqa: S608  (other parts of a run may not know the project)
        for table, which in {"feedback": whole.replace("id IN", "run_id IN", 1), "runs": whole}.items():
            warehouse.tell(f"ALTER TABLE {table} DELETE WHERE {which} SETTINGS mutations_sync = 1", **facts)

    def _delete_feedback(self, order: dict[str, Any]) -> None:
        which = "tenant_id = {tenant:UUID} AND id = {id:UUID}"
        command = f"ALTER TABLE feedback DELETE WHERE {which} SETTINGS mutations_sync = 1"
        self._stores.warehouse.tell(command, tenant=order["tenant"], id=order["id"])
