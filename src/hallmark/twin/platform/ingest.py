"""The way in: runs are accepted when they are in Redis. Large payloads of a form go to S3 before that."""

from collections.abc import Iterable
from typing import Any

import orjson

from hallmark.twin.platform import multipart
from hallmark.twin.platform.broker import FEEDBACK, INGESTION
from hallmark.twin.platform.calls import Answer, Call, Endpoint, Refusal, parsed
from hallmark.twin.platform.opinions import opinion
from hallmark.twin.platform.payloads import Payloads
from hallmark.twin.platform.rows import JSON, PAYLOADS, Part, part
from hallmark.twin.platform.stores import Stores

APART = frozenset({*PAYLOADS, *JSON, "error"})
"""Fields of a run that a form has in parts of their own."""


class Ingest:
    """Takes runs.

    Args:
        stores: Redis, S3 and what they need.
        payloads: Puts payloads where they belong.
    """

    def __init__(self, stores: Stores, payloads: Payloads) -> None:
        self._broker = stores.broker
        self._payloads = payloads

    def endpoints(self) -> list[Endpoint]:
        """Routes of platform-backend."""
        return [
            Endpoint("POST", "/runs", self._create),
            Endpoint("POST", "/runs/batch", self._batch),
            Endpoint("POST", "/runs/multipart", self._multipart),
        ]

    def changing(self) -> list[Endpoint]:
        """Routes of backend: a run that is not part of a batch ends there."""
        return [Endpoint("PATCH", "/runs/{id}", self._update)]

    def accept(self, accepted: Iterable[Part], tenant: str, *, is_form: bool = False) -> None:
        """Queue parts of runs. Large payloads of a form go to S3 at once, others with the queue."""
        entries = []
        for each in accepted:
            large: dict[bytes, bytes] = {}
            if is_form:
                self._payloads.put_away(each)
            else:
                large = self._payloads.put_small(each)
            entry = {b"row": orjson.dumps(each.row), b"tenant": tenant.encode(), **large}
            entries.append(entry | ({b"project": each.project.encode()} if each.project else {}))
        if entries:
            self._broker.add(INGESTION, entries)

    def _create(self, call: Call) -> Answer:
        self.accept([part("post", call.json(), {}, call.caller.tenant)], call.caller.tenant)
        return Answer({"message": "Run created"}, 202)

    def _update(self, call: Call) -> Answer:
        said = {**call.json(), "id": call.identity()}
        self.accept([part("patch", said, {}, call.caller.tenant)], call.caller.tenant)
        return Answer({"message": "Run updated"}, 202)

    def _batch(self, call: Call) -> Answer:
        body = parsed(multipart.plain(call.headers, call.body))
        if not isinstance(body, dict):
            raise Refusal(422, "the body is no JSON object")
        tenant = call.caller.tenant
        found = [part(kind, _object(run), {}, tenant) for kind in ("post", "patch") for run in body.get(kind) or []]
        self.accept(found, tenant)
        return Answer({"message": "Runs batch ingested"}, 202)

    def _multipart(self, call: Call) -> Answer:
        body = multipart.plain(call.headers, call.body)
        runs, said = _sorted(multipart.parts(call.headers.get("content-type", ""), body))
        tenant = call.caller.tenant
        opinions = [opinion(each, call.caller) for each in said]
        found = [part(kind, main, raw, tenant) for (kind, _), (main, raw) in runs.items()]
        self.accept(found, tenant, is_form=True)
        if opinions:
            self._broker.add(FEEDBACK, [{b"row": orjson.dumps(each)} for each in opinions])
        return Answer({"message": "Runs batch ingested"}, 202)


Found = dict[tuple[str, str], tuple[dict[str, Any], dict[str, bytes]]]


def _sorted(parts: Iterable[tuple[str, bytes]]) -> tuple[Found, list[dict[str, Any]]]:
    # post.<id> has a run's small fields, post.<id>.inputs its inputs; attachments are read and not kept.
    runs: Found = {}
    said: list[dict[str, Any]] = []
    for name, content in parts:
        kind, _, rest = name.partition(".")
        identity, _, field = rest.partition(".")
        if kind == "feedback":
            said.append(_object(parsed(content)))
        elif kind in {"post", "patch"}:
            main, raw = runs.setdefault((kind, identity), ({"id": identity}, {}))
            if not field:
                main |= {key: value for key, value in _object(parsed(content)).items() if value is not None}
            elif field in APART and parsed(content) is not None:
                raw[field] = content
        elif kind != "attachment":
            raise Refusal(422, "a part of the form has an unknown name")
    return runs, said


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refusal(422, "a run or a feedback is no JSON object")
    return value
