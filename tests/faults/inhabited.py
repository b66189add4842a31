"""A whole twin in which people live: they have a key and a trace from before anything went wrong."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx

from hallmark.faults import journal
from hallmark.faults.reader import Reader
from hallmark.faults.sight import PATIENCE, Sight, look
from hallmark.targets.platform import PlatformSource
from hallmark.targets.profile import Profile
from hallmark.waiting import until

RECOVERS_WITHIN = 240.0
TEXT = {"text": "was there before"}


@dataclass(frozen=True)
class Inhabited:
    """The twin, and ways to look at it.

    Attributes:
        clone: Runs commands; holds the twin and its state directory.
        profile: How it is reached.
        people: Its platform, as people meet it.
        client: Comes in by the public name, with the key.
        run: Path of the trace.
    """

    clone: Any
    profile: Profile
    people: PlatformSource
    client: httpx.Client
    run: str

    def hallmark(self, *arguments: str) -> str:
        """Run a command to its end."""
        done = self.clone.run(*arguments)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    def begun(self, *arguments: str, until_active: Callable[[journal.Journal], bool]) -> Any:
        """Start a command, and return it once a journal of an active fault says what is waited for."""
        process = self.clone.start(*arguments)
        assert until(lambda: any(map(until_active, journal.active(self.clone.home))), 120)
        return process

    def sight(self) -> Sight:
        """What people see now."""
        return look(Reader(self.people, self.profile.scope()))

    def is_recovered(self) -> bool:
        """Whether traces go round, and go round again."""
        return self.sight().is_whole and self.sight().is_whole

    def recover(self) -> None:
        """Wait until traces go round; what was there before is there, and no fault is on the books."""
        assert until(self.is_recovered, RECOVERS_WITHIN, 1), self.sight()
        assert self.client.get(self.run).json()["inputs"] == TEXT
        assert journal.active(self.clone.home) == []

    def send(self) -> str:
        """Send a trace and return where it will be."""
        new, now = str(uuid.uuid4()), datetime.now(UTC)
        run = {
            "id": new, "trace_id": new, "dotted_order": f"{now:%Y%m%dT%H%M%S%fZ}{new}", "name": "before",
            "run_type": "chain", "inputs": TEXT, "start_time": now.isoformat(), "session_name": "before-the-fault",
        }  # fmt: skip
        assert self.client.post("/api/v1/runs", json=run).status_code == 202
        return f"/api/v1/runs/{new}"


@contextmanager
def inhabit(clone: Any) -> Iterator[Inhabited]:
    """Start the twin of a clone, and stop it in the end without any fault in it."""
    clone.twin.up()
    entrance, key = clone.twin.entrance(), clone.twin.api_key()
    profile = Profile(endpoint=clone.twin.endpoint, account=clone.twin.account)
    way = replace(profile, proxy=entrance.proxy, ca=str(entrance.authority))
    with entrance.client() as client:
        client.headers["x-api-key"] = key
        found = Inhabited(clone, profile, PlatformSource(way, key, PATIENCE), client, "")
        assert until(found.is_recovered, RECOVERS_WITHIN, 1), found.sight()
        found = replace(found, run=found.send())
        assert until(lambda: client.get(found.run).status_code == 200, RECOVERS_WITHIN, 1)
        yield found
        clone.run("revert")
    clone.twin.down()
