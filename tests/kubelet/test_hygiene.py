"""Processes and addresses: nothing is left behind, and nothing is taken that somebody else has."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hallmark.errors import EnvironmentFault
from hallmark.twin.kubelet import addresses, survivors
from hallmark.twin.kubelet.addresses import Addresses
from hallmark.waiting import until

Json = dict[str, Any]
Spec = Callable[..., Json]


def session(cluster: Any) -> int:
    """The session of a kubelet's containers."""
    return int(json.loads((cluster.state / "zygote.json").read_text())["pid"])


def members(of: int) -> list[int]:
    """Living processes of a session."""
    return list(survivors._members(of))


def runs(pod: Json) -> bool:
    """Whether a pod's first container runs."""
    return "running" in (pod["status"].get("containerStatuses") or [{"state": {}}])[0]["state"]


def ready_since(pod: Json) -> str:
    """Since when a pod is ready; empty if it is not."""
    conditions = pod["status"].get("conditions") or []
    found = [each["lastTransitionTime"] for each in conditions if (each["type"], each["status"]) == ("Ready", "True")]
    return str(found[0]) if found else ""


def test_a_killed_kubelet_takes_its_containers_along(other_cluster: Any, shell: Spec) -> None:
    """After kill -9 no container lives, and a new kubelet runs the pods again without counting a restart."""
    path = other_cluster.pod("lives", shell("echo begun; sleep 600"))
    before = other_cluster.when(path, lambda pod: runs(pod) and other_cluster.log("lives") == "begun\n")
    containers = session(other_cluster)
    assert until(lambda: len(members(containers)) == 2, 5)
    other_cluster.stop(signal.SIGKILL)
    assert until(lambda: not members(containers), 5)

    other_cluster.start()
    assert other_cluster.logged("lives", "begun\nbegun\n") == "begun\nbegun\n"
    pod = other_cluster.when(path, runs)
    for each in ("podIP", "startTime", "phase"):
        assert pod["status"][each] == before["status"][each]
    status, earlier = (each["status"]["containerStatuses"][0] for each in (pod, before))
    assert (status["restartCount"], status["state"]) == (0, earlier["state"])


def test_what_was_ready_stays_ready_under_a_new_kubelet(other_cluster: Any, shell: Spec) -> None:
    """Its container ran on as far as the cluster knows, so its readiness is not asked for from the beginning."""
    probe = {"exec": {"command": ["true"]}, "initialDelaySeconds": 2, "periodSeconds": 2}
    path = other_cluster.pod("served", shell("sleep 600", readinessProbe=probe))
    before = other_cluster.when(path, ready_since)
    other_cluster.stop()

    other_cluster.start()
    other_cluster.when(other_cluster.pod("clock", shell("sleep 600", readinessProbe=probe)), ready_since)
    assert ready_since(other_cluster.get(path)) == ready_since(before)


def test_an_orderly_end_is_quick_and_leaves_nothing(other_cluster: Any, shell: Spec) -> None:
    """SIGTERM ends the kubelet and its containers within seconds; the pods stay as they were."""
    path = other_cluster.pod("stays", shell("sleep 600"))
    other_cluster.when(path, runs)
    containers = session(other_cluster)
    kubelet = other_cluster.kubelet
    kubelet.terminate()

    assert kubelet.wait(5.0) == 0
    assert members(containers) == []
    assert not (other_cluster.state / "zygote.json").exists()
    assert '"pid": 0' in (other_cluster.state / "kubelet.json").read_text()
    assert runs(other_cluster.get(path))


def test_pods_that_ended_stay_ended(other_cluster: Any, shell: Spec) -> None:
    """A kubelet that starts again does not run what had ended, and keeps its log."""
    path = other_cluster.pod("once", shell("echo once", restartPolicy="Never"))
    before = other_cluster.when(path, lambda pod: pod["status"]["phase"] == "Succeeded")
    other_cluster.stop()
    other_cluster.start()
    other_cluster.when(other_cluster.pod("after", shell("sleep 600")), runs)

    assert other_cluster.get(path)["status"] == before["status"]
    assert other_cluster.log("once") == "once\n"


def test_pods_deleted_meanwhile_are_finished(other_cluster: Any, shell: Spec) -> None:
    """A pod deleted while no kubelet ran is gone once one does."""
    path = other_cluster.pod("doomed", shell("sleep 600"))
    uid = other_cluster.when(path, runs)["metadata"]["uid"]
    other_cluster.stop()
    other_cluster.call("DELETE", path)
    other_cluster.start()

    assert other_cluster.gone(path)
    assert until(lambda: not (other_cluster.state / "pods" / uid).exists(), 5)


def test_a_dead_zygote_counts_as_killed_containers(other_cluster: Any, shell: Spec) -> None:
    """When the process that starts containers dies, they count as killed and are started again."""
    path = other_cluster.pod("again", shell("sleep 600"))
    other_cluster.when(path, runs)
    os.kill(session(other_cluster), signal.SIGKILL)
    pod = other_cluster.when(path, lambda pod: runs(pod) and pod["status"]["containerStatuses"][0]["restartCount"] == 1)

    assert pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 137


def test_a_restored_cluster_runs_again(other_cluster: Any, shell: Spec) -> None:
    """When the API is given an earlier state while the kubelet runs, what ran then runs again."""
    path = other_cluster.pod("kept", shell("sleep 600"))
    before = other_cluster.when(path, runs)
    dump = other_cluster.call("GET", "/snapshot")
    other_cluster.call("DELETE", path)
    assert other_cluster.gone(path)
    extra = other_cluster.pod("extra", shell("sleep 600"))
    other_cluster.when(extra, runs)

    other_cluster.call("PUT", "/snapshot", dump)
    assert other_cluster.gone(extra)
    pod = other_cluster.when(path, runs)
    assert pod["metadata"]["uid"] == before["metadata"]["uid"]
    assert until(lambda: other_cluster.exec("kept", "hostname")[:2] == (0, "kept\n"), 10)
    assert until(lambda: len(members(session(other_cluster))) == 2, 10)


def test_pods_that_ended_free_their_address(other_cluster: Any, shell: Spec) -> None:
    """The address of a pod that has ended is given to another; its status keeps it."""
    path = other_cluster.pod("ended", shell("true", restartPolicy="Never"))
    ended = other_cluster.when(path, lambda pod: pod["status"]["phase"] == "Succeeded")["status"]["podIP"]
    next_ = other_cluster.when(other_cluster.pod("next", shell("sleep 600")), runs)["status"]["podIP"]

    assert next_ == ended == other_cluster.get(path)["status"]["podIP"]


def test_only_one_kubelet_a_folder(other_cluster: Any) -> None:
    """A second kubelet of the same state folder refuses to start."""
    command = [sys.executable, "-m", "hallmark.twin.kubelet.main", "--kubeconfig", str(other_cluster.kubeconfig)]
    done = subprocess.run(
        [*command, "--state", str(other_cluster.state), "--port", "0"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert (done.returncode, done.stderr) == (3, "Another kubelet of this twin is running.\n")


def test_callers_show_a_token(other_cluster: Any) -> None:
    """Without the token a kubelet answers nothing but that it lives."""
    port = json.loads((other_cluster.state / "kubelet.json").read_text())["port"]
    trust = ssl.create_default_context(cafile=str(other_cluster.folder / "cluster" / "ca.crt"))
    with urllib.request.urlopen(f"https://127.0.0.1:{port}/healthz", context=trust) as answer:
        assert answer.read() == b"ok"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"https://127.0.0.1:{port}/stats", context=trust)
    assert caught.value.code == 401
    caught.value.close()
    assert (other_cluster.state / "token").stat().st_mode & 0o777 == 0o600


@pytest.fixture
def survivor() -> Iterator[subprocess.Popen[bytes]]:
    """The leader of a session with one more member, as a kubelet without parent-death signals would leave them."""
    script = "import os, time\nos.fork()\nos.setpgid(0, 0) if os.getpid() != os.getsid(0) else None\ntime.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script], start_new_session=True) as process:
        assert until(lambda: len(members(process.pid)) == 2, 5)
        yield process
        with suppress(ProcessLookupError):
            survivors.end_session(process.pid)


def test_survivors_are_swept(survivor: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """What an earlier kubelet left is ended, the members of other process groups included."""
    (tmp_path / survivors.RECORD).write_text(json.dumps(survivors.identity(survivor.pid)))

    assert survivors.sweep(tmp_path) == 2
    assert members(survivor.pid) == []
    assert survivors.sweep(tmp_path) == 0


@pytest.mark.parametrize("change", [{"start": "1"}, {"boot": "another"}])
def test_strangers_are_not_swept(survivor: subprocess.Popen[bytes], tmp_path: Path, change: Json) -> None:
    """A process that only has the id of an earlier one is left alone."""
    (tmp_path / survivors.RECORD).write_text(json.dumps(survivors.identity(survivor.pid) | change))

    assert survivors.sweep(tmp_path) == 0
    assert len(members(survivor.pid)) == 2


def test_two_kubelets_share_no_address() -> None:
    """Each kubelet has a block of loopback addresses of its own, and frees it."""
    one, other = Addresses(), Addresses()
    first, second = (each.take("10.0.0.0/24").loopback for each in (one, other))
    assert first.split(".")[1] != second.split(".")[1]
    one.close()
    third = Addresses()
    assert third.take("10.0.0.0/24").loopback.split(".")[1] == first.split(".")[1]
    other.close()
    third.close()


def test_addresses_are_unique_and_come_back() -> None:
    """An address is given to one pod at a time, never a node's, and a pod can keep the one it had."""
    pool = Addresses()
    first = pool.take("10.0.0.0/27", taken=["10.0.0.16"])
    second = pool.take("10.0.0.0/27", wanted="10.0.0.20")
    assert (first.ip, second.ip) == ("10.0.0.17", "10.0.0.20")
    assert pool.take("10.0.0.0/27", wanted="10.0.0.20").ip == "10.0.0.16"
    pool.give_back(second)
    assert pool.take("10.0.0.0/27", wanted="10.0.0.20") == second
    for _ in range(12):
        pool.take("10.0.0.0/27")
    with pytest.raises(EnvironmentFault):
        pool.take("10.0.0.0/27")
    pool.close()


def test_claims_are_finite(monkeypatch: pytest.MonkeyPatch) -> None:
    """When all blocks are taken, the kubelet says so."""
    monkeypatch.setattr(addresses, "BLOCKS", range(0))
    with pytest.raises(EnvironmentFault, match="No block of loopback addresses is free"):
        Addresses()


def test_a_port_taken_on_this_machine_does_no_harm(other_cluster: Any) -> None:
    """A program whose port is taken by something that listens everywhere is reached all the same."""
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))  # noqa: S104  (what another program of the machine would do)
        taken.listen()
        port = taken.getsockname()[1]
        container = {
            "name": "c",
            "image": "langchain/langsmith-ace-backend:0.16.45",
            "env": [{"name": "PORT", "value": str(port)}],
            "readinessProbe": {"httpGet": {"path": "/ok", "port": port}, "periodSeconds": 1},
        }
        path = other_cluster.pod("crowded", {"containers": [container]})
        pod = other_cluster.when(path, lambda pod: pod["status"].get("containerStatuses", [{}])[0].get("ready"))

        assert (
            other_cluster.exec("crowded", "curl", "-s", f"http://{pod['status']['podIP']}:{port}/ok")[1]
            == '{"health": "ok"}'
        )


def test_containers_see_no_variable_of_this_machine(other_cluster: Any) -> None:
    """A container's environment is the pod's and nothing else."""
    other_cluster.stop()
    other_cluster.environment = {"PLANTED": "on this machine"}
    other_cluster.start()
    path = other_cluster.pod(
        "clean", {"containers": [{"name": "c", "image": "busybox:1.36", "command": ["env"]}], "restartPolicy": "Never"}
    )
    other_cluster.when(path, lambda pod: pod["status"]["phase"] == "Succeeded")
    names = {line.split("=")[0] for line in other_cluster.log("clean").splitlines()}

    assert {name for name in names if not name.startswith("KUBERNETES_")} == {"PATH", "HOME", "HOSTNAME"}
