"""Controllers: how each is recognised, and what it reports about itself."""

from typing import Any

import pytest

from hallmark.errors import Unobservable
from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views.all import Views
from hallmark.views.controllers import Controllers

TAKEN = "2026-11-24T12:05:00Z"
YAML = """time: x
autoscalerStatus: Running
clusterWide:
  health:
    status: Healthy
    nodeCounts: {}
nodeGroups:
- name: eks-a
  health:
    status: Unhealthy
- health:
    status: Healthy
  name: "eks-b"
"""
TEXT = """Cluster-autoscaler status at x:
Cluster-wide:
  Health:      Unhealthy (ready=1)
NodeGroups:
  Name:        eks-a
  Health:      Healthy

  Name:        eks-b
"""


def listed(resource: str, items: list[dict[str, Any]], group: str = "", version: str = "v1") -> dict[str, Answer]:
    """The answer to a list."""
    place = {"group": group} if group else {}
    call = Call.of("kubernetes", "list", resource=resource, version=version, **place)
    return {call.key: Answer(Status.OBSERVED, {"items": items})}


def workload(name: str, image: str, labels: dict[str, str] | None = None, **pod: Any) -> dict[str, Any]:
    """A workload as the API gives it."""
    template = {"metadata": {}, "spec": {"containers": [{"name": "c", "image": image}], **pod}}
    metadata = {"name": name, "namespace": "kube-system", "labels": labels or {}}
    return {"metadata": metadata, "spec": {"selector": {}, "template": template}, "status": {}}


def controllers(
    deployments: list[dict[str, Any]] | None = None,
    daemons: list[dict[str, Any]] | None = None,
    more: dict[str, Answer] | None = None,
) -> Controllers:
    """A view over workloads and further answers."""
    answers = {**listed("deployments", deployments or [], "apps"), **listed("statefulsets", [], "apps")}
    answers |= {**listed("daemonsets", daemons or [], "apps"), **(more or {})}
    return Views(Snapshot(answers, {"namespace": "n"}, TAKEN)).controllers


@pytest.mark.parametrize(
    ("raw", "is_one"),
    [
        (workload("a", "x", {"app.kubernetes.io/name": "aws-cluster-autoscaler"}), True),
        (workload("a", "x", {"app": "cluster-autoscaler"}), True),
        (workload("a", "registry.k8s.io/autoscaling/cluster-autoscaler:v1.35.0"), True),
        (workload("cluster-autoscaler", "nginx"), False),
        (workload("a", "example.com/my-cluster-autoscaler-ui:1"), False),
    ],
    ids=["chart", "label", "image", "name only", "like it"],
)
def test_cluster_autoscaler_is_known_by_label_or_image(raw: dict[str, Any], is_one: bool) -> None:  # noqa: FBT001  (what is expected)
    """A name is nobody's promise."""
    assert bool(controllers([raw]).autoscalers) is is_one


def report(status: str, updated: str) -> Controllers:
    """A view over a status ConfigMap."""
    place = {"resource": "configmaps", "version": "v1", "namespace": "kube-system", "name": "cluster-autoscaler-status"}
    annotations = {"cluster-autoscaler.kubernetes.io/last-updated": updated}
    value = {"metadata": {"name": "cluster-autoscaler-status", "annotations": annotations}, "data": {"status": status}}
    return controllers(more={Call.of("kubernetes", "get", **place).key: Answer(Status.OBSERVED, value)})


@pytest.mark.parametrize(
    ("status", "health"),
    [(YAML, "Healthy"), (TEXT, "Unhealthy"), ("Initializing", "Initializing"), ("", "Initializing")],
)
def test_health_is_that_of_the_whole_cluster(status: str, health: str) -> None:
    """In both forms it comes first; before the first look there is none."""
    found = report(status, "2026-11-24 12:00:00.123456789 +0000 UTC").autoscaler_report

    assert found is not None
    assert found.health == health


@pytest.mark.parametrize(
    ("updated", "seconds"),
    [
        ("2026-11-24 12:00:00.123456789 +0000 UTC", 300.0),
        ("2026-11-24 12:04:59 +0000 UTC", 1.0),
        ("2026-11-24 13:04:00.5 +0100 CET", 60.0),
    ],
)
def test_age_is_counted_from_when_the_evidence_was_taken(updated: str, seconds: float) -> None:
    """Go's own way of writing a time; fractions of a second do not matter."""
    found = report(YAML, updated).autoscaler_report

    assert found is not None
    assert found.seconds_old == seconds


@pytest.mark.parametrize(
    ("status", "groups"), [(YAML, {"eks-a", "eks-b"}), (TEXT, {"eks-a", "eks-b"}), ("Initializing", set())]
)
def test_a_report_names_its_groups(status: str, groups: set[str]) -> None:
    """In both forms; before the first look there is none."""
    found = report(status, "2026-11-24 12:00:00.123456789 +0000 UTC").autoscaler_report

    assert found is not None
    assert found.groups == groups


def test_a_report_without_a_time_cannot_be_judged() -> None:
    """An age that is not known is no young age."""
    with pytest.raises(Unobservable):
        _ = report(YAML, "today").autoscaler_report


@pytest.mark.parametrize(
    ("image", "path", "ships"),
    [
        ("aws-for-fluent-bit:2.32", "", True),
        ("fluent/fluentd:v1", "", True),
        ("cloudwatch-agent:1.3", "", False),
        ("cloudwatch-agent:1.3", "/var/log", True),
        ("otel/opentelemetry-collector-contrib:0.140", "/var/log/pods/", True),
        ("otel/opentelemetry-collector-contrib:0.140", "/", False),
        ("nginx", "/var/log", False),
    ],
)
def test_an_agent_ships_logs_when_that_is_its_work_or_it_sees_them(image: str, path: str, ships: bool) -> None:  # noqa: FBT001  (what is expected)
    """Agents that collect figures only are none."""
    volumes = [{"name": "v", "hostPath": {"path": path}}] if path else []
    assert bool(controllers(daemons=[workload("a", image, volumes=volumes)]).log_shippers) is ships
