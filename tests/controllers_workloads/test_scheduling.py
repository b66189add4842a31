"""The scheduler on a real API server: its words, and the volumes it waits for."""

from collections.abc import Callable
from typing import Any

Make = Callable[..., Any]
HELPLESS = (
    "no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
)


def _unschedulable(cluster: Any, app: str) -> str:
    def message() -> str:
        for pod in cluster.pods(app):
            for each in pod["status"].get("conditions", []):
                if (each["type"], each["status"], each.get("reason")) == ("PodScheduled", "False", "Unschedulable"):
                    return str(each["message"])
        return ""

    return str(cluster.soon(message))


def _big(workload: Make, cpu: str, **pod: Any) -> Any:
    manifest = workload("Deployment", "big", replicas=1, pod=pod)
    manifest["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": cpu}}
    return manifest


def test_a_pod_that_fits_nowhere_says_why(cluster: Any, workload: Make) -> None:
    """The condition and the event have the scheduler's words; with room, the pod is bound."""
    cluster.apply(_big(workload, "64"))

    told = f"0/3 nodes are available: 3 Insufficient cpu. {HELPLESS}"
    assert _unschedulable(cluster, "big") == told
    (pod,) = cluster.pods("big")
    assert cluster.soon(lambda: cluster.events(pod["metadata"]["name"])) == [f"FailedScheduling: {told}"]

    cluster.apply(_big(workload, "1"))
    cluster.kubectl("rollout", "status", "deployment/big", "--timeout=10s")
    (pod,) = cluster.soon(lambda: [each for each in cluster.pods("big") if each["spec"].get("nodeName")])
    name = pod["metadata"]["name"]
    bound = f"Scheduled: Successfully assigned {cluster.namespace}/{name} to {pod['spec']['nodeName']}"
    assert bound in cluster.events(name)


def test_a_taint_keeps_pods_out_until_it_goes(cluster: Any, workload: Make) -> None:
    """The pod is bound as soon as the taint is taken away, without being asked again."""
    cluster.kubectl("taint", "nodes", "node-a", "hallmark/pool=clickhouse:NoSchedule")
    try:
        cluster.apply(_big(workload, "1", nodeSelector={"kubernetes.io/hostname": "node-a"}))
        assert _unschedulable(cluster, "big") == (
            "0/3 nodes are available: 1 node(s) had untolerated taint(s), "
            f"2 node(s) didn't match Pod's node affinity/selector. {HELPLESS}"
        )
    finally:
        cluster.kubectl("taint", "nodes", "node-a", "hallmark/pool-")
    cluster.kubectl("rollout", "status", "deployment/big", "--timeout=10s")


def _claim(name: str, storage_class: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


def _class(name: str, mode: str) -> Any:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "tests/nobody",
        "volumeBindingMode": mode,
    }


def test_a_pod_waits_for_its_volumes(cluster: Any, workload: Make) -> None:
    """A missing claim; one that is not bound; then one that waits for the node, and gets it as an annotation."""
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    cluster.apply(_class("immediate", "Immediate"), _class("later", "WaitForFirstConsumer"))
    cluster.apply(_big(workload, "1", volumes=volumes))
    assert _unschedulable(cluster, "big") == (
        f'0/3 nodes are available: persistentvolumeclaim "data" not found. {HELPLESS}'
    )

    cluster.apply(_claim("data", "immediate"))
    unbound = f"0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. {HELPLESS}"
    assert cluster.soon(lambda: _unschedulable(cluster, "big") == unbound)

    cluster.kubectl("delete", "pvc", "data", "--wait=false")
    cluster.soon(lambda: cluster.get("pvc") == [])
    cluster.apply(_claim("data", "later"))
    annotation = "volume.kubernetes.io/selected-node"
    chosen = cluster.soon(lambda: cluster.get("pvc", "data")["metadata"].get("annotations", {}).get(annotation))
    assert chosen in {"node-a", "node-b", "node-c"}
    (pod,) = cluster.pods("big")
    assert "nodeName" not in pod["spec"]


def test_a_volume_binds_its_pod_to_its_zone(cluster: Any, workload: Make) -> None:
    """A volume in a zone without a node keeps the pod pending; one in a zone with a node draws it there."""
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    zone = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["zone-x"]}
    volume: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"pv-{cluster.namespace}"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
            "csi": {"driver": "tests/nobody", "volumeHandle": "vol-1"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [zone]}]}},
        },
    }
    claim = _claim("data", "")
    claim["spec"]["volumeName"] = volume["metadata"]["name"]
    cluster.apply(volume, claim)
    bound = '{"status":{"phase":"Bound"}}'
    cluster.kubectl("patch", "pvc", "data", "--subresource=status", "--type=merge", "-p", bound)
    cluster.apply(_big(workload, "1", volumes=volumes))

    assert _unschedulable(cluster, "big") == (
        f"0/3 nodes are available: 3 node(s) didn't match PersistentVolume's node affinity. {HELPLESS}"
    )
