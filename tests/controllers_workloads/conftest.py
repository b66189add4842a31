"""A real API server with real controllers for a whole test session; in place of a kubelet, one that only reports."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest

from hallmark.twin.controllers.clock import now, written
from hallmark.twin.controllers.workloads.autoscalers import POD_METRICS
from hallmark.twin.controllers.workloads.children import to_itself
from hallmark.twin.kube import reconcile
from hallmark.twin.kube.access import Access
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.client import Api
from hallmark.twin.kube.kinds import API_SERVICES, LEASES, NODES, PODS, Key, Kind, Object
from hallmark.twin.kube.reconcile import Controller, Mapper
from hallmark.waiting import until

T = TypeVar("T")
ZONES = {"node-a": "zone-a", "node-b": "zone-b", "node-c": "zone-c"}
OFFERED = {"cpu": "4", "memory": "16Gi", "pods": "29"}
BEHAVIOUR = "tests/behaviour"
"""Annotation of a pod: what its containers do. ``ready`` without it; or ``unready``, ``succeed``, ``fail``."""


@dataclass(frozen=True)
class Cluster:
    """A cluster with three nodes, and a namespace of one's own.

    Attributes:
        kubeconfig: How it is reached.
        namespace: Where ``kubectl`` works.
    """

    kubeconfig: Path
    namespace: str

    def kubectl(self, *arguments: str, content: object = None, check: bool = True) -> str:
        """Run the real kubectl; return what it printed, or with ``check=False`` its complaints too."""
        done = subprocess.run(
            ["kubectl", "--kubeconfig", str(self.kubeconfig), "--namespace", self.namespace, *arguments],
            input=None if content is None else json.dumps(content),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        return done.stdout.strip() if check else done.stdout + done.stderr

    def apply(self, *things: Mapping[str, Any]) -> None:
        """Apply manifests."""
        self.kubectl(
            "apply", "--validate=false", "-f", "-", content={"apiVersion": "v1", "kind": "List", "items": things}
        )

    def get(self, kind: str, name: str = "", *arguments: str) -> Any:
        """One object, or all of a kind."""
        found = json.loads(self.kubectl("get", kind, *([name] if name else []), *arguments, "-o", "json"))
        return found if name else found["items"]

    def events(self, name: str) -> list[str]:
        """Reasons and messages of the events about an object, in alphabetical order."""
        found = self.get("events", "", "--field-selector", f"involvedObject.name={name}")
        return sorted(f"{each['reason']}: {each['message']}" for each in found)

    def soon(self, condition: Callable[[], T]) -> T:
        """Wait until a condition holds, for at most ten seconds; return its value."""
        return until(condition, 10, pause=0.2)

    def pods(self, app: str) -> list[Any]:
        """The pods of a workload that are not being deleted, by name."""
        found = self.get("pods", "", "-l", f"app={app}")
        return [each for each in found if "deletionTimestamp" not in each["metadata"]]

    def evict(self, pod: str) -> str:
        """Ask for the eviction of a pod; return what the API said."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}/eviction"
        wish = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
        return self.kubectl("create", "--raw", path, "-f", "-", content=wish, check=False)

    def serve_metrics(self, used: Mapping[str, str]) -> None:
        """Have a metrics API say how much CPU each pod uses."""
        service = {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {
                "group": "metrics.k8s.io",
                "version": "v1beta1",
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
            },
            "status": {"conditions": [{"type": "Available", "status": "True"}]},
        }
        asyncio.run(self._serve(service, used))

    async def _serve(self, service: Object, used: Mapping[str, str]) -> None:
        async with Api(Access.read(self.kubeconfig), "metrics-server") as api:
            created = await api.create(API_SERVICES, service)
            await api.patch(API_SERVICES, created, {"status": service["status"]}, "status")
            for name, cpu in used.items():
                pod = await api.get(PODS, name, self.namespace)
                metadata = {"name": name, "namespace": self.namespace, "labels": (pod or {})["metadata"]["labels"]}
                told = {
                    "metadata": metadata,
                    "timestamp": written(now()),
                    "window": "15s",
                    "containers": [{"name": "main", "usage": {"cpu": cpu, "memory": "64Mi"}}],
                }
                await api.create(POD_METRICS, told)


def workload(kind: str, name: str, behaviour: str = "ready", pod: Mapping[str, Any] | None = None, **spec: Any) -> Any:
    """A manifest of a Deployment, StatefulSet, DaemonSet or Job.

    Args:
        kind: Its kind.
        name: Its name; its pods have it as label ``app``.
        behaviour: What its pods do, see :data:`BEHAVIOUR`.
        pod: More of the pod's spec.
        **spec: More of its spec.
    """
    labels, batch = {"app": name}, kind == "Job"
    template = {
        "metadata": {"labels": labels, "annotations": {BEHAVIOUR: behaviour}},
        "spec": {
            "containers": [{"name": "main", "image": "nginx:1"}],
            **({"restartPolicy": "Never"} if batch else {}),
            **(pod or {}),
        },
    }
    selector = {} if batch else {"selector": {"matchLabels": labels}}
    return {
        "apiVersion": "batch/v1" if batch else "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {**selector, "template": template, **spec},
    }


class Reporter:
    """Reports pods as running and takes them away when they are deleted: all of a kubelet that controllers see."""

    name = "kubelet"

    def __init__(self, caches: Caches) -> None:
        self._caches = caches
        self._addresses = count(1)

    def watches(self) -> Mapping[Kind, Mapper]:
        """Pods."""
        return {PODS: to_itself}

    async def reconcile(self, key: Key) -> None:
        """Report one pod."""
        pod = self._caches[PODS].get(key)
        if pod is None or not pod["spec"].get("nodeName"):
            return
        if "deletionTimestamp" in pod["metadata"]:
            await self._caches.delete(PODS, pod, gracePeriodSeconds=0)
            return
        behaviour = (pod["metadata"].get("annotations") or {}).get(BEHAVIOUR, "ready")
        so_far = pod.get("status") or {}
        told = so_far | _status(behaviour, so_far)
        if told != so_far:
            address = so_far.get("podIP") or f"10.244.0.{next(self._addresses)}"
            await self._caches.update(PODS, {**pod, "status": {**told, "podIP": address}}, "status")


class Heart:
    """Keeps the leases of the nodes."""

    name = "heart"

    def __init__(self, caches: Caches) -> None:
        self._caches = caches

    def watches(self) -> Mapping[Kind, Mapper]:
        """Nodes and their leases."""
        return {NODES: to_itself, LEASES: lambda _: ()}

    async def reconcile(self, key: Key) -> float:
        """Renew one lease."""
        lease = {"metadata": {"name": key[1], "namespace": "kube-node-lease"}, "spec": {"renewTime": _micro()}}
        known = self._caches[LEASES].get(("kube-node-lease", key[1]))
        if known:
            await self._caches.patch(LEASES, known, {"spec": lease["spec"]})
        else:
            await self._caches.create(LEASES, lease)
        return 10.0


def _status(behaviour: str, so_far: Object) -> Object:
    done = {"succeed": "Succeeded", "fail": "Failed"}.get(behaviour)
    ready = str(behaviour == "ready")
    others = [each for each in so_far.get("conditions") or [] if each["type"] != "Ready"]
    known = next((each for each in so_far.get("conditions") or [] if each["type"] == "Ready"), None)
    if not known or known["status"] != ready:
        known = {"type": "Ready", "status": ready, "lastTransitionTime": written(now())}
    return {
        "phase": done or "Running",
        "startTime": so_far.get("startTime") or written(now()),
        "conditions": [*others, known],
    }


def _micro() -> str:
    return now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def node(name: str, zone: str) -> Object:
    """A node that is ready, as its kubelet registers it."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone},
        },
        "spec": {},
    }


READY = {
    "type": "Ready",
    "status": "True",
    "reason": "KubeletReady",
    "message": "",
    "lastTransitionTime": written(now()),
}


class Play:
    """The test's kubelet, in a thread of its own until it is stopped."""

    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig = kubeconfig
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))

    def __enter__(self) -> None:
        """Begin; return once the nodes are there."""
        self._thread.start()
        if not self._ready.wait(20):
            raise RuntimeError("the test's kubelet did not begin")

    def __exit__(self, *_: object) -> None:
        """End, once the pods of all tests are gone: nothing is cut off in the middle of a call."""
        until(lambda: not self._caches[PODS].all(), 10)
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with Api(Access.read(self._kubeconfig), "kubelet") as api:
            for name, zone in ZONES.items():
                created = await api.create(NODES, node(name, zone))
                reported = {"capacity": OFFERED, "allocatable": OFFERED, "conditions": [READY]}
                await api.patch(NODES, created, {"status": reported}, "status")
            self._caches = Caches(api)
            controllers: list[Controller] = [Reporter(self._caches), Heart(self._caches)]
            running = asyncio.create_task(reconcile.run(self._caches, controllers, self._ready.set))
            await self._stop.wait()
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


@contextmanager
def process(module: str, about: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process of the twin until the block ends; it runs once it has written its about file."""
    about.unlink(missing_ok=True)
    with (about.parent / f"{module}.log").open("wb") as log:
        command = [sys.executable, "-m", module, "--state", str(about.parent), *arguments]
        with subprocess.Popen(command, stdout=log, stderr=log) as running:
            try:
                if not until(about.exists, 20):
                    raise RuntimeError((about.parent / f"{module}.log").read_text())
                yield running
            finally:
                running.terminate()


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running cluster: API server, workload controllers, three nodes."""
    state = tmp_path_factory.mktemp("cluster")
    with ExitStack() as stack:
        stack.enter_context(process("hallmark.twin.cluster.server", state / "server.json", "--port", "0"))
        found = state / "kubeconfig"
        stack.enter_context(
            process(
                "hallmark.twin.controllers.main",
                state / "controllers.json",
                *("--kubeconfig", str(found), "--only", "workloads"),
            )
        )
        stack.enter_context(Play(found))
        yield found


_names = count(1)


@pytest.fixture(name="workload")
def _workload() -> Callable[..., Any]:
    """Makes manifests of workloads."""
    return workload


@pytest.fixture
def cluster(kubeconfig: Path) -> Iterator[Cluster]:
    """The running cluster with a fresh namespace; what a test leaves in it is deleted behind its back."""
    made = Cluster(kubeconfig, f"test-{next(_names)}")
    made.kubectl("create", "namespace", made.namespace)
    yield made
    made.kubectl("delete", "namespace", made.namespace, "--wait=false")
