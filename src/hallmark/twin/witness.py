"""What may have cost accepted runs, seen from behind: events after which the architecture promises nothing.

Redis may evict what is queued (SE-40), and a node without persistence forgets it when it restarts; rows that
ClickHouse has acknowledged are gone when it is killed hard (SE-33).
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from hallmark.errors import HallmarkError
from hallmark.twin.deployment import NAMESPACE
from hallmark.twin.emulator import Server
from hallmark.twin.kube import once
from hallmark.twin.kube.access import Access
from hallmark.twin.kube.kinds import PODS

ANSWERS_WITHIN = 5.0
KILLED = 137
"""Exit code of a container that was killed hard."""
EVICTED = "Redis evicted what was queued (SE-40)"
RESTARTED = "Redis restarted, and a single node keeps nothing"
HARD = "ClickHouse was killed hard (SE-33)"


@dataclass(frozen=True)
class Event:
    """Something that may have cost runs.

    Attributes:
        at: When it was noticed, by the monotonic clock.
        words: What it was.
    """

    at: float
    words: str


class Witness:
    """Looks again and again, and takes down what changed.

    Args:
        state: The state directory of the twin.
        account: Its account.
        kubeconfig: How its cluster is reached.
    """

    def __init__(self, state: Path, account: str, kubeconfig: Path) -> None:
        self._state = state
        self._account = account
        self._kubeconfig = kubeconfig
        self._known: dict[str, Any] = {}
        self.events: list[Event] = []

    def look(self) -> None:
        """Compare with the last look; what does not answer now is looked at the next time."""
        for name, about in self._caches():
            self._compare(f"{name} run", about["run_id"], RESTARTED)
            self._compare(f"{name} evictions", about["evicted_keys"], EVICTED)
        for name in self._killed():
            if name not in self._known:
                self._note(HARD, is_news=bool(self._known))
                self._known[name] = True
        self._known["looked"] = True

    def _compare(self, what: str, now: object, words: str) -> None:
        before = self._known.get(what, now)
        self._known[what] = now
        self._note(words, is_news=before != now and bool(now))

    def _note(self, words: str, *, is_news: bool) -> None:
        if is_news:
            self.events.append(Event(time.monotonic(), words))

    def _caches(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        with suppress(HallmarkError, OSError, ValueError):
            running = Server(self._state).find()
            places = json.loads((self._state / "stores" / "addresses.json").read_text(encoding="utf-8"))
            for cache in running.control.store_secrets(self._account)["caches"] if running else ():
                place = next((places[host] for host in cache["hosts"] if host in places), None)
                if place and (about := _about(place, next(iter(cache["tokens"]), None))):
                    yield cache["key"], about

    def _killed(self) -> Iterator[str]:
        with suppress(OSError, HallmarkError):
            answer = once.call(Access.read(self._kubeconfig), "GET", PODS.path(NAMESPACE), seconds=ANSWERS_WITHIN)
            for pod in json.loads(answer)["items"]:
                for each in pod.get("status", {}).get("containerStatuses") or ():
                    last = each.get("lastState", {}).get("terminated") or {}
                    if each["name"] == "clickhouse" and last.get("exitCode") == KILLED:
                        yield f"{pod['metadata']['uid']} {each['restartCount']}"


def _about(place: Mapping[str, Any], token: str | None) -> Mapping[str, Any]:
    try:
        with redis.Redis(
            host=place["address"], port=place["port"], password=token, socket_timeout=ANSWERS_WITHIN, protocol=2
        ) as client:
            found: dict[str, Any] = client.info()
    except redis.RedisError:
        return {}
    return found
