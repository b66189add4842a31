"""Traces of OpenTelemetry: spans become runs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast
from uuid import UUID

import orjson

from hallmark.twin.platform import multipart, protobuf
from hallmark.twin.platform.calls import Answer, Call, Endpoint, Refusal, parsed
from hallmark.twin.platform.ingest import Ingest
from hallmark.twin.platform.rows import DEFAULT_PROJECT, Part, part

FAILED = 2
"""STATUS_CODE_ERROR."""
INPUTS = ("gen_ai.prompt", "input.value", "gen_ai.input.messages")
OUTPUTS = ("gen_ai.completion", "output.value", "gen_ai.output.messages")
METADATA = "langsmith.metadata."


class Spans:
    """Takes traces.

    Args:
        ingest: Accepts runs.
    """

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    def endpoints(self) -> list[Endpoint]:
        """Routes of platform-backend."""
        return [Endpoint("POST", "/otel/v1/traces", self._take)]

    def _take(self, call: Call) -> Answer:
        project = call.headers.get("langsmith-project", DEFAULT_PROJECT)
        runs = [_run(span, project, call.caller.tenant) for span in _spans(_message(call))]
        self._ingest.accept(runs, call.caller.tenant)
        return Answer({})


def _message(call: Call) -> Mapping[str, Any]:
    body = multipart.plain(call.headers, call.body)
    if "json" in call.headers.get("content-type", ""):
        found = parsed(body)
        return found if isinstance(found, dict) else {}
    try:
        return protobuf.read("Request", body)
    except protobuf.Malformed:
        raise Refusal(400, "the body is no ExportTraceServiceRequest") from None


def _spans(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for resource in message.get("resourceSpans") or ():
        for scope in resource.get("scopeSpans") or ():
            yield from scope.get("spans") or ()


def _run(span: Mapping[str, Any], project: str, tenant: str) -> Part:
    facts = {each.get("key", ""): _plain(each.get("value") or {}) for each in span.get("attributes") or ()}
    status = span.get("status") or {}
    trace, parent = str(UUID(_hex(span, "traceId", 32))), span.get("parentSpanId")
    metadata = {key.removeprefix(METADATA): value for key, value in facts.items() if key.startswith(METADATA)}
    others = {key: value for key, value in facts.items() if key not in {*INPUTS, *OUTPUTS}}
    said = {
        "id": facts.get("langsmith.span.id") or _identity(trace, _hex(span, "spanId", 16), root=not parent),
        "trace_id": facts.get("langsmith.trace.id") or trace,
        "parent_run_id": parent and (facts.get("langsmith.span.parent_id") or f"{UUID(int=int(parent, 16))}"),
        "name": facts.get("langsmith.trace.name") or span.get("name") or "span",
        "run_type": facts.get("langsmith.span.kind") or "chain",
        "start_time": int(span.get("startTimeUnixNano") or 0) / 1e9,
        "end_time": int(span.get("endTimeUnixNano") or 0) / 1e9,
        "inputs": _payload(facts, INPUTS),
        "outputs": _payload(facts, OUTPUTS),
        "error": (status.get("message") or "error") if status.get("code") in {FAILED, "STATUS_CODE_ERROR"} else None,
        "extra": {"metadata": {**metadata, "otel": others}},
        "session_name": facts.get("langsmith.trace.session_name") or project,
    }
    return part("post", said, {}, tenant)


def _identity(trace: str, span: str, *, root: bool) -> str:
    # A trace is found by the id of its root, so the root is called as its trace; others by their span's number.
    return trace if root else str(UUID(int=int(span, 16)))


def _hex(span: Mapping[str, Any], name: str, length: int) -> str:
    text = str(span.get(name) or "")
    if len(text) != length or not all(each in "0123456789abcdefABCDEF" for each in text):
        raise Refusal(400, f"a span has no {name}")
    return text


def _payload(facts: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    found = next((facts[name] for name in names if name in facts), None)
    if isinstance(found, str) and found[:1] in {"{", "["}:
        with suppress(orjson.JSONDecodeError):
            found = orjson.loads(found)
    return found if isinstance(found, dict) else {} if found is None else {"value": found}


def _plain(value: Mapping[str, Any]) -> Any:
    kind, content = next(iter(value.items()), ("", cast("Any", None)))
    if kind == "arrayValue":
        return [_plain(each) for each in content.get("values") or ()]
    if kind == "kvlistValue":
        return {each.get("key", ""): _plain(each.get("value") or {}) for each in content.get("values") or ()}
    return int(content) if kind == "intValue" else content
