"""The gate: programs ask it what the network would do with a connection, and whether a login would be right.

``POST /<token of a pod>/<action>`` on a loopback address; actions are ``connect``, ``login``, ``resolve`` and
``credentials``, see :mod:`hallmark.twin.programs.dependencies`. It puts real data stores behind the names of AWS: a
connection that is possible is answered with the address where the other side listens, or the switchboard that
carries it there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from hallmark.twin.kube.kinds import key_of
from hallmark.twin.kubelet.agent import Agent
from hallmark.twin.kubelet.datastores import SUFFIXES, DataStores
from hallmark.twin.kubelet.egress import HTTPS, Egress, endpoint_of
from hallmark.twin.kubelet.fences import Fences
from hallmark.twin.kubelet.machine import Machine
from hallmark.twin.kubelet.names import API, DNS, Found, Names, full_name
from hallmark.twin.kubelet.pod import NOWHERE, Pod
from hallmark.twin.kubelet.pods import Pods
from hallmark.twin.kubelet.switchboard import Switchboard
from hallmark.twin.programs.dependencies import REFUSED, TIMED_OUT, UNKNOWN_HOST

Answer = dict[str, Any]
ALIASES = 3
"""How many ExternalName Services may point at each other."""


@dataclass(frozen=True)
class Wanted:
    """A connection that is asked for.

    Attributes:
        pod: Who connects.
        port: To which port.
        established: Whether it stands already: what opened it is not asked again.
    """

    pod: Pod
    port: int
    established: bool


class Gate:
    """Answers programs.

    Args:
        machine: What pods share.
        pods: Who may ask.
        stores: Data stores in AWS; None without an emulated AWS.
        agent: Gives pods credentials of AWS; None likewise.
        egress: The way to AWS's endpoints; None likewise.
        fences: NetworkPolicies.
        board: Carries connections.
        api: URL of the Kubernetes API, which pods reach by its Service.
    """

    def __init__(
        self,
        machine: Machine,
        pods: Pods,
        stores: DataStores | None,
        agent: Agent | None,
        *,
        egress: Egress | None,
        fences: Fences,
        board: Switchboard,
        api: str,
    ) -> None:
        self._machine = machine
        self._pods = pods
        self._stores = stores
        self._agent = agent
        self._egress = egress
        self._fences = fences
        self._board = board
        self._api = urlsplit(api)
        self._names = Names(machine.caches)
        self._turn = 0

    def application(self) -> web.Application:
        """The HTTP side."""
        application = web.Application()
        application.router.add_post("/{token}/{action}", self._handle)
        return application

    async def _handle(self, request: web.Request) -> web.Response:
        pod = self._pods.by_token(request.match_info["token"])
        if pod is None:
            return web.json_response({"outcome": REFUSED}, status=403)
        asked = await request.json()
        match request.match_info["action"]:
            case "connect":
                answer = await self.connect(pod, asked["host"], int(asked["port"]), established=asked["established"])
            case "login":
                answer = await self.login(pod, asked)
            case "credentials" if self._agent:
                answer = await self._agent.credentials(pod, asked["token"])
            case "resolve":
                answer = await self.resolve(pod, asked["host"])
            case _:
                return web.json_response({"outcome": REFUSED}, status=404)
        return web.json_response(answer)

    async def connect(self, pod: Pod, host: str, port: int, *, established: bool = False, depth: int = 0) -> Answer:
        """What happens to a TCP connection of a pod."""
        if host in {"localhost", pod.ip} or host.startswith("127."):
            return _to_itself(pod, port)
        wanted = Wanted(pod, port, established)
        if _is_address(host):
            return await self._to_address(wanted, host)
        if depth > ALIASES or not await self._has_dns(pod):
            return {"outcome": UNKNOWN_HOST}
        if found := self._names.find(pod.namespace, host):
            if alias := found.service["spec"].get("externalName"):
                return await self.connect(pod, alias, port, established=established, depth=depth + 1)
            return await self._to_service(wanted, found)
        return await self._outside(wanted, host)

    async def login(self, pod: Pod, asked: Mapping[str, Any]) -> Answer:
        """Whether a store lets a program in. A store inside the cluster has no accounts here: it lets everybody in."""
        if self._stores and str(asked["host"]).endswith(SUFFIXES):
            return {**await self._stores.login(pod.ip, asked)}
        return {"outcome": "accepted", "message": ""}

    async def resolve(self, pod: Pod, host: str) -> Answer:
        """What DNS answers."""
        if _is_address(host):
            return {"outcome": "connected", "name": host, "addresses": [host]}
        found = self._names.find(pod.namespace, host) if await self._has_dns(pod) else None
        if found is None and self._egress and endpoint_of(host)[0] and await self._has_dns(pod):
            way = await self._egress.way(self._machine.node(pod.node_name), host)
            return {"outcome": "connected", "name": host, "addresses": [way.address]}
        if found is None:
            return {"outcome": UNKNOWN_HOST}
        alias = found.service["spec"].get("externalName")
        return {
            "outcome": "connected",
            "name": found.name,
            "addresses": [alias] if alias else self._names.addresses(found),
        }

    async def _has_dns(self, pod: Pod) -> bool:
        if not self._names.answers():
            return False
        servers = [self._pods.find(DNS[0], each.pod) for each in self._names.servers()]
        return not servers or any([await self._fences.open(pod, each, 53, "UDP") for each in servers if each])

    async def _outside(self, wanted: Wanted, host: str) -> Answer:
        if self._egress and endpoint_of(host)[0]:
            return await self._to_aws(wanted, host, self._egress)
        if self._stores and host.endswith(SUFFIXES):
            return await self._to_store(wanted, host, self._stores)
        return {"outcome": UNKNOWN_HOST}  # nothing else outside the twin can be reached

    async def _to_store(self, wanted: Wanted, host: str, stores: DataStores) -> Answer:
        pod, port = wanted.pod, wanted.port
        node = self._machine.node(pod.node_name)
        outcome = await stores.connect(node, pod.ip, host, port, established=wanted.established)
        if outcome in {"connected", REFUSED} and self._fences.stand and not wanted.established:
            passes = await self._fences.open(pod, await stores.whereabouts(host), port)
            outcome = outcome if passes else TIMED_OUT
        real = stores.behind(host)
        if outcome != "connected" or real is None:
            return {"outcome": REFUSED if outcome == "connected" else outcome}
        answer = {"outcome": outcome, "ip": "", "address": real[0], "port": real[1] or port}
        return {**self._on_line(host, wanted, answer, store=True), "authority": str(self._board.authority.file)}

    async def _to_aws(self, wanted: Wanted, host: str, egress: Egress) -> Answer:
        pod, aws = wanted.pod, urlsplit(self._machine.aws)
        way = await egress.way(self._machine.node(pod.node_name), host, wanted.port)
        passes = way.is_open and wanted.port == HTTPS and await self._fences.open(pod, way.address, wanted.port)
        if not (passes or wanted.established):
            return {"outcome": TIMED_OUT, "ip": way.address}
        answer = {"outcome": "connected", "ip": way.address, "address": aws.hostname, "port": aws.port}
        return self._on_line(host, wanted, answer, store=True)

    def _on_line(self, name: str, wanted: Wanted, answer: Answer, *, store: bool = False) -> Answer:
        if answer["outcome"] != "connected" or not answer["address"]:
            return answer
        if self._board.swallows(name) and not wanted.established:
            return {"outcome": TIMED_OUT, "ip": answer["ip"]}
        address, port = self._board.line(name, (answer["address"], answer["port"]), store=store)
        return {**answer, "address": address, "port": port}

    async def _to_address(self, wanted: Wanted, ip: str) -> Answer:
        if service := self._names.by_address(ip):
            return await self._to_service(wanted, Found(full_name(service), service, ""))
        pod = self._pods.at(ip, wanted.port)
        return await self._to_pod(wanted, pod, wanted.port)

    async def _to_service(self, wanted: Wanted, found: Found) -> Answer:
        if key_of(found.service) == API:
            return await self._to_api(wanted, found.service["spec"].get("clusterIP", ""))
        endpoints = self._names.endpoints(found, wanted.port)
        if endpoints is None:
            return {"outcome": TIMED_OUT}  # no rule for this port: the packets go nowhere
        if not endpoints:
            return {"outcome": REFUSED}
        self._turn += 1
        chosen = endpoints[self._turn % len(endpoints)]
        pod = (
            self._pods.find(found.service["metadata"]["namespace"], chosen.pod)
            if chosen.pod
            else self._pods.at(chosen.ip, chosen.port)
        )
        return self._on_line(full_name(found.service), wanted, await self._to_pod(wanted, pod, chosen.port))

    async def _to_api(self, wanted: Wanted, ip: str) -> Answer:
        if not (wanted.established or await self._fences.open(wanted.pod, ip, wanted.port)):
            return {"outcome": TIMED_OUT}
        return {"outcome": "connected", "ip": ip, "address": self._api.hostname, "port": self._api.port}

    async def _to_pod(self, wanted: Wanted, pod: Pod | None, port: int) -> Answer:
        if pod is None or not (wanted.established or await self._fences.open(wanted.pod, pod, port)):
            return {"outcome": TIMED_OUT}
        return _to_itself(pod, port)


def _to_itself(pod: Pod, port: int) -> Answer:
    address, real = pod.reach(port)
    if real == NOWHERE:
        return {"outcome": REFUSED}
    return {"outcome": "connected", "ip": pod.ip, "address": address, "port": real}


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
