"""Nodes that fall silent, the taints that follow, and the pods that leave."""

import asyncio
import json
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from hallmark.twin.controllers import main
from hallmark.twin.controllers.clock import written
from hallmark.twin.controllers.workloads.node_lifecycle import NodeLifecycle, unknown, wanted_taints
from hallmark.twin.controllers.workloads.pod_collector import PodCollector
from hallmark.twin.controllers.workloads.taint_evictions import stays
from hallmark.twin.kube.access import Access
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.client import Api
from hallmark.twin.kube.kinds import LEASES, NODES, PODS, Kind

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
READY, SILENT = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
CORDON = "node.kubernetes.io/unschedulable"
OWN = {"key": "pool", "value": "x", "effect": "NoSchedule"}


def node(ready: str | None = "True", *taints: Any, **spec: Any) -> Any:
    """A node whose kubelet says this of itself."""
    told = [{"type": "Ready", "status": ready, "lastTransitionTime": written(NOW)}] if ready else []
    return {"metadata": {"name": "a"}, "spec": {"taints": list(taints), **spec}, "status": {"conditions": told}}


def taint(key: str, effect: str, age: float | None = None) -> Any:
    """A taint, added some seconds ago."""
    added = {} if age is None else {"timeAdded": written(NOW - timedelta(seconds=age))}
    return {"key": key, "effect": effect, **added}


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (node("True"), []),
        (node("True", OWN), [("pool", "NoSchedule")]),
        (node(None), [(READY, "NoSchedule")]),
        (node("False"), [(READY, "NoSchedule"), (READY, "NoExecute")]),
        (node("Unknown", OWN), [("pool", "NoSchedule"), (SILENT, "NoSchedule"), (SILENT, "NoExecute")]),
        (node("True", taint(SILENT, "NoExecute", 9), taint(READY, "NoSchedule", 9)), []),
        (node("True", unschedulable=True), [(CORDON, "NoSchedule")]),
        (node("True", taint(CORDON, "NoSchedule", 9)), []),
    ],
)
def test_taints_follow_conditions(one: Any, expected: list[tuple[str, str]]) -> None:
    """Ours come and go with the conditions; others stay."""
    assert [(each["key"], each["effect"]) for each in wanted_taints(one, NOW)] == expected


def test_a_taint_keeps_its_time() -> None:
    """What is there already is not added again."""
    old = taint(READY, "NoExecute", 100)

    assert old in wanted_taints(node("False", old), NOW)


def test_what_a_silent_node_says() -> None:
    """Conditions it had are Unknown; those it never had were never told."""
    told = {each["type"]: (each["status"], each["reason"], each["message"]) for each in unknown(node("True"), NOW)}

    never = ("Unknown", "NodeStatusNeverUpdated", "Kubelet never posted node status.")
    assert told == {
        "Ready": ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."),
        **dict.fromkeys(("MemoryPressure", "DiskPressure", "PIDPressure"), never),
    }


def tolerating(*tolerations: Any) -> Any:
    """A pod with these tolerations."""
    return {"spec": {"tolerations": list(tolerations)}}


FIVE_MINUTES = {"key": SILENT, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}


@pytest.mark.parametrize(
    ("pod", "place", "expected"),
    [
        (tolerating(), node("True"), None),
        (tolerating(), node("Unknown", taint(SILENT, "NoSchedule", 0)), None),
        (tolerating(), node("Unknown", taint(SILENT, "NoExecute", 0)), 0.0),
        (tolerating(FIVE_MINUTES), node("Unknown", taint(SILENT, "NoExecute", 100)), 200.0),
        (tolerating(FIVE_MINUTES), node("Unknown", taint(SILENT, "NoExecute", 400)), 0.0),
        (tolerating({"operator": "Exists"}), node("Unknown", taint(SILENT, "NoExecute", 400)), None),
        (tolerating(FIVE_MINUTES), node("Unknown", taint("other", "NoExecute", 0)), 0.0),
    ],
)
def test_how_long_a_pod_stays(pod: Any, place: Any, expected: float | None) -> None:
    """As long as it tolerates each NoExecute taint."""
    assert stays(pod, place, NOW) == expected


class Recording:
    """An API that accepts every write and remembers it."""

    def __init__(self) -> None:
        self.written: list[tuple[str, Any]] = []

    async def create(self, kind: Kind, thing: Any) -> Any:
        """Remember what is created."""
        self.written.append((kind.kind, thing))
        return thing

    async def update(self, kind: Kind, thing: Any, subresource: str = "") -> Any:
        """Remember a status."""
        self.written.append((f"{kind.kind}/{subresource}", thing["status"]))
        return thing

    async def patch(self, kind: Kind, of: Any, patch: Any, subresource: str = "") -> Any:
        """Remember a change."""
        self.written.append((f"{kind.kind}{subresource}", patch["spec"]))
        return of


def test_a_node_that_falls_silent_is_lost() -> None:
    """Within the grace nothing happens; after it, node and pods say so and the taints follow."""
    api, ticks = Recording(), [0.0, 0.0, 39.0, 41.0]
    caches = Caches(cast("Api", api))
    quiet = node("True")
    quiet["metadata"] |= {"uid": "1", "resourceVersion": "5"}
    told = {"type": "Ready", "status": "True", "lastTransitionTime": written(NOW)}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "n", "uid": "2", "resourceVersion": "6"},
        "spec": {"nodeName": "a"},
        "status": {"conditions": [told]},
    }
    caches[NODES].note({"apiVersion": "v1", "kind": "Node", **quiet})
    caches[PODS].note(pod)
    lifecycle = NodeLifecycle(caches, clock=lambda: NOW, ticks=lambda: ticks.pop(0))

    assert [asyncio.run(lifecycle.reconcile(("", "a"))) for _ in range(2)] == [40.0, 1.0]
    assert api.written == []
    assert asyncio.run(lifecycle.reconcile(("", "a"))) is None

    kinds = [kind for kind, _ in api.written]
    assert kinds == ["Node/status", "Event", "Pod/status", "Event", "Node"]
    assert api.written[0][1]["conditions"] == unknown(quiet, NOW)
    assert api.written[1][1]["message"] == "Node a status is now: NodeNotReady"
    assert api.written[2][1]["conditions"] == [{**told, "status": "False"}]
    assert [each["effect"] for each in api.written[4][1]["taints"]] == ["NoSchedule", "NoExecute"]


def test_pods_of_a_node_that_is_gone_are_collected(cluster: Any) -> None:
    """After the quarantine, without waiting for a kubelet."""

    async def collect() -> tuple[float | None, Any]:
        async with Api(Access.read(cluster.kubeconfig), "tests") as api:
            caches, moments = Caches(api), [NOW, NOW + timedelta(seconds=41)]
            spec = {"nodeName": "gone", "containers": [{"name": "main", "image": "nginx:1"}]}
            pod = await api.create(PODS, {"metadata": {"name": "lost", "namespace": cluster.namespace}, "spec": spec})
            caches[PODS].note(pod)
            collector = PodCollector(caches, clock=lambda: moments.pop(0))
            left = await collector.reconcile((cluster.namespace, "lost"))
            await collector.reconcile((cluster.namespace, "lost"))
            return left, await api.get(PODS, "lost", cluster.namespace)

    assert asyncio.run(collect()) == (40.0, None)


def test_a_second_process_is_refused(kubeconfig: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One process of controllers a state directory."""
    state = str(kubeconfig.parent)

    assert main.main(["--kubeconfig", str(kubeconfig), "--state", state, "--only", "workloads"]) == 3
    assert capfd.readouterr().err == "Other controllers of this twin are running.\n"


def test_it_ends_when_told(kubeconfig: Path, tmp_path: Path, cluster: Any) -> None:
    """SIGTERM ends it within a second, and the about file says that the end was orderly."""
    about = tmp_path / "controllers.json"
    command = [sys.executable, "-m", "hallmark.twin.controllers.main", "--kubeconfig", str(kubeconfig)]
    with subprocess.Popen([*command, "--state", str(tmp_path), "--only", "workloads"]) as process:
        cluster.soon(about.exists)
        assert json.loads(about.read_text())["pid"] == process.pid
        process.terminate()
        assert process.wait(1) == 0

    assert json.loads(about.read_text())["pid"] == 0


def test_what_it_cannot_do_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A missing kubeconfig, an unknown group, the AWS group without an endpoint."""
    usual = ["--kubeconfig", str(tmp_path / "none"), "--state", str(tmp_path)]
    assert main.main([*usual, "--only", "workloads"]) == 2
    assert "cannot read" in capfd.readouterr().err
    for wrong, said in ((["--only", "nonsense"], "unknown: nonsense"), ([], "--only workloads")):
        with pytest.raises(SystemExit):
            main.main([*usual, *wrong])
        assert said in capfd.readouterr().err


def test_leases_name_their_node() -> None:
    """A lease of the kubelets' namespace concerns its node; any other lease concerns nobody."""
    mapper = NodeLifecycle(Caches(Api(Access("", ssl.create_default_context(), ""), "tests"))).watches()[LEASES]
    lease = {"metadata": {"namespace": "kube-node-lease", "name": "a"}}

    assert list(mapper(lease)) == [("", "a")]
    assert list(mapper({"metadata": {"namespace": "kube-system", "name": "a"}})) == []
