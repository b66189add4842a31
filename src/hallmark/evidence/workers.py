"""Who asks while a collection goes on: threads that stay, and a pace at which they are given work."""

import contextlib
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator

from hallmark.model import Answer, Call

WORKERS = 32
"""Calls that are out at once, at most."""
AT_ONCE = 4
"""Calls that may be sent together."""
PACE = 0.003
"""Seconds between calls after that: 330 a second are more than any AWS API lets pass."""
SWITCH = 0.002
"""Seconds a thread may keep the interpreter from others that are ready; Python's own are 0.005."""


@contextlib.contextmanager
def nimble() -> Iterator[None]:
    """Let threads take turns more often: a thread that computes must not hold up one whose answer has come.

    Every call takes several turns, so with Python's default each step of a chain of calls costs tens of milliseconds
    while files are being read.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


class Workers:
    """Daemon threads that ask: a target that hangs must not hold up the end of the program.

    They start at once and stay until :meth:`dismiss`: to start one while others are busy takes longer than to ask.
    """

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[tuple[Call, Callable[[Call], Answer]] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[Call, Answer | BaseException]] = queue.SimpleQueue()
        for number in range(WORKERS):
            threading.Thread(target=self._serve, name=f"ask-{number}", daemon=True).start()

    def ask(self, call: Call, source: Callable[[Call], Answer]) -> None:
        """Have *source* answer *call*, soon and elsewhere."""
        self._work.put((call, source))

    def answers(self, seconds: float) -> list[tuple[Call, Answer]]:
        """Wait for an answer, then take all that are there; none when time is up. Raises what a source raised."""
        found: list[tuple[Call, Answer | BaseException]] = []
        with contextlib.suppress(queue.Empty):
            found.append(self._done.get(timeout=max(0.0, seconds)))
            while True:
                found.append(self._done.get_nowait())
        for _, answer in found:
            if isinstance(answer, BaseException):
                raise answer
        return [(call, answer) for call, answer in found if isinstance(answer, Answer)]

    def dismiss(self) -> None:
        """Let every thread end once it has nothing to do; those that hang are left to the end of the process."""
        for _ in range(WORKERS):
            self._work.put(None)

    def _serve(self) -> None:
        while work := self._work.get():
            call, source = work
            try:
                self._done.put((call, source(call)))
            except BaseException as error:  # noqa: BLE001  (raised again in the thread that waits)
                self._done.put((call, error))


class Pace:
    """When the next call may go: a bucket of tokens, as AWS itself throttles (EC2 API, "Request throttling").

    A burst gains nothing: its calls wait in line at the target, and among them those that everything else waits for.

    Args:
        clock: Gives the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tokens = float(AT_ONCE)
        self._filled = clock()

    def take(self) -> bool:
        """Take a token if there is one."""
        now = self._clock()
        self._tokens = min(AT_ONCE, self._tokens + (now - self._filled) / PACE)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    @property
    def wait(self) -> float:
        """Seconds until there is a token, as of the last :meth:`take`."""
        return (1 - self._tokens) * PACE
