"""What a trace's way is made of: the run that is sent, and judges of what comes back."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from hallmark.targets.platform_http import Reply

_ID = re.compile(r"[0-9A-Za-z-]{8,64}")
Judge = Callable[[Reply], str]
"""Returns what is wrong with a reply that should hold something; empty: nothing is."""


def run(name: str, project: str, text: str) -> dict[str, Any]:
    """Return a run that is the root of its own trace, as clients send it."""
    new, now = str(uuid.uuid4()), datetime.now(UTC)
    return {
        "id": new,
        "trace_id": new,
        "dotted_order": f"{now:%Y%m%dT%H%M%S%fZ}{new}",
        "name": name,
        "run_type": "chain",
        "inputs": {"text": text},
        "start_time": now.isoformat(),
        "session_name": project,
    }


def end(run: dict[str, Any]) -> dict[str, Any]:
    """Return what says that *run* has ended now."""
    same = {name: run[name] for name in ("trace_id", "dotted_order")}
    return same | {"end_time": datetime.now(UTC).isoformat()}


def holds(name: str, sent: dict[str, Any]) -> Judge:
    """Judge whether a run holds under *name* what was sent, and nothing else."""

    def judge(reply: Reply) -> str:
        found = reply.document.get(name) if isinstance(reply.document, dict) else None
        if not isinstance(found, dict) or not found:
            return "unseen"
        return "" if found == sent else "altered"

    return judge


def lists(name: str, value: str) -> Judge:
    """Judge whether a list has an entry with this value."""

    def judge(reply: Reply) -> str:
        found = reply.document if isinstance(reply.document, list) else []
        return "" if any(isinstance(one, dict) and one.get(name) == value for one in found) else "unseen"

    return judge


def finds(wanted: str, other: str) -> Judge:
    """Judge whether a query finds the run it asks for, and not the one it does not."""

    def judge(reply: Reply) -> str:
        runs = reply.document.get("runs") if isinstance(reply.document, dict) else None
        found = {identity(one) for one in runs} if isinstance(runs, list) else set()
        if wanted not in found:
            return "unseen"
        return "altered" if other in found else ""

    return judge


def identity(document: Any) -> str:
    """Return the id of an object of the platform; empty: this is none, or not fit to be part of a path."""
    found = document.get("id") if isinstance(document, dict) else None
    return found if isinstance(found, str) and _ID.fullmatch(found) else ""


def refusal(reply: Reply) -> str:
    """Say whether a write was accepted; a page says that nobody was there to accept it."""
    if not reply.is_success:
        return "refused"
    return "page" if reply.is_page else ""


def unseen(reply: Reply) -> str:
    """Say whether a read brought data, whatever they are."""
    if reply.status == HTTPStatus.NOT_FOUND:
        return "unseen"
    if reply.status != HTTPStatus.OK:
        return "refused"
    return "page" if reply.document is None else ""
