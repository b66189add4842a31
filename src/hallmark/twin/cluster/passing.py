"""What passes between a client and a kubelet: the body of an answer, the messages of a stream."""

import asyncio
import errno
import os
from collections.abc import Mapping

import aiohttp
from aiohttp import web

from hallmark.twin.cluster.calls import Call
from hallmark.twin.headers import end_to_end

PROTOCOLS = (
    "v5.channel.k8s.io",
    "v4.channel.k8s.io",
    "v3.channel.k8s.io",
    "v2.channel.k8s.io",
    "channel.k8s.io",
    "SPDY/3.1+portforward.k8s.io",
    "portforward.k8s.io",
)


def offered(headers: Mapping[str, str]) -> list[str]:
    """The protocols of a stream that a client offers and kubelets know."""
    asked = [one.strip() for one in headers.get("Sec-WebSocket-Protocol", "").split(",")]
    return [one for one in asked if one in PROTOCOLS]


async def pass_on(call: Call, upstream: aiohttp.ClientResponse, headers: Mapping[str, str]) -> web.StreamResponse:
    """Answer with what a kubelet answers, as it comes."""
    response = web.StreamResponse(status=upstream.status, headers=end_to_end(headers))
    await response.prepare(call.request)
    try:
        async for chunk in upstream.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
    except (ConnectionError, aiohttp.ClientError):
        pass  # one of the two sides left
    return response


async def join(client: web.WebSocketResponse, upstream: aiohttp.ClientWebSocketResponse) -> None:
    """Carry messages both ways until the kubelet ends the stream; a client that closes its input keeps listening."""
    up = asyncio.ensure_future(_pump(client, upstream))
    try:
        await _pump(upstream, client)
    finally:
        up.cancel()
        await upstream.close()
        if not client.closed:
            await client.close()


async def _pump(
    source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    sink: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
) -> None:
    async for message in source:
        if message.type == aiohttp.WSMsgType.BINARY:
            await sink.send_bytes(message.data)
        elif message.type == aiohttp.WSMsgType.TEXT:
            await sink.send_str(message.data)


def dial(error: aiohttp.ClientConnectorError) -> str:
    """Why a kubelet was not reached, in Go's words."""
    why = os.strerror(error.os_error.errno or errno.ECONNREFUSED).lower()
    return f"dial tcp {error.host}:{error.port}: connect: {why}"
