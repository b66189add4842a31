"""The way to a pod: what a kubelet is asked for, and what comes back to the client."""

import asyncio
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from hallmark.twin.cluster import certificates
from hallmark.twin.cluster.client import Client

Json = dict[str, Any]


class Kubelet:
    """A kubelet that tells what it was asked: it runs in a thread of its own."""

    def __init__(self, state: Path) -> None:
        self.asked: list[tuple[str, str]] = []
        self.tokens: set[str] = set()
        self.port = 0
        self._context = certificates.server_context(state)
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()))

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()
        self._ready.wait(5)

    def stop(self) -> None:
        """Listen no more."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)
        self._loop.close()

    async def _serve(self) -> None:
        runner = web.ServerRunner(web.Server(self._answer), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._context)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append((request.method, request.path_qs))
        self.tokens.add(request.headers.get("Authorization", ""))
        response = await self._response(request)
        response.force_close()  # so that no connection is left at the end
        return response

    async def _response(self, request: web.BaseRequest) -> web.StreamResponse:
        kind = request.path.split("/")[1]
        if kind == "exec":
            return await self._exec(request)
        if kind == "containerLogs" and "previous" in request.query:
            return web.Response(status=400, text='previous terminated container "main" in pod "p" not found')
        if kind == "containerLogs":
            return web.Response(text="one\ntwo\n")
        body = f"{request.method} {request.path_qs} {(await request.read()).decode()}"
        return web.Response(text=body, headers={"X-Pod": "yes", "Set-Cookie": "a=b"}, status=203)

    async def _exec(self, request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=["v5.channel.k8s.io", "v4.channel.k8s.io"])
        await socket.prepare(request)
        await socket.send_bytes(b"\x01" + " ".join(request.query.getall("command")).encode() + b"\n")
        if "input" in request.query:
            async for message in socket:
                if message.type != WSMsgType.BINARY or message.data[:1] == b"\xff":
                    break
                await socket.send_bytes(b"\x01" + message.data[1:])
        causes = [{"reason": "ExitCode", "message": "4"}]
        status = {"status": "Failure", "reason": "NonZeroExitCode", "message": "exit 4", "details": {"causes": causes}}
        await socket.send_bytes(b"\x03" + json.dumps({"metadata": {}, **status}).encode())
        await socket.close()
        return socket


@pytest.fixture
def kubelet(tmp_path: Path) -> Iterator[Kubelet]:
    """A kubelet that listens."""
    one = Kubelet(tmp_path)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def running_pod(client: Client, core: str, pod: Callable[..., Json], kubelet: Kubelet, namespace: str) -> Iterator[str]:
    """Path of a pod on the kubelet's node."""
    addresses = [{"type": "InternalIP", "address": "127.0.0.1"}]
    status = {"addresses": addresses, "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet.port}}}
    assert client.post("/api/v1/nodes", {"metadata": {"name": namespace}, "status": status}).code == 201
    ports = [{"name": "http", "containerPort": 8080}]
    containers = [{"name": "main", "image": "busybox:1", "ports": ports}]
    client.post(f"{core}/pods", pod("p", nodeName=namespace, containers=containers))
    yield f"{core}/pods/p"
    client.delete(f"/api/v1/nodes/{namespace}")


def test_logs_come_from_the_kubelet(client: Client, running_pod: str, kubelet: Kubelet, namespace: str) -> None:
    """With the options that concern it; it knows the server by its token."""
    answer = client.get(f"{running_pod}/log?tailLines=2&follow=true&pretty=true")

    assert (answer.code, answer.body) == (200, "one\ntwo\n")
    assert answer.headers["Content-Type"] == "text/plain"
    assert kubelet.asked == [("GET", f"/containerLogs/{namespace}/p/main?tailLines=2&follow=true")]
    assert kubelet.tokens == {f"Bearer {client.token}"}


def test_a_refusal_of_the_kubelet_reaches_the_client(client: Client, running_pod: str) -> None:
    """In its words."""
    answer = client.get(f"{running_pod}/log?previous=true")

    assert (answer.code, answer.body["reason"]) == (400, "BadRequest")
    assert answer.body["message"] == 'previous terminated container "main" in pod "p" not found'


def test_only_containers_of_the_pod_have_logs(
    client: Client, core: str, running_pod: str, pod: Callable[..., Json]
) -> None:
    """Of two, one has to be named."""
    two = [{"name": "a", "image": "b:1"}, {"name": "c", "image": "d:1"}]
    client.post(f"{core}/pods", pod("two", containers=two, nodeName="n"))

    assert client.get(f"{running_pod}/log?container=x").body["message"] == "container x is not valid for pod p"
    assert client.get(f"{core}/pods/two/log").body["message"] == (
        "a container name must be specified for pod two, choose one of: [a c]"
    )


def test_a_pod_that_is_nowhere_has_no_logs(client: Client, core: str, pod: Callable[..., Json]) -> None:
    """Nor has one whose kubelet is silent."""
    client.post(f"{core}/pods", pod("a"))
    addresses = [{"type": "InternalIP", "address": "127.0.0.1"}]
    status = {"addresses": addresses, "daemonEndpoints": {"kubeletEndpoint": {"Port": 9}}}
    client.post("/api/v1/nodes", {"metadata": {"name": "silent"}, "status": status})
    client.post(f"{core}/pods", pod("b", nodeName="silent"))

    nowhere, silent = client.get(f"{core}/pods/a/log"), client.get(f"{core}/pods/b/log")

    assert (nowhere.code, nowhere.body["message"]) == (400, "pod a does not have a host assigned")
    assert silent.code == 500
    assert silent.body["message"].endswith(": dial tcp 127.0.0.1:9: connect: connection refused")


@pytest.mark.usefixtures("running_pod")
def test_exec_is_a_conversation(
    kubelet: Kubelet,
    namespace: str,
    kubectl: Callable[..., "subprocess.CompletedProcess[str]"],
) -> None:
    """Both ways, with the command's exit code at its end."""
    finished = kubectl("exec", "-i", "-n", namespace, "p", "--", "cat", "-", stdin="hello\n")

    assert finished.stdout == "cat -\nhello\n"
    assert finished.returncode == 4
    assert kubelet.asked == [("GET", f"/exec/{namespace}/p/main?command=cat&command=-&input=1&output=1&error=1")]


def test_a_proxy_leads_to_a_port_of_a_pod(client: Client, running_pod: str, namespace: str) -> None:
    """By its name, its number or as the only one, with method, query and body; without the client's token."""
    by_default = client.get(f"{running_pod}/proxy/path/?a=b")
    by_name = client.post(f"{running_pod}:http/proxy/x", {"c": 1})
    by_number = client.get(f"{running_pod}:9090/proxy")

    assert by_default.body == f"GET /podProxy/{namespace}/p/8080/path/?a=b "
    assert (by_default.code, by_default.headers["X-Pod"]) == (203, "yes")
    assert by_name.body == f'POST /podProxy/{namespace}/p/8080/x {{"c": 1}}'
    assert by_number.body == f"GET /podProxy/{namespace}/p/9090/ "


@pytest.mark.usefixtures("running_pod")
def test_a_proxy_leads_to_a_ready_pod_behind_a_service(client: Client, core: str, namespace: str) -> None:
    """None is an answer, too."""
    ports = [{"name": "web", "port": 80, "targetPort": 8080}]
    client.post(f"{core}/services", {"metadata": {"name": "s"}, "spec": {"ports": ports}})
    nobody = client.get(f"{core}/services/s:web/proxy/x")
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    endpoint = {"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "name": "p"}, "conditions": {"ready": True}}
    body = {
        "metadata": {"name": "s-1", "labels": {"kubernetes.io/service-name": "s"}},
        "addressType": "IPv4",
        "endpoints": [endpoint],
        "ports": [{"name": "web", "port": 8080}],
    }
    assert client.post(slices, body).code == 201

    assert nobody.code == 503
    assert nobody.body["message"] == 'no endpoints available for service "s"'
    assert client.get(f"{core}/services/s:web/proxy/x").body == f"GET /podProxy/{namespace}/p/8080/x "
    assert client.get(f"{core}/services/http:s:web/proxy/x").code == 203
    assert client.get(f"{core}/services/s:80/proxy/x").body == f"GET /podProxy/{namespace}/p/8080/x "
    stranger = client.get(f"{core}/services/s:8080/proxy/x")
    assert (stranger.code, stranger.body["message"]) == (503, 'no service port 8080 found for service "s"')
    assert client.get(f"{core}/services/nope/proxy/x").code == 404


@pytest.mark.usefixtures("running_pod")
def test_a_proxy_leads_to_a_kubelet(client: Client, namespace: str) -> None:
    """By the name of its node."""
    assert client.get(f"/api/v1/nodes/{namespace}/proxy/metrics").body == "GET /metrics "
