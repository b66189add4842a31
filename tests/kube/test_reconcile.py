"""The queue: each key once, again when it changed meanwhile, later when it failed, one timer a key."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import pytest

from hallmark.twin.kube import reconcile
from hallmark.twin.kube.client import Conflict
from hallmark.twin.kube.kinds import Key, Kind
from hallmark.twin.kube.reconcile import Mapper, Queue

A, B = ("n", "a"), ("n", "b")


class Script:
    """A controller that does what it is told and writes down what it was asked."""

    name = "script"

    def __init__(self, *steps: Callable[[], float | None]) -> None:
        self._steps = list(steps)
        self.asked: list[Key] = []
        self.enough = asyncio.Event()
        self.wanted = len(steps)

    def watches(self) -> Mapping[Kind, Mapper]:
        """Nothing."""
        return {}

    async def reconcile(self, key: Key) -> float | None:
        """Take the next step of the script."""
        self.asked.append(key)
        step = self._steps.pop(0) if self._steps else lambda: None
        if len(self.asked) >= self.wanted:
            self.enough.set()
        await asyncio.sleep(0)
        return step()


def nothing() -> None:
    """Be content."""


def fail() -> None:
    """Be refused."""
    raise Conflict(409, "Conflict", "changed")


def again() -> float:
    """Ask to be asked again."""
    return 0.01


async def work(script: Script, keys: Sequence[Key], more: Callable[[Queue], None] = lambda _: None) -> None:
    """Work on keys until the script is through."""
    queue = Queue(script)
    for key in keys:
        queue.add(key)
    worker = asyncio.create_task(queue.work())
    more(queue)
    await asyncio.wait_for(script.enough.wait(), 5)
    for _ in range(20):  # what should not happen has its chance
        await asyncio.sleep(0)
    worker.cancel()


def run(
    *steps: Callable[[], float | None], keys: Sequence[Key], more: Callable[[Queue], None] = lambda _: None
) -> Script:
    """Run a script to its end."""

    async def main() -> Script:
        script = Script(*steps)
        await work(script, keys, more)
        return script

    return asyncio.run(main())


def test_a_key_stands_in_the_queue_once() -> None:
    """However often it changed before anybody looked."""
    assert run(nothing, nothing, keys=[A, A, B, A]).asked == [A, B]


def test_a_change_during_the_look_means_another_look() -> None:
    """Added while it is being worked on, a key is worked on once more."""

    async def main() -> list[Key]:
        script = Script(lambda: queue.add(A), nothing)
        queue = Queue(script)
        queue.add(A)
        worker = asyncio.create_task(queue.work())
        await asyncio.wait_for(script.enough.wait(), 5)
        worker.cancel()
        return script.asked

    assert asyncio.run(main()) == [A, A]


def test_failures_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A conflict, and an error nobody expected; the pause doubles."""
    monkeypatch.setattr(reconcile, "FIRST_RETRY", 0.001)

    def break_down() -> None:
        raise ZeroDivisionError

    assert run(fail, break_down, nothing, keys=[A]).asked == [A, A, A]


def test_a_key_has_one_timer() -> None:
    """Each look replaces the reminder of the look before, or cancels it: else every change would start one more."""

    async def main() -> list[bool]:
        queue = Queue(Script())
        queue._remind(A, 60)
        first = queue._timers[A]
        queue._remind(A, 60)
        second = queue._timers[A]
        queue._remind(A, None)
        return [first.cancelled(), second.cancelled(), A not in queue._timers]

    assert asyncio.run(main()) == [True, True, True]


def test_a_key_is_looked_at_again_when_asked() -> None:
    """After the seconds that the look before named."""
    assert run(again, nothing, keys=[A]).asked == [A, A]
