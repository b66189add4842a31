"""The way to a pod: logs, exec, attach, port-forward and proxies are the kubelet's work; the server passes them on.

Paths are the kubelet's own (Kubernetes ``pkg/kubelet/server``), and ``/podProxy`` for connections to a pod's port. Pods
have addresses that only their kubelet knows how to reach, so it makes the connection.
"""

import asyncio
import errno
import os
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from hallmark.twin.cluster import statuses
from hallmark.twin.cluster.calls import Call
from hallmark.twin.cluster.statuses import Refusal
from hallmark.twin.cluster.store import Store

DEFAULT_PORT = 10250
UNVERIFIED = False
"""Certificates of kubelets are not checked, as without ``--kubelet-certificate-authority`` of a real server."""
STREAMS = {"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}
"""Parameter of the API, parameter of the kubelet."""
LOG_PARAMETERS = frozenset(
    {"follow", "previous", "sinceSeconds", "sinceTime", "timestamps", "tailLines", "limitBytes", "stream"}
)
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "transfer-encoding",
        "upgrade",
        "te",
        "trailer",
        "host",
        "authorization",
        "content-length",
    }
)
PROTOCOLS = (
    "v5.channel.k8s.io",
    "v4.channel.k8s.io",
    "v3.channel.k8s.io",
    "v2.channel.k8s.io",
    "channel.k8s.io",
    "SPDY/3.1+portforward.k8s.io",
    "portforward.k8s.io",
)
SERVICE_NAME = "kubernetes.io/service-name"

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
        container = _container(pod, call.query.get("container", ""))
        path = f"/containerLogs/{call.namespace}/{call.name}/{container}"
        parameters = {key: value for key, value in call.query.items() if key in LOG_PARAMETERS}
        url = self._url(pod, path)
        try:
            async with self._open().get(url, params=parameters, headers=self._headers, ssl=UNVERIFIED) as upstream:
                if upstream.status >= 400:  # noqa: PLR2004 - HTTP's failures
                    raise Refusal(upstream.status, (await upstream.text()).strip())
                return await _pass_on(call, upstream, {"Content-Type": "text/plain"})
        except aiohttp.ClientConnectorError as error:
            raise Refusal(500, f'Get "{url}": {_dial(error)}', "InternalError") from error

    async def stream(self, call: Call, pod: Json) -> web.StreamResponse:
        """Connect a client with a command in a container, or with its ports.

        Raises:
            Refusal: The client asks for something else than a WebSocket, or the kubelet is not there.
        """
        url, parameters = self._stream_url(call, pod)
        asked = call.request.headers.get("Upgrade", "").lower()
        if asked != "websocket":
            raise await self._no_stream(url, parameters, asked)
        offered = _offered(call.request.headers)
        try:
            upstream = await self._open().ws_connect(
                url, params=parameters, headers=self._headers, protocols=offered, ssl=UNVERIFIED, max_msg_size=0
            )
        except aiohttp.ClientConnectorError as error:
            raise Refusal(500, f'error sending request: Post "{url}": {_dial(error)}', "InternalError") from error
        except aiohttp.WSServerHandshakeError as error:
            raise Refusal(error.status or 500, f"unable to upgrade connection: {error.message}") from error
        async with upstream:
            client = web.WebSocketResponse(protocols=[upstream.protocol] if upstream.protocol else (), max_msg_size=0)
            await client.prepare(call.request)
            await _connect(client, upstream)
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

    def behind(self, namespace: str, service: str, port: str) -> tuple[Json, str]:
        """A ready pod behind a Service, and its port.

        Raises:
            Refusal: There is none.
        """
        port = self._named(namespace, service, port)
        for entry in self._store.all("endpointslices.discovery.k8s.io", namespace):
            if entry.object["metadata"].get("labels", {}).get(SERVICE_NAME) != service:
                continue
            number = _port(entry.object.get("ports") or (), port)
            for endpoint in entry.object.get("endpoints") or ():
                target = endpoint.get("targetRef") or {}
                pod = self._store.get("pods", namespace, target.get("name", ""))
                if number and pod and (endpoint.get("conditions") or {}).get("ready", True):
                    return pod.object, number
        raise Refusal(503, f'no endpoints available for service "{service}"')

    def _named(self, namespace: str, service: str, port: str) -> str:
        """The name of a Service's port that is given by its number (Kubernetes, ``ResourceLocation`` of Services)."""
        found = self._store.get("services", namespace, service)
        if not port.isdecimal() or found is None:
            return port
        for one in found.object["spec"].get("ports") or ():
            if one["port"] == int(port):
                return str(one.get("name") or "")
        raise Refusal(503, f'no service port {port} found for service "{service}"')

    async def _proxy(self, call: Call, url: str) -> web.StreamResponse:
        request = call.request
        headers = CIMultiDict((key, value) for key, value in request.headers.items() if key.lower() not in HOP_BY_HOP)
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
                return await _pass_on(call, upstream, upstream.headers)
        except aiohttp.ClientConnectorError as error:
            raise Refusal(503, f"error trying to reach service: {_dial(error)}") from error

    def _stream_url(self, call: Call, pod: Json) -> tuple[str, list[tuple[str, str]]]:
        if call.subresource == "portforward":
            return self._url(pod, f"/portForward/{call.namespace}/{call.name}"), list(call.request.query.items())
        container = _container(pod, call.query.get("container", ""))
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


def pod_port(pod: Json, port: str) -> str:
    """The number of a pod's port: as named, else its first.

    Args:
        pod: The pod.
        port: Name or number; empty for its first, 80 if it has none.
    """
    ports = [one for container in pod["spec"]["containers"] for one in container.get("ports") or ()]
    if not port:
        return str(ports[0]["containerPort"] if ports else 80)
    return next((str(one["containerPort"]) for one in ports if one.get("name") == port), port)


def _port(ports: Iterable[Json], wanted: str) -> str:
    # Of a slice: by name, by number, or the only one.
    listed = list(ports)
    for one in listed:
        if wanted in {one.get("name") or "", str(one.get("port"))}:
            return str(one["port"])
    return str(listed[0]["port"]) if len(listed) == 1 and not wanted else ""


def _container(pod: Json, wanted: str) -> str:
    spec, name = pod["spec"], pod["metadata"]["name"]
    names = [
        one["name"] for key in ("containers", "initContainers", "ephemeralContainers") for one in spec.get(key) or ()
    ]
    if wanted:
        if wanted not in names:
            raise Refusal(400, f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(spec["containers"]) == 1:
        return str(names[0])
    chosen = (pod["metadata"].get("annotations") or {}).get("kubectl.kubernetes.io/default-container", "")
    if chosen in names:
        return str(chosen)
    listed = " ".join(one["name"] for one in spec["containers"])
    raise Refusal(400, f"a container name must be specified for pod {name}, choose one of: [{listed}]")


def _offered(headers: Mapping[str, str]) -> list[str]:
    asked = [one.strip() for one in headers.get("Sec-WebSocket-Protocol", "").split(",")]
    return [one for one in asked if one in PROTOCOLS]


async def _pass_on(call: Call, upstream: aiohttp.ClientResponse, headers: Mapping[str, str]) -> web.StreamResponse:
    kept = CIMultiDict((key, value) for key, value in headers.items() if key.lower() not in HOP_BY_HOP)
    response = web.StreamResponse(status=upstream.status, headers=kept)
    await response.prepare(call.request)
    try:
        async for chunk in upstream.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
    except (ConnectionError, aiohttp.ClientError):
        pass  # one of the two sides left
    return response


async def _connect(client: web.WebSocketResponse, upstream: aiohttp.ClientWebSocketResponse) -> None:
    # The kubelet ends the stream; a client that only closes its input keeps listening.
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


def _dial(error: aiohttp.ClientConnectorError) -> str:
    why = os.strerror(error.os_error.errno or errno.ECONNREFUSED).lower()
    return f"dial tcp {error.host}:{error.port}: connect: {why}"
