"""Whether a container has started and is ready, as its probes say, and when one of them wants it started again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import aiohttp

from hallmark.twin.kube.kinds import Object
from hallmark.twin.kubelet.probes import Probe, Result, Target, looks


class Health:
    """The health of one run of a container.

    Args:
        spec: The container's specification.
        target: What is probed.
        session: HTTP client of probes.
        speed: How many times faster than in reality waits are.
        changed: Is called when :attr:`started` or :attr:`ready` changes.
        complain: Records an event about a failed probe.
    """

    def __init__(
        self,
        spec: Object,
        target: Target,
        session: aiohttp.ClientSession,
        speed: float,
        *,
        changed: Callable[[], None],
        complain: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._spec = spec
        self._target = target
        self._session = session
        self._speed = speed
        self._changed = changed
        self._complain = complain
        self.started = not spec.get("startupProbe")
        self.ready = self.started and not spec.get("readinessProbe")
        self.seen = False
        """Whether it was found ready since the kubelet runs."""
        self._goes_on = False

    def go_on(self, *, started: bool, ready: bool) -> None:
        """Begin as healthy as an earlier kubelet left it; the time until the first look is over long since."""
        self.started, self.ready, self._goes_on = started, ready, True

    async def watch(self) -> str:
        """Probe until the container has to be started again.

        Returns:
            The kind of the probe that says so; empty if there is nothing to watch.
        """
        if not self.started and not await self._start():
            return "startup"
        readiness = asyncio.create_task(self._follow_readiness())
        try:
            if self._spec.get("livenessProbe"):
                await self._until_dead()
                return "liveness"
            await readiness
            return ""
        finally:
            readiness.cancel()

    async def _start(self) -> bool:
        async for result, passed in self._looks("startupProbe", eager=True):
            if result.good and passed:
                self.started = True
                self.ready = not self._spec.get("readinessProbe")
                self._changed()
                return True
            if not result.good:
                await self._unhealthy("Startup", result)
                if passed:
                    return False
        return False

    async def _follow_readiness(self) -> None:
        if not self._spec.get("readinessProbe"):
            self.seen = True
            return
        async for result, passed in self._looks("readinessProbe", eager=True):
            self.seen = self.seen or result.good
            if not result.good:
                await self._unhealthy("Readiness", result)
            if passed and self.ready is not result.good:
                self.ready = result.good
                self._changed()

    async def _until_dead(self) -> None:
        async for result, passed in self._looks("livenessProbe", eager=False):
            if not result.good:
                await self._unhealthy("Liveness", result)
                if passed:
                    return

    def _looks(self, key: str, *, eager: bool) -> AsyncIterator[tuple[Result, bool]]:
        probe = Probe.of(self._spec[key])
        if eager and self._goes_on:
            probe = replace(probe, delay=0.0)
        return looks(probe, self._target, self._session, eager=eager, speed=self._speed)

    async def _unhealthy(self, kind: str, result: Result) -> None:
        await self._complain("Unhealthy", f"{kind} probe failed: {result.message}")
