"""How many replicas metrics ask for and how far an autoscaler goes at once, as tables."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hallmark.twin.controllers.clock import written
from hallmark.twin.controllers.workloads import scaling, scaling_limits
from hallmark.twin.controllers.workloads.scaling import NoMetric, Usage
from hallmark.twin.controllers.workloads.scaling_limits import Past

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
UNREGISTERED = "no external metrics API (external.metrics.k8s.io) registered"
HALF = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
AVERAGE = {
    "type": "Resource",
    "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "100Mi"}},
}


def pod(name: str, request: str | None = "100m", ready: bool = True, age: float = 900, **status: Any) -> Any:  # noqa: FBT001, FBT002  (tables)
    """A pod of one container."""
    moment = written(NOW - timedelta(seconds=age))
    told = {"type": "Ready", "status": str(ready), "lastTransitionTime": moment}
    resources = {"requests": {"cpu": request}} if request else {}
    return {
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "main", "resources": resources}]},
        "status": {"phase": "Running", "startTime": moment, "conditions": [told], **status},
    }


@pytest.mark.parametrize(
    ("pods", "used", "replicas", "expected"),
    [
        ([pod("a")], {"a": "100m"}, 1, 2),
        ([pod("a"), pod("b")], {"a": "50m", "b": "50m"}, 2, 2),
        # Within a tenth of the goal nothing changes.
        ([pod("a"), pod("b")], {"a": "54m", "b": "54m"}, 2, 2),
        ([pod("a"), pod("b")], {"a": "60m", "b": "60m"}, 2, 3),
        ([pod("a"), pod("b"), pod("c")], {"a": "10m", "b": "10m", "c": "10m"}, 3, 1),
        # A pod without metrics counts as idle when growing, as fully busy when shrinking.
        ([pod("a"), pod("b")], {"a": "100m"}, 2, 2),
        ([pod("a"), pod("b")], {"a": "10m"}, 2, 2),
        # A pod that just started is not believed.
        ([pod("a"), pod("b", ready=False, age=5)], {"a": "100m", "b": "900m"}, 2, 2),
        ([pod("a"), pod("b", phase="Failed")], {"a": "100m"}, 2, 2),
    ],
)
def test_cpu_utilization(pods: Any, used: dict[str, str], replicas: int, expected: int) -> None:
    """Half of 100m is the goal."""
    usage = Usage(pods, {name: Decimal(value[:-1]) / 1000 for name, value in used.items()})

    assert scaling.propose(HALF, usage, replicas, NOW).replicas == expected


def test_an_average_value() -> None:
    """Bytes per pod instead of a share of the request."""
    usage = Usage([pod("a"), pod("b")], {"a": Decimal(300 * 2**20), "b": Decimal(100 * 2**20)})

    proposal = scaling.propose(AVERAGE, usage, 2, NOW)
    assert (proposal.replicas, proposal.subject) == (4, "memory resource")
    assert proposal.current["resource"]["current"] == {"averageValue": "209715200"}


@pytest.mark.parametrize(
    ("metric", "pods", "reason", "message"),
    [
        (HALF, [], "FailedGetResourceMetric", "no pods returned by selector while calculating replica count"),
        (
            HALF,
            [pod("a", request=None)],
            "FailedGetResourceMetric",
            "failed to get cpu utilization: missing request for cpu in container main of Pod a",
        ),
        (
            HALF,
            [pod("a")],
            "FailedGetResourceMetric",
            "failed to get cpu utilization: did not receive metrics for targeted pods (pods might be unready)",
        ),
        (
            {"type": "External", "external": {"metric": {"name": "depth"}}},
            [pod("a")],
            "FailedGetExternalMetric",
            f"unable to get metric depth: unable to fetch metrics from external metrics API: {UNREGISTERED}",
        ),
    ],
)
def test_metrics_that_cannot_be_had(metric: Any, pods: Any, reason: str, message: str) -> None:
    """Each says what is missing."""
    with pytest.raises(NoMetric) as caught:
        scaling.propose(metric, Usage(pods, {}), 1, NOW)

    assert (caught.value.reason, str(caught.value)) == (reason, message)


def test_usage_is_summed_by_pod() -> None:
    """Over containers, or of one."""
    answer = [
        {
            "metadata": {"name": "a"},
            "containers": [
                {"name": "main", "usage": {"cpu": "100m"}},
                {"name": "side", "usage": {"cpu": "5000000n"}},
            ],
        }
    ]

    assert scaling.used_by(answer, "cpu") == {"a": Decimal("0.105")}
    assert scaling.used_by(answer, "cpu", "side") == {"a": Decimal("0.005")}
    assert scaling.used_by(answer, "memory") == {}


BOUNDS = {"minReplicas": 2, "maxReplicas": 20}


def earlier(seconds: float, replicas: int) -> tuple[datetime, int]:
    """Something of the past."""
    return NOW - timedelta(seconds=seconds), replicas


@pytest.mark.parametrize(
    ("spec", "asked", "past", "expected"),
    [
        (BOUNDS, (4, 6), Past(), (6, "ReadyForNewScale", "DesiredWithinRange")),
        (BOUNDS, (15, 30), Past(), (20, "ReadyForNewScale", "TooManyReplicas")),
        # At most double, or four more, in fifteen seconds; what was added lately counts.
        (BOUNDS, (3, 18), Past(), (7, "ReadyForNewScale", "ScaleUpLimit")),
        (BOUNDS, (7, 18), Past(changes=[earlier(5, 4)]), (7, "ReadyForNewScale", "ScaleUpLimit")),
        (BOUNDS, (7, 18), Past(changes=[earlier(20, 4)]), (14, "ReadyForNewScale", "ScaleUpLimit")),
        # Down only to the highest wish of five minutes; the first look counts what is there.
        (BOUNDS, (6, 3), Past(), (6, "ScaleDownStabilized", "DesiredWithinRange")),
        (BOUNDS, (6, 3), Past(wishes=[earlier(200, 4)]), (4, "ScaleDownStabilized", "DesiredWithinRange")),
        (BOUNDS, (6, 3), Past(wishes=[earlier(301, 6)]), (3, "ReadyForNewScale", "DesiredWithinRange")),
        (BOUNDS, (6, 1), Past(wishes=[earlier(301, 6)]), (2, "ReadyForNewScale", "TooFewReplicas")),
        # What the behaviour says.
        (
            {**BOUNDS, "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}}},
            (6, 3),
            Past(),
            (3, "ReadyForNewScale", "DesiredWithinRange"),
        ),
        (
            {**BOUNDS, "behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}}},
            (3, 9),
            Past(),
            (4, "ReadyForNewScale", "ScaleUpLimit"),
        ),
        (
            {**BOUNDS, "behavior": {"scaleUp": {"selectPolicy": "Disabled"}}},
            (3, 9),
            Past(),
            (3, "ReadyForNewScale", "ScaleUpLimit"),
        ),
    ],
)
def test_limits(spec: Any, asked: tuple[int, int], past: Past, expected: tuple[int, str, str]) -> None:
    """There are some replicas and others are wished for: bounds, stabilization and rates, and which held it back."""
    found = scaling_limits.limit(spec, *asked, past, NOW)

    assert (found.replicas, found.able[0], found.limited[1]) == expected
