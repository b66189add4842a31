"""Workloads: when one is ready, and what its containers are told."""

from typing import Any

import pytest

from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views.all import Views
from hallmark.views.workloads import Workloads, workload


def value(kind: str = "Deployment", spec: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    """A workload as the API gives it."""
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": []}}
    return {
        "kind": kind,
        "metadata": {"name": "w", "namespace": "n", "generation": 2},
        "spec": {"selector": {"matchLabels": {"app": "a"}}, "template": template, **(spec or {})},
        "status": {"observedGeneration": 2, "replicas": status.get("updatedReplicas", 0), **status},
    }


@pytest.mark.parametrize(
    ("raw", "is_ready"),
    [
        (value(spec={"replicas": 2}, readyReplicas=2, updatedReplicas=2), True),
        (value(spec={}, readyReplicas=1, updatedReplicas=1), True),
        (value(spec={"replicas": 2}, readyReplicas=1, updatedReplicas=2), False),
        (value(spec={"replicas": 2}, readyReplicas=2, updatedReplicas=1), False),
        (value(spec={"replicas": 1}, replicas=2, readyReplicas=1, updatedReplicas=1), False),
        (value(spec={"replicas": 0}), False),
        (value(spec={"replicas": 1}, readyReplicas=1, updatedReplicas=1, observedGeneration=1), False),
        (value(spec={"replicas": 1}), False),
        (value("DaemonSet", desiredNumberScheduled=3, numberReady=3, updatedNumberScheduled=3), True),
        (value("DaemonSet", desiredNumberScheduled=3, numberReady=2, updatedNumberScheduled=3), False),
        (value("DaemonSet", desiredNumberScheduled=0, numberReady=0), False),
    ],
    ids=[
        *("all", "default of one", "one not", "old pods", "an old pod beside", "none wanted", "stale", "no status"),
        *("daemon", "daemon one not", "daemon nowhere"),
    ],
)
def test_ready_means_everything_that_is_to_run_runs(raw: dict[str, Any], is_ready: bool) -> None:  # noqa: FBT001  (what is expected)
    """All pods ready, one or more, all of the newest version, seen by the controller."""
    assert workload(raw).is_ready is is_ready


def workloads(config: dict[str, Any], secrets: list[dict[str, Any]]) -> Workloads:
    """A view over ConfigMaps and facts about Secrets."""
    maps = Call.of("kubernetes", "list", version="v1", resource="configmaps", namespace="n")
    facts = Call.of("kubernetes", "secrets", namespace="n")
    listed = [{"metadata": {"name": name}, "data": data} for name, data in config.items()]
    answers = {maps.key: Answer(Status.OBSERVED, {"items": listed})}
    answers[facts.key] = Answer(Status.OBSERVED, {"items": secrets})
    return Views(Snapshot(answers, {"namespace": "n", "release": "r"})).workloads


def test_the_environment_comes_from_four_places() -> None:
    """A literal, a ConfigMap's entry, a Secret's key, and whole ConfigMaps and Secrets."""
    view = workloads(
        {"c": {"A": {"value": "1"}, "B": {"value": "2"}}}, [{"metadata": {"name": "s"}, "keys": {"K": {}}}]
    )
    container = {
        "envFrom": [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}, "prefix": "P_"}],
        "env": [
            {"name": "B", "value": "3"},
            {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "A"}}},
            {"name": "D", "valueFrom": {"secretKeyRef": {"name": "s", "key": "K", "optional": True}}},
            {"name": "E", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
    }
    found = view.environment(container)

    assert {name: variable.value for name, variable in found.items()} == {
        "A": "1",
        "B": "3",
        "C": "1",
        "D": "",
        "E": "",
        "P_K": "",
    }
    assert (found["P_K"].secret, found["P_K"].key) == ("s", "K")
    assert (found["D"].secret, found["D"].is_optional) == ("s", True)


def test_a_missing_config_map_gives_nothing() -> None:
    """The pod would not start; the other checks say so."""
    assert workloads({}, []).environment({"envFrom": [{"configMapRef": {"name": "gone"}}]}) == {}


def cluster(image: str, *statuses: dict[str, Any]) -> Workloads:
    """A view over one Deployment of the release and its pod."""
    container = {"name": "main", "image": image}
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [container]}}
    one = value(spec={"template": template})
    one["metadata"]["labels"] = {"app.kubernetes.io/instance": "r"}
    pod = {"metadata": {"name": "w-1", "namespace": "n", "labels": {"app": "a"}}, "spec": {},
           "status": {"containerStatuses": list(statuses)}}  # fmt: skip
    lists = {"deployments": [one], "statefulsets": [], "daemonsets": [], "pods": [pod]}
    calls = {
        Call.of(
            "kubernetes", "list", version="v1", resource=name, **({} if name == "pods" else {"group": "apps"})
        ): items
        for name, items in lists.items()
    }
    answers = {call.key: Answer(Status.OBSERVED, {"items": items}) for call, items in calls.items()}
    scope = {"namespace": "n", "release": "r"}
    return Views(Snapshot(answers, scope, "2026-11-26T10:05:00+00:00")).workloads


def test_a_container_remembers_its_last_ending() -> None:
    """Which one, why, and how long ago; one that never ended has none."""
    ended = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-11-26T10:00:00Z"}
    view = cluster("x:1", {"name": "main", "lastState": {"terminated": ended}}, {"name": "side", "lastState": {}})
    (found,) = view.endings
    assert (found.pod, found.container, found.reason, found.seconds_ago) == ("n/w-1", "main", "OOMKilled", 300.0)


@pytest.mark.parametrize(
    ("image", "runs"),
    [
        ("docker.io/clickhouse/clickhouse-server:25.12", True),
        ("clickhouse-server@sha256:00", True),
        ("example/clickhouse-server-backup:1", False),
        ("example/my-clickhouse-server:1", False),
        ("clickhouse-server/exporter:1", False),
    ],
)
def test_a_workload_is_found_by_its_image(image: str, runs: bool) -> None:  # noqa: FBT001  (what is expected)
    """The last part of the repository counts, whole, whatever the registry and the tag."""
    assert [one.name for one in cluster(image).of_image("clickhouse-server")] == (["w"] if runs else [])
