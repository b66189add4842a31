"""One change at a time to the recovered system, and to what the learner wrote down."""

from collections.abc import Iterator
from typing import Any

from hallmark.grading.mutation import Edit, mutant

GENERAL, RESERVED = "general", "clickhouse"
NODE_GROUP = "eks.amazonaws.com/nodegroup"
AFTER = [
    "autoscaler_watches", "application_ready", "workers_are_kept", "requests_are_kept", "clickhouse_has_its_node",
    "nodes_are_private", "nothing_restarts",
]  # fmt: skip
PLACED = ["every_pod_has_a_node", *AFTER]
READY = ["application_ready", "nothing_restarts"]


def deployment(edit: Edit, name: str) -> dict[str, Any]:
    """Return a Deployment of the application."""
    return next(edit.objects("deployments", f"langsmith-{name}"))


def _scale(edit: Edit, name: str, pods: int) -> None:
    one = deployment(edit, name)
    one["spec"]["replicas"] = pods
    one["status"] |= {"replicas": pods, "readyReplicas": pods, "updatedReplicas": pods}


def workers(edit: Edit) -> Iterator[dict[str, Any]]:
    """Yield the pods of the ingest queue."""
    for pod in edit.objects("pods"):
        if pod["metadata"].get("labels", {}).get("app.kubernetes.io/component") == "langsmith-ingest-queue":
            yield pod


def nodes(edit: Edit, group: str) -> list[dict[str, Any]]:
    """Return the nodes of a node group."""
    return [node for node in edit.objects("nodes") if node["metadata"]["labels"].get(NODE_GROUP) == group]


def scaling_group(edit: Edit) -> dict[str, Any]:
    """Return the Auto Scaling group that ordinary pods use."""
    return next(edit.each("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups"))


def requested(edit: Edit, name: str) -> dict[str, str]:
    """Return what the container of a Deployment asks for."""
    container = deployment(edit, name)["spec"]["template"]["spec"]["containers"][0]
    found: dict[str, str] = container["resources"]["requests"]
    return found


def instance(edit: Edit) -> Iterator[dict[str, Any]]:
    """Yield an instance that ordinary pods run on, from each answer it is in."""
    place = nodes(edit, GENERAL)[0]["spec"]["providerID"].rpartition("/")[2]
    for found in edit.each("ec2", "describe_instances", "Reservations.Instances"):
        if found["InstanceId"] == place:
            yield found


def written(edit: Edit, table: str) -> Iterator[dict[str, Any]]:
    """Yield a table of the learner's file."""
    yield from edit.each("files", "table", table)


@mutant(breaks=PLACED)
def a_pod_waits(edit: Edit) -> None:
    """One pod of the ingest queue still has no node."""
    pod = next(workers(edit))
    del pod["spec"]["nodeName"]
    pod["status"] |= {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False"}]}


@mutant(breaks=PLACED)
def a_pod_of_another_namespace_waits(edit: Edit) -> None:
    """It was pushed away to make room."""
    pod = next(one for one in edit.objects("pods") if one["metadata"]["namespace"] == "kube-system")
    del pod["spec"]["nodeName"]


@mutant(breaks=["groups_can_grow"])
def group_is_full(edit: Edit) -> None:
    """The maximum is the present size."""
    group = scaling_group(edit)
    group["MaxSize"] = group["DesiredCapacity"]


@mutant(breaks=[])
def group_has_room_for_one(edit: Edit) -> None:
    """One more node is room."""
    group = scaling_group(edit)
    group["MaxSize"] = group["DesiredCapacity"] + 1


@mutant(breaks=["groups_can_grow"])
def limit_was_raised_in_the_scaling_group_alone(edit: Edit) -> None:
    """EKS has the old limit recorded, and writes it with the next update."""
    for group in edit.each("eks", "describe_nodegroup", "nodegroup"):
        group["scalingConfig"]["maxSize"] = group["scalingConfig"]["desiredSize"]


@mutant(breaks=["groups_can_grow"])
def group_is_not_found(edit: Edit) -> None:
    """The autoscaler's tags are gone."""
    group = scaling_group(edit)
    group["Tags"] = [tag for tag in group["Tags"] if "cluster-autoscaler" not in tag["Key"]]


@mutant(breaks=["groups_can_grow"])
def group_may_not_launch(edit: Edit) -> None:
    """Somebody suspended the group."""
    scaling_group(edit)["SuspendedProcesses"] = [{"ProcessName": "Launch", "SuspensionReason": "x"}]


@mutant(breaks=["autoscaler_watches"])
def autoscaler_is_off(edit: Edit) -> None:
    """It was scaled to zero."""
    for one in edit.objects("deployments"):
        if "autoscaler" in one["metadata"]["name"]:
            one["spec"]["replicas"] = 0
            one["status"] |= {"replicas": 0, "readyReplicas": 0, "updatedReplicas": 0}


@mutant(breaks=["autoscaler_watches"])
def autoscaler_has_not_reported(edit: Edit) -> None:
    """Its last report is of last year."""
    for found in edit.answers("kubernetes", "get", resource="configmaps"):
        name = "cluster-autoscaler.kubernetes.io/last-updated"
        found["metadata"]["annotations"][name] = "2020-01-01 00:00:00.000000000 +0000 UTC"


@mutant(breaks=["autoscaler_watches"])
def autoscaler_is_ill(edit: Edit) -> None:
    """It says so itself."""
    for found in edit.answers("kubernetes", "get", resource="configmaps"):
        found["data"]["status"] = found["data"]["status"].replace("status: Healthy", "status: Unhealthy")


@mutant(breaks=[*READY, "workers_are_kept"])
def workers_are_gone(edit: Edit) -> None:
    """The ingest queue was deleted."""
    edit.remove("deployments", "langsmith-ingest-queue")


@mutant(breaks=["workers_are_kept"])
def workers_are_fewer(edit: Edit) -> None:
    """Two are left, both ready."""
    _scale(edit, "ingest-queue", 2)


@mutant(breaks=["workers_are_kept"])
def neighbours_are_fewer(edit: Edit) -> None:
    """The backend was scaled down to make room."""
    _scale(edit, "backend", 1)


@mutant(breaks=[])
def neighbours_are_as_few_as_the_values_say(edit: Edit) -> None:
    """A small release has one backend."""
    _scale(edit, "backend", 1)
    next(edit.each("kubernetes", "release"))["values"]["backend"]["deployment"] = {"replicas": 1}


@mutant(breaks=[])
def neighbours_are_scaled_by_load(edit: Edit) -> None:
    """An autoscaler found one backend enough."""
    _scale(edit, "backend", 1)
    next(edit.each("kubernetes", "release"))["values"]["backend"]["autoscaling"] = {"keda": {"enabled": True}}


@mutant(breaks=[])
def workers_are_as_many_as_before(edit: Edit) -> None:
    """The load test is over."""
    _scale(edit, "ingest-queue", 3)


@mutant(breaks=READY)
def a_worker_is_not_ready(edit: Edit) -> None:
    """It has a node, and does not start."""
    deployment(edit, "ingest-queue")["status"]["readyReplicas"] -= 1


@mutant(breaks=READY)
def clickhouse_is_not_ready(edit: Edit) -> None:
    """It was pushed off its node."""
    next(edit.objects("statefulsets", "langsmith-clickhouse"))["status"]["readyReplicas"] = 0


@mutant(breaks=["requests_are_kept"])
def nothing_is_asked_for(edit: Edit) -> None:
    """The requests are there, and nothing is in them."""
    requested(edit, "ingest-queue").update(cpu="1m", memory="1Mi")


@mutant(breaks=["requests_are_kept"])
def too_little_memory_is_asked_for(edit: Edit) -> None:
    """CPU as before, memory of nothing."""
    requested(edit, "backend")["memory"] = "128Mi"


@mutant(breaks=[])
def less_is_asked_for(edit: Edit) -> None:
    """Half the CPU may be a choice."""
    requested(edit, "ingest-queue")["cpu"] = "500m"


@mutant(breaks=["clickhouse_has_its_node"])
def a_guest_is_on_clickhouses_node(edit: Edit) -> None:
    """A worker tolerates the taint."""
    next(workers(edit))["spec"]["nodeName"] = nodes(edit, RESERVED)[0]["metadata"]["name"]


@mutant(breaks=["clickhouse_has_its_node"])
def clickhouses_node_is_open(edit: Edit) -> None:
    """The taint is gone, and nobody has moved in yet."""
    for node in nodes(edit, RESERVED):
        node["spec"]["taints"] = []


@mutant(breaks=["nodes_are_private"])
def a_node_is_cordoned(edit: Edit) -> None:
    """It takes no more pods."""
    nodes(edit, GENERAL)[0]["spec"]["unschedulable"] = True


@mutant(breaks=["nodes_are_private"])
def a_node_is_of_no_group(edit: Edit) -> None:
    """Somebody joined an instance by hand."""
    del nodes(edit, GENERAL)[0]["metadata"]["labels"][NODE_GROUP]


@mutant(breaks=["nodes_are_private"])
def a_node_has_a_public_address(edit: Edit) -> None:
    """Its subnet hands them out."""
    for each in instance(edit):
        each["PublicIpAddress"] = "203.0.113.9"


@mutant(breaks=["nodes_are_private"])
def a_node_is_in_a_public_subnet(edit: Edit) -> None:
    """A route of its subnet leads to the internet gateway."""
    public = {
        link["SubnetId"]
        for table in edit.each("ec2", "describe_route_tables", "RouteTables")
        if any(str(route.get("GatewayId", "")).startswith("igw-") for route in table["Routes"])
        for link in table["Associations"]
        if "SubnetId" in link
    }
    for each in instance(edit):
        each["SubnetId"] = min(public)


@mutant(breaks=["nothing_restarts"])
def a_container_was_killed_just_now(edit: Edit) -> None:
    """The node was too full after all."""
    for status in next(workers(edit))["status"]["containerStatuses"]:
        ended = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": edit.snapshot.collected_at}
        status["lastState"] = {"terminated": ended}


@mutant(breaks=["evidence_is_collected", "diagnosis_is_right"])
def nothing_was_written_down(edit: Edit) -> None:
    """The file is empty."""
    for answer in edit.answers("files", "table"):
        answer.clear()


@mutant(breaks=["evidence_is_collected"])
def reason_was_not_read(edit: Edit) -> None:
    """The phase is not the reason."""
    for table in written(edit, "evidence"):
        table["scheduler_says"] = "Pending"


@mutant(breaks=["evidence_is_collected"])
def maximum_was_read_after_the_repair(edit: Edit) -> None:
    """There was room, so the repair came before the evidence."""
    for table in written(edit, "evidence"):
        table["general_maximum"] = 6


@mutant(breaks=["evidence_is_collected"])
def sizes_are_booleans(edit: Edit) -> None:
    """True is not a number of nodes."""
    for table in written(edit, "evidence"):
        table |= {"general_nodes": True, "general_maximum": True}


@mutant(breaks=["evidence_is_collected"])
def sizes_were_not_looked_up(edit: Edit) -> None:
    """The values that were handed out are still there."""
    for table in written(edit, "evidence"):
        table |= {"general_nodes": 0, "general_maximum": 0}


@mutant(breaks=["evidence_is_collected"])
def autoscaler_was_not_looked_at(edit: Edit) -> None:
    """It was healthy all the time."""
    for table in written(edit, "evidence"):
        table["autoscaler_health"] = "Unhealthy"


@mutant(breaks=["diagnosis_is_right"])
def component_is_wrong(edit: Edit) -> None:
    """The workload that waits is blamed."""
    for table in written(edit, "diagnosis"):
        table["component"] = "ingest-queue"


@mutant(breaks=["diagnosis_is_right"])
def cause_is_wrong(edit: Edit) -> None:
    """The autoscaler is blamed."""
    for table in written(edit, "diagnosis"):
        table["cause"] = "autoscaler-down"


@mutant(breaks=["diagnosis_is_right"])
def fact_proves_something_else(edit: Edit) -> None:
    """One of three nodes has a taint; that is how it should be."""
    for table in written(edit, "diagnosis"):
        table["fact"] = "event-says-untolerated-taint-on-every-node"
