"""What can be wrong with nodes and controllers, and what only looks wrong."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call, Status
from hallmark.views.controllers import AUTOSCALER_STATUS


def _nodes(edit: Edit) -> Iterator[dict[str, Any]]:
    """The nodes of the core API; the metrics API has a resource of the same name."""
    return edit.objects("nodes", version="v1")


def _general(edit: Edit) -> dict[str, Any]:
    """A node on which ClickHouse does not run."""
    clickhouse = [pod for pod in edit.objects("pods") if "clickhouse" in pod["metadata"]["name"]]
    taken = {pod["spec"].get("nodeName") for pod in clickhouse}
    return next(node for node in _nodes(edit) if node["metadata"]["name"] not in taken)


def _instance(edit: Edit, node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    name = node["spec"]["providerID"].rpartition("/")[2]
    instances = edit.each("ec2", "describe_instances", "Reservations.Instances")
    return (one for one in instances if one["InstanceId"] == name)


def _autoscaler(edit: Edit) -> dict[str, Any]:
    def images(one: dict[str, Any]) -> str:
        return " ".join(c.get("image", "") for c in one["spec"]["template"]["spec"]["containers"])

    named = (
        one for one in edit.objects("deployments") if "cluster-autoscaler" in one["metadata"]["name"] + images(one)
    )
    return next(named)


def _report(edit: Edit) -> dict[str, Any]:
    return next(edit.each("kubernetes", "get", resource="configmaps", name=AUTOSCALER_STATUS))


@mutant(breaks=["nodes_of_groups"])
def one_node_is_self_managed(edit: Edit) -> None:
    """A node that was joined by hand."""
    _general(edit)["metadata"]["labels"].pop("eks.amazonaws.com/nodegroup")


@mutant(breaks=["nodes_of_groups"])
def one_node_is_somewhere_else(edit: Edit) -> None:
    """A hybrid node, outside AWS."""
    _general(edit)["spec"]["providerID"] = "eks-hybrid:///us-east-1/c/mi-1"


@mutant(breaks=["nodes_of_groups"])
def no_node_is_ready(edit: Edit) -> None:
    """All kubelets have stopped reporting."""
    for node in _nodes(edit):
        for one in node["status"]["conditions"]:
            one["status"] = "Unknown" if one["type"] == "Ready" else one["status"]


@mutant(breaks=["nodes_in_private_subnets"])
def one_node_has_a_public_address(edit: Edit) -> None:
    """The subnet gives addresses away."""
    for instance in _instance(edit, _general(edit)):
        instance["PublicIpAddress"] = "198.51.100.9"


@mutant(breaks=["usable_cpu", "usable_memory"])
def large_node_is_cordoned(edit: Edit) -> None:
    """AWS counts it, the scheduler does not."""
    _largest(edit)["spec"]["unschedulable"] = True
    _shrink(edit)


@mutant(breaks=["usable_cpu"])
def instances_have_few_cpus(edit: Edit) -> None:
    """Two vCPU each."""
    for kind in edit.each("ec2", "describe_instance_types", "InstanceTypes"):
        kind["VCpuInfo"]["DefaultVCpus"] = 8 if kind["VCpuInfo"]["DefaultVCpus"] > 8 else 2


@mutant(breaks=["requests_fit"])
def a_pod_asks_for_more_as_a_whole(edit: Edit) -> None:
    """Its containers ask for little, and the pod for all there is."""
    next(edit.objects("pods"))["spec"]["resources"] = {"requests": {"cpu": "400"}}


@mutant(breaks=["requests_fit"])
def a_pod_is_pending(edit: Edit) -> None:
    """It belongs to somebody else, and there is no room for it all the same."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    for answer in edit.answers("kubernetes", "list", resource="pods"):
        pod = {"metadata": {"name": "p", "namespace": "other"}, "spec": {"containers": []}}
        answer["items"].append(pod | {"status": {"phase": "Pending", "conditions": [condition]}})


@mutant(breaks=["requests_fit"])
def requests_do_not_fit(edit: Edit) -> None:
    """A daemon asks for more than there is left."""
    for answer in edit.answers("kubernetes", "list", resource="pods"):
        container = {"name": "c", "resources": {"limits": {"cpu": "500"}}}
        spec = {"nodeName": next(_nodes(edit))["metadata"]["name"], "containers": [container]}
        answer["items"].append({"metadata": {"name": "p"}, "spec": spec, "status": {"phase": "Running"}})


@mutant(breaks=[])
def a_finished_job_asks_for_much(edit: Edit) -> None:
    """What has ended asks for nothing any more."""
    for answer in edit.answers("kubernetes", "list", resource="pods"):
        container = {"name": "c", "resources": {"requests": {"cpu": "500"}}}
        answer["items"].append(
            {"metadata": {"name": "p"}, "spec": {"containers": [container]}, "status": {"phase": "Succeeded"}}
        )


@mutant(breaks=["autoscaler_running"])
def no_autoscaler(edit: Edit) -> None:
    """It was never installed."""
    edit.remove("deployments", _autoscaler(edit)["metadata"]["name"])


@mutant(breaks=["autoscaler_running"])
def autoscaler_is_scaled_to_zero(edit: Edit) -> None:
    """Somebody switched it off for a while."""
    deployment = _autoscaler(edit)
    deployment["spec"]["replicas"] = 0
    deployment["status"].update(readyReplicas=0, updatedReplicas=0)


@mutant(breaks=["autoscaler_running"])
def autoscaler_never_reported(edit: Edit) -> None:
    """Its role does not let it start."""
    edit.status("kubernetes", "get", Status.ABSENT, "NotFound", resource="configmaps", name=AUTOSCALER_STATUS)


@mutant(breaks=["autoscaler_running"])
def autoscaler_is_unhealthy(edit: Edit) -> None:
    """Too many nodes are not ready."""
    status = _report(edit)["data"]
    status["status"] = status["status"].replace("Healthy", "Unhealthy")


@mutant(breaks=["autoscaler_running"])
def autoscaler_has_stopped_reporting(edit: Edit) -> None:
    """Its pod runs and does nothing."""
    annotations = _report(edit)["metadata"]["annotations"]
    annotations["cluster-autoscaler.kubernetes.io/last-updated"] = "2026-01-01 00:00:00.000000001 +0000 UTC"


@mutant(breaks=[])
def autoscaler_reports_in_plain_text(edit: Edit) -> None:
    """As versions before 1.30 did."""
    text = "Cluster-autoscaler status:\nCluster-wide:\n  Health:      Healthy (ready=3 unready=0)\nNodeGroups:\n"
    groups = edit.each("eks", "describe_nodegroup", "nodegroup.resources.autoScalingGroups")
    lines = [f"  Name:        {group['name']}\n  Health:      Healthy (ready=1)\n" for group in groups]
    _report(edit)["data"]["status"] = text + "\n".join(lines)


@mutant(breaks=[])
def autoscaler_has_moved(edit: Edit) -> None:
    """It runs in a namespace of its own by now, and its last report from before is still there."""
    deployment = _autoscaler(edit)
    moved = deepcopy(_report(edit))
    autoscaler_has_stopped_reporting.edit(edit)
    place = {"resource": "configmaps", "version": "v1", "namespace": "autoscaler", "name": AUTOSCALER_STATUS}
    edit.put(Call.of("kubernetes", "get", **place), moved)
    deployment["metadata"]["namespace"] = "autoscaler"


@mutant(breaks=["autoscaler_running"])
def autoscaler_looks_after_nothing(edit: Edit) -> None:
    """The tags by which it is to find its groups name another cluster: healthy, and without a node to add."""
    status = _report(edit)["data"]
    status["status"] = status["status"].partition("nodeGroups:")[0]


@mutant(breaks=["metrics_served"])
def no_metrics_server(edit: Edit) -> None:
    """Nobody serves the metrics API."""
    edit.remove("apiservices", "v1beta1.metrics.k8s.io")


@mutant(breaks=["metrics_served"])
def metrics_server_is_unreachable(edit: Edit) -> None:
    """Its pod cannot be reached from the control plane."""
    for service in edit.objects("apiservices", "v1beta1.metrics.k8s.io"):
        service["status"]["conditions"] = [
            {"type": "Available", "status": "False", "reason": "FailedDiscoveryCheck"},
        ]


@mutant(breaks=["metrics_served"])
def one_node_is_not_measured(edit: Edit) -> None:
    """Its kubelet does not let the Metrics Server in."""
    for answer in edit.answers("kubernetes", "list", resource="nodes", group="metrics.k8s.io"):
        answer["items"] = answer["items"][1:]


def _largest(edit: Edit) -> dict[str, Any]:
    types = {
        t["InstanceType"]: t["MemoryInfo"]["SizeInMiB"]
        for t in edit.each("ec2", "describe_instance_types", "InstanceTypes")
    }
    return max(_nodes(edit), key=lambda node: types[next(_instance(edit, node))["InstanceType"]])


def _shrink(edit: Edit) -> None:
    """Leave what the other nodes have just below the reference, and still enough for the pods' requests."""
    kinds = list(edit.each("ec2", "describe_instance_types", "InstanceTypes"))
    small = min(kinds, key=lambda kind: kind["MemoryInfo"]["SizeInMiB"])
    small["VCpuInfo"]["DefaultVCpus"] = 7
    small["MemoryInfo"]["SizeInMiB"] = 31 * 1024
    for node in _nodes(edit):
        node["status"]["allocatable"] = {"cpu": "64", "memory": "256Gi"}
