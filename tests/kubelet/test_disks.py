"""Persistent volumes kept and put back under a running cluster: the API hears nothing of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Json = dict[str, Any]
CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims"


def bound_claim(cluster: Any, name: str) -> None:
    """Make a claim that has a volume."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "volumeName": f"pv-{name}"}
    kind = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    cluster.create(CLAIMS, {**kind, "metadata": {"name": name}, "spec": spec})
    cluster.merge(f"{CLAIMS}/{name}/status", {"status": {"phase": "Bound"}})


def processes(container: str) -> list[Path]:
    """Processes of a container."""
    return [name for name in Path("/proc").glob("[0-9]*/comm") if _text(name) == f"{container}\n"]


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""  # it has ended meanwhile


def test_disks_are_put_back_under_running_pods(cluster: Any, shell: Callable[..., Json]) -> None:
    """What was written after the copy is gone; the pod runs again without a restart, others never stopped."""
    bound_claim(cluster, "kept")
    mounts = [{"name": "d", "mountPath": "/data"}]
    spec = shell("echo begun; sleep 600", volumeMounts=mounts)
    spec["containers"][0]["name"] = "disk-keeper"
    spec["volumes"] = [{"name": "d", "persistentVolumeClaim": {"claimName": "kept"}}]
    path, other = cluster.pod("keeper", spec), cluster.pod("bystander", shell("echo begun; sleep 600"))
    cluster.logged("keeper", "begun\n")
    cluster.logged("bystander", "begun\n")
    cluster.exec("keeper", "sh", "-c", "echo before > /data/note")

    kept = cluster.ask("GET", "/disks")
    cluster.logged("keeper", "begun\nbegun\n")
    assert cluster.exec("keeper", "cat", "/data/note")[1] == "before\n"
    cluster.exec("keeper", "sh", "-c", "echo after > /data/note; echo more > /data/other")
    cluster.ask("PUT", "/disks", kept)
    cluster.logged("keeper", "begun\nbegun\nbegun\n")

    assert len(processes("disk-keeper")) == 1, "one that was left would go on writing"
    assert cluster.exec("keeper", "cat", "/data/note")[1] == "before\n"
    assert "No such file" in cluster.exec("keeper", "cat", "/data/other")[2]
    assert cluster.get(path)["status"]["containerStatuses"][0]["restartCount"] == 0
    assert cluster.get(path)["status"]["podIP"]
    assert cluster.log("bystander") == "begun\n"
    assert cluster.get(other)["status"]["containerStatuses"][0]["restartCount"] == 0
