"""Where pods really are: their addresses in the cluster lead to ports of this machine, and the kubelet knows which.

It also knows which ports NetworkPolicies close to a load balancer. Where targets are pods, its packets come from its
own addresses in its subnets, and a policy with an ``ipBlock`` for them lets it in (kubernetes/kubernetes issue 122151:
without one, 504).
"""

import json
from collections.abc import Collection
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp

from hallmark.twin.edge.fresh import Fresh

FAILURES = (OSError, ValueError, LookupError, TypeError, aiohttp.ClientError)
ANSWERS_WITHIN = 5.0


class Unreachable(Exception):
    """Nobody is at this address: a connection would time out."""


class Refused(Exception):
    """The pod is there and nothing listens on the port."""


class Pods:
    """The kubelet's knowledge.

    Args:
        folder: Of the kubelet: ``kubelet.json`` and ``token``.
        session: For asking it.
    """

    def __init__(self, folder: Path, session: aiohttp.ClientSession) -> None:
        self._folder = folder
        self._session = session
        self._sources: frozenset[str] = frozenset()
        self._known: Fresh[tuple[frozenset[str], dict[str, Any]]] = Fresh(self._read, FAILURES)

    async def find(self, ip: str, port: int, sources: Collection[str], *, anew: bool = False) -> tuple[str, int]:
        """Where a port of a pod is.

        Args:
            ip: Its address in the cluster.
            port: The port that its container serves.
            sources: Addresses that the connection may come from; each of them has to be let in.
            anew: Whether to ask the kubelet now.

        Raises:
            Unreachable: There is no such pod, or it does not let the connection in.
            Refused: Nothing listens on the port.
        """
        self._sources |= set(sources)
        if anew:
            await self._known.renew()
        try:
            pod = (await self._about(sources))[ip]
        except FAILURES as error:
            raise Unreachable from error
        if any(port in pod["closed"].get(each, ()) for each in sources):
            raise Unreachable
        real = pod["ports"].get(str(port))
        if real is None:
            raise Refused
        return pod["address"], int(real)

    async def close(self) -> None:
        """Stop asking."""
        await self._known.close()

    async def _about(self, sources: Collection[str]) -> dict[str, Any]:
        asked, known = await self._known.get()
        if not asked.issuperset(sources):
            await self._known.renew()  # this may be a reading that was under way before
            await self._known.renew()
            _, known = await self._known.get()
        return known

    async def _read(self) -> tuple[frozenset[str], dict[str, Any]]:
        sources = self._sources
        port = int(json.loads((self._folder / "kubelet.json").read_bytes())["port"])
        headers = {"Authorization": f"Bearer {(self._folder / 'token').read_text(encoding='utf-8').strip()}"}
        # A process of ours on this machine; its certificate is of whatever authority the cluster has.
        url, limit = f"https://127.0.0.1:{port}/addresses", aiohttp.ClientTimeout(ANSWERS_WITHIN)
        async with self._session.get(
            url, params=[("source", each) for each in sorted(sources)],
            headers=headers, ssl=False, timeout=limit, raise_for_status=True,
        ) as answer:  # fmt: skip
            found: dict[str, Any] = await answer.json()
        return sources, {ip: pod for ip, pod in found.items() if ip_address(pod["address"]).is_loopback}
