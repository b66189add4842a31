"""Data sets and their examples: enough to keep them and read them back."""

from typing import Any
from uuid import uuid4

import orjson

from hallmark.twin.platform.calls import Answer, Call, Endpoint, Refusal, optional_uuid, parsed, uuid
from hallmark.twin.platform.database import Database, Row

DATASET = (
    "id, tenant_id, name, description, data_type, extra, inputs_schema_definition, outputs_schema_definition, "
    "created_at, modified_at, (select count(*) from examples e where e.dataset_id = d.id) as example_count, "
    "0 as session_count"
)
EXAMPLE = "e.id, e.dataset_id, e.inputs, e.outputs, e.metadata, e.source_run_id, e.created_at, e.modified_at"
MINE = f"select {EXAMPLE} from examples e join datasets d on d.id = e.dataset_id where d.tenant_id = %s::uuid"  # noqa: S608


class Datasets:
    """Keeps data sets.

    Args:
        database: PostgreSQL.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def endpoints(self) -> list[Endpoint]:
        """Routes of backend."""
        return [
            Endpoint("GET", "/datasets", self._list),
            Endpoint("POST", "/datasets", self._create),
            Endpoint("GET", "/datasets/{id}", self._read),
            Endpoint("DELETE", "/datasets/{id}", self._delete),
            Endpoint("GET", "/examples", self._examples),
            Endpoint("POST", "/examples", self._add),
            Endpoint("POST", "/examples/bulk", self._add_many),
            Endpoint("GET", "/examples/{id}", self._example),
            Endpoint("DELETE", "/examples/{id}", self._remove),
        ]

    def _list(self, call: Call) -> Answer:
        name, part = call.one("name"), call.one("name_contains")
        asked = (
            f"select {DATASET} from datasets d where tenant_id = %s::uuid and (%s::text is null or name = %s)"  # noqa: S608
            " and (%s::text is null or strpos(lower(name), lower(%s)) > 0) order by created_at desc limit %s offset %s"
        )
        limits = min(call.number("limit", 100), 100), call.number("offset", 0)
        return Answer(self._database.ask(asked, call.caller.tenant, name, name, part, part, *limits))

    def _create(self, call: Call) -> Answer:
        said = call.json()
        if not said.get("name"):
            raise Refusal(422, "a data set needs a name")
        found = self._database.ask(
            "insert into datasets as d (id, tenant_id, name, description, data_type, extra, inputs_schema_definition,"  # noqa: S608
            " outputs_schema_definition) values (%s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s::jsonb)"
            f" on conflict (tenant_id, name) do nothing returning {DATASET}",
            uuid(said.get("id") or uuid4()), call.caller.tenant, str(said["name"]), said.get("description"),
            said.get("data_type") or "kv",
            *(_json(said.get(n)) for n in ("extra", "inputs_schema_definition", "outputs_schema_definition")),
        )  # fmt: skip
        if not found:
            raise Refusal(409, "Dataset with this name already exists.")
        return Answer(found[0])

    def _read(self, call: Call) -> Answer:
        asked = f"select {DATASET} from datasets d where tenant_id = %s::uuid and id = %s::uuid"  # noqa: S608
        return Answer(_one(self._database.ask(asked, call.caller.tenant, call.identity()), "Dataset"))

    def _delete(self, call: Call) -> Answer:
        asked = "delete from datasets where tenant_id = %s::uuid and id = %s::uuid returning id"
        _one(self._database.ask(asked, call.caller.tenant, call.identity()), "Dataset")
        return Answer({"message": "Dataset deleted"})

    def _examples(self, call: Call) -> Answer:
        dataset, ids = optional_uuid(call.one("dataset")), [uuid(each) for each in call.query.get("id", ())]
        asked = (
            f"{MINE} and (%s::uuid is null or e.dataset_id = %s::uuid) and (%s or e.id = any(%s::uuid[]))"
            " order by e.created_at, e.id limit %s offset %s"
        )
        limits = min(call.number("limit", 100), 100), call.number("offset", 0)
        return Answer(self._database.ask(asked, call.caller.tenant, dataset, dataset, not ids, ids, *limits))

    def _add(self, call: Call) -> Answer:
        return Answer(self._kept(call.json(), call.caller.tenant))

    def _add_many(self, call: Call) -> Answer:
        given = parsed(call.body)
        if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
            raise Refusal(422, "a list of examples is expected")
        return Answer([self._kept(each, call.caller.tenant) for each in given])

    def _example(self, call: Call) -> Answer:
        found = self._database.ask(f"{MINE} and e.id = %s::uuid", call.caller.tenant, call.identity())
        return Answer(_one(found, "Example"))

    def _remove(self, call: Call) -> Answer:
        asked = (
            "delete from examples e using datasets d where d.id = e.dataset_id and d.tenant_id = %s::uuid"
            " and e.id = %s::uuid returning e.id"
        )
        _one(self._database.ask(asked, call.caller.tenant, call.identity()), "Example")
        return Answer({"message": "Example deleted"})

    def _kept(self, said: dict[str, Any], tenant: str) -> Row:
        found = self._database.ask(
            "insert into examples as e (id, dataset_id, inputs, outputs, metadata, source_run_id)"  # noqa: S608
            " select %s, d.id, %s::jsonb, %s::jsonb, %s::jsonb, %s::uuid from datasets d"
            f" where d.tenant_id = %s::uuid and d.id = %s::uuid on conflict (id) do nothing returning {EXAMPLE}",
            uuid(said.get("id") or uuid4()), *(_json(said.get(name)) for name in ("inputs", "outputs", "metadata")),
            optional_uuid(said.get("source_run_id")), tenant, uuid(said.get("dataset_id")),
        )  # fmt: skip
        return _one(found, "Dataset")


def _one(found: list[Row], what: str) -> Row:
    if not found:
        raise Refusal(404, f"{what} not found")
    return found[0]


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
