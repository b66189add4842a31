"""Watching: a stream of changes from a known point on.

Kubernetes documentation, "Kubernetes API Concepts", sections "Efficient detection of changes", "Watch bookmarks" and
"Streaming lists". A watch that starts before what is remembered is told 410 Expired inside the stream.
"""

import random
import time
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from hallmark.twin.cluster import selectors, statuses, versions
from hallmark.twin.cluster.calls import Call
from hallmark.twin.cluster.changes import ADDED, DELETED, MODIFIED, Entry, Event, Subscription
from hallmark.twin.cluster.registry import Resource
from hallmark.twin.cluster.representations import JSON, NO_CACHE, Form, Shape, add_warnings, partial
from hallmark.twin.cluster.selectors import Predicate
from hallmark.twin.cluster.statuses import Refusal
from hallmark.twin.cluster.store import Store, encode

BOOKMARK_SECONDS = 60.0
SHORTEST_SECONDS = 1800
"""A watch without a limit ends after this time or up to twice of it, so that not all end together."""
INITIAL_END = "k8s.io/initial-events-end"

Json = dict[str, Any]


def selected(call: Call) -> Predicate | None:
    """What a list or watch is restricted to, None for nothing.

    Raises:
        Refusal: A selector cannot be parsed.
    """
    labels = selectors.labels(call.query.get("labelSelector", ""))
    fields = selectors.fields(call.query.get("fieldSelector", ""))
    if call.name:
        fields = selectors.both(fields, selectors.fields(f"metadata.name={call.name}"))
    predicate = selectors.both(labels, fields)
    if predicate is None or not _is_other_version(call.resource):
        return predicate
    return lambda obj: predicate(versions.shown(call.resource, obj))


async def watch(call: Call, store: Store) -> web.StreamResponse:
    """Answer with changes until the client leaves, time is up or the server stops.

    Args:
        call: The request.
        store: What changes.

    Raises:
        Refusal: The request is wrong; once the stream runs, failures are told in it.
    """
    stream = _Stream(call, Shape(call))
    matches = selected(call)
    subscription = store.subscribe(call.resource.storage)
    try:
        first, revision = list(_first(call, store, matches)), store.revision
        await stream.open()
        await stream.send(first)
        if call.flag("sendInitialEvents"):
            await stream.bookmark(revision, {INITIAL_END: "true"})
        await _follow(call, store, subscription, stream, matches)
    except Refusal as refusal:
        if not stream.opened:
            await stream.open()
        await stream.fail(refusal)
    except ConnectionError:
        pass  # the client left
    finally:
        store.unsubscribe(call.resource.storage, subscription)
    return stream.response


async def _follow(
    call: Call, store: Store, subscription: Subscription, stream: "_Stream", matches: Predicate | None
) -> None:
    started = time.monotonic()
    ends = started + (call.number("timeoutSeconds") or random.uniform(1, 2) * SHORTEST_SECONDS)  # noqa: S311 - spreads load
    next_bookmark = started + BOOKMARK_SECONDS
    while (moment := time.monotonic()) < ends and not subscription.ended and stream.is_open:
        events = await subscription.take(min(ends, next_bookmark) - moment)
        seen = store.revision
        await stream.send([change for event in events for change in _changes(event, call.namespace, matches)])
        if time.monotonic() >= next_bookmark:
            next_bookmark += BOOKMARK_SECONDS
            if call.flag("allowWatchBookmarks") and not events:
                await stream.bookmark(seen, {})


def _first(call: Call, store: Store, matches: Predicate | None) -> Iterator[tuple[str, Entry]]:
    text = call.query.get("resourceVersion") or "0"
    if not text.isdigit():
        error = f'resourceVersion: Invalid value: "{text}": invalid resource version'
        raise Refusal(400, error)
    revision = int(text)
    if not revision or call.flag("sendInitialEvents"):
        if call.query.get("sendInitialEvents", "true") in {"false", "0"}:
            return
        for entry in store.all(call.resource.storage, call.namespace):
            if matches is None or matches(entry.object):
                yield ADDED, entry
        return
    past = store.since(call.resource.storage, revision)
    if past is None:
        raise statuses.expired(f"too old resource version: {revision} ({store.oldest(call.resource.storage)})")
    for event in past:
        yield from _changes(event, call.namespace, matches)


def _changes(event: Event, namespace: str, matches: Predicate | None) -> Iterator[tuple[str, Entry]]:
    # What a change means to somebody who sees only what a selector selects.
    obj = event.entry.object
    if namespace and obj["metadata"].get("namespace") != namespace:
        return
    if matches is None:
        yield event.type, event.entry
        return
    before = event.previous is not None and matches(event.previous.object)
    after = event.type != DELETED and matches(obj)
    if after:
        yield (MODIFIED if before else ADDED), event.entry
    elif before:
        yield DELETED, event.entry


class _Stream:
    """The answer of a watch: one JSON object for each change."""

    def __init__(self, call: Call, shape: Shape) -> None:
        self._call = call
        self._shape = shape
        self._columns_told = False
        self.opened = False
        self.response = web.StreamResponse(headers={"Content-Type": JSON, "Cache-Control": NO_CACHE})
        add_warnings(self.response, call.warnings)

    @property
    def is_open(self) -> bool:
        transport = self._call.request.transport
        return transport is not None and not transport.is_closing()

    async def open(self) -> None:
        self.response.enable_chunked_encoding()
        await self.response.prepare(self._call.request)
        self.opened = True

    async def send(self, changes: list[tuple[str, Entry]]) -> None:
        if changes:
            await self.response.write(b"".join(_line(kind, self._show(entry)) for kind, entry in changes))

    async def bookmark(self, revision: int, annotations: dict[str, str]) -> None:
        resource = self._call.resource
        metadata: Json = {"resourceVersion": str(revision), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        obj = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        if self._shape.form is Form.METADATA:
            obj = partial(obj)
        await self.response.write(_line("BOOKMARK", encode(obj)))

    async def fail(self, refusal: Refusal) -> None:
        await self.response.write(_line("ERROR", encode(refusal.body())))

    def _show(self, entry: Entry) -> bytes:
        if self._shape.form is not Form.TABLE:
            return self._shape.one(entry)
        table = self._shape.table([entry], {"resourceVersion": str(entry.revision)})
        if self._columns_told:
            table["columnDefinitions"] = None
        self._columns_told = True
        return encode(table)


def _line(kind: str, body: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), body)


def _is_other_version(resource: Resource) -> bool:
    return resource.kind in {"Event", "HorizontalPodAutoscaler"}
