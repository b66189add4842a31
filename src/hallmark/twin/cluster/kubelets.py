"""The way to a pod: logs, exec, attach, port-forward and proxies are the kubelet's work; the server passes them on.

Paths are the kubelet's own (Kubernetes ``pkg/kubelet/server``), and ``/podProxy`` for connections to a pod's port. Pods
have addresses that only their kubelet knows how to reach, so it makes the connection.
"""

from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp import web

from hallmark.twin.cluster import statuses
from hallmark.twin.cluster.calls import Call
from hallmark.twin.cluster.destinations import container_of
from hallmark.twin.cluster.passing import dial, join, offered, pass_on
from hallmark.twin.cluster.statuses import Refusal
from hallmark.twin.cluster.store import Store
from hallmark.twin.headers import end_to_end

DEFAULT_PORT = 10250
UNVERIFIED = False
"""Certificates of kubelets are not checked, as without ``--kubelet-certificate-authority`` of a real server."""
STREAMS = {"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}
"""Parameter of the API, parameter of the kubelet."""
LOG_PARAMETERS = frozenset(
    {"follow", "previous", "sinceSeconds", "sinceTime", "timestamps", "tailLines", "limitBytes", "stream"}
)

Json = dict[str, Any]


class Kubelets:
    """Passes requests on to the kubelet of a pod's node.

    Args:
        store: Where pods and nodes are.
        token: What the kubelets know the server by.
        address: Address of all kubelets in place of the nodes' own; empty for none.
    """

    def __init__(self, store: Store, token: str, address: str = "") -> None:
        self._store = store
        self._headers = {"Authorization": f"Bearer {token}"}
        self._address = address
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close all connections."""
        if self._session:
            await self._session.close()

    async def logs(self, call: Call, pod: Json) -> web.StreamResponse:
        """Answer with what a container writes.

        Raises:
            Refusal: There is no such container, or its kubelet does not say.
        """
        container = container_of(pod, call.query.get("container", ""))
        path = f"/containerLogs/{call.namespace}/{call.name}/{container}"
        parameters = {key: value for key, value in call.query.items() if key in LOG_PARAMETERS}
        url = self._url(pod, path)
        try:
            async with self._open().get(url, params=parameters, headers=self._headers, ssl=UNVERIFIED) as upstream:
                if upstream.status >= 400:  # noqa: PLR2004 - HTTP's failures
                    raise Refusal(upstream.status, (await upstream.text()).strip())
                return await pass_on(call, upstream, {"Content-Type": "text/plain"})
        except aiohttp.ClientConnectorError as error:
            raise Refusal(500, f'Get "{url}": {dial(error)}', "InternalError") from error

    async def stream(self, call: Call, pod: Json) -> web.StreamResponse:
        """Connect a client with a command in a container, or with its ports.

        Raises:
            Refusal: The client asks for something else than a WebSocket, or the kubelet is not there.
        """
        url, parameters = self._stream_url(call, pod)
        asked = call.request.headers.get("Upgrade", "").lower()
        if asked != "websocket":
            raise await self._no_stream(url, parameters, asked)
        protocols = offered(call.request.headers)
        try:
            upstream = await self._open().ws_connect(
                url, params=parameters, headers=self._headers, protocols=protocols, ssl=UNVERIFIED, max_msg_size=0
            )
        except aiohttp.ClientConnectorError as error:
            raise Refusal(500, f'error sending request: Post "{url}": {dial(error)}', "InternalError") from error
        except aiohttp.WSServerHandshakeError as error:
            raise Refusal(error.status or 500, f"unable to upgrade connection: {error.message}") from error
        async with upstream:
            client = web.WebSocketResponse(protocols=[upstream.protocol] if upstream.protocol else (), max_msg_size=0)
            await client.prepare(call.request)
            await join(client, upstream)
            return client

    async def _no_stream(self, url: str, parameters: list[tuple[str, str]], asked: str) -> Refusal:
        """Why there is no stream: kubectl shows what comes of its second try, by SPDY, whatever the first failed of."""
        required = Refusal(400, "Upgrade request required")
        if not asked:
            return required
        try:
            async with self._open().get(url, params=parameters, headers=self._headers, ssl=UNVERIFIED) as answer:
                complaint = (await answer.text()).strip()
        except aiohttp.ClientError:
            return required
        return required if answer.status == HTTPStatus.BAD_REQUEST else Refusal(answer.status, complaint)

    async def proxy_pod(self, call: Call, pod: Json, port: str) -> web.StreamResponse:
        """Pass an HTTP request on to a port of a pod.

        Raises:
            Refusal: The pod or its kubelet cannot be reached.
        """
        metadata = pod["metadata"]
        return await self._proxy(
            call, self._url(pod, f"/podProxy/{metadata['namespace']}/{metadata['name']}/{port}/{call.path}")
        )

    async def proxy_node(self, call: Call, node: str) -> web.StreamResponse:
        """Pass an HTTP request on to a kubelet itself.

        Raises:
            Refusal: It cannot be reached.
        """
        return await self._proxy(call, f"{self._base(node)}/{call.path}")

    async def _proxy(self, call: Call, url: str) -> web.StreamResponse:
        request = call.request
        headers = end_to_end(request.headers)
        headers.update(self._headers)
        try:
            async with self._open().request(
                request.method,
                url,
                params=request.query,
                headers=headers,
                data=request.content if request.body_exists else None,
                ssl=UNVERIFIED,
                allow_redirects=False,
            ) as upstream:
                return await pass_on(call, upstream, upstream.headers)
        except aiohttp.ClientConnectorError as error:
            raise Refusal(503, f"error trying to reach service: {dial(error)}") from error

    def _stream_url(self, call: Call, pod: Json) -> tuple[str, list[tuple[str, str]]]:
        if call.subresource == "portforward":
            return self._url(pod, f"/portForward/{call.namespace}/{call.name}"), list(call.request.query.items())
        container = container_of(pod, call.query.get("container", ""))
        parameters = [("command", one) for one in call.request.query.getall("command", [])]
        parameters += [(own, "1") for name, own in STREAMS.items() if call.flag(name)]
        return self._url(pod, f"/{call.subresource}/{call.namespace}/{call.name}/{container}"), parameters

    def _url(self, pod: Json, path: str) -> str:
        node = pod["spec"].get("nodeName", "")
        if not node:
            raise Refusal(400, f"pod {pod['metadata']['name']} does not have a host assigned")
        return self._base(node) + path

    def _base(self, node: str) -> str:
        entry = self._store.get("nodes", "", node)
        if entry is None:
            raise statuses.not_found("", "nodes", node)
        status = entry.object.get("status", {})
        port = status.get("daemonEndpoints", {}).get("kubeletEndpoint", {}).get("Port", DEFAULT_PORT)
        addresses = {one["type"]: one["address"] for one in status.get("addresses") or ()}
        address = self._address or addresses.get("InternalIP") or addresses.get("Hostname") or node
        return f"https://{address}:{port}"

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None), auto_decompress=False)
        return self._session
