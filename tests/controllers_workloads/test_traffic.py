"""Services, disruption budgets and autoscalers on a real API server, driven by the real kubectl."""

from collections.abc import Callable
from typing import Any

Make = Callable[..., Any]


def _slice(cluster: Any, service: str) -> Any:
    found = cluster.get("endpointslices", "", "-l", f"kubernetes.io/service-name={service}")
    return found[0] if found else None


def test_a_service_leads_to_ready_pods(cluster: Any, workload: Make) -> None:
    """The slice has each pod's address, zone and the number behind a named port; Endpoints say the same."""
    ports = [{"name": "http", "containerPort": 8080}]
    manifest = workload("Deployment", "web", replicas=2)
    manifest["spec"]["template"]["spec"]["containers"][0]["ports"] = ports
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"name": "main", "port": 80, "targetPort": "http"}]},
    }
    cluster.apply(service, manifest)
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=10s")
    found = cluster.soon(lambda: (one := _slice(cluster, "web")) and len(one["endpoints"]) == 2 and one)

    assert found["ports"] == [{"name": "main", "port": 8080, "protocol": "TCP"}]
    by_name = {each["metadata"]["name"]: each for each in cluster.pods("web")}
    for each in found["endpoints"]:
        pod = by_name[each["targetRef"]["name"]]
        assert each["addresses"] == [pod["status"]["podIP"]]
        assert each["conditions"] == {"ready": True, "serving": True, "terminating": False}
        assert each["zone"] == f"zone-{each['nodeName'][-1]}"
    (subset,) = cluster.get("endpoints", "web")["subsets"]
    assert sorted(each["ip"] for each in subset["addresses"]) == sorted(
        each["status"]["podIP"] for each in by_name.values()
    )
    assert subset["ports"] == [{"name": "main", "port": 8080, "protocol": "TCP"}]

    cluster.kubectl("delete", "service", "web")
    assert cluster.soon(lambda: cluster.get("endpointslices") == [] and cluster.get("endpoints") == [])


def test_pods_that_are_not_ready_take_no_traffic(cluster: Any, workload: Make) -> None:
    """They are in the slice as not ready, and among the addresses that are not ready."""
    cluster.apply(workload("Deployment", "web", behaviour="unready", replicas=1))
    cluster.kubectl("create", "service", "clusterip", "web", "--tcp=80:8080")
    found = cluster.soon(lambda: (one := _slice(cluster, "web")) and one["endpoints"] and one)

    assert found["endpoints"][0]["conditions"] == {"ready": False, "serving": False, "terminating": False}
    (subset,) = cluster.soon(lambda: cluster.get("endpoints", "web").get("subsets"))
    assert "addresses" not in subset
    assert len(subset["notReadyAddresses"]) == 1


def test_drain_respects_a_budget(cluster: Any, workload: Make) -> None:
    """None may be missing: an eviction is refused; one of two may be missing: the node is emptied."""
    spread = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [spread]}}
    cluster.apply(workload("Deployment", "web", replicas=2, pod={"affinity": apart}))
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=10s")
    cluster.kubectl("create", "pdb", "web", "--selector=app=web", "--min-available=2")
    budget = cluster.soon(
        lambda: (now := cluster.get("pdb", "web").get("status", {})).get("currentHealthy") == 2 and now
    )
    assert (budget["disruptionsAllowed"], budget["desiredHealthy"], budget["expectedPods"]) == (0, 2, 2)

    (busy, *_) = [each["spec"]["nodeName"] for each in cluster.pods("web")]
    drain = ("drain", busy, "--ignore-daemonsets", "--pod-selector=app=web", "--timeout=10s")
    try:
        said = cluster.evict(cluster.pods("web")[0]["metadata"]["name"])
        assert "Cannot evict pod as it would violate the pod's disruption budget." in said
        cluster.kubectl("patch", "pdb", "web", "--type=merge", "-p", '{"spec":{"minAvailable":1}}')
        cluster.soon(lambda: cluster.get("pdb", "web")["status"]["disruptionsAllowed"] == 1)
        assert f"node/{busy} drained" in cluster.kubectl(*drain)
        assert cluster.soon(lambda: len(cluster.pods("web")) == 2)
        assert busy not in [each["spec"].get("nodeName") for each in cluster.pods("web")]
        taints = cluster.get("node", busy)["spec"]["taints"]
        assert [(each["key"], each["effect"]) for each in taints] == [
            ("node.kubernetes.io/unschedulable", "NoSchedule")
        ]
    finally:
        cluster.kubectl("uncordon", busy)
    cluster.soon(lambda: "taints" not in cluster.get("node", busy)["spec"])


def test_an_autoscaler_without_metrics_says_so(cluster: Any, workload: Make) -> None:
    """It keeps the replicas within its bounds, and its conditions and events tell what is missing."""
    cluster.apply(workload("Deployment", "web", replicas=1))
    cluster.kubectl("autoscale", "deployment", "web", "--min=2", "--max=5", "--cpu-percent=50")
    assert cluster.soon(lambda: cluster.get("deployment", "web")["spec"]["replicas"] == 2)
    rescaled = "SuccessfulRescale: New size: 2; reason: Current number of replicas below Spec.MinReplicas"
    assert cluster.soon(lambda: rescaled in cluster.events("web"))
    # Any change of its spec makes it look again before its 15 seconds are over.
    cluster.kubectl("patch", "hpa", "web", "--type=merge", "-p", '{"spec":{"maxReplicas":6}}')
    lacking = (
        "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource "
        "metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)"
    )

    def inactive() -> Any:
        found = cluster.get("hpa", "web").get("status", {}).get("conditions", [])
        return next((each for each in found if each["type"] == "ScalingActive"), None)

    found = cluster.soon(inactive)
    assert (found["status"], found["reason"]) == ("False", "FailedGetResourceMetric")
    assert found["message"] == f"the HPA was unable to compute the replica count: {lacking}"
    assert cluster.soon(lambda: f"FailedGetResourceMetric: {lacking}" in cluster.events("web"))


def test_an_autoscaler_follows_its_metrics(cluster: Any, workload: Make) -> None:
    """Twice the wanted use doubles the replicas."""
    resources = {"requests": {"cpu": "100m"}}
    manifest = workload("Deployment", "busy", replicas=1)
    manifest["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
    cluster.apply(manifest)
    cluster.kubectl("rollout", "status", "deployment/busy", "--timeout=10s")
    (pod,) = cluster.pods("busy")
    cluster.serve_metrics({pod["metadata"]["name"]: "100m"})
    try:
        cluster.kubectl("autoscale", "deployment", "busy", "--min=1", "--max=5", "--cpu-percent=50")
        assert cluster.soon(lambda: cluster.get("deployment", "busy")["spec"]["replicas"] == 2)
    finally:
        cluster.kubectl("delete", "apiservice", "v1beta1.metrics.k8s.io")
    (current,) = cluster.soon(lambda: cluster.get("hpa", "busy")["status"].get("currentMetrics"))
    assert current["resource"]["current"] == {"averageUtilization": 100, "averageValue": "100m"}
    reason = "cpu resource utilization (percentage of request) above target"
    assert f"SuccessfulRescale: New size: 2; reason: {reason}" in cluster.events("busy")
