"""Nodes: which take pods, and what pods ask of them."""

from decimal import Decimal
from typing import Any

import pytest

from hallmark.errors import Absent
from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views.all import Views
from hallmark.views.nodes import Nodes, requests

READY = [{"type": "Ready", "status": "True"}]


def node(name: str, conditions: list[dict[str, str]] | None = None, **spec: Any) -> dict[str, Any]:
    """A node as the API gives it."""
    status = {
        "allocatable": {"cpu": "3920m", "memory": "15Gi"},
        "conditions": READY if conditions is None else conditions,
    }
    return {"metadata": {"name": name}, "spec": spec, "status": status}


def nodes(*listed: dict[str, Any], pods: list[dict[str, Any]] | None = None) -> Nodes:
    """A view over nodes and pods."""
    lists = {"nodes": list(listed), "pods": pods or []}
    calls = {Call.of("kubernetes", "list", version="v1", resource=name): items for name, items in lists.items()}
    answers = {call.key: Answer(Status.OBSERVED, {"items": items}) for call, items in calls.items()}
    for tag in (
        {"Name": "tag:eks:cluster-name", "Values": ["c"]},
        {"Name": "tag-key", "Values": ["kubernetes.io/cluster/c"]},
    ):
        answers[Call.of("ec2", "describe_instances", Filters=[tag]).key] = Answer(Status.OBSERVED, {"Reservations": []})
    return Views(Snapshot(answers, {"cluster": "c"})).nodes


def test_only_ready_nodes_that_are_not_barred_take_pods() -> None:
    """Cordoned, tainted by its own troubles, silent, or without any status: none of them counts."""
    taint = {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"}
    view = nodes(
        node("good"),
        node("dedicated", taints=[{"key": "dedicated", "value": "clickhouse", "effect": "NoSchedule"}]),
        node("cordoned", unschedulable=True),
        node("unreachable", taints=[taint]),
        node("silent", [{"type": "Ready", "status": "Unknown"}]),
        node("new", []),
    )
    assert [one.name for one in view.usable] == ["good", "dedicated"]
    assert view.allocatable == {"cpu": Decimal("7.84"), "memory": Decimal(30 * 2**30)}


def test_a_node_is_tainted_by_somebody_not_by_its_troubles() -> None:
    """What Kubernetes itself puts on a node that is cordoned or silent says nothing about whom it is for."""
    view = nodes(
        node("open"),
        node("kept", taints=[{"key": "dedicated", "value": "x", "effect": "NoSchedule"}]),
        node("evicting", taints=[{"key": "dedicated", "effect": "NoExecute"}]),
        node("discouraged", taints=[{"key": "dedicated", "effect": "PreferNoSchedule"}]),
        node("unreachable", taints=[{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]),
    )
    assert [one.name for one in view.all if one.is_tainted] == ["kept", "evicting"]


@pytest.mark.parametrize(
    ("provider", "instance"),
    [
        ("aws:///us-east-1a/i-0abc", "i-0abc"),
        ("", ""),
        ("kind://docker/kind/worker", ""),
        ("eks-hybrid:///r/c/mi-1", ""),
    ],
)
def test_a_nodes_instance_is_named_by_its_provider(provider: str, instance: str) -> None:
    """Only the AWS cloud provider names an EC2 instance."""
    (one,) = nodes(node("n", providerID=provider)).all
    assert one.instance_id == instance


def test_a_node_without_an_instance_offers_nothing() -> None:
    """Its type cannot be told; no capacity is assumed."""
    view = nodes(node("n", providerID="aws:///z/i-of-another-account"))
    assert view.instance(view.all[0]) is None
    with pytest.raises(Absent):
        view.instance_type(view.all[0])


def _container(**resources: Any) -> dict[str, Any]:
    return {"name": "c", "resources": resources}


@pytest.mark.parametrize(
    ("pod", "cpu"),
    [
        ({"containers": [_container(requests={"cpu": "500m"}), _container(requests={"cpu": 1})]}, "1.5"),
        ({"containers": [_container(limits={"cpu": "2"})]}, "2"),
        ({"containers": [_container(requests={"cpu": "1"}, limits={"cpu": "2"})]}, "1"),
        ({"containers": [{"name": "c"}]}, "0"),
        (
            {
                "containers": [_container(requests={"cpu": "1"})],
                "initContainers": [_container(requests={"cpu": "3"}), _container(requests={"cpu": "2"})],
            },
            "3",
        ),
        (
            {
                "containers": [_container(requests={"cpu": "1"})],
                "initContainers": [_container(requests={"cpu": "2"}) | {"restartPolicy": "Always"}],
            },
            "3",
        ),
        ({"containers": [_container(requests={"cpu": "1"})], "overhead": {"cpu": "250m"}}, "1.25"),
        ({"containers": [_container(requests={"cpu": "1"})], "resources": {"requests": {"cpu": "4"}}}, "4"),
        ({"containers": [_container(requests={"cpu": "1"})], "resources": {"requests": {"memory": "4Gi"}}}, "1"),
    ],
    ids=["sum", "limit", "request wins", "nothing", "largest init", "sidecar", "overhead", "whole", "memory only"],
)
def test_a_pod_asks_for_what_the_scheduler_counts(pod: dict[str, Any], cpu: str) -> None:
    """Containers together, or the largest init container; sidecars with the containers."""
    assert requests(pod)["cpu"] == Decimal(cpu)


def test_a_pod_without_a_node_is_pending_with_the_schedulers_reason() -> None:
    """And what it asks for counts, though it has no room."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    pod = {
        "metadata": {"name": "p", "namespace": "n"},
        "spec": {"containers": [_container(requests={"cpu": "9"})]},
        "status": {"phase": "Pending", "conditions": [condition]},
    }
    view = nodes(node("n"), pods=[pod])
    assert [(one.name, one.reason) for one in view.pending] == [("n/p", "Unschedulable")]
    assert view.requested["cpu"] == 9
