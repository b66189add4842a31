"""The edge as a whole: lets connections in, and leads their requests to the load balancer they came to."""

import asyncio
import hmac
import logging
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from hallmark.twin.edge import pages
from hallmark.twin.edge.balancing import Balancing
from hallmark.twin.edge.certificates import Authority
from hallmark.twin.edge.counters import Counters
from hallmark.twin.edge.forwarding import Broken
from hallmark.twin.edge.names import Unresolved
from hallmark.twin.edge.reading import SECURE
from hallmark.twin.edge.records import Balancer, State
from hallmark.twin.edge.world import World
from hallmark.twin.kubelet.datastores import admits

PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
LARGEST_LINE = 16 * 1024
"""Bytes of a request line or a header (ALB quotas)."""
HTTP_PORT = 80
LOG = logging.getLogger(__name__)


class Silent(Exception):
    """No answer to the first packet: the connection times out."""


@dataclass(frozen=True)
class Settings:
    """What an edge is given.

    Attributes:
        source: The clients' public address.
        patience: Seconds that stand for a connection's time-out.
        token: Who shows it may read the counters.
        tunnel: Whether the clients also come by a tunnel into the network, as from an office: then they reach internal
            load balancers, too.
    """

    source: str
    patience: float
    token: str = field(repr=False)
    tunnel: bool = False


@dataclass
class Connection:
    """A connection of a client.

    Attributes:
        balancer: The load balancer it leads to; None for one of a proxy without a tunnel.
        port: The listener's port.
        others: What requests without a tunnel were let in to, by name and port.
    """

    balancer: Balancer | None = None
    port: int = 0
    others: dict[tuple[str, int], Balancer] = field(default_factory=dict)


class Talk(web.RequestHandler):
    """HTTP on a connection."""

    __slots__ = ("connection",)
    connection: Connection

    def data_received(self, data: bytes) -> None:
        """Take in what a client sent, and let it send more at once.

        urllib3 leaves Nagle's algorithm on when it goes through a proxy: without this, each body would wait 40 ms for
        the acknowledgement of its head.
        """
        super().data_received(data)
        sock = self.transport.get_extra_info("socket") if self.transport else None
        if sock and hasattr(socket, "TCP_QUICKACK"):  # Linux
            with suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


class Edge:
    """Everything behind the proxy's port.

    Args:
        settings: Given when the process starts.
        world: The emulated AWS.
        authority: Issues certificates.
        balancing: Answers requests.
        counters: What is counted.
    """

    def __init__(
        self, settings: Settings, world: World, authority: Authority, balancing: Balancing, counters: Counters
    ) -> None:
        self.settings = settings
        self.authority = authority
        self.counters = counters
        self._world = world
        self._balancing = balancing
        self.server = web.Server(self.answer, handler_cancellation=True)

    async def admit(self, name: str, port: int) -> State:
        """Let a new connection in.

        Raises:
            Unresolved: The name leads to no load balancer.
            Silent: The load balancer cannot be reached from where the client is, or does not listen there.
        """
        balancer = await self._world.find(name)
        state = await self._world.state(balancer) if balancer else None
        if state is None or port not in state.listeners or not self._is_let_in(state, port):
            raise Silent
        self.counters.connected(state.balancer.name)
        return state

    def talk(self, connection: Connection, idle: float) -> Talk:
        """HTTP for a connection.

        Args:
            connection: Where it leads.
            idle: Seconds that it may rest between two requests.
        """
        made = Talk(
            self.server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=idle,
            access_log=None,  # type: ignore[arg-type]  # as AppRunner passes it on
            auto_decompress=False,
            max_line_size=LARGEST_LINE,
            max_field_size=LARGEST_LINE,
        )
        made.connection = connection
        return made

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request on any connection."""
        talk = request.protocol
        assert isinstance(talk, Talk)  # noqa: S101  (made by talk())
        connection = talk.connection
        if connection.balancer:
            return await self._balanced(request, connection.balancer, connection.port)
        if request.raw_path.startswith("http://"):
            return await self._proxied(request, connection)
        return self._report(request)

    async def _balanced(self, request: web.BaseRequest, balancer: Balancer, port: int) -> web.StreamResponse:
        state = await self._world.state(balancer)
        listener = state.listeners.get(port) if state else None
        if state is None or listener is None:
            raise self._hung_up(request)
        try:
            return await self._balancing.answer(request, state, listener)
        except Broken as error:
            raise self._hung_up(request) from error
        except (LookupError, TypeError, ValueError) as error:
            # A rule that is not understood. The type alone: a message could hold a part of the request.
            LOG.warning("%s could not answer: %s", balancer.name, type(error).__name__)
            return pages.page(500)

    async def _proxied(self, request: web.BaseRequest, connection: Connection) -> web.StreamResponse:
        """A request in the form that proxies take for plain HTTP."""
        url = urlsplit(request.raw_path)
        name, port = url.hostname or "", url.port or HTTP_PORT
        try:
            if (name, port) not in connection.others:
                state = await self.admit(name, port)
                if state.listeners[port].protocol == SECURE:
                    return pages.page(400)
                connection.others[name, port] = state.balancer
            return await self._balanced(request, connection.others[name, port], port)
        except Unresolved:
            return self.refusal(502, f"could not resolve {name}")
        except Silent:
            await asyncio.sleep(self.settings.patience)
            return self.refusal(504, f"connection to {name}:{port} timed out")

    def refusal(self, status: int, text: str) -> web.Response:
        """What the proxy itself says, and counts."""
        self.counters.refused["unresolved" if status == 502 else "timed out"] += 1  # noqa: PLR2004  (as the caller says)
        return web.Response(status=status, text=f"{text}\n", headers={"Server": "hallmark-twin-edge"})

    def _report(self, request: web.BaseRequest) -> web.Response:
        if request.path != "/status":
            return web.Response(status=404, text="This is a proxy.\n")
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(shown.encode("utf-8", "replace"), self.settings.token.encode()):
            return web.Response(status=401, text="Unauthorized\n")
        report: dict[str, Any] = self.counters.report()
        return web.json_response(report)

    def _is_let_in(self, state: State, port: int) -> bool:
        inside = self.settings.tunnel or any(ip_address(self.settings.source) in network for network in PRIVATE)
        if state.balancer.scheme == "internal" and not inside:
            return False
        return any(admits(rule, port, (), (self.settings.source,)) for rule in state.inbound)

    @staticmethod
    def _hung_up(request: web.BaseRequest) -> ConnectionResetError:
        if request.transport:
            request.transport.abort()
        return ConnectionResetError("the load balancer closed the connection")
