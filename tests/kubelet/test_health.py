"""What goes on under a new kubelet: as healthy as it was, and looked at anew."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import aiohttp

from hallmark.twin.kubelet.health import Health

READINESS = {"readinessProbe": {"exec": {"command": ["true"]}, "initialDelaySeconds": 3600}}


class Target:
    """A program that answers its probes when it is told to."""

    ip = "10.0.0.1"

    def __init__(self) -> None:
        self.answers, self.asked = False, 0

    async def execute(self, _: Sequence[str], __: float) -> tuple[int, str]:
        """Run the probe's command."""
        self.asked += 1
        return 0 if self.answers else 1, ""


def health(target: Target, spec: dict[str, Any]) -> Health:
    """Of a container that nobody else hears of."""

    async def complain(_: str, __: str) -> None:
        """Nobody minds."""

    session = cast("aiohttp.ClientSession", None)
    return Health(spec, cast("Any", target), session, 1.0, changed=lambda: None, complain=complain)


async def _soon(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  (many)
            await asyncio.sleep(0.01)


async def _goes_on() -> None:
    target = Target()
    found = health(target, READINESS)
    found.go_on(started=True, ready=True)
    watching = asyncio.create_task(found.watch())
    await _soon(lambda: target.asked > 1)
    assert (found.ready, found.seen) == (True, False)
    target.answers = True
    await _soon(lambda: found.seen)
    watching.cancel()


def test_what_goes_on_is_ready_at_once_and_works_when_it_was_found_so() -> None:
    """Its first look does not wait: that time was over long since."""
    asyncio.run(_goes_on())


def test_what_begins_waits_for_its_first_look() -> None:
    """As its probe says."""

    async def begins() -> None:
        target = Target()
        watching = asyncio.create_task(health(target, READINESS).watch())
        await asyncio.sleep(0.2)
        assert target.asked == 0
        watching.cancel()

    asyncio.run(begins())


def test_without_a_probe_it_works_as_soon_as_it_runs() -> None:
    """Nobody will ever look."""
    found = health(Target(), {})
    assert asyncio.run(found.watch()) == ""
    assert found.seen
