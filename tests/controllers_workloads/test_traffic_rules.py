"""What EndpointSlices, Endpoints and disruption budgets say, as tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hallmark.twin.controllers.clock import written
from hallmark.twin.controllers.workloads import disruption_budgets, endpoints

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "n", "uid": "s", "labels": {"team": "x"}},
    "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
}


def pod(name: str, port: int = 8080, ready: bool = True, leaving: bool = False, **spec: Any) -> Any:  # noqa: FBT001, FBT002  (tables)
    """A pod with a named port."""
    metadata: dict[str, Any] = {"name": name, "namespace": "n", "uid": name, "labels": {"app": "web"}}
    if leaving:
        metadata["deletionTimestamp"] = written(NOW)
    return {
        "metadata": metadata,
        "spec": {"nodeName": "a", "containers": [{"ports": [{"name": "http", "containerPort": port}]}], **spec},
        "status": {
            "phase": "Running",
            "podIP": f"10.0.0.{name}",
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }


@pytest.mark.parametrize(
    ("one", "conditions"),
    [
        (pod("1"), {"ready": True, "serving": True, "terminating": False}),
        (pod("1", ready=False), {"ready": False, "serving": False, "terminating": False}),
        (pod("1", leaving=True), {"ready": False, "serving": True, "terminating": True}),
    ],
)
def test_conditions_of_endpoints(one: Any, conditions: Any) -> None:
    """A pod that is being deleted still serves, but takes nothing new."""
    (found,) = endpoints.slices(SERVICE, [one], {})

    assert found["endpoints"][0]["conditions"] == conditions


def test_pods_with_other_ports_have_a_slice_of_their_own() -> None:
    """A named port may have another number in each pod."""
    slices = endpoints.slices(SERVICE, [pod("1"), pod("2", port=9090), pod("3")], {})

    found = [([each["port"] for each in one["ports"]], [e["addresses"][0] for e in one["endpoints"]]) for one in slices]
    assert found == [([8080], ["10.0.0.1", "10.0.0.3"]), ([9090], ["10.0.0.2"])]


def test_a_slice_holds_a_hundred() -> None:
    """The rest is in the next."""
    slices = endpoints.slices(SERVICE, [pod(str(number)) for number in range(101)], {})

    assert [len(each["endpoints"]) for each in slices] == [100, 1]


def test_a_service_without_pods_has_an_empty_slice() -> None:
    """With its labels, and whose it is."""
    (found,) = endpoints.slices(SERVICE, [], {})

    assert (found["endpoints"], found["ports"]) == ([], [])
    assert found["metadata"]["labels"] == {
        "team": "x",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    assert found["metadata"]["ownerReferences"][0]["uid"] == "s"


def test_names_of_pods_behind_a_headless_service() -> None:
    """A pod whose subdomain is the Service has its hostname there; not ready ones can be published."""
    headless = {**SERVICE, "spec": {**SERVICE["spec"], "clusterIP": "None", "publishNotReadyAddresses": True}}
    (found,) = endpoints.slices(headless, [pod("1", ready=False, hostname="db-0", subdomain="web")], {})

    assert (found["endpoints"][0]["hostname"], found["endpoints"][0]["conditions"]["ready"]) == ("db-0", True)
    assert found["metadata"]["labels"]["service.kubernetes.io/headless"] == ""


def test_the_older_endpoints_say_the_same() -> None:
    """Ready ones apart from the others; those that are being deleted are left out."""
    told = endpoints.legacy(SERVICE, [pod("1"), pod("2", ready=False), pod("3", leaving=True)])

    (subset,) = told["subsets"]
    assert [each["ip"] for each in subset["addresses"]] == ["10.0.0.1"]
    assert [each["ip"] for each in subset["notReadyAddresses"]] == ["10.0.0.2"]
    assert subset["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]


def test_selection() -> None:
    """Pods with an address that have not ended; a Service without selector selects nothing."""
    ended = pod("2")
    ended["status"]["phase"] = "Succeeded"
    waiting = pod("3")
    del waiting["status"]["podIP"]

    found = endpoints.selected(SERVICE, [ended, waiting, pod("1")])
    assert [each["metadata"]["name"] for each in found] == ["1"]
    assert not endpoints.selects({"spec": {}}, pod("1"))


def budget(status: Any = None, **spec: Any) -> Any:
    """A disruption budget."""
    return {"metadata": {"generation": 2}, "spec": spec, "status": status or {}}


THREE = [pod("1"), pod("2"), pod("3")]


@pytest.mark.parametrize(
    ("one", "pods", "scale", "expected"),
    [
        (budget(minAvailable=2), THREE, 3, (1, 2, 3)),
        (budget(minAvailable=3), THREE, 3, (0, 3, 3)),
        (budget(minAvailable="50%"), THREE, 3, (1, 2, 3)),
        (budget(maxUnavailable=1), THREE, 3, (1, 2, 3)),
        (budget(maxUnavailable="50%"), THREE, 3, (2, 1, 3)),
        (budget(maxUnavailable=1), [pod("1"), pod("2", ready=False), pod("3")], 3, (0, 2, 3)),
        (budget(maxUnavailable=1), [pod("1"), pod("2", leaving=True), pod("3")], 3, (0, 2, 3)),
        # A size that is wanted but not there yet counts.
        (budget(maxUnavailable=1), THREE, 5, (0, 4, 5)),
        (budget(minAvailable=0), [], 0, (0, 0, 0)),
    ],
)
def test_budgets(one: Any, pods: Any, scale: int, expected: tuple[int, int, int]) -> None:
    """How many may be evicted, how many have to be healthy, of how many."""
    told = disruption_budgets.calculate(one, pods, scale, NOW)

    assert (told["disruptionsAllowed"], told["desiredHealthy"], told["expectedPods"]) == expected
    assert told["observedGeneration"] == 2


def test_a_pod_that_is_about_to_be_evicted_counts_as_gone() -> None:
    """For two minutes; then as healthy again, if it is still there."""
    marked = {"1": written(NOW - timedelta(seconds=119)), "2": written(NOW - timedelta(seconds=121)), "9": written(NOW)}
    told = disruption_budgets.calculate(budget({"disruptedPods": marked}, maxUnavailable=1), THREE, 3, NOW)

    assert (told["currentHealthy"], told["disruptionsAllowed"]) == (2, 0)
    assert told["disruptedPods"] == {"1": marked["1"]}
