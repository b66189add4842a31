"""A trace's way through the platform and back: written, finished, found again, judged, and taken away.

Ingestion says *accepted* (202) before anything is stored; so each write is followed by reading it back. The way ends
at the first step that fails. Project and ids are new each time and are not told: evidence is about the way.
"""

import secrets
import time
import uuid
from typing import Any

from hallmark.model import Status
from hallmark.targets.platform_http import Client, Reply
from hallmark.targets.platform_runs import Judge, end, finds, holds, identity, lists, refusal, run, unseen
from hallmark.targets.unanswered import NotAnswered
from hallmark.waiting import until

PREFIX = "hallmark-probe-"
"""What the name of every project of ours begins with."""
LARGE = 64 * 1024
"""Characters of the large input: above the 8 KB a firewall inspects, and above the 20 KB that go to a bucket."""
API = "/api/v1"
UNSURE = ("timeout", "unreachable", "denied", "malformed")
"""Outcomes that say nothing about the platform: there was no reply."""
_SMALL_RUN, _LARGE_RUN = "hallmark-small", "hallmark-large"
_SHORTEST = 0.5


class _Ended(Exception):
    """A step failed: there is no going on."""


class Trip:
    """One way there and back.

    Args:
        client: Sends requests, with a key.
        patience: Seconds what was written may take to be readable.
        budget: Seconds for everything but cleaning up.
    """

    def __init__(self, client: Client, patience: float, budget: float) -> None:
        self._client = client
        self._patience = patience
        self._end = time.monotonic() + budget
        self._steps: list[dict[str, Any]] = []
        self._project = ""
        self._name = PREFIX + uuid.uuid4().hex
        self._reason = NotAnswered(Status.FAILED, "unreachable", "nothing was asked")

    def go(self) -> dict[str, Any]:
        """Go all the way, or as far as it leads.

        Returns:
            ``steps`` in their order: ``step``, ``outcome`` (``ok``; ``refused`` by status; ``page`` instead of data;
            ``unseen``, ``altered``: not there in time, or not what was sent; ``late``: no time left to be sure; or one
            of :data:`UNSURE`), ``status``, ``milliseconds``, ``tries``. ``complete``: all went well. ``cleanup``:
            the same of the project's removal.

        Raises:
            NotAnswered: Not even the first step got a reply.
        """
        complete, reason = False, self._reason
        try:
            self._way()
            complete = True
        except _Ended:
            reason = self._reason
        finally:
            cleanup = self._clean_up()
        if len(self._steps) == 1 and self._steps[0]["outcome"] in UNSURE:
            raise reason
        return {"steps": self._steps, "complete": complete, "cleanup": cleanup}

    def _way(self) -> None:
        project = self._write("project", "POST", "/sessions", {"name": self._name}, needs_id=True)
        self._project = project.document["id"]
        small = run(_SMALL_RUN, self._name, secrets.token_hex(16))
        self._write("small_run", "POST", "/runs", small)
        self._read("small_read", "GET", f"/runs/{small['id']}", holds("inputs", small["inputs"]))
        outputs = {"answer": secrets.token_hex(16)}
        self._write("outputs", "PATCH", f"/runs/{small['id']}", end(small) | {"outputs": outputs})
        self._read("outputs_read", "GET", f"/runs/{small['id']}", holds("outputs", outputs))
        large = run(_LARGE_RUN, self._name, secrets.token_hex(LARGE // 2))
        self._write("large_run", "POST", "/runs", large | end(large))
        self._read("large_read", "GET", f"/runs/{large['id']}", holds("inputs", large["inputs"]))
        self._write("feedback", "POST", "/feedback", {"run_id": small["id"], "key": "hallmark", "score": 1.0})
        self._read("feedback_read", "GET", f"/feedback?run={small['id']}", lists("run_id", small["id"]))
        asked = {"session": [self._project], "is_root": True, "limit": 10, "filter": f'eq(name, "{_SMALL_RUN}")'}
        self._read("query", "POST", "/runs/query", finds(small["id"], large["id"]), asked)

    def _write(self, step: str, method: str, path: str, body: Any, *, needs_id: bool = False) -> Reply:
        """Send once: what is repeated in secret cannot be counted."""
        started = time.monotonic()
        reply, outcome = self._sent(method, path, body)
        if reply and not outcome:
            outcome = refusal(reply) or ("page" if needs_id and not identity(reply.document) else "")
        return self._note(step, outcome, reply, started, 1)

    def _read(self, step: str, method: str, path: str, judge: Judge, body: Any = None) -> Reply:
        """Ask until it is there, less and less often."""
        started, tries = time.monotonic(), 0
        reply: Reply | None = None
        outcome = ""

        def settled() -> bool:
            nonlocal reply, outcome, tries
            reply, outcome = self._sent(method, path, body)
            tries += 1
            if reply and not outcome:
                outcome = unseen(reply) or judge(reply)
            return not outcome or (reply is not None and reply.is_final)

        left = self._end - started
        until(settled, min(self._patience, left), pause=0.1, growth=1.1)
        if outcome in {"unseen", "altered"} and left < self._patience:
            outcome = "late"
        return self._note(step, outcome, reply, started, tries)

    def _sent(self, method: str, path: str, body: Any) -> tuple[Reply | None, str]:
        left = max(self._end - time.monotonic(), _SHORTEST)
        try:
            return self._client.send(method, API + path, body, min(left, self._client.seconds)), ""
        except NotAnswered as reason:
            self._reason = reason
            return None, reason.code

    def _note(self, step: str, outcome: str, reply: Reply | None, started: float, tries: int) -> Reply:
        self._steps.append({
            "step": step,
            "outcome": outcome or "ok",
            "status": reply.status if reply else 0,
            "server": reply.server if reply else "",
            "milliseconds": round((time.monotonic() - started) * 1000),
            "tries": tries,
        })  # fmt: skip
        if outcome or reply is None:
            raise _Ended
        return reply

    def _clean_up(self) -> dict[str, Any]:
        """Delete the project; where it is not known whether there is one, look."""
        started = time.monotonic()
        self._end = started + self._client.seconds
        if not self._project and not self._find():
            return {"outcome": "nothing", "status": 0, "milliseconds": 0}
        reply, outcome = self._sent("DELETE", f"/sessions/{self._project}", None)
        outcome = outcome or (refusal(reply) if reply else "")
        milliseconds = round((time.monotonic() - started) * 1000)
        return {"outcome": outcome or "ok", "status": reply.status if reply else 0, "milliseconds": milliseconds}

    def _find(self) -> str:
        """Look for the project by its name: a reply that never came does not mean that nothing was made."""
        made = bool(self._steps) and self._steps[0]["outcome"] not in {"refused", "ok"}
        reply, _ = self._sent("GET", f"/sessions?limit=1&name={self._name}", None) if made else (None, "")
        found = reply.document if reply and isinstance(reply.document, list) else []
        self._project = next((identity(one) for one in found if identity(one) and one.get("name") == self._name), "")
        return self._project
