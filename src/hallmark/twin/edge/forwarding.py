"""Passing a request on to a target, and its answer back; both are streamed.

502, 503 and 504 as in the ALB user guide, "Troubleshoot your Application Load Balancers".
"""

import asyncio
import itertools
import random
import re
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from hallmark.twin.edge import pages
from hallmark.twin.edge.pods import Pods, Refused, Unreachable
from hallmark.twin.edge.records import DROPS_INVALID, FORWARDED_FOR, State, Target, TargetGroup
from hallmark.twin.edge.requests import Incoming

HOP_BY_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade", "expect",
})  # fmt: skip
AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""Headers that aiohttp would add."""
CONNECTS_WITHIN = 10.0
VALID = re.compile(r"[-A-Za-z0-9]+")
HEADERS = 32 * 1024
"""Bytes of headers that a target's answer may have."""


class Broken(Exception):
    """The target's answer broke off after it had begun: the client's connection ends."""


def session() -> aiohttp.ClientSession:
    """What requests to targets go through: a connection each, so that none is one the target has just closed."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECTS_WITHIN),
        max_line_size=HEADERS,
        max_field_size=HEADERS,
    )


class Forwarder:
    """Knows targets and takes turns among them.

    Args:
        pods: Where targets really are.
        session: See :func:`session`.
        patience: Seconds after which somebody who is not there is given up; a real load balancer waits for ten.
        met: Is told of every target of a group that is asked: its ARN, the target.
    """

    def __init__(
        self, pods: Pods, session: aiohttp.ClientSession, patience: float, met: Callable[[str, Target], None]
    ) -> None:
        self._pods = pods
        self._met = met
        self._session = session
        self._patience = patience
        self._turns: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)

    async def forward(self, incoming: Incoming, state: State, action: Mapping[str, Any]) -> web.StreamResponse:
        """Answer a request from a target.

        Raises:
            Broken: The answer had begun and did not end.
        """
        group = state.targets.get(_group(action))
        target = self._turn(group, state) if group else None
        if group is None or target is None:
            return pages.page(503)
        try:
            answer = await self._ask(incoming, state, group, target)
        except (Unreachable, TimeoutError):
            if incoming.is_waiting:
                return pages.page(408)
            return pages.page(504)
        except (Refused, aiohttp.ClientError, OSError, ValueError):
            return pages.page(502)
        incoming.answered = True
        return await _returned(incoming, answer, state.idle)

    def _turn(self, group: TargetGroup, state: State) -> Target | None:
        for each in group.targets:
            self._met(group.arn, each)
        # What has become unreachable since the last check may be known to be so.
        usable = [each for each in group.usable if each not in state.barred] or group.usable
        return usable[next(self._turns[group.arn]) % len(usable)] if usable else None

    async def _ask(
        self, incoming: Incoming, state: State, group: TargetGroup, target: Target
    ) -> aiohttp.ClientResponse:
        place = await self._place(state, group, target)
        try:
            return await self._asked(incoming, state, group, place)
        except aiohttp.ClientConnectorError:
            # A pod that was restarted meanwhile is elsewhere; to the load balancer its address is the same.
            moved = await self._pods.find(target.address, target.port, state.sources, anew=True)
            if moved == place:
                raise
            return await self._asked(incoming, state, group, moved)

    async def _place(self, state: State, group: TargetGroup, target: Target) -> tuple[str, int]:
        try:
            return await self._find(state, group, target)
        except Unreachable:
            await asyncio.sleep(self._patience)
            raise

    async def _find(self, state: State, group: TargetGroup, target: Target) -> tuple[str, int]:
        if target in state.barred or group.kind != "ip":
            raise Unreachable  # by security groups; or a node port, which the twin's nodes do not have
        try:
            return await self._pods.find(target.address, target.port, state.sources)
        except (Unreachable, Refused):
            return await self._pods.find(target.address, target.port, state.sources, anew=True)

    async def _asked(
        self, incoming: Incoming, state: State, group: TargetGroup, place: tuple[str, int]
    ) -> aiohttp.ClientResponse:
        address, port = place
        url = URL(f"{group.protocol.lower()}://{address}:{port}{incoming.target}", encoded=True)
        async with asyncio.timeout(state.idle) as deadline:
            incoming.deadline, incoming.idle = deadline, state.idle
            try:
                return await self._session.request(
                    incoming.method,
                    url,
                    headers=_headers(incoming, state.attributes),
                    data=incoming.body(),
                    allow_redirects=False,
                    skip_auto_headers=AUTOMATIC,
                    ssl=False,
                )
            finally:
                incoming.deadline = None


def _group(action: Mapping[str, Any]) -> str:
    weighted = action.get("ForwardConfig", {}).get("TargetGroups") or ()
    chosen = [each for each in weighted if int(each.get("Weight", 1)) > 0]
    if not chosen:
        return str(action.get("TargetGroupArn", ""))
    weights = [int(each.get("Weight", 1)) for each in chosen]
    return str(random.choices(chosen, weights)[0]["TargetGroupArn"])  # noqa: S311  (a share of the traffic)


def _headers(incoming: Incoming, attributes: Mapping[str, str]) -> CIMultiDict[str]:
    strict = attributes.get(DROPS_INVALID) == "true"
    kept = CIMultiDict(
        (name, value)
        for name, value in incoming.headers.items()
        if name.lower() not in HOP_BY_HOP and not (strict and not VALID.fullmatch(name))
    )
    mode = attributes.get(FORWARDED_FOR, "append")
    before = ", ".join(kept.popall("X-Forwarded-For", ()))
    addresses = {"append": ", ".join(filter(None, (before, incoming.line.source))), "preserve": before}.get(mode)
    if addresses:
        kept["X-Forwarded-For"] = addresses
    kept["X-Forwarded-Proto"] = incoming.line.protocol.lower()
    kept["X-Forwarded-Port"] = str(incoming.line.port)
    kept.setdefault("X-Amzn-Trace-Id", f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}")
    for name, value in incoming.inserted:
        kept[f"x-amzn-waf-{name}"] = value
    return kept


async def _returned(incoming: Incoming, answer: aiohttp.ClientResponse, idle: float) -> web.StreamResponse:
    kept = CIMultiDict((name, value) for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP)
    back = web.StreamResponse(status=answer.status, reason=answer.reason, headers=kept)
    async with answer:
        await back.prepare(incoming.request)
        try:
            async for chunk in _chunks(answer, idle):
                await back.write(chunk)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Broken from error
        await back.write_eof()
    return back


async def _chunks(answer: aiohttp.ClientResponse, idle: float) -> AsyncIterator[bytes]:
    while True:
        async with asyncio.timeout(idle):
            chunk = await answer.content.readany()
        if not chunk:
            return
        yield chunk
