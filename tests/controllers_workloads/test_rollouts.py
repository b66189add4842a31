"""Deployments on a real API server, driven by the real kubectl."""

from collections.abc import Callable
from typing import Any

Make = Callable[..., Any]


def test_a_deployment_becomes_available(cluster: Any, workload: Make) -> None:
    """Pods are made, bound and reported; `rollout status` ends, and the events tell how."""
    cluster.apply(workload("Deployment", "web", replicas=3))

    assert "successfully rolled out" in cluster.kubectl("rollout", "status", "deployment/web", "--timeout=10s")

    (replica_set,) = cluster.get("replicasets")
    name = replica_set["metadata"]["name"]
    assert cluster.events("web") == [f"ScalingReplicaSet: Scaled up replica set {name} from 0 to 3"]
    assert len({each["spec"]["nodeName"] for each in cluster.pods("web")}) == 3
    status = cluster.get("deployment", "web")["status"]
    assert {each["type"]: (each["status"], each["reason"]) for each in status["conditions"]} == {
        "Available": ("True", "MinimumReplicasAvailable"),
        "Progressing": ("True", "NewReplicaSetAvailable"),
    }


def test_a_bad_rollout_keeps_the_old_pods_and_can_be_undone(cluster: Any, workload: Make) -> None:
    """New pods that never get ready take the place of at most `maxUnavailable` old ones; `undo` brings back the old."""
    cluster.apply(workload("Deployment", "web", replicas=4))
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=10s")
    cluster.apply(workload("Deployment", "web", behaviour="unready", replicas=4))
    cluster.soon(lambda: cluster.get("deployment", "web")["status"].get("updatedReplicas") == 2)

    status = cluster.get("deployment", "web")["status"]
    assert (status["replicas"], status["availableReplicas"], status["updatedReplicas"]) == (5, 3, 2)

    cluster.kubectl("rollout", "undo", "deployment/web")
    assert "successfully rolled out" in cluster.kubectl("rollout", "status", "deployment/web", "--timeout=10s")
    history = cluster.kubectl("rollout", "history", "deployment/web").splitlines()
    assert [line.split()[0] for line in history[2:]] == ["2", "3"]
    cluster.soon(lambda: len(cluster.pods("web")) == 4)
    assert {each["metadata"]["annotations"]["tests/behaviour"] for each in cluster.pods("web")} == {"ready"}


def test_a_deployment_is_paused_resumed_restarted_and_scaled(cluster: Any, workload: Make) -> None:
    """A paused Deployment keeps its template's old pods; `restart` replaces them once it is resumed."""
    cluster.apply(workload("Deployment", "web", replicas=1))
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=10s")
    (first,) = cluster.pods("web")

    cluster.kubectl("rollout", "pause", "deployment/web")
    cluster.kubectl("set", "env", "deployment/web", "A=1")
    cluster.kubectl("scale", "deployment/web", "--replicas=2")
    cluster.soon(lambda: len(cluster.pods("web")) == 2)
    assert len(cluster.get("replicasets")) == 1

    cluster.kubectl("rollout", "resume", "deployment/web")
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=10s")
    cluster.kubectl("rollout", "restart", "deployment/web")
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=10s")
    assert first["metadata"]["name"] not in {each["metadata"]["name"] for each in cluster.pods("web")}
    assert len(cluster.get("replicasets")) == 3


def test_recreate_ends_all_old_pods_first(cluster: Any, workload: Make) -> None:
    """There is no new ReplicaSet before the last old pod is gone; then it begins at full size."""
    cluster.apply(workload("Deployment", "web", replicas=2, strategy={"type": "Recreate"}))
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=10s")
    cluster.kubectl("set", "image", "deployment/web", "main=nginx:2")
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=10s")

    told = [each.split(": ")[1].rsplit("-", 1) for each in cluster.events("web")]
    assert sorted(each[1].split(" ", 1)[1] for each in told) == ["from 0 to 2", "from 0 to 2", "from 2 to 0"]


def test_orphans_stay_and_are_adopted(cluster: Any, workload: Make) -> None:
    """`delete --cascade=orphan` leaves ReplicaSet and pods; the same Deployment takes them in again."""
    cluster.apply(workload("Deployment", "web", replicas=1))
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=10s")
    (before,) = cluster.pods("web")

    cluster.kubectl("delete", "deployment", "web", "--cascade=orphan")
    assert [each["metadata"]["name"] for each in cluster.pods("web")] == [before["metadata"]["name"]]
    cluster.apply(workload("Deployment", "web", replicas=1))
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=10s")
    assert [each["metadata"]["name"] for each in cluster.pods("web")] == [before["metadata"]["name"]]

    cluster.kubectl("delete", "deployment", "web", "--cascade=foreground")
    assert cluster.get("replicasets") == cluster.get("pods") == []


def test_a_missing_service_account_is_said_on_the_workload(cluster: Any, workload: Make) -> None:
    """The ReplicaSet has the event, the Deployment the condition; the pods come once the account is there."""
    cluster.apply(workload("Deployment", "web", pod={"serviceAccountName": "robot"}, replicas=1))
    cluster.kubectl("wait", "deployment/web", "--for=condition=ReplicaFailure", "--timeout=10s")

    (replica_set,) = cluster.get("replicasets")
    name, namespace = replica_set["metadata"]["name"], cluster.namespace
    refusal = (
        f'pods "{name}-" is forbidden: error looking up service account {namespace}/robot: '
        f'serviceaccount "robot" not found'
    )
    (failure,) = [
        each for each in cluster.get("deployment", "web")["status"]["conditions"] if each["type"] == "ReplicaFailure"
    ]
    assert (failure["reason"], failure["message"]) == ("FailedCreate", refusal)
    assert cluster.soon(lambda: cluster.events(name)) == [f"FailedCreate: Error creating: {refusal}"]

    cluster.kubectl("create", "serviceaccount", "robot")
    assert "successfully rolled out" in cluster.kubectl("rollout", "status", "deployment/web", "--timeout=20s")


def test_old_revisions_are_forgotten(cluster: Any, workload: Make) -> None:
    """Empty ReplicaSets beyond `revisionHistoryLimit` are deleted."""
    for number in range(3):
        manifest = workload("Deployment", "web", replicas=1, revisionHistoryLimit=1, minReadySeconds=0)
        manifest["spec"]["template"]["spec"]["containers"][0]["image"] = f"nginx:{number}"
        cluster.apply(manifest)
        cluster.kubectl("rollout", "status", "deployment/web", "--timeout=10s")

    assert cluster.soon(lambda: len(cluster.get("replicasets")) == 2)
    assert len(cluster.kubectl("rollout", "history", "deployment/web").splitlines()) == 4
