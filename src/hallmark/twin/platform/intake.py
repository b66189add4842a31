"""What the workers of ``ingest-queue`` do: runs go to ClickHouse, their large payloads to S3.

A payload that S3 refuses keeps nobody waiting. Its row is written without it, says that it is late, and the payload
goes to a queue of its own. It is written later only if the row still waits for it: not if something newer came in its
place, and not if the run was deleted.
"""

import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import uuid4

import orjson

from hallmark.twin.platform.broker import LATE, Entry
from hallmark.twin.platform.payloads import Payloads
from hallmark.twin.platform.rows import PAYLOADS
from hallmark.twin.platform.stores import Stores
from hallmark.twin.platform.uploads import Load, Uploads
from hallmark.twin.platform.warehouse import Row
from hallmark.twin.programs.container import Container

REMEMBERED = 30.0
"""Seconds for which the id of a project is not looked up again."""
PROJECT = """
insert into tracer_session (id, tenant_id, name) values (%s, %s::uuid, %s)
on conflict (tenant_id, name) do update set name = excluded.name returning id
"""
WRITTEN = """
SELECT tenant_id, id, inputs_s3, outputs_s3 FROM runs FINAL
WHERE tenant_id IN {tenants:Array(UUID)} AND id IN {runs:Array(UUID)}
"""
ASKED_FOR = 50
"""Runs of one query: their ids go into the address, which may not be long."""


class Intake:
    """Gets entries done.

    Args:
        container: Where it logs.
        stores: Where things go.
        payloads: Knows which payloads go to S3.
    """

    def __init__(self, container: Container, stores: Stores, payloads: Payloads) -> None:
        self._container, self._stores, self._payloads = container, stores, payloads
        self._uploads = Uploads(stores.bucket)
        self._projects: dict[tuple[str, str], tuple[float, str]] = {}
        self._stored: set[str] = set()
        self._writing = threading.Lock()

    def ingest(self, entries: Sequence[Entry]) -> Collection[str]:
        """Write parts of runs; a project that is not there yet is made. Refused payloads are put off."""
        loads = {identity: self._payloads.loads(identity, fields) for identity, fields in entries}
        large = [each for found in loads.values() for each in found if each.key not in self._stored]
        refused = self._uploads.send(large)
        self._stored |= {each.key for each in large} - refused.keys()  # if the rest fails, it is not sent again
        rows = [self._row(fields, loads[identity], refused) for identity, fields in entries]
        with self._writing:
            self._stores.warehouse.insert("runs", rows)
        if late := [each.entry(since) for since, found in loads.items() for each in found if each.key in refused]:
            self._stores.broker.add(LATE, late)
        self._stored.clear()
        return ()

    def complete(self, entries: Sequence[Entry]) -> Collection[str]:
        """Write late payloads; what S3 refuses again is given back."""
        loads = {identity: Load.of(fields) for identity, fields in entries}
        awaited = self._awaited(list(loads.values()))
        refused = self._uploads.send(awaited)
        if taken := [each for each in awaited if each.key not in refused]:
            with self._writing:  # nothing newer may come between this look and this word
                rows = [_row_of(each) for each in self._awaited(taken)]
                if rows:
                    self._stores.warehouse.insert("runs", rows)
        for words in sorted(set(refused.values())):
            self._container.say("ERROR", words)
        return {identity for identity, each in loads.items() if each.key in refused}

    def _awaited(self, loads: Sequence[Load]) -> list[Load]:
        rows: dict[tuple[str, str], Row] = {}
        for some in (loads[first : first + ASKED_FOR] for first in range(0, len(loads), ASKED_FOR)):
            asked = {"tenants": _array(each.tenant for each in some), "runs": _array(each.run for each in some)}
            rows |= {(row["tenant_id"], row["id"]): row for row in self._stores.warehouse.ask(WRITTEN, **asked)}

        def is_awaited(load: Load) -> bool:
            found = rows.get((load.tenant, load.run), {})
            return all(found.get(name) == value for name, value in load.columns(is_late=True).items() if value)

        return [each for each in loads if is_awaited(each)]

    def _row(self, fields: Mapping[bytes, bytes], loads: Sequence[Load], refused: Collection[str]) -> bytes:
        # The API has written the row but for the project's id and large payloads, which stand in front now.
        row = fields[b"row"]
        first: dict[str, str] = {}
        if b"project" in fields:
            first["session_id"] = self._project(fields[b"tenant"].decode(), fields[b"project"].decode())
        for each in loads:
            first |= each.columns(is_late=each.key in refused)
        for name in PAYLOADS:
            if name not in first and (text := fields.get(name.encode())):
                first |= {name: text.decode(), f"{name}_s3": ""}
        return orjson.dumps(first)[:-1] + b"," + row[1:] if first else row

    def _project(self, tenant: str, name: str) -> str:
        until, identity = self._projects.get((tenant, name), (0.0, ""))
        if time.monotonic() > until:
            identity = str(self._stores.database.ask(PROJECT, uuid4(), tenant, name)[0]["id"])
            self._projects[tenant, name] = time.monotonic() + REMEMBERED, identity
        return identity


def _row_of(load: Load) -> bytes:
    return orjson.dumps({"tenant_id": load.tenant, "id": load.run, **load.columns(is_late=False)})


def _array(identities: Iterable[str]) -> str:
    return "[" + ",".join(sorted({f"'{each}'" for each in identities})) + "]"
