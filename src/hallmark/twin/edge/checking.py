"""Health checks of targets, as load balancers make them; the emulated AWS is told what came of them.

States, reasons and their words: ELB user guide for application load balancers, "Health checks for target groups". A new
target takes part after one good check; after that its group's thresholds decide.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp

from hallmark.twin.edge.pods import Pods, Refused, Unreachable
from hallmark.twin.edge.records import HEALTHY, INITIAL, UNHEALTHY, Checked, Target

LOOKS_EVERY = 15.0
"""Seconds between two looks for targets that are new, while nobody sends requests."""
PAUSE = 1.0
"""Seconds until the next try where AWS does not answer."""
AGENT = "ELB-HealthChecker/2.0"
CHECKED = frozenset({HEALTHY, UNHEALTHY, INITIAL})
"""States that checks decide about; a target that leaves has others."""
Words = tuple[str, int, str, str, str]
"""Address, port, state, reason and words of a target."""


@dataclass(frozen=True)
class Finding:
    """What one check found; no reason: the target is well."""

    reason: str = ""
    words: str = ""


TIMED_OUT = Finding("Target.Timeout", "Request timed out")
FAILED = Finding("Target.FailedHealthChecks", "Health checks failed")


@dataclass
class Health:
    """A target's health, from one check to the next."""

    state: str = INITIAL
    due: float = 0.0
    in_a_row: int = 0
    finding: Finding = field(default_factory=lambda: Finding("Elb.RegistrationInProgress", ""))

    def note(self, found: Finding, group: Checked) -> None:
        """Count a check; at the threshold the state changes."""
        is_same = bool(found.reason) == bool(self.finding.reason)
        self.in_a_row, self.finding = (self.in_a_row + 1 if is_same else 1), found
        needed = group.unhealthy if found.reason else 1 if self.state == INITIAL else group.healthy
        if self.in_a_row >= needed:
            self.state = UNHEALTHY if found.reason else HEALTHY


class Checks:
    """Checks all targets of one account.

    Args:
        read: Target groups that load balancers use; blocking.
        tell: Tells the emulated AWS what came of it, by ARN of a target group; blocking.
        pods: Where targets really are.
        session: For asking them.
        failures: What reading and telling may raise: the last states stay.
    """

    def __init__(
        self,
        read: Callable[[], Sequence[Checked]],
        tell: Callable[[Mapping[str, list[Words]]], None],
        pods: Pods,
        session: aiohttp.ClientSession,
        failures: tuple[type[Exception], ...],
    ) -> None:
        self._read = read
        self._tell = tell
        self._pods = pods
        self._session = session
        self._failures = failures
        self._known: dict[tuple[str, str, int], Health] = {}
        self._wanted = asyncio.Event()

    def met(self, group: str, target: Target) -> None:
        """Look now, if somebody has met a target that nobody has checked, or that AWS does not know to be checked."""
        known = self._known.get((group, target.address, target.port))
        if target.state == INITIAL and (known is None or known.state != INITIAL):
            self._wanted.set()

    async def run(self) -> None:
        """Check again and again."""
        while True:
            with suppress(*self._failures):
                await self._round(await asyncio.to_thread(self._read))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), self._pause())
            self._wanted.clear()

    def _pause(self) -> float:
        left = [health.due - time.monotonic() for health in self._known.values()]
        return max(PAUSE, min([LOOKS_EVERY, *left]))

    async def _round(self, groups: Sequence[Checked]) -> None:
        pairs = [(group, target) for group in groups for target in group.targets if target.state in CHECKED]
        self._known = {_key(*each): self._known.get(_key(*each), Health()) for each in pairs}
        now = time.monotonic()
        await asyncio.gather(*(self._check(*each) for each in pairs if self._of(*each).due <= now))
        if any(self._of(*each).state != each[1].state for each in pairs):
            told: dict[str, list[Words]] = {group.arn: [] for group, _ in pairs}
            for group, target in pairs:
                told[group.arn].append(self._words(group, target))
            await asyncio.to_thread(self._tell, told)

    async def _check(self, group: Checked, target: Target) -> None:
        health = self._of(group, target)
        health.due = time.monotonic() + group.every
        health.note(await self._probe(group, target), group)

    async def _probe(self, group: Checked, target: Target) -> Finding:
        if group.kind != "ip" or target in group.barred:
            return TIMED_OUT
        try:
            place, port = await self._pods.find(target.address, group.port or target.port, group.sources, anew=True)
            url = f"{group.protocol.lower()}://{place}:{port}{group.path}"
            limit = aiohttp.ClientTimeout(total=group.patience)
            async with self._session.get(
                url, headers={"User-Agent": AGENT}, timeout=limit, ssl=False, allow_redirects=False
            ) as answer:
                return Finding() if group.takes(answer.status) else _mismatch(answer.status)
        except (Unreachable, TimeoutError):
            return TIMED_OUT
        except (Refused, aiohttp.ClientError, OSError):
            return FAILED

    def _of(self, group: Checked, target: Target) -> Health:
        return self._known[_key(group, target)]

    def _words(self, group: Checked, target: Target) -> Words:
        health = self._of(group, target)
        found = Finding() if health.state == HEALTHY else health.finding
        return target.address, target.port, health.state, found.reason, found.words


def _mismatch(status: int) -> Finding:
    return Finding("Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]")


def _key(group: Checked, target: Target) -> tuple[str, str, int]:
    return group.arn, target.address, target.port
