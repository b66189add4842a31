"""Workers: take entries from a queue, get them done, then remove them; what fails is tried again.

An entry is done at least once. Doing it twice changes nothing: rows of the same run are merged. Entries that the work
gives back stay in the queue until somebody takes them over: this worker, or another.
"""

import threading
import time
from collections.abc import Callable, Collection, Sequence

from hallmark.twin.platform.broker import TAKEN_OVER_AFTER, Broker, Entry
from hallmark.twin.programs.container import Container
from hallmark.twin.programs.langsmith.stores import Trouble

BATCH = 500
GAP = 0.1
"""Seconds between two batches of a busy worker: many small inserts would cost ClickHouse dearly."""
SHORTEST, LONGEST = 0.25, 5.0
"""Seconds between tries."""
LAST_SECONDS = 5.0


class Worker:
    """Works on one queue.

    Args:
        container: Where it logs.
        broker: The queues.
        queue: Which of them.
        work: Gets a batch done, and returns the ids of entries to be tried again later; raises Trouble if all of
            it must be tried again now.
        expiry: Seconds after which an entry is dropped; 0 for never.
    """

    def __init__(
        self,
        container: Container,
        broker: Broker,
        queue: str,
        work: Callable[[Sequence[Entry]], Collection[str]],
        expiry: int = 0,
    ) -> None:
        self._container, self._broker, self._queue, self._work = container, broker, queue, work
        self._expiry = expiry
        self._busy = threading.Lock()
        self._stopped = threading.Event()
        self._pause = SHORTEST
        self._looked = 0.0

    def start(self) -> None:
        """Work in a thread, until the process ends."""
        threading.Thread(target=self._run, daemon=True).start()

    def finish(self) -> None:
        """Take nothing more; a batch in work is given a little time."""
        self._stopped.set()
        self._busy.acquire(timeout=LAST_SECONDS)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                entries = self._next()
            except Trouble as trouble:
                self._complain(trouble)
                continue
            if entries:
                with self._busy:
                    self._finish(entries)
                self._stopped.wait(GAP if len(entries) < BATCH else 0)

    def _next(self) -> list[Entry]:
        if time.monotonic() - self._looked > TAKEN_OVER_AFTER / 3:
            self._drop_old()
            if entries := self._broker.take_over(self._queue, BATCH):
                return entries  # there may be more of them: the next look comes at once
            self._looked = time.monotonic()
        return self._broker.take(self._queue, BATCH)

    def _drop_old(self) -> None:
        if self._expiry and (lost := self._broker.forget(self._queue, self._expiry)):
            self._container.say("WARNING", f"{lost} runs expired in Redis after {self._expiry} seconds")

    def _finish(self, entries: Sequence[Entry]) -> None:
        while not self._stopped.is_set():
            try:
                alive = [each for each in entries if not self._expired(each)]
                again = self._work(alive) if alive else ()
                if done := [identity for identity, _ in entries if identity not in again]:
                    self._broker.done(self._queue, done)
            except Trouble as trouble:
                self._complain(trouble)
                continue
            self._pause = SHORTEST
            return

    def _expired(self, entry: Entry) -> bool:
        identity, fields = entry
        since = fields[b"since"].decode() if b"since" in fields else identity  # what moved here keeps its age
        written = int(since.partition("-")[0]) / 1000
        return bool(self._expiry) and time.time() - written > self._expiry

    def _complain(self, trouble: Trouble) -> None:
        self._container.say("ERROR", f"worker error: {self._queue.partition(':')[2]}: {trouble}")
        self._stopped.wait(self._pause)
        self._pause = min(self._pause * 2, LONGEST)
