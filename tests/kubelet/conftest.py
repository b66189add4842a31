"""An API server and a kubelet for the tests of a module, both real processes; waits are twenty times shorter."""

import io
import itertools
import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from hallmark.twin.clients import Clients
from hallmark.twin.cluster.client import Client
from hallmark.twin.control import Control
from hallmark.waiting import until

Json = dict[str, Any]
SPEED = 20.0
REGION = "us-east-1"
PASSWORD, TOKEN = "correct-horse-battery", "a-token-of-sixteen-letters"
_numbers = itertools.count(310_000_000_000)
ALLOCATABLE = {"cpu": "8", "memory": "32Gi", "pods": "58"}


@dataclass
class Cluster:
    """A cluster with one kubelet, and a few short ways to talk to it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)
    kubelet: subprocess.Popen[bytes] | None = None
    asked: tuple[int, Client] | None = None

    @property
    def kubeconfig(self) -> Path:
        """Its kubeconfig."""
        return self.folder / "cluster" / "kubeconfig"

    @property
    def state(self) -> Path:
        """The kubelet's folder."""
        return self.folder / "kubelet"

    def call(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
        """Make one call of the API; a refusal raises HTTPError."""
        data = None if body is None else json.dumps(body).encode()
        answer = self._client().ask(method, path, data, {"Content-Type": content_type})
        if answer.code >= 400:
            text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            raise urllib.error.HTTPError(path, answer.code, "refused", answer.headers, io.BytesIO(text.encode()))
        return answer.body

    def _client(self) -> Client:
        """One connection for all calls to one server: to make one takes longer than most answers."""
        made = self.kubeconfig.stat().st_mtime_ns
        if self.asked is None or self.asked[0] != made:
            self.close()
            self.asked = made, Client.of(self.kubeconfig)
        return self.asked[1]

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self.asked:
            self.asked[1].close()
            self.asked = None

    def create(self, path: str, thing: Json) -> Json:
        """Create an object."""
        answer: Json = self.call("POST", path, thing)
        return answer

    def merge(self, path: str, patch: Json) -> Json:
        """Merge-patch an object."""
        answer: Json = self.call("PATCH", path, patch, "application/merge-patch+json")
        return answer

    def node(self, name: str, ip: str) -> None:
        """Make a node that this kubelet runs."""
        metadata = {"name": name, "annotations": {"hallmark.dev/kubelet": "twin"}}
        self.create("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": metadata})
        addresses = [{"type": "InternalIP", "address": ip}, {"type": "Hostname", "address": name}]
        status = {"capacity": ALLOCATABLE, "allocatable": ALLOCATABLE, "addresses": addresses}
        self.merge(f"/api/v1/nodes/{name}/status", {"status": status})

    def pod(self, name: str, spec: Json, **metadata: Any) -> str:
        """Make a pod on the first node; returns its path."""
        path = "/api/v1/namespaces/default/pods"
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, **metadata},
            "spec": {"nodeName": "n1", **spec},
        }
        self.create(path, body)
        return f"{path}/{name}"

    def get(self, path: str) -> Json:
        """Read an object."""
        answer: Json = self.call("GET", path)
        return answer

    def when(self, path: str, condition: Callable[[Json], object], seconds: float = 15.0) -> Json:
        """Wait until a condition holds for an object, and return it."""

        def ask() -> Json | None:
            thing = self.get(path)
            return thing if condition(thing) else None

        found = until(ask, seconds, pause=0.03)
        assert found, (self.get(path).get("status"), (self.folder / "kubelet.log").read_text()[-2000:])
        return found

    def gone(self, path: str, seconds: float = 15.0) -> bool:
        """Wait until there is no such object."""

        def missing() -> bool:
            try:
                self.get(path)
            except urllib.error.HTTPError as error:
                return error.code == 404
            return False

        return until(missing, seconds, pause=0.03)

    def log(self, pod: str, query: str = "") -> str:
        """The log of a pod's only container."""
        text: str = self.call("GET", f"/api/v1/namespaces/default/pods/{pod}/log?{query}")
        return text

    def logged(self, pod: str, words: str, seconds: float = 15.0) -> str:
        """Wait until a log holds some words, and return it."""

        def ask() -> str:
            try:
                text = self.log(pod)
            except urllib.error.HTTPError:
                return ""
            return text if words in text else ""

        found = until(ask, seconds, pause=0.03)
        assert found, self.log(pod)
        return found

    def events(self, pod: str) -> list[tuple[str, str]]:
        """Reasons and messages of a pod's events."""
        found = self.get("/api/v1/namespaces/default/events")["items"]
        return [(each["reason"], each["message"]) for each in found if each["involvedObject"]["name"] == pod]

    def happened(self, pod: str, reason: str, words: str) -> bool:
        """Wait for an event."""
        return until(lambda: any(one == reason and words in said for one, said in self.events(pod)), 15.0, pause=0.05)

    def exec(self, pod: str, *command: str, input: str | None = None) -> tuple[int, str, str]:  # noqa: A002  (its name)
        """Run a command in a pod with kubectl: exit code, output, errors."""
        flags = ["-i"] if input is not None else []
        words = ["kubectl", "--kubeconfig", str(self.kubeconfig), "exec", *flags, pod, "--", *command]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False, input=input)
        return done.returncode, done.stdout, done.stderr

    def ask(self, method: str, path: str, content: bytes | None = None) -> bytes:
        """Ask the kubelet itself."""
        port = json.loads((self.state / "kubelet.json").read_text())["port"]
        token = (self.state / "token").read_text().strip()
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        headers = {"Authorization": f"Bearer {token}"}
        request = urllib.request.Request(f"https://127.0.0.1:{port}{path}", content, headers, method=method)
        with urllib.request.urlopen(request, timeout=30, context=trust) as answer:  # noqa: S310  (https)
            body: bytes = answer.read()
            return body

    def start(self) -> None:
        """Start the kubelet and wait until it works."""
        about = self.state / "kubelet.json"
        about.unlink(missing_ok=True)
        command = [sys.executable, "-m", "hallmark.twin.kubelet.main", "--kubeconfig", str(self.kubeconfig)]
        command += ["--state", str(self.state), "--port", "0", *self.options]
        with (self.folder / "kubelet.log").open("ab") as log:
            self.kubelet = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | self.environment)
        assert until(about.exists, 20), (self.folder / "kubelet.log").read_text()

    def stop(self, sign: int = signal.SIGTERM) -> None:
        """End the kubelet."""
        if self.kubelet:
            self.kubelet.send_signal(sign)
            self.kubelet.wait(10)
            self.kubelet = None


@contextmanager
def cluster_in(folder: Path, *options: str) -> Iterator[Cluster]:
    """Run an API server and a kubelet until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "hallmark.twin.cluster.server", "--state", str(folder / "cluster"), "--port", "0"]
    with (folder / "api.log").open("wb") as log:
        server = subprocess.Popen([*command, "--kubelet-address", "127.0.0.1"], stdout=log, stderr=log)
    running = Cluster(folder, options=["--speed", str(SPEED), *options])
    try:
        assert until((folder / "cluster" / "server.json").exists, 20), (folder / "api.log").read_text()
        assert until(lambda: _answers(running), 20)
        running.start()
        yield running
    finally:
        running.stop()
        running.close()
        server.terminate()
        server.wait(10)


def _answers(cluster: Cluster) -> bool:
    try:
        cluster.call("GET", "/api/v1/namespaces/default/serviceaccounts/default")
    except (OSError, KeyError, yaml.YAMLError):
        return False
    return True


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with the nodes n1 and n2, shared by the tests of a module."""
    with cluster_in(tmp_path_factory.mktemp("cluster")) as running:
        running.node("n1", "10.0.1.5")
        running.node("n2", "10.0.2.5")
        yield running


@pytest.fixture(scope="session")
def run_cluster() -> Callable[..., AbstractContextManager[Cluster]]:
    """Run further clusters; see `cluster_in`."""
    return cluster_in


@pytest.fixture(scope="module")
def _mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster_in(tmp_path_factory.mktemp("mortal")) as running:
        running.node("n1", "10.0.1.5")
        yield running


@pytest.fixture
def other_cluster(_mortal: Cluster) -> Cluster:
    """A cluster with the node n1 and no pods, whose kubelet the test may end."""
    _mortal.environment = {}
    if _mortal.kubelet is None or _mortal.kubelet.poll() is not None:
        _mortal.start()
    pods = "/api/v1/namespaces/default/pods"
    for pod in _mortal.get(pods)["items"]:
        _mortal.call("DELETE", f"{pods}/{pod['metadata']['name']}")
    assert until(lambda: not _mortal.get(pods)["items"], 15, pause=0.03)
    return _mortal


@pytest.fixture
def shell() -> Callable[..., Json]:
    """The specification of a pod whose one container runs a script of BusyBox."""

    def spec(script: str, **more: Any) -> Json:
        pod: Json = {key: more.pop(key) for key in ("restartPolicy", "volumes") if key in more}
        return {**pod, "containers": [{"name": "c", "image": "busybox:1.36", "command": ["sh", "-c", script], **more}]}

    return spec


@dataclass(frozen=True)
class Network:
    """The way out of the node's subnet: a NAT gateway in another one, and the internet gateway behind it."""

    vpc: str
    private: str
    public: str
    nat: str
    gateway: str


@dataclass(frozen=True)
class Account:
    """An account with a database, a cache and a node's instance."""

    clients: Clients
    control: Control
    folder: Path
    instance: str
    network: "Network"
    node_group: str
    store_group: str
    database: str
    cache: str
    password: str = PASSWORD
    token: str = TOKEN

    def allow(self, *, revoke: bool = False) -> None:
        """Let the node's group reach the stores, or no longer; it may be so already."""
        ec2 = self.clients("ec2")
        act = ec2.revoke_security_group_ingress if revoke else ec2.authorize_security_group_ingress
        pair = [{"GroupId": self.node_group}]
        rule = {"IpProtocol": "tcp", "UserIdGroupPairs": pair}
        with suppress(ec2.exceptions.ClientError):
            act(GroupId=self.store_group, IpPermissions=[{**rule, "FromPort": 5432, "ToPort": 6379}])


@pytest.fixture(scope="module")
def account(emulated: Any) -> Account:
    """A prepared account."""
    clients = Clients(emulated.endpoint, str(next(_numbers)), REGION)
    return _prepared(clients, emulated.control, emulated.state)


def _prepared(clients: Clients, control: Control, folder: Path) -> Account:
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("ab")
    ]
    network = _network(ec2, vpc, subnets[0])
    nodes, stores = (
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        for name in ("nodes", "stores")
    )
    instance = ec2.run_instances(
        ImageId="ami-0a1b2c3d4e5f67890", MinCount=1, MaxCount=1, SubnetId=subnets[0], SecurityGroupIds=[nodes]
    )["Instances"][0]["InstanceId"]
    clients("rds").create_db_subnet_group(DBSubnetGroupName="g", DBSubnetGroupDescription="g", SubnetIds=subnets)
    database = clients("rds").create_db_instance(
        DBInstanceIdentifier="pg", Engine="postgres", EngineVersion="16.4", DBInstanceClass="db.t4g.medium",
        AllocatedStorage=20, MasterUsername="ann", MasterUserPassword=PASSWORD, DBName="app",
        VpcSecurityGroupIds=[stores], DBSubnetGroupName="g",
    )["DBInstance"]  # fmt: skip
    assert database["DBInstanceIdentifier"] == "pg"
    endpoint = clients("rds").describe_db_instances()["DBInstances"][0]["Endpoint"]["Address"]
    clients("elasticache").create_cache_subnet_group(
        CacheSubnetGroupName="g", CacheSubnetGroupDescription="g", SubnetIds=subnets
    )
    clients("elasticache").create_replication_group(
        ReplicationGroupId="cache", ReplicationGroupDescription="c", Engine="redis", CacheNodeType="cache.t4g.small",
        NumCacheClusters=2, TransitEncryptionEnabled=True, AuthToken=TOKEN, SecurityGroupIds=[stores],
        CacheSubnetGroupName="g", AutomaticFailoverEnabled=True,
    )  # fmt: skip
    group = clients("elasticache").describe_replication_groups()["ReplicationGroups"][0]
    cache = group["NodeGroups"][0]["PrimaryEndpoint"]["Address"]
    return Account(clients, control, folder, instance, network, nodes, stores, endpoint, cache)


def _network(ec2: Any, vpc: str, subnet: str) -> Network:
    outer = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.9.0/24", AvailabilityZone=f"{REGION}a")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=outer, AllocationId=address)["NatGateway"]["NatGatewayId"]
    private, public = (_table(ec2, vpc, each) for each in (subnet, outer))
    ec2.create_route(RouteTableId=private, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    ec2.create_route(RouteTableId=public, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    return Network(vpc, private, public, nat, gateway)


def _table(ec2: Any, vpc: str, subnet: str) -> str:
    table: str = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return table


@pytest.fixture(scope="module")
def lab(account: Account, tmp_path_factory: pytest.TempPathFactory, run_cluster: Any) -> Iterator[Any]:
    """A cluster whose node is the account's instance, with a pod to try connections from."""
    options = ["--endpoint", account.clients.endpoint, "--account", account.clients.account]
    options += ["--region", REGION, "--aws-state", str(account.folder)]
    with run_cluster(tmp_path_factory.mktemp("lab"), *options) as running:
        running.node("n1", "10.7.0.5")
        running.merge("/api/v1/nodes/n1", {"spec": {"providerID": f"aws:///{REGION}a/{account.instance}"}})
        path = running.pod("try", {"containers": [{"name": "c", "image": "busybox:1.36", "command": ["sleep", "600"]}]})
        running.when(path, lambda pod: pod["status"]["phase"] == "Running")
        yield running


@pytest.fixture(scope="session")
def platform() -> Callable[[Account, str], Json]:
    """The specification of a pod of the platform backend, with a password for its database."""
    return _platform


def _platform(account: Account, password: str) -> Json:
    """A pod of the platform backend."""
    env = {
        "LANGSMITH_LICENSE_KEY": "k",
        "API_KEY_SALT": "s",
        "POSTGRES_DATABASE_URI": f"ann:{password}@{account.database}:5432/app",
        "REDIS_DATABASE_URI": f"rediss://:{TOKEN}@{account.cache}:6379",
        "CLICKHOUSE_HOST": "ls-clickhouse",
        "CLICKHOUSE_PORT": "8123",
    }
    probe = {"httpGet": {"path": "/ok", "port": 1986}, "periodSeconds": 10, "failureThreshold": 1}
    container = {
        "name": "langsmith-platform-backend",
        "image": "langchain/langsmith-backend:0.16.45",
        "command": ["smith_go_entrypoint.sh"],
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "readinessProbe": probe,
    }
    return {"containers": [container]}
