"""Traces sent and read back over plain HTTP: what was accepted is known of each, which an SDK does not tell."""

import uuid
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Self

import httpx

from hallmark.twin.entrance import Entrance
from hallmark.waiting import until

PAGE = 100
"""Runs that one question may be about."""
FAST = 0.005
"""Seconds between two looks while somebody waits for one trace."""


class Tracer:
    """Sends traces to one project and looks for them.

    Args:
        entrance: The way in.
        key: An API key.
        project: Name of the project.
    """

    def __init__(self, entrance: Entrance, key: str, project: str) -> None:
        self._client = entrance.client()
        self._client.headers["x-api-key"] = key
        self._project = project

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def send(self, identity: str, seconds: float) -> str:
        """Send a trace of one run. Returns what became of it: ``202`` if it was accepted, or another word.

        Args:
            identity: Its id.
            seconds: How long an answer may take.
        """
        try:
            answer = self._client.post("/api/v1/runs/batch", json={"post": [self._run(identity)]}, timeout=seconds)
        except httpx.HTTPError as error:
            return type(error).__name__
        return str(answer.status_code)

    def readable(self, identities: Collection[str]) -> set[str]:
        """Which of these runs can be read now; none while the platform does not answer."""
        found: set[str] = set()
        try:
            for some in _pages(sorted(identities)):
                asked = {"id": some, "select": ["id"], "limit": PAGE}
                answer = self._client.post("/api/v1/runs/query", json=asked).raise_for_status()
                found |= {str(each["id"]) for each in answer.json()["runs"]}
        except (httpx.HTTPError, ValueError, KeyError):
            pass  # whoever asks asks again
        return found

    def there_and_back(self, seconds: float) -> bool:
        """Send a trace until it is accepted, then look until it can be read; False if that takes too long."""
        identity = new_id()
        sent = until(lambda: self.send(identity, seconds) == ACCEPTED, seconds, pause=0.1)
        return sent and until(lambda: bool(self.readable([identity])), seconds, pause=FAST)

    def _run(self, identity: str) -> dict[str, Any]:
        now = datetime.now(UTC)
        return {
            "id": identity,
            "trace_id": identity,
            "dotted_order": f"{now:%Y%m%dT%H%M%S%f}Z{identity}",
            "session_name": self._project,
            "name": "small",
            "run_type": "chain",
            "start_time": now.isoformat(),
            "end_time": now.isoformat(),
            "inputs": {"text": "x" * 200},
        }


ACCEPTED = str(HTTPStatus.ACCEPTED.value)


def new_id() -> str:
    """An id for a run."""
    return str(uuid.uuid4())


def _pages(identities: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(identities), PAGE):
        yield identities[start : start + PAGE]
