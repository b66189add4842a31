"""What a kubelet serves: logs, exec, the way to a pod's ports, and how much its pods use.

Paths are those of Kubernetes ``pkg/kubelet/server``, and some of our own: ``/podProxy``, ``/addresses``, ``/disks``,
``/working`` and ``/network`` (:mod:`hallmark.twin.kubelet.network`). Callers show a bearer token that the kubelet's
folder or its kubeconfig holds.
"""

import asyncio
import hmac
import ssl
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

import aiohttp
import trustme
from aiohttp import web

from hallmark.twin.headers import end_to_end
from hallmark.twin.kubelet import execution, network, usage
from hallmark.twin.kubelet.container import Container
from hallmark.twin.kubelet.fences import Fences
from hallmark.twin.kubelet.logs import Options
from hallmark.twin.kubelet.machine import Machine
from hallmark.twin.kubelet.pod import NOWHERE
from hallmark.twin.kubelet.pods import Pods
from hallmark.twin.kubelet.switchboard import Switchboard
from hallmark.twin.programs.dependencies import CONNECT_SECONDS
from hallmark.twin.stores.archive import archive, unpack

LARGEST_BODY = 64 * 1024 * 1024

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """The HTTP side of a kubelet.

    Args:
        machine: What pods share.
        pods: The pods.
        board: Ways to data stores and Services.
        fences: NetworkPolicies.
        tokens: What callers may show.
    """

    def __init__(
        self, machine: Machine, pods: Pods, board: Switchboard, fences: Fences, tokens: Collection[str]
    ) -> None:
        self._machine = machine
        self._pods = pods
        self._board = board
        self._fences = fences
        self._tokens = [each for each in tokens if each]

    def application(self) -> web.Application:
        """The routes."""
        application = web.Application(middlewares=[self._checked], client_max_size=LARGEST_BODY)
        router = application.router
        router.add_get("/healthz", _healthy)
        router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        router.add_route("*", "/exec/{namespace}/{pod}/{container}", self._exec)
        router.add_route("*", "/attach/{namespace}/{pod}/{container}", _unavailable)
        router.add_route("*", "/portForward/{namespace}/{pod}", _unavailable)
        router.add_route("*", "/podProxy/{namespace}/{pod}/{port}/{path:.*}", self._proxy)
        router.add_get("/stats", self._stats)
        router.add_get("/addresses", self._addresses)
        router.add_get("/working", self._working)
        router.add_get("/disks", self._kept_disks)
        router.add_put("/disks", self._replaced_disks)
        network.add_routes(router, self._board)
        return application

    @web.middleware
    async def _checked(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        if request.path != "/healthz" and not any(hmac.compare_digest(each.encode(), shown) for each in self._tokens):
            return web.Response(status=401, text="Unauthorized")
        return await handler(request)

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        container = self._container(request)
        try:
            options = Options.of(request.query)
        except ValueError:
            return web.Response(status=400, text="a number is expected")
        name = request.match_info["pod"]
        if complaint := _no_logs(container, name, options):
            return web.Response(status=400, text=complaint)
        answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await answer.prepare(request)
        try:
            async for line in container.log.read(options):
                await answer.write(line)
        except ConnectionError:
            pass  # the reader has seen enough
        return answer

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        container = self._container(request)
        if not container.is_running:
            return web.Response(status=500, text=f'container not found ("{container.name}")')
        return await execution.serve(request, container.interior, self._machine.runtime)

    async def _proxy(self, request: web.Request) -> web.StreamResponse:
        pod = self._pods.find(request.match_info["namespace"], request.match_info["pod"])
        port = request.match_info["port"]
        if pod is None or not port.isdigit():
            return web.Response(status=404, text="pod not found")
        if not await self._fences.admit_api(pod, int(port)):
            await asyncio.sleep(CONNECT_SECONDS / self._machine.speed)
            return _unreached(f"dial tcp {pod.ip}:{port}: i/o timeout")
        address, real = pod.reach(int(port))
        if real == NOWHERE:
            return _unreached(f"dial tcp {pod.ip}:{port}: connect: connection refused")
        url = f"http://{address}:{real}/{request.match_info['path']}"
        headers = end_to_end(request.headers)
        headers.setdefault("Host", request.headers.get("X-Forwarded-Host", f"{pod.ip}:{port}"))
        try:
            async with self._machine.session.request(
                request.method, url, params=request.query, headers=headers, data=await request.read(),
                allow_redirects=False, timeout=aiohttp.ClientTimeout(total=None),
            ) as answer:  # fmt: skip
                return web.Response(status=answer.status, headers=end_to_end(answer.headers), body=await answer.read())
        except (aiohttp.ClientError, OSError) as error:
            return _unreached(f"{pod.ip}:{port}: {type(error).__name__}")

    async def _stats(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(usage.summary(self._pods.all()))

    async def _addresses(self, request: web.Request) -> web.StreamResponse:
        # A load balancer tells where it comes from: NetworkPolicies may close a pod's ports to it.
        sources = request.query.getall("source", [])
        found = {
            pod.ip: {
                "address": pod.address.loopback,
                "ports": dict(pod.ports()),
                "closed": await self._fences.closed(pod, sources),
            }
            for pod in self._pods.all()
            if pod.address.loopback
        }
        return web.json_response(found)

    async def _working(self, _: web.Request) -> web.StreamResponse:
        return web.json_response([pod.uid for pod in self._pods.all() if pod.is_working])

    async def _kept_disks(self, _: web.Request) -> web.StreamResponse:
        return web.Response(body=await self._pods.while_disks_rest(lambda: archive(self._machine.disks)))

    async def _replaced_disks(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        self._board.clear_all()  # an earlier state comes back, and nothing was wrong with the network in it
        await self._pods.while_disks_rest(lambda: unpack(self._machine.disks, content))
        return web.Response(text="ok")

    def _container(self, request: web.Request) -> Container:
        namespace, name = request.match_info["namespace"], request.match_info["pod"]
        pod = self._pods.find(namespace, name)
        if pod is None:
            raise web.HTTPNotFound(text=f"pod {namespace}/{name} not found")
        container = pod.find(request.match_info["container"])
        if container is None:
            raise web.HTTPNotFound(
                text=f"container {request.match_info['container']} not found in pod {name}_{namespace}"
            )
        return container


def _no_logs(container: Container, pod: str, options: Options) -> str:
    # Words of pkg/kubelet (validateContainerLogStatus).
    status = container.status()
    if options.previous:
        missing = f'previous terminated container "{container.name}" in pod "{pod}" not found'
        return "" if container.log.has_previous() else missing
    waiting = status["state"].get("waiting")
    if waiting and not status["lastState"]:
        reason = waiting["reason"]
        pulling = reason in {"ErrImagePull", "ImagePullBackOff", "InvalidImageName"}
        why = "trying and failing to pull image" if pulling else reason
        return f'container "{container.name}" in pod "{pod}" is waiting to start: {why}'
    return ""


def _unreached(why: str) -> web.Response:
    """What the API server says of a pod that its proxy does not reach, for it passes this answer on."""
    about = {"status": "Failure", "message": f"error trying to reach service: {why}", "reason": "ServiceUnavailable"}
    return web.json_response({"kind": "Status", "apiVersion": "v1", "metadata": {}, **about, "code": 503}, status=503)


async def _healthy(_: web.Request) -> web.StreamResponse:
    return web.Response(text="ok")


async def _unavailable(_: web.Request) -> web.StreamResponse:
    return web.Response(status=501, text="the twin's kubelet does not do this; use a proxy of the API server")


def tls(authority: Path, address: str) -> ssl.SSLContext:
    """TLS settings of the kubelet.

    Args:
        authority: Folder that may hold ``ca.crt`` and ``ca.key`` of the cluster, which then signs the certificate.
        address: The kubelet's own loopback address.
    """
    try:
        issuer = trustme.CA.from_pem((authority / "ca.crt").read_bytes(), (authority / "ca.key").read_bytes())
    except OSError:
        issuer = trustme.CA(organization_name="kubelet")
    issued = issuer.issue_cert("127.0.0.1", address, "localhost", common_name="system:node:twin")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    return context


async def listen(
    application: web.Application, address: str, port: int, context: ssl.SSLContext | None
) -> web.AppRunner:
    """Serve an application until its runner is cleaned up; see :func:`bound_port`."""
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, address, port, ssl_context=context).start()
    return runner


def bound_port(runner: web.AppRunner) -> int:
    """The port a runner listens on."""
    return int(runner.addresses[0][1])


async def hang_up(runner: web.AppRunner) -> None:
    """Stop serving, at the latest after a moment."""
    try:
        async with asyncio.timeout(1.0):
            await runner.cleanup()
    except TimeoutError:
        return
