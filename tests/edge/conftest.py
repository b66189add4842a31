"""An emulated AWS with one load balancer, its edge, and targets; all real processes and sockets on the loopback."""

import asyncio
import itertools
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from aiohttp import web

from hallmark.twin.clients import Clients
from hallmark.waiting import until

Json = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REGION, HOST, DOMAIN = "us-east-1", "langsmith.example.com", "example.com"
CLIENT = "203.0.113.10"
TARGET, PORT = "10.7.0.9", 8080
NOTHING = {"Type": "fixed-response", "FixedResponseConfig": {"ContentType": "text/plain", "StatusCode": "404"}}
POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
SECONDS = 20.0


async def echo(request: web.Request) -> web.StreamResponse:
    """A target that tells what it got."""
    body = await request.read()
    told = {"method": request.method, "target": request.raw_path, "size": len(body), "headers": dict(request.headers)}
    return web.json_response(told, headers={"Server": "nginx"})


@dataclass
class Backstage:
    """Targets and a kubelet that knows them, in a thread of their own.

    Attributes:
        addresses: What the kubelet answers.
        token: What it wants to be shown.
        sources: Addresses that it was asked about last.
    """

    addresses: Json = field(default_factory=dict)
    token: str = "kubelets-token"
    sources: set[str] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _runners: list[web.AppRunner] = field(default_factory=list)

    echo = staticmethod(echo)

    def run(self, coroutine: Any) -> Any:
        """Run something in the thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(SECONDS)

    def serve(self, handler: Handler, context: ssl.SSLContext | None = None) -> int:
        """Serve a handler for every path; returns the port."""
        return int(self.run(self._serve(handler, context)))

    def place(self, handler: Handler, ip: str = TARGET, port: int = PORT) -> None:
        """Put a target at an address of the cluster, in place of the one that was there."""
        before = self.addresses.get(ip, {"ports": {}})["ports"]
        self.addresses[ip] = {"address": "127.0.0.1", "ports": {str(port): self.serve(handler)}, "closed": {}}
        for old in before.values():
            self.stop(old)

    async def kubelet(self, request: web.Request) -> web.StreamResponse:
        """The kubelet."""
        if request.path != "/addresses" or request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401)
        self.sources = set(request.query.getall("source", []))
        return web.json_response(self.addresses)

    async def _serve(self, handler: Handler, context: ssl.SSLContext | None) -> int:
        application = web.Application(client_max_size=2**26)
        application.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, auto_decompress=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        self._runners.append(runner)
        return int(runner.addresses[0][1])

    def stop(self, port: int) -> None:
        """Stop serving on a port."""
        for runner in [each for each in self._runners if each.addresses and each.addresses[0][1] == port]:
            self.run(runner.cleanup())
            self._runners.remove(runner)

    async def _close(self) -> None:
        for runner in self._runners:
            await runner.cleanup()

    @contextmanager
    def running(self) -> Iterator["Backstage"]:
        """The thread, for a while."""
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        try:
            yield self
        finally:
            self.run(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(SECONDS)
            self._loop.close()


@dataclass
class Stage:
    """A load balancer behind a name, and its edge.

    Attributes:
        clients: The account.
        folder: The edge's state.
        kubelet: The kubelet's folder.
        aws: The state directory of the emulated AWS.
        backstage: Targets.
        process: The edge.
        ids: What was made, by a word.
    """

    clients: Clients
    folder: Path
    kubelet: Path
    aws: Path
    backstage: Backstage
    process: subprocess.Popen[bytes] | None = None
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """The proxy's port."""
        return int(json.loads((self.folder / "edge.json").read_text())["port"])

    @property
    def trust(self) -> ssl.SSLContext:
        """A client's TLS settings that trust the edge's authority and nobody else."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.folder / "ca.pem")
        return context

    def client(self, context: ssl.SSLContext | None = None) -> httpx.Client:
        """A client that goes through the proxy."""
        proxy = f"http://127.0.0.1:{self.port}"
        return httpx.Client(proxy=proxy, verify=context or self.trust, timeout=SECONDS, trust_env=False)

    def ask(self, method: str = "GET", url: str = "/", **more: Any) -> httpx.Response:
        """One request on a connection of its own."""
        with self.client() as client:
            return client.request(method, f"https://{HOST}{url}" if url.startswith("/") else url, **more)

    def becomes(self, status: int, method: str = "GET", url: str = "/", **more: Any) -> httpx.Response:
        """Ask until the answer has a status: a change in AWS is felt after a moment."""
        last: list[httpx.Response] = []

        def is_so() -> bool:
            try:
                last[:] = [self.ask(method, url, **more)]
            except httpx.TransportError:
                return False
            return last[0].status_code == status

        assert until(is_so, SECONDS), last
        return last[0]

    def is_silent(self) -> bool:
        """Whether nobody answers a new connection."""
        try:
            self.ask()
        except httpx.ProxyError as error:
            return "504" in str(error)
        return False

    def status(self, token: str | None = None) -> httpx.Response:
        """What the edge counted."""
        shown = (self.folder / "edge.token").read_text() if token is None else token
        headers = {"Authorization": f"Bearer {shown}"}
        return httpx.get(f"http://127.0.0.1:{self.port}/status", headers=headers, trust_env=False, timeout=SECONDS)

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """Start the edge and wait until it is ready."""
        command = [sys.executable, "-m", "hallmark.twin.edge.main", "--state", str(self.folder), "--patience", "0.1"]
        command += ["--endpoint", self.clients.endpoint, "--account", self.clients.account]
        command += ["--region", self.clients.region, "--kubelet", str(self.kubelet), "--aws-state", str(self.aws)]
        command += options
        with (self.folder / "edge.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        about = self.folder / "edge.json"
        assert until(lambda: process.poll() is not None or about.exists(), 60)
        assert process.poll() is None, (self.folder / "edge.log").read_text()
        return process

    def authorize(self, *, revoke: bool = False, port: int = 443, cidr: str = "203.0.113.0/24") -> None:
        """Let clients in to a port, or no longer."""
        ec2 = self.clients("ec2")
        act = ec2.revoke_security_group_ingress if revoke else ec2.authorize_security_group_ingress
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}
        act(GroupId=self.ids["group"], IpPermissions=[rule])

    def alias(self, name: str, dns: str) -> None:
        """Point a name at a load balancer."""
        target = {"HostedZoneId": "Z35SXDOTRQ7X7K", "DNSName": f"dualstack.{dns}.", "EvaluateTargetHealth": False}
        self.record({"Name": name, "Type": "A", "AliasTarget": target})

    def record(self, record: Json, action: str = "UPSERT") -> None:
        """Change a record."""
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        self.clients("route53").change_resource_record_sets(HostedZoneId=self.ids["zone"], ChangeBatch=batch)

    def certificate(self, *names: str) -> str:
        """An issued certificate."""
        acm = self.clients("acm")
        more = {"SubjectAlternativeNames": list(names[1:])} if names[1:] else {}
        arn: str = acm.request_certificate(DomainName=names[0], ValidationMethod="DNS", **more)["CertificateArn"]
        for option in acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]:
            proof = option["ResourceRecord"]
            records = [{"Value": proof["Value"]}]
            self.record({"Name": proof["Name"], "Type": proof["Type"], "TTL": 60, "ResourceRecords": records})
        assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED"
        return arn

    def balancer(self, name: str, **more: Any) -> Json:
        """A load balancer in the account's subnets."""
        subnets = [self.ids["subnet-a"], self.ids["subnet-b"]]
        made = self.clients("elbv2").create_load_balancer(
            Name=name, Subnets=subnets, SecurityGroups=[self.ids["group"]], **more
        )
        found: Json = made["LoadBalancers"][0]
        return found

    def listener(self, balancer: str, port: int, default: Json | None = None, **more: Any) -> str:
        """A listener."""
        settings = {"Protocol": "HTTP", "DefaultActions": [default or NOTHING], **more}
        made = self.clients("elbv2").create_listener(LoadBalancerArn=balancer, Port=port, **settings)
        arn: str = made["Listeners"][0]["ListenerArn"]
        return arn

    def rule(self, priority: int, action: Json, *conditions: Json) -> str:
        """A rule of the HTTPS listener."""
        made = self.clients("elbv2").create_rule(
            ListenerArn=self.ids["https"], Priority=priority, Conditions=list(conditions), Actions=[action]
        )
        arn: str = made["Rules"][0]["RuleArn"]
        return arn


_numbers = itertools.count(520_000_000_000)


@pytest.fixture(scope="session")
def stage(emulated: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The stage with its edge running; whoever changes it puts it back."""
    folder = tmp_path_factory.mktemp("stage")
    for name in ("edge", "kubelet"):
        (folder / name).mkdir()
    with Backstage().running() as backstage:
        clients = Clients(emulated.endpoint, str(next(_numbers)), REGION)
        made = Stage(clients, folder / "edge", folder / "kubelet", emulated.state, backstage)
        _kubelet(made)
        _network(made)
        _load_balancer(made)
        backstage.place(echo)
        made.process = made.start()
        try:
            yield made
        finally:
            made.process.terminate()
            assert made.process.wait(SECONDS) == 0


def _kubelet(stage: Stage) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    port = stage.backstage.serve(stage.backstage.kubelet, context)
    (stage.kubelet / "kubelet.json").write_text(json.dumps({"port": port}))
    (stage.kubelet / "token").write_text(stage.backstage.token)


def _network(stage: Stage) -> None:
    ec2, ids = stage.clients("ec2"), stage.ids
    ids["vpc"] = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=ids["vpc"])
    for number, zone in enumerate("ab"):
        subnet = ec2.create_subnet(
            VpcId=ids["vpc"], CidrBlock=f"10.7.{number}.0/24", AvailabilityZone=f"{REGION}{zone}"
        )
        ids[f"subnet-{zone}"] = subnet["Subnet"]["SubnetId"]
    ids["group"] = ec2.create_security_group(GroupName="alb", Description="alb", VpcId=ids["vpc"])["GroupId"]
    for port in (443, 80):
        stage.authorize(port=port)
    zone = stage.clients("route53").create_hosted_zone(Name=DOMAIN, CallerReference="stage")["HostedZone"]
    ids["zone"] = zone["Id"].rpartition("/")[2]


def _load_balancer(stage: Stage) -> None:
    ids, balancer = stage.ids, stage.balancer("main")
    ids["balancer"], ids["dns"] = balancer["LoadBalancerArn"], balancer["DNSName"]
    stage.alias(HOST, ids["dns"])
    ids["certificate"] = stage.certificate(HOST)
    elb = stage.clients("elbv2")
    checks: Json = {"HealthCheckPath": "/health", "HealthCheckIntervalSeconds": 5, "HealthyThresholdCount": 2}
    group = elb.create_target_group(
        Name="front", Protocol="HTTP", Port=PORT, VpcId=ids["vpc"], TargetType="ip", **checks
    )
    ids["targets"] = group["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=ids["targets"], Targets=[{"Id": TARGET, "Port": PORT}])
    secure: Json = {"Protocol": "HTTPS", "SslPolicy": POLICY, "Certificates": [{"CertificateArn": ids["certificate"]}]}
    ids["https"] = stage.listener(ids["balancer"], 443, **secure)
    away = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    ids["http"] = stage.listener(ids["balancer"], 80, {"Type": "redirect", "RedirectConfig": away})
    host = {"Field": "host-header", "HostHeaderConfig": {"Values": [HOST]}}
    path = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}
    ids["rule"] = stage.rule(10, {"Type": "forward", "TargetGroupArn": ids["targets"]}, host, path)
