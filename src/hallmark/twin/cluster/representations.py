"""How an answer looks: the object itself, its metadata alone, or a table for people.

The client says so in ``Accept`` (Kubernetes documentation, "Kubernetes API Concepts", section "Receiving resources as
Tables").
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from aiohttp import web

from hallmark.twin.cluster import versions
from hallmark.twin.cluster.calls import Call
from hallmark.twin.cluster.changes import Entry
from hallmark.twin.cluster.registry import Resource
from hallmark.twin.cluster.schema import tables
from hallmark.twin.cluster.statuses import Refusal
from hallmark.twin.cluster.store import encode

Json = dict[str, Any]

JSON = "application/json"
NO_CACHE = "no-cache, private"


class Form(Enum):
    """What the client wants to see of objects."""

    WHOLE = "whole"
    METADATA = "metadata"
    TABLE = "table"


def form_of(headers: Mapping[str, str]) -> Form:
    """The first form in ``Accept`` that can be served.

    Raises:
        Refusal: None can.
    """
    accept = headers.get("Accept", "")
    if not accept or accept in {JSON, "*/*"}:
        return Form.WHOLE
    for one in accept.split(","):
        media, *parameters = (part.strip() for part in one.split(";"))
        if media not in {JSON, "*/*", "application/*"}:
            continue
        wanted = next((part[3:] for part in parameters if part.startswith("as=")), "")
        if wanted == "Table":
            return Form.TABLE
        if wanted.startswith("PartialObjectMetadata"):
            return Form.METADATA
        if not wanted:
            return Form.WHOLE
    message = "only the following media types are accepted: application/json"
    raise Refusal(406, message)


class Shape:
    """Shows objects of one call.

    Args:
        call: The request.
    """

    def __init__(self, call: Call) -> None:
        self._resource = call.resource
        self._include = call.query.get("includeObject", "Metadata")
        self.form = form_of(call.request.headers)

    def one(self, entry: Entry) -> bytes:
        """One object, as JSON."""
        if self.form is Form.WHOLE:
            return body_of(self._resource, entry)
        if self.form is Form.METADATA:
            return encode(partial(entry.object))
        metadata = {"resourceVersion": entry.object["metadata"].get("resourceVersion", "")}
        return encode(self.table([entry], metadata))

    def many(self, entries: Iterable[Entry], metadata: Json) -> bytes:
        """A list of objects, as JSON."""
        if self.form is Form.TABLE:
            return encode(self.table(entries, metadata))
        if self.form is Form.METADATA:
            kind, version = "PartialObjectMetadataList", "meta.k8s.io/v1"
            items = b",".join(encode(partial(entry.object)) for entry in entries)
        else:
            kind, version = f"{self._resource.kind}List", self._resource.api_version
            items = b",".join(body_of(self._resource, entry) for entry in entries)
        head = encode({"kind": kind, "apiVersion": version, "metadata": metadata})
        return b'%s,"items":[%s]}' % (head[:-1], items)

    def table(self, entries: Iterable[Entry], metadata: Json) -> Json:
        """A table with one row for each object."""
        resource = self._resource
        objects = [versions.shown(resource, entry.object) for entry in entries]
        table: Json = tables.render(
            resource.group, resource.plural, objects, resource.columns, self._include, datetime.now(UTC)
        )
        return table | {"metadata": metadata}


def body_of(resource: Resource, entry: Entry) -> bytes:
    """An object as JSON, in the resource's version."""
    obj = entry.object
    shown = versions.shown(resource, obj)
    return entry.body if shown is obj and entry.body else encode(shown)


def partial(obj: Json) -> Json:
    """An object's metadata alone."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def answer(
    body: bytes, code: int = 200, warnings: Iterable[str] = (), headers: Mapping[str, str] | None = None
) -> web.Response:
    """The HTTP answer around a body."""
    response = web.Response(
        body=body, status=code, content_type=JSON, headers={"Cache-Control": NO_CACHE, **(headers or {})}
    )
    add_warnings(response, warnings)
    return response


def add_warnings(response: web.StreamResponse, warnings: Iterable[str]) -> None:
    """Tell warnings in the headers of an answer (RFC 9111, section 5.5)."""
    for warning in warnings:
        text = warning.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
        response.headers.add("Warning", f'299 - "{text}"')
