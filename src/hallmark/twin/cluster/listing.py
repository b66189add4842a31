"""Lists: what is selected, in pages that all show the same moment.

Kubernetes documentation, "Kubernetes API Concepts", section "Retrieving large results sets in chunks". The rest of a
list that is read in pages is kept, unchanged, until it was read or others need the room; then the token has expired.
"""

import base64
import secrets
from collections import OrderedDict
from typing import Any

from hallmark.twin.cluster import statuses
from hallmark.twin.cluster.calls import Call
from hallmark.twin.cluster.changes import Entry
from hallmark.twin.cluster.representations import Shape
from hallmark.twin.cluster.statuses import Refusal
from hallmark.twin.cluster.store import Store
from hallmark.twin.cluster.watch import selected

KEPT_PAGES = 64
EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter."
)

Json = dict[str, Any]


class Lister:
    """Answers lists.

    Args:
        store: Where the objects are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rests: OrderedDict[str, tuple[int, list[Entry]]] = OrderedDict()

    def page(self, call: Call) -> bytes:
        """The list or a page of it, as JSON in the form the client wants.

        Raises:
            Refusal: The request is wrong, or its continue token has expired.
        """
        shape = Shape(call)
        limit = call.number("limit") or 0
        revision, entries = self._entries(call)
        metadata: Json = {"resourceVersion": str(revision)}
        if limit and len(entries) > limit:
            metadata["continue"] = self._keep(revision, entries[limit:])
            metadata["remainingItemCount"] = len(entries) - limit
            entries = entries[:limit]
        return shape.many(entries, metadata)

    def select(self, call: Call) -> list[Entry]:
        """Objects of a namespace, or of all, that the call's selectors select.

        Raises:
            Refusal: A selector cannot be parsed.
        """
        matches = selected(call)
        entries = self._store.all(call.resource.storage, call.namespace)
        return entries if matches is None else [entry for entry in entries if matches(entry.object)]

    def _entries(self, call: Call) -> tuple[int, list[Entry]]:
        token = call.query.get("continue", "")
        if token:
            rest = self._rests.pop(token, None)
            if rest is None:
                raise statuses.expired(EXPIRED)
            self._rests[token] = rest  # a page may be asked for twice
            return rest
        self._check_revision(call)
        return self._store.revision, self.select(call)

    def _check_revision(self, call: Call) -> None:
        text = call.query.get("resourceVersion") or "0"
        if not text.isdigit():
            raise Refusal(400, f'resourceVersion: Invalid value: "{text}": invalid resource version')
        revision = int(text)
        if revision > self._store.revision:
            raise Refusal(504, f"Too large resource version: {revision}, current: {self._store.revision}")
        if call.query.get("resourceVersionMatch") == "Exact" and revision != self._store.revision:
            raise statuses.expired(f"The resourceVersion for the provided list is too old: {revision}")

    def _keep(self, revision: int, entries: list[Entry]) -> str:
        token = base64.urlsafe_b64encode(secrets.token_bytes(24)).decode()
        self._rests[token] = revision, entries
        while len(self._rests) > KEPT_PAGES:
            self._rests.popitem(last=False)
        return token
