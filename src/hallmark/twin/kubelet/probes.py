"""Probes: asked as the kubelet asks, answered by the container's own program.

Source: Kubernetes documentation, "Configure Liveness, Readiness and Startup Probes"; words of ``pkg/probe``. While a
container is not ready its readiness may be looked at more often than the period says; so it is here, and what such
an extra look finds counts only when it is good.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import aiohttp

FIRST_LOOK, LONGEST_LOOK = 0.05, 0.4
"""Seconds between extra looks, at first and at most."""
GOOD = range(200, 400)
BODY_LIMIT = 10 * 1024


@dataclass(frozen=True)
class Result:
    """What one probe found; the message is for the event."""

    good: bool
    message: str = ""


class Target(Protocol):
    """What is probed."""

    @property
    def ip(self) -> str:
        """The pod's address, for messages."""

    def reach(self, port: int) -> tuple[str, int]:
        """Where a port of the pod really is."""

    def port(self, named: str | int) -> int | None:
        """The number of a container port, by name or number."""

    async def execute(self, command: Sequence[str], seconds: float) -> tuple[int | None, str]:
        """Run a command in the container: exit code (None: it took too long) and output."""


@dataclass(frozen=True)
class Probe:
    """A probe's settings with the API's defaults."""

    spec: Mapping[str, Any]
    delay: float
    period: float
    timeout: float
    successes: int
    failures: int

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Self:
        """Read a probe of a pod."""
        return cls(
            spec=spec,
            delay=spec.get("initialDelaySeconds") or 0,
            period=spec.get("periodSeconds") or 10,
            timeout=spec.get("timeoutSeconds") or 1,
            successes=spec.get("successThreshold") or 1,
            failures=spec.get("failureThreshold") or 3,
        )


async def looks(
    probe: Probe, target: Target, session: aiohttp.ClientSession, *, eager: bool, speed: float
) -> AsyncIterator[tuple[Result, bool]]:
    """Yield what each look finds, and whether it passes a threshold.

    Args:
        probe: What to ask.
        target: Whom.
        session: For HTTP.
        eager: Whether to look more often until the first good answer.
        speed: How many times faster than in reality waits are.
    """
    await asyncio.sleep(probe.delay / speed)
    streak, last = 0, None
    async for result in _rhythm(probe, target, session, eager=eager, speed=speed):
        streak = streak + 1 if result.good is last else 1
        last = result.good
        yield result, streak >= (probe.successes if result.good else probe.failures)


async def _rhythm(
    probe: Probe, target: Target, session: aiohttp.ClientSession, *, eager: bool, speed: float
) -> AsyncIterator[Result]:
    pause, waited = FIRST_LOOK, 0.0
    # Growing pauses that fit into one period; only a good answer counts.
    while eager and waited + pause < probe.period / speed:
        if (result := await look(probe, target, session)).good:
            yield result
            await asyncio.sleep(probe.period / speed)
            break
        await asyncio.sleep(pause)
        waited += pause
        pause = min(pause * 2, LONGEST_LOOK)
    while True:
        yield await look(probe, target, session)
        await asyncio.sleep(probe.period / speed)


async def look(probe: Probe, target: Target, session: aiohttp.ClientSession) -> Result:
    """Ask once."""
    spec = probe.spec
    if action := spec.get("httpGet"):
        return await _http(action, probe.timeout, target, session)
    if action := spec.get("exec"):
        return await _exec(action["command"], probe.timeout, target)
    action = spec.get("tcpSocket") or spec.get("grpc") or {}
    return await _tcp(action["port"], probe.timeout, target)


async def _http(action: Mapping[str, Any], seconds: float, target: Target, session: aiohttp.ClientSession) -> Result:
    number = target.port(action["port"])
    if number is None:
        return Result(good=False, message=f"couldn't find port: {action['port']}")
    path = action.get("path") or "/"
    path = path if path.startswith("/") else f"/{path}"
    # Certificates are not stood in for: a probe over HTTPS finds the same program without TLS.
    shown = f"{(action.get('scheme') or 'HTTP').lower()}://{action.get('host') or target.ip}:{number}{path}"
    address, port = target.reach(number)
    headers = {each["name"]: each["value"] for each in action.get("httpHeaders") or []}
    headers.setdefault("Host", urlsplit(shown).netloc)
    headers.setdefault("User-Agent", "kube-probe/1.35+")
    url = f"http://{address}:{port}{path}"
    try:
        async with session.get(
            url, headers=headers, timeout=aiohttp.ClientTimeout(total=seconds), allow_redirects=False
        ) as answer:
            await answer.content.read(BODY_LIMIT)
            if answer.status in GOOD:
                return Result(good=True)
            return Result(good=False, message=f"HTTP probe failed with statuscode: {answer.status}")
    except TimeoutError:
        said = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    except aiohttp.ClientConnectorError:
        said = f"dial tcp {target.ip}:{number}: connect: connection refused"
    except (aiohttp.ClientError, OSError):
        said = "EOF"
    return Result(good=False, message=f'Get "{shown}": {said}')


async def _tcp(named: str | int, seconds: float, target: Target) -> Result:
    number = target.port(named)
    if number is None:
        return Result(good=False, message=f"couldn't find port: {named}")
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(*target.reach(number))
            writer.close()
    except TimeoutError:
        return Result(good=False, message=f"dial tcp {target.ip}:{number}: i/o timeout")
    except OSError:
        return Result(good=False, message=f"dial tcp {target.ip}:{number}: connect: connection refused")
    return Result(good=True)


async def _exec(command: Sequence[str], seconds: float, target: Target) -> Result:
    code, output = await target.execute(command, seconds)
    if code is None:
        return Result(good=False, message=f'command "{" ".join(command)}" timed out')
    return Result(good=code == 0, message="" if code == 0 else output)
