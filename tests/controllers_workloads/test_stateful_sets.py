"""StatefulSets and DaemonSets on a real API server, driven by the real kubectl."""

from collections.abc import Callable
from typing import Any

Make = Callable[..., Any]
CLAIM = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def _names(cluster: Any, app: str) -> list[str]:
    return [each["metadata"]["name"] for each in cluster.pods(app)]


def _images(cluster: Any) -> list[str]:
    return [each["spec"]["containers"][0]["image"] for each in cluster.pods("db")]


def test_pods_come_in_order_and_go_in_reverse(cluster: Any, workload: Make) -> None:
    """Each waits for the one before it, and the events say so."""
    cluster.apply(workload("StatefulSet", "db", replicas=3, serviceName="db"))
    cluster.kubectl("rollout", "status", "statefulset/db", "--timeout=10s")

    assert _names(cluster, "db") == ["db-0", "db-1", "db-2"]
    born = [each["metadata"]["creationTimestamp"] for each in cluster.pods("db")]
    assert born == sorted(born)
    created = [f"SuccessfulCreate: create Pod db-{ordinal} in StatefulSet db successful" for ordinal in range(3)]
    assert cluster.events("db") == created
    cluster.kubectl("scale", "statefulset/db", "--replicas=1")
    cluster.soon(lambda: _names(cluster, "db") == ["db-0"])
    deleted = [f"SuccessfulDelete: delete Pod db-{ordinal} in StatefulSet db successful" for ordinal in (1, 2)]
    assert cluster.events("db") == [*created, *deleted]


def test_a_pod_that_is_not_ready_stops_everything(cluster: Any, workload: Make) -> None:
    """With the first one not ready there is no second; repairing the template does not help, deleting the pod does."""
    cluster.apply(workload("StatefulSet", "db", behaviour="unready", replicas=2, serviceName="db"))
    cluster.soon(lambda: cluster.get("statefulset", "db")["status"].get("currentReplicas") == 1)
    cluster.apply(workload("StatefulSet", "db", replicas=2, serviceName="db"))
    cluster.soon(lambda: len(cluster.get("controllerrevisions")) == 2)
    assert _names(cluster, "db") == ["db-0"]

    cluster.kubectl("delete", "pod", "db-0", "--wait=false")
    cluster.kubectl("rollout", "status", "statefulset/db", "--timeout=10s")
    assert _names(cluster, "db") == ["db-0", "db-1"]


def test_updates_go_from_the_last_pod_down_to_the_partition(cluster: Any, workload: Make) -> None:
    """Ordinals below the partition keep the old revision; `rollout undo` goes back, and history knows the way."""
    cluster.apply(workload("StatefulSet", "db", replicas=2, serviceName="db"))
    cluster.kubectl("rollout", "status", "statefulset/db", "--timeout=10s")
    staged = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    manifest = workload("StatefulSet", "db", replicas=2, serviceName="db", updateStrategy=staged)
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:2"
    cluster.apply(manifest)
    assert cluster.soon(lambda: _images(cluster) == ["nginx:1", "nginx:2"])
    status = cluster.soon(
        lambda: (now := cluster.get("statefulset", "db")["status"]).get("updatedReplicas") == 1 and now
    )
    assert status["currentRevision"] != status["updateRevision"]

    cluster.kubectl("rollout", "undo", "statefulset/db", "--to-revision=1")
    assert cluster.soon(lambda: _images(cluster) == ["nginx:1", "nginx:1"])
    history = cluster.kubectl("rollout", "history", "statefulset/db").splitlines()
    assert [line.split()[0] for line in history[2:]] == ["2", "3"]


def test_claims_are_made_for_each_pod_and_stay(cluster: Any, workload: Make) -> None:
    """A claim a pod, named after both; scaling down and deleting the set leave them."""
    cluster.apply(workload("StatefulSet", "db", replicas=1, serviceName="db", volumeClaimTemplates=[CLAIM]))
    assert cluster.soon(lambda: [each["metadata"]["name"] for each in cluster.get("pvc")]) == ["data-db-0"]
    (pod,) = cluster.soon(lambda: cluster.pods("db"))
    (volume,) = [each for each in pod["spec"]["volumes"] if each["name"] == "data"]
    assert volume["persistentVolumeClaim"] == {"claimName": "data-db-0"}
    assert pod["spec"]["hostname"] == "db-0"

    cluster.kubectl("delete", "statefulset", "db")
    assert [each["metadata"]["name"] for each in cluster.get("pvc")] == ["data-db-0"]


def test_a_pod_comes_back_once_its_old_claim_has_ended(cluster: Any, workload: Make) -> None:
    """While the deleted claim is held, the pod waits; then both are made anew."""
    held = {**CLAIM, "metadata": {"name": "data", "finalizers": ["example.com/hold"]}}
    let_go = ("patch", "pvc", "data-db-0", "-p", '{"metadata":{"finalizers":null}}')
    cluster.apply(workload("StatefulSet", "db", replicas=1, serviceName="db", volumeClaimTemplates=[held]))
    cluster.soon(lambda: _names(cluster, "db"))
    (old,) = cluster.get("pvc")

    cluster.kubectl("delete", "pvc", "data-db-0", "--wait=false")
    cluster.kubectl("delete", "pod", "db-0")
    assert _names(cluster, "db") == []
    cluster.kubectl(*let_go)
    assert cluster.soon(lambda: _names(cluster, "db")) == ["db-0"]
    (new,) = cluster.get("pvc")
    assert new["metadata"]["uid"] != old["metadata"]["uid"]
    cluster.kubectl(*let_go)


def test_claims_go_with_the_set_when_asked(cluster: Any, workload: Make) -> None:
    """`persistentVolumeClaimRetentionPolicy` makes the set, or the pod that is scaled away, the claim's owner."""
    policy = {"whenDeleted": "Delete", "whenScaled": "Delete"}
    more = {"podManagementPolicy": "Parallel", "persistentVolumeClaimRetentionPolicy": policy}
    cluster.apply(workload("StatefulSet", "db", replicas=2, serviceName="db", volumeClaimTemplates=[CLAIM], **more))
    cluster.soon(lambda: len(cluster.get("pvc")) == 2)
    owners = [each["metadata"]["ownerReferences"][0]["kind"] for each in cluster.get("pvc")]
    assert owners == ["StatefulSet", "StatefulSet"]

    cluster.kubectl("scale", "statefulset/db", "--replicas=1")
    assert cluster.soon(lambda: [each["metadata"]["name"] for each in cluster.get("pvc")] == ["data-db-0"])
    cluster.kubectl("delete", "statefulset", "db")
    assert cluster.soon(lambda: cluster.get("pvc") == [])


def test_a_daemon_runs_on_every_node_that_wants_it(cluster: Any, workload: Make) -> None:
    """One pod a node; a node selector leaves nodes out, and an update goes node by node."""
    cluster.apply(workload("DaemonSet", "agent"))
    cluster.kubectl("rollout", "status", "daemonset/agent", "--timeout=10s")
    assert sorted(each["spec"]["nodeName"] for each in cluster.pods("agent")) == ["node-a", "node-b", "node-c"]

    cluster.kubectl("set", "image", "daemonset/agent", "main=nginx:2")
    assert "successfully rolled out" in cluster.kubectl("rollout", "status", "daemonset/agent", "--timeout=10s")
    assert {each["spec"]["containers"][0]["image"] for each in cluster.pods("agent")} == {"nginx:2"}

    cluster.apply(workload("DaemonSet", "agent", pod={"nodeSelector": {"topology.kubernetes.io/zone": "zone-b"}}))
    assert cluster.soon(lambda: [each["spec"]["nodeName"] for each in cluster.pods("agent")] == ["node-b"])
    status = cluster.soon(
        lambda: (now := cluster.get("daemonset", "agent")["status"])["desiredNumberScheduled"] == 1 and now
    )
    assert status["numberMisscheduled"] == 0
