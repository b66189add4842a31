"""The whole cluster for a session: API server, controllers, a kubelet with two nodes, volumes and metrics.

What EKS and its add-ons would do is done here by hand: nodes are made, claims bound, metrics served.
"""

import asyncio
import itertools
import os
import shlex
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from hallmark.twin.controllers.aws import metrics
from hallmark.twin.controllers.clock import now, written
from hallmark.twin.controllers.workloads.children import to_itself
from hallmark.twin.kube import reconcile
from hallmark.twin.kube.access import Access
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.client import Api
from hallmark.twin.kube.kinds import API_SERVICES, CLAIMS, NODES, PODS, STORAGE_CLASSES, VOLUMES, Key, Kind, Object
from hallmark.twin.kube.reconcile import Mapper
from hallmark.waiting import until

Step = tuple[str, int, str]
"""A command of kubectl, its exit code, a piece of what it says."""
SPEED = 20.0
ADDRESSES = {"node-a": "10.0.1.5", "node-b": "10.0.2.5"}
OFFERED = {"cpu": "8", "memory": "32Gi", "pods": "58"}
NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Said:
    """What a command said.

    Attributes:
        code: Its exit code.
        out: Its standard output.
        err: Its errors.
    """

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Cluster:
    """The cluster, and a namespace in it.

    Attributes:
        kubeconfig: How it is reached.
        namespace: Where commands work.
        home: Of the programs that are run.
    """

    kubeconfig: Path
    namespace: str
    home: Path

    def run(self, program: str, *words: str, stdin: str = "", **variables: str) -> Said:
        """Run ``kubectl`` or ``helm``."""
        done = subprocess.run(
            [*self.program(program), *words],
            env={**self.environment, **variables},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def program(self, name: str) -> list[str]:
        """How a program is started."""
        return PROGRAMS[name]

    @property
    def environment(self) -> dict[str, str]:
        """Variables of the programs."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "KUBECONFIG": str(self.kubeconfig)}

    def kubectl(self, *words: str, stdin: str = "", **variables: str) -> str:
        """Run kubectl in the namespace; it must succeed. Returns what it printed."""
        said = self.run("kubectl", "-n", self.namespace, *words, stdin=stdin, **variables)
        assert said.code == 0, (words, said)
        return said.out.strip()

    def follow(self, script: Iterable[Step]) -> None:
        """Run kubectl again and again; each time it must end with an exit code and say a piece of text."""
        for command, code, piece in script:
            said = self.run("kubectl", "-n", self.namespace, *shlex.split(command))
            assert (said.code, piece in said.out + said.err) == (code, True), (command, piece, said)

    def refused(self, *words: str, stdin: str = "") -> str:
        """Run kubectl in the namespace; it must fail with exit code 1. Returns its complaint."""
        said = self.run("kubectl", "-n", self.namespace, *words, stdin=stdin)
        assert said.code == 1, (words, said)
        return said.err.strip()

    def helm(self, *words: str, stdin: str = "") -> Said:
        """Run our helm in the namespace."""
        return self.run("helm", "-n", self.namespace, *words, stdin=stdin)

    def apply(self, *things: Mapping[str, Any]) -> None:
        """Apply objects."""
        self.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(things))

    def get(self, what: str, path: str) -> str:
        """A field of an object or of a list, as kubectl's JSONPath gives it."""
        return self.kubectl("get", *what.split(), "-o", f"jsonpath={{{path}}}")

    def becomes(self, what: str, path: str, *values: str, seconds: float = 20) -> None:
        """Wait until a field has one of these values."""
        assert until(lambda: self.get(what, path) in values, seconds, pause=0.2), (what, path, self.get(what, path))

    @contextmanager
    def metrics(self) -> Iterator[None]:
        """Serve what the kubelet says of nodes and of these pods, as Metrics Server would, until the block ends."""
        asyncio.run(serve_metrics(self.kubeconfig, self.namespace))
        yield
        self.kubectl("delete", "apiservice", "v1beta1.metrics.k8s.io")


async def serve_metrics(kubeconfig: Path, namespace: str) -> None:
    """Ask the kubelet once, and write the answers down."""
    access = Access.read(kubeconfig)
    async with Api(access, "metrics-server") as api:
        spec = {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100}
        service = await api.create(API_SERVICES, {"metadata": {"name": "v1beta1.metrics.k8s.io"}, "spec": spec})
        available = [{"type": "Available", "status": "True", "reason": "Passed", "message": ""}]
        await api.patch(API_SERVICES, service, {"status": {"conditions": available}}, "status")
        nodes = {name: await api.get(NODES, name) or {} for name in ADDRESSES}
        port = nodes["node-a"]["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
        usage = await usage_of(port, access.token)
        moment = written(now())
        told = [metrics.node_metrics(each, moment, nodes[each["nodeName"]]) for each in usage["nodes"]]
        await metrics.write(api, metrics.NODE_METRICS, told, set())
        pods = [each for each in usage["pods"] if each["podRef"]["namespace"] == namespace]
        told = [
            metrics.pod_metrics(each, moment, await api.get(PODS, each["podRef"]["name"], namespace)) for each in pods
        ]
        await metrics.write(api, metrics.POD_METRICS, told, set())


async def usage_of(port: int, token: str) -> Any:
    """What the kubelet's containers use."""
    insecure = ssl.create_default_context()
    insecure.check_hostname, insecure.verify_mode = False, ssl.CERT_NONE
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"https://127.0.0.1:{port}/stats", ssl=insecure) as answer,
    ):
        return await answer.json()


PROGRAMS = {
    "kubectl": [shutil.which("kubectl", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}") or ""],
    "helm": [sys.executable, "-m", "hallmark.twin.release"],
}


class Binder:
    """Binds each claim to a volume of its own; nothing is ever stored in it but by pods of its node."""

    name = "binder"

    def __init__(self, caches: Caches) -> None:
        self._caches = caches

    def watches(self) -> Mapping[Kind, Mapper]:
        """Claims."""
        return {CLAIMS: to_itself, VOLUMES: lambda _: ()}

    async def reconcile(self, key: Key) -> None:
        """Bind one."""
        claim = self._caches[CLAIMS].get(key)
        if claim is None or claim["spec"].get("volumeName"):
            return
        metadata, spec = claim["metadata"], claim["spec"]
        name = f"pvc-{metadata['uid']}"
        reference = {"apiVersion": "v1", "kind": CLAIMS.kind, "namespace": key[0], "name": key[1]}
        capacity, modes = spec["resources"]["requests"], spec["accessModes"]
        volume = {
            "capacity": capacity,
            "accessModes": modes,
            "storageClassName": spec.get("storageClassName", ""),
            "persistentVolumeReclaimPolicy": "Delete",
            "claimRef": {**reference, "uid": metadata["uid"]},
            "csi": {"driver": "ebs.csi.aws.com", "volumeHandle": f"vol-{metadata['uid'][:8]}"},
        }
        made = await self._caches.create(VOLUMES, {"metadata": {"name": name}, "spec": volume})
        await self._caches.patch(VOLUMES, made, {"status": {"phase": "Bound"}}, "status")
        notes = {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}}
        bound = await self._caches.patch(CLAIMS, claim, {"metadata": notes, "spec": {"volumeName": name}})
        status = {"phase": "Bound", "capacity": capacity, "accessModes": modes}
        await self._caches.patch(CLAIMS, bound, {"status": status}, "status")


class Hands:
    """Does what EKS and its add-ons would, in a thread of its own until the block ends."""

    def __init__(self, kubeconfig: Path) -> None:
        self._access = Access.read(kubeconfig)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))

    def __enter__(self) -> None:
        """Begin; return once the nodes are there."""
        self._thread.start()
        assert self._ready.wait(20)

    def __exit__(self, *_: object) -> None:
        """End."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with Api(self._access, "eks") as api:
            for name, address in ADDRESSES.items():
                created = await api.create(NODES, node(name))
                addresses = [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}]
                offered = {"capacity": OFFERED, "allocatable": OFFERED, "addresses": addresses}
                await api.patch(NODES, created, {"status": offered}, "status")
            await api.create(STORAGE_CLASSES, CLASS)
            caches = Caches(api)
            running = asyncio.create_task(reconcile.run(caches, [Binder(caches)], self._ready.set))
            await self._stop.wait()
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


CLASS = {
    "metadata": {"name": "gp3", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "ebs.csi.aws.com",
    "volumeBindingMode": "Immediate",
}


def node(name: str) -> Object:
    """A node whose pods the twin's kubelet runs."""
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
    return {"metadata": {"name": name, "labels": labels, "annotations": {"hallmark.dev/kubelet": "twin"}}}


@contextmanager
def process(module: str, about: Path, *arguments: str) -> Iterator[None]:
    """Run a process of the twin until the block ends; it works once it has written its about file."""
    log = about.with_suffix(".out")
    command = [sys.executable, "-m", module, "--state", str(about.parent), *arguments]
    with log.open("wb") as opened, subprocess.Popen(command, stdout=opened, stderr=opened) as running:
        try:
            assert until(about.exists, 30), log.read_text()
            yield
        finally:
            running.terminate()


@contextmanager
def stack(folder: Path) -> Iterator[Path]:
    """Run a whole cluster until the block ends; gives its kubeconfig."""
    kubeconfig = folder / "cluster" / "kubeconfig"
    reached = ("--kubeconfig", str(kubeconfig))
    for name in ("cluster", "controllers", "kubelet"):
        (folder / name).mkdir()
    with ExitStack() as running:
        running.enter_context(
            process(
                "hallmark.twin.cluster.server",
                folder / "cluster" / "server.json",
                *("--port", "0", "--kubelet-address", "127.0.0.1"),
            )
        )
        running.enter_context(
            process(
                "hallmark.twin.controllers.main",
                folder / "controllers" / "controllers.json",
                *(*reached, "--only", "workloads"),
            )
        )
        running.enter_context(
            process(
                "hallmark.twin.kubelet.main",
                folder / "kubelet" / "kubelet.json",
                *(*reached, "--port", "0", "--speed", str(SPEED)),
            )
        )
        running.enter_context(Hands(kubeconfig))
        yield kubeconfig


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running cluster that all tests share."""
    with stack(tmp_path_factory.mktemp("stack")) as kubeconfig:
        yield kubeconfig


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home of the programs; kubectl keeps there what it has discovered."""
    return tmp_path_factory.mktemp("home")


@contextmanager
def namespace(kubeconfig: Path, home: Path) -> Iterator[Cluster]:
    """A namespace of the running cluster; it is deleted behind everybody's back."""
    made = Cluster(kubeconfig, f"test-{next(NUMBERS)}", home)
    made.kubectl("create", "namespace", made.namespace)
    yield made
    made.kubectl("delete", "namespace", made.namespace, "--wait=false")


@pytest.fixture
def cluster(kubeconfig: Path, home: Path) -> Iterator[Cluster]:
    """The running cluster with a namespace of the test's own."""
    with namespace(kubeconfig, home) as made:
        yield made


@pytest.fixture(scope="module")
def module_cluster(kubeconfig: Path, home: Path) -> Iterator[Cluster]:
    """The same for the tests of a module."""
    with namespace(kubeconfig, home) as made:
        yield made


@pytest.fixture
def web(cluster: Cluster) -> Cluster:
    """A cluster that runs a web server with two replicas and a service."""
    cluster.kubectl("apply", "-f", "-", stdin=WEB)
    cluster.kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    return cluster


WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: nginx:1.27
          env: [{name: COLOR, value: red}]
          ports: [{containerPort: 80}]
          readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


@pytest.fixture
def manifest() -> str:
    """What the fixture ``web`` applies."""
    return WEB
