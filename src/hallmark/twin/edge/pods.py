"""Where pods really are: their addresses in the cluster lead to ports of this machine, and the kubelet knows which."""

import json
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
        self._known: Fresh[dict[str, Any]] = Fresh(self._read, FAILURES)

    async def find(self, ip: str, port: int, *, anew: bool = False) -> tuple[str, int]:
        """Where a port of a pod is.

        Args:
            ip: Its address in the cluster.
            port: The port that its container serves.
            anew: Whether to ask the kubelet now.

        Raises:
            Unreachable: There is no such pod.
            Refused: Nothing listens on the port.
        """
        if anew:
            await self._known.renew()
        try:
            pod = (await self._known.get())[ip]
        except FAILURES as error:
            raise Unreachable from error
        real = pod["ports"].get(str(port))
        if real is None:
            raise Refused
        return pod["address"], int(real)

    async def close(self) -> None:
        """Stop asking."""
        await self._known.close()

    async def _read(self) -> dict[str, Any]:
        port = int(json.loads((self._folder / "kubelet.json").read_bytes())["port"])
        headers = {"Authorization": f"Bearer {(self._folder / 'token').read_text(encoding='utf-8').strip()}"}
        # A process of ours on this machine; its certificate is of whatever authority the cluster has.
        url, limit = f"https://127.0.0.1:{port}/addresses", aiohttp.ClientTimeout(ANSWERS_WITHIN)
        async with self._session.get(url, headers=headers, ssl=False, timeout=limit, raise_for_status=True) as answer:
            found: dict[str, Any] = await answer.json()
        return {ip: pod for ip, pod in found.items() if ip_address(pod["address"]).is_loopback}
