"""Which pods ReplicaSets, StatefulSets and DaemonSets create and delete next, as tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hallmark.twin.controllers.clock import written
from hallmark.twin.controllers.workloads import claims, daemons, ordinals, templates
from hallmark.twin.controllers.workloads.ordinals import Members
from hallmark.twin.controllers.workloads.replica_sets import deletion_order

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)


def pod(name: str, ready: bool = True, node: str = "", age: float = 100, **more: Any) -> Any:  # noqa: FBT001, FBT002  (tables)
    """A pod."""
    moment = written(NOW - timedelta(seconds=age))
    metadata = {"name": name, "namespace": "n", "uid": name, "creationTimestamp": moment, **more.get("metadata", {})}
    return {
        "metadata": metadata,
        "spec": {"nodeName": node} if node else {},
        "status": {
            "phase": more.get("phase", "Running"),
            "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": moment}],
            "containerStatuses": [{"restartCount": more.get("restarts", 0)}],
        },
    }


def test_the_pods_that_are_missed_least_go_first() -> None:
    """No node, then pending, then not ready, then cheap, then crowded, then young; the oldest ready one stays."""
    pods = [
        pod("old", node="a", age=500),
        pod("young", node="a", age=50),
        pod("crowded", node="b", age=500),
        pod("crowding", node="b", age=400),
        pod("waiting", ready=False, phase="Pending", node="a"),
        pod("lost", ready=False, phase="Pending"),
        pod("sick", ready=False, node="a"),
        pod("cheap", node="c", metadata={"annotations": {"controller.kubernetes.io/pod-deletion-cost": "-5"}}),
    ]

    order = [each["metadata"]["name"] for each in deletion_order(pods, NOW)]
    assert order[:4] == ["lost", "waiting", "sick", "cheap"]
    # Node a has four pods (those that are not ready count), b has two.
    assert order[4:] == ["young", "old", "crowding", "crowded"]


SPEC = {"replicas": 3, "podManagementPolicy": "OrderedReady"}
PARALLEL = {"replicas": 3, "podManagementPolicy": "Parallel"}
OLD, NEW = "db-1", "db-2"


def member(ordinal: int, state: str = "ready", revision: str = NEW) -> tuple[int, Any]:
    """A pod of a StatefulSet: ready, sick, leaving or failed."""
    metadata: dict[str, Any] = {"labels": {"controller-revision-hash": revision}}
    if state == "leaving":
        metadata["deletionTimestamp"] = written(NOW)
    phase = "Failed" if state == "failed" else "Running"
    return ordinal, pod(f"db-{ordinal}", ready=state in {"ready", "leaving"}, metadata=metadata, phase=phase)


@pytest.mark.parametrize(
    ("spec", "pods", "create", "delete"),
    [
        (SPEC, [], [0], []),
        (SPEC, [member(0)], [1], []),
        (SPEC, [member(0, "sick")], [], []),
        (SPEC, [member(0, "leaving"), member(1)], [], []),
        (SPEC, [member(0), member(2)], [1], []),
        (SPEC, [member(0, "failed"), member(1)], [], ["db-0"]),
        (PARALLEL, [member(1, "sick")], [0, 2], []),
        # Scaling down: the highest first, one at a time; in parallel all at once.
        ({**SPEC, "replicas": 1}, [member(0), member(1), member(2)], [], ["db-2"]),
        ({**SPEC, "replicas": 1}, [member(0), member(1), member(2, "leaving")], [], []),
        ({**SPEC, "replicas": 1}, [member(0, "sick"), member(1)], [], []),
        ({**PARALLEL, "replicas": 1}, [member(0), member(1), member(2)], [], ["db-2", "db-1"]),
        # An update: the highest old pod, and the next one once that is well again.
        (SPEC, [member(0, "ready", OLD), member(1, "ready", OLD), member(2, "ready", OLD)], [], ["db-2"]),
        (SPEC, [member(0, "ready", OLD), member(1, "ready", OLD), member(2)], [], ["db-1"]),
        (PARALLEL, [member(0, "ready", OLD), member(1, "ready", OLD), member(2, "sick")], [], []),
        (
            {**SPEC, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}},
            [member(0, "ready", OLD), member(1, "ready", OLD), member(2)],
            [],
            [],
        ),
        (
            {**SPEC, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}},
            [member(0, "ready", OLD), member(1, "ready", OLD), member(2, "ready", OLD)],
            [],
            ["db-2", "db-1"],
        ),
        (
            {**SPEC, "updateStrategy": {"type": "OnDelete"}},
            [member(0), member(1), member(2, "ready", OLD)],
            [],
            [],
        ),
        # Ordinals may begin elsewhere.
        ({**SPEC, "replicas": 1, "ordinals": {"start": 5}}, [], [5], []),
    ],
)
def test_steps_of_a_stateful_set(spec: Any, pods: Any, create: list[int], delete: list[str]) -> None:
    """In order, one at a time, unless it says Parallel."""
    plan = ordinals.plan(Members(spec, dict(pods), NOW), NEW)

    assert plan.create == create
    assert [each["metadata"]["name"] for each in plan.delete] == delete


def test_pods_below_the_partition_are_made_of_the_old_revision() -> None:
    """Those from the partition on are made of the new one."""
    members = Members({**SPEC, "updateStrategy": {"rollingUpdate": {"partition": 2}}}, {}, NOW)

    assert [ordinals.revision_for(members, ordinal, OLD, NEW) for ordinal in (0, 1, 2)] == [OLD, OLD, NEW]


def test_a_finished_update_becomes_the_current_revision() -> None:
    """Not before every pod has it and is ready."""
    stateful_set = {"metadata": {"generation": 4}, "spec": SPEC}
    moving = dict([member(0, "ready", OLD), member(1), member(2)])
    done = dict([member(0), member(1), member(2)])

    told = ordinals.status(stateful_set, Members(SPEC, moving, NOW), OLD, NEW)
    assert (told["currentRevision"], told["currentReplicas"], told["updatedReplicas"]) == (OLD, 1, 2)
    told = ordinals.status(stateful_set, Members(SPEC, done, NOW), OLD, NEW)
    assert (told["currentRevision"], told["currentReplicas"], told["readyReplicas"]) == (NEW, 3, 3)


def test_claims_take_the_place_of_volumes() -> None:
    """A claim's volume replaces one of the same name in the template."""
    stateful_set = {"spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}}
    others = [{"name": "data", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}]

    assert claims.volumes(stateful_set, others, "db-0") == [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}},
        {"name": "tmp", "emptyDir": {}},
    ]


DAEMON = {"metadata": {"generation": 1}, "spec": {"template": {"spec": {}}}}


def node(name: str, *taints: str, **more: Any) -> Any:
    """A ready node; each taint is ``key:effect``."""
    parts = [each.split(":") for each in taints]
    return {
        "metadata": {"name": name, "labels": more.get("labels", {})},
        "spec": {"taints": [{"key": key, "effect": effect} for key, effect in parts]},
        "status": {"conditions": [{"type": "Ready", "status": more.get("ready", "True")}]},
    }


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (node("a"), (True, True)),
        (node("a", "gpu:NoSchedule"), (False, True)),
        (node("a", "gpu:NoExecute"), (False, False)),
        (node("a", "node.kubernetes.io/unschedulable:NoSchedule"), (True, True)),
        (node("a", "node.kubernetes.io/unreachable:NoExecute"), (True, True)),
        (node("a", ready="False"), (False, True)),
    ],
)
def test_where_daemons_belong(place: Any, expected: tuple[bool, bool]) -> None:
    """They tolerate a cordon and a lost node; other taints keep them out, NoExecute drives them away."""
    assert daemons.belongs(DAEMON, place) == expected


def daemon(name: str, where: str, ready: bool = True, code: str = "new", **more: Any) -> Any:  # noqa: FBT001, FBT002  (tables)
    """A pod of a DaemonSet."""
    return pod(name, ready, where, metadata={"labels": {"controller-revision-hash": code}}, **more)


@pytest.mark.parametrize(
    ("nodes", "pods", "create", "delete", "failed"),
    [
        ([node("a"), node("b")], [daemon("1", "a")], ["b"], [], []),
        ([node("a")], [daemon("1", "a"), daemon("2", "a", age=50)], [], ["2"], []),
        ([node("a", "x:NoExecute")], [daemon("1", "a")], [], ["1"], []),
        ([node("a")], [daemon("1", "a", phase="Failed")], [], [], ["1"]),
        # An update: one that is not available at once, of the others one at a time.
        ([node("a"), node("b")], [daemon("1", "a", code="old"), daemon("2", "b", code="old")], [], ["1"], []),
        ([node("a"), node("b")], [daemon("1", "a", code="old"), daemon("2", "b", ready=False)], [], [], []),
        (
            [node("a"), node("b")],
            [daemon("1", "a", code="old"), daemon("2", "b", ready=False, code="old")],
            [],
            ["2"],
            [],
        ),
    ],
)
def test_steps_of_a_daemon_set(nodes: Any, pods: Any, create: Any, delete: Any, failed: Any) -> None:
    """Missing ones are made, misplaced and outdated ones go."""
    plan = daemons.plan(DAEMON, nodes, pods, "new", NOW)

    assert plan.create == create
    assert [each["metadata"]["name"] for each in plan.delete] == delete
    assert [each["metadata"]["name"] for each in plan.failed] == failed


def test_a_daemon_is_bound_by_affinity() -> None:
    """The node's name joins each term of the affinity the template has; the scheduler does the rest."""
    zone = {"matchExpressions": [{"key": "zone", "operator": "Exists"}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [zone]}}
    spec = {"affinity": {"nodeAffinity": required}, "tolerations": [{"operator": "Exists"}]}
    made = daemons.pod_spec({"spec": {"template": {"spec": spec}}}, "a")

    here = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a"]}]}
    terms = made["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms == [{**zone, **here}]
    assert daemons.node_of({"spec": made}) == "a"
    assert len(made["tolerations"]) == 7


def test_hashes_are_stable_and_safe() -> None:
    """Equal contents have equal names, in letters that form no words."""
    assert templates.short_hash({"a": 1, "b": 2}) == templates.short_hash({"b": 2, "a": 1})
    assert templates.short_hash({"a": 1}) != templates.short_hash({"a": 1}, collisions=1)
    assert set(templates.short_hash({"a": 1})) <= set("bcdfghjklmnpqrstvwxz2456789")
