"""A small account with an EKS cluster, a real API server and real controllers; in place of a kubelet, one that reports.

Everything runs once a session. The account is built with boto3, so that it takes a second instead of minutes.
"""

import asyncio
import base64
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trustme
from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from hallmark.twin.clients import Clients
from hallmark.twin.controllers import aws as aws_controllers
from hallmark.twin.controllers import workloads
from hallmark.twin.controllers.aws import logs, session
from hallmark.twin.controllers.aws.addons import controller as addons
from hallmark.twin.controllers.aws.autoscaler import controller as autoscaler
from hallmark.twin.controllers.aws.nodes import controller as nodes
from hallmark.twin.controllers.aws.volumes import attachments, claims, reclaiming
from hallmark.twin.controllers.settings import Settings
from hallmark.twin.kube import reconcile
from hallmark.twin.kube.access import Access
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.client import Api
from hallmark.twin.kube.events import timestamp
from hallmark.twin.kube.kinds import LEASES, NODES, PODS, Key, Kind, Object, key_of
from hallmark.twin.kube.reconcile import Controller, Mapper
from hallmark.waiting import until

T = TypeVar("T")
ACCOUNT, REGION, NAME = "111122223333", "us-east-1", "lab"
ZONES = ("us-east-1a", "us-east-1b")
SERVERS = ("pod-identity-webhook",)
"""Controllers that serve something of their own; they have tests of their own."""
ISSUING = "sts:AssumeRoleWithWebIdentity"


@dataclass(frozen=True)
class World:
    """The account and the cluster in it.

    Attributes:
        aws: boto3 clients of the account itself.
        kubeconfig: How the cluster is reached.
        state: Folder of the API server and the controllers.
        issuer: The cluster's identity provider.
    """

    aws: Clients
    kubeconfig: Path
    state: Path
    issuer: str

    def kubectl(self, *arguments: str, content: str | None = None) -> str:
        """Run the real kubectl; return what it printed."""
        done = subprocess.run(
            ["kubectl", "--kubeconfig", str(self.kubeconfig), *arguments],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=30,
            check=False,
        )
        assert not done.returncode, done.stdout
        return done.stdout.strip()

    def apply(self, *things: Mapping[str, Any]) -> None:
        """Apply manifests."""
        self.kubectl("apply", "-f", "-", content="\n".join(map(json.dumps, things)))

    def get(self, kind: str, name: str, namespace: str = "default") -> Any:
        """One object, or None."""
        found = self.kubectl("get", kind, name, "-n", namespace, "-o", "json", "--ignore-not-found")
        return json.loads(found) if found else None

    def all(self, kind: str, *arguments: str) -> list[Any]:
        """All objects of a kind, in every namespace."""
        found: list[Any] = json.loads(self.kubectl("get", kind, "-A", "-o", "json", *arguments))["items"]
        return found

    def events(self, name: str) -> list[str]:
        """Reasons and messages of the events about an object."""
        found = self.all("events", "--field-selector", f"involvedObject.name={name}")
        return [f"{each['reason']}: {each['message']}" for each in found]

    def soon(self, condition: Callable[[], T]) -> T:
        """Wait until a condition holds, for at most fifteen seconds; return its value."""
        return until(condition, 15, pause=0.2)

    def allow(self, role: str, *statements: dict[str, Any]) -> None:
        """Set what a role may do."""
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
        self.aws("iam").put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=json.dumps(document))

    def trust(self, role: str, subject: str) -> None:
        """Set which service account may act as a role."""
        iam = self.aws("iam")
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust_policy(self.issuer, subject)))


def trust_policy(issuer: str, subject: str) -> dict[str, Any]:
    """Trust of a role for one service account."""
    host = issuer.removeprefix("https://")
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"},
                "Action": ISSUING,
                "Condition": {"StringEquals": {f"{host}:sub": subject, f"{host}:aud": "sts.amazonaws.com"}},
            }
        ],
    }


IMPATIENT = (
    (addons, "EVERY", 1.0),
    (attachments, "AGAIN", 1.0),
    (autoscaler, "EVERY", 1.0),
    (autoscaler, "PAUSE", 0.5),
    (claims, "AGAIN", 1.0),
    (logs, "EVERY", 0.5),
    (nodes, "EVERY", 0.5),
    (reclaiming, "AGAIN", 1.0),
    (session, "FRESH", 5.0),
)
"""Waits of controllers, shortened so that tests need not wait as long as people do."""
ROLES = {
    "ebs": ("system:serviceaccount:kube-system:ebs-csi-controller-sa", ["ec2:*"]),
    "agent": ("system:serviceaccount:amazon-cloudwatch:cloudwatch-agent", ["logs:*"]),
    "scaler": ("system:serviceaccount:kube-system:cluster-autoscaler", ["autoscaling:*", "ec2:*", "eks:*"]),
}
"""Roles, each with the service account that may act as it, and its permissions."""


def build(aws: Clients) -> str:
    """Build the account. Returns the cluster's identity provider."""
    ec2, eks, iam = aws("ec2"), aws("eks"), aws("iam")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{number * 16}.0/20", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(ZONES)
    ]
    node = iam.create_role(RoleName="node", AssumeRolePolicyDocument=json.dumps({"Statement": []}))["Role"]["Arn"]
    access = {"authenticationMode": "API"}
    network = {"subnetIds": subnets}
    made = eks.create_cluster(name=NAME, roleArn=node, resourcesVpcConfig=network, accessConfig=access)["cluster"]
    issuer: str = made["identity"]["oidc"]["issuer"]
    iam.create_open_id_connect_provider(Url=issuer, ClientIDList=["sts.amazonaws.com"], ThumbprintList=[])
    world = World(aws, Path(), Path(), issuer)
    arns = {}
    for name, (subject, actions) in ROLES.items():
        document = json.dumps(trust_policy(issuer, subject))
        arns[name] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        world.allow(name, {"Action": actions, "Resource": "*"})
    group = {"clusterName": NAME, "nodeRole": node, "instanceTypes": ["m6i.xlarge"]}
    sizes = {"minSize": 1, "desiredSize": 1, "maxSize": 3}
    eks.create_nodegroup(
        **group, nodegroupName="general", subnets=subnets, scalingConfig=sizes, labels={"pool": "general"}
    )
    eks.create_nodegroup(
        **group,
        nodegroupName="db",
        subnets=subnets[:1],
        scalingConfig=sizes | {"maxSize": 1},
        taints=[{"key": "pool", "value": "db", "effect": "NO_SCHEDULE"}],
    )
    tags = {"controller": {"extraVolumeTags": {"owner": "tests"}}}
    eks.create_addon(clusterName=NAME, addonName="metrics-server")
    eks.create_addon(
        clusterName=NAME,
        addonName="aws-ebs-csi-driver",
        serviceAccountRoleArn=arns["ebs"],
        configurationValues=json.dumps(tags),
    )
    observability = "amazon-cloudwatch-observability"
    eks.create_addon(clusterName=NAME, addonName=observability, serviceAccountRoleArn=arns["agent"])
    return issuer


class Kubelet:
    """Reports nodes and pods as ready and takes pods away when they are deleted."""

    name = "kubelet"

    def __init__(self, caches: Caches, port: int) -> None:
        self._caches = caches
        self._port = port

    def watches(self) -> Mapping[Kind, Mapper]:
        """Nodes, their leases, and pods."""
        return {NODES: lambda node: [key_of(node)], PODS: lambda pod: [key_of(pod)], LEASES: lambda _: ()}

    async def reconcile(self, key: Key) -> float | None:
        """Report one node or pod."""
        if not key[0]:
            return await self._node(key)
        pod = self._caches[PODS].get(key)
        if pod and "deletionTimestamp" in pod["metadata"]:
            await self._caches.delete(PODS, pod, gracePeriodSeconds=0)
        elif pod and pod["spec"].get("nodeName") and (pod.get("status") or {}).get("phase") != "Running":
            await self._caches.patch(PODS, pod, {"status": (pod.get("status") or {}) | _running(pod)}, "status")
        return None

    async def _node(self, key: Key) -> float | None:
        node = self._caches[NODES].get(key)
        if node is None or (node["metadata"].get("annotations") or {}).get("hallmark.dev/kubelet") != "twin":
            return None
        spec = {"renewTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
        lease = self._caches[LEASES].get(("kube-node-lease", key[1]))
        if lease:
            await self._caches.patch(LEASES, lease, {"spec": spec})
        else:
            metadata = {"name": key[1], "namespace": "kube-node-lease"}
            await self._caches.create(LEASES, {"metadata": metadata, "spec": spec})
        if "daemonEndpoints" not in (node.get("status") or {}) or not _port(node):
            told = {"conditions": [_condition("Ready")], "daemonEndpoints": {"kubeletEndpoint": {"Port": self._port}}}
            await self._caches.patch(NODES, node, {"status": told}, "status")
        return 10.0


def _port(node: Object) -> int:
    return int((node["status"]["daemonEndpoints"].get("kubeletEndpoint") or {}).get("Port", 0))


def _condition(type_: str) -> Object:
    return {"type": type_, "status": "True", "reason": "Test", "message": "", "lastTransitionTime": timestamp()}


def _running(pod: Object) -> Object:
    now = {"running": {"startedAt": timestamp()}}
    about = {"ready": True, "started": True, "restartCount": 0, "imageID": "x", "state": now}
    return {
        "phase": "Running",
        "podIP": "10.7.9.9",
        "conditions": [*((pod.get("status") or {}).get("conditions") or []), _condition("Ready")],
        "containerStatuses": [
            {"name": each["name"], "image": each["image"], "containerID": f"twin://{each['name']}", **about}
            for each in pod["spec"]["containers"]
        ],
    }


class Machinery:
    """Controllers and the test's kubelet, in a thread of their own until it is stopped."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))

    def __enter__(self) -> None:
        """Begin; return once everything runs."""
        self._thread.start()
        assert self._ready.wait(30)

    def __exit__(self, *_: object) -> None:
        """End."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        stats, port = await self._stats()
        async with Api(self._settings.access, "tests") as api:
            caches = Caches(api)
            ours = aws_controllers.controllers(caches, self._settings)
            controllers: list[Controller] = [
                *workloads.controllers(caches, self._settings),
                *(each for each in ours if each.name not in SERVERS),
                Kubelet(caches, port),
            ]
            running = asyncio.create_task(reconcile.run(caches, controllers, self._ready.set))
            await asyncio.wait([running, asyncio.create_task(self._stop.wait())], return_when=asyncio.FIRST_COMPLETED)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        await stats.cleanup()

    async def _stats(self) -> tuple[web.AppRunner, int]:
        """Serve what a kubelet tells of usage; as many nodes and pods as there were when it was made up."""

        async def answer(request: web.Request) -> web.Response:
            assert request.headers["Authorization"] == f"Bearer {self._settings.access.token}"
            use = {"cpu": {"usageNanoCores": 250_000_000}, "memory": {"workingSetBytes": 3 * 2**20}}
            pod = {"podRef": {"namespace": "default", "name": "steady"}, "containers": [{"name": "main", **use}]}
            return web.json_response({"nodes": [{"nodeName": "unknown", **use}], "pods": [pod]})

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        application = web.Application()
        application.router.add_get("/stats", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        return runner, int(runner.addresses[0][1])


@contextmanager
def process(module: str, state: Path, *arguments: str) -> Iterator[int]:
    """Run a process of the twin until the block ends. Yields its port."""
    state.mkdir(parents=True, exist_ok=True)
    about = state / "server.json"
    command = [sys.executable, "-m", module, "--state", str(state), "--port", "0", *arguments]
    with (state / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as running:
        try:
            assert until(lambda: about.exists() or running.poll() is not None, 60)
            assert about.exists(), (state / "log").read_text()
            yield int(json.loads(about.read_text())["port"])
        finally:
            running.terminate()


def publish(place: Path, cluster: Path, port: int) -> None:
    """Tell the emulated AWS about the API server."""
    key = load_pem_private_key((cluster / "service-account.key").read_bytes(), None).public_key()
    content = {
        "endpoint": f"https://127.0.0.1:{port}",
        "ca": base64.b64encode((cluster / "ca.crt").read_bytes()).decode(),
        "serviceAccountKey": key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
    }
    (place / "cluster.json").write_text(json.dumps(content))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The account, the cluster and what runs in it."""
    place = tmp_path_factory.mktemp("world")
    cluster = place / "cluster"
    with ExitStack() as stack:
        impatient = stack.enter_context(pytest.MonkeyPatch.context())
        for module, name, seconds in IMPATIENT:
            impatient.setattr(module, name, seconds)
        emulator = stack.enter_context(process("hallmark.twin.aws.server", place / "aws", "--no-autosave"))
        aws = Clients(f"http://127.0.0.1:{emulator}", ACCOUNT, REGION)
        issuer = build(aws)
        issued_by = ("--service-account-issuer", issuer)
        api = stack.enter_context(process("hallmark.twin.cluster.server", cluster, *issued_by))
        publish(place / "aws", cluster, api)
        kubeconfig = cluster / "kubeconfig"
        settings = Settings(Access.read(kubeconfig), cluster, aws.endpoint, ACCOUNT, REGION, NAME)
        stack.enter_context(Machinery(settings))
        yield World(aws, kubeconfig, cluster, issuer)
