"""What can be wrong with the ClickHouse in the cluster, and what only looks wrong."""

from collections.abc import Iterator
from typing import Any

from hallmark.grading.mutation import Edit, mutant

NAME = "langsmith-clickhouse"


def _stateful(edit: Edit) -> dict[str, Any]:
    return next(edit.objects("statefulsets", NAME))


def _resources(edit: Edit) -> dict[str, Any]:
    resources: dict[str, Any] = _stateful(edit)["spec"]["template"]["spec"]["containers"][0]["resources"]
    return resources


def _pod(edit: Edit) -> dict[str, Any]:
    component = _stateful(edit)["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"]
    labelled = (one for one in edit.objects("pods") if one["metadata"].get("labels"))
    return next(one for one in labelled if one["metadata"]["labels"].get("app.kubernetes.io/component") == component)


def _type(edit: Edit) -> Iterator[dict[str, Any]]:
    """The instance type of the pod's node."""
    node = next(edit.objects("nodes", _pod(edit)["spec"]["nodeName"], version="v1"))
    instance = node["spec"]["providerID"].rpartition("/")[2]
    instances = edit.each("ec2", "describe_instances", "Reservations.Instances")
    kind = next(one["InstanceType"] for one in instances if one["InstanceId"] == instance)
    types = edit.each("ec2", "describe_instance_types", "InstanceTypes")
    return (one for one in types if one["InstanceType"] == kind)


def _claim(edit: Edit) -> dict[str, Any]:
    names = [
        v["persistentVolumeClaim"]["claimName"] for v in _pod(edit)["spec"]["volumes"] if "persistentVolumeClaim" in v
    ]
    return next(edit.objects("persistentvolumeclaims", names[0]))


def _volume(edit: Edit) -> dict[str, Any]:
    return next(edit.each("ec2", "describe_volumes", "Volumes"))


@mutant(breaks=["clickhouse_cpu", "clickhouse_memory"])
def development_size(edit: Edit) -> None:
    """The official profile called production: 4 vCPU and 16 GiB."""
    _resources(edit)["limits"] = {"cpu": "4", "memory": "16Gi"}


@mutant(breaks=["clickhouse_cpu"])
def cpu_in_millis_is_too_little(edit: Edit) -> None:
    """Just below."""
    _resources(edit)["limits"]["cpu"] = "7999m"


@mutant(breaks=["clickhouse_cpu", "clickhouse_memory"])
def neither_limit_nor_request(edit: Edit) -> None:
    """Without either, ClickHouse is the first to be evicted."""
    _resources(edit).clear()


@mutant(breaks=["clickhouse_memory"])
def memory_in_other_units_is_too_little(edit: Edit) -> None:
    """Thirty GiB are more than thirty-two GB; these are not."""
    _resources(edit)["limits"]["memory"] = "29Gi"


@mutant(breaks=[])
def memory_in_decimal_units(edit: Edit) -> None:
    """32G is 32 GB."""
    _resources(edit)["limits"]["memory"] = "32G"


@mutant(breaks=[])
def cpu_in_millis(edit: Edit) -> None:
    """8000m is 8."""
    _resources(edit)["limits"]["cpu"] = "8000m"


@mutant(breaks=[])
def no_limit_but_a_request(edit: Edit) -> None:
    """Guaranteed instead of limited."""
    _resources(edit)["requests"] = _resources(edit).pop("limits")


@mutant(breaks=[])
def larger(edit: Edit) -> None:
    """It has grown."""
    _resources(edit)["limits"] = {"cpu": 16, "memory": "64Gi"}


@mutant(breaks=["clickhouse_memory"])
def node_has_too_little_memory(edit: Edit) -> None:
    """The limit is a promise that the node cannot keep."""
    for kind in _type(edit):
        kind["MemoryInfo"]["SizeInMiB"] = 32 * 1024


@mutant(breaks=["clickhouse_disk"])
def data_is_on_an_empty_dir(edit: Edit) -> None:
    """Persistence was switched off."""
    for volume in _pod(edit)["spec"]["volumes"]:
        if volume.pop("persistentVolumeClaim", None):
            volume["emptyDir"] = {}


@mutant(breaks=["clickhouse_disk"])
def claim_is_pending(edit: Edit) -> None:
    """The storage class does not exist."""
    _claim(edit)["status"]["phase"] = "Pending"


@mutant(breaks=["clickhouse_disk"])
def volume_is_not_ebs(edit: Edit) -> None:
    """A network file system is persistent, and slow."""
    for volume in edit.objects("persistentvolumes"):
        volume["spec"]["csi"]["driver"] = "efs.csi.aws.com"


@mutant(breaks=["clickhouse_disk"])
def volume_is_a_hard_disk(edit: Edit) -> None:
    """Throughput-optimised HDD."""
    _volume(edit)["VolumeType"] = "st1"


@mutant(breaks=["clickhouse_disk"])
def volume_is_gone(edit: Edit) -> None:
    """AWS does not know the volume any more."""
    for answer in edit.answers("ec2", "describe_volumes"):
        answer["Volumes"] = []


@mutant(breaks=["clickhouse_iops", "clickhouse_throughput"])
def volume_has_the_defaults(edit: Edit) -> None:
    """The storage class says gp3 and no more."""
    _volume(edit).update(Iops=3000, Throughput=125)


@mutant(breaks=["clickhouse_iops"])
def volume_has_too_few_operations(edit: Edit) -> None:
    """More than a tenth below."""
    _volume(edit)["Iops"] = 6299


@mutant(breaks=["clickhouse_throughput"])
def volume_is_too_slow(edit: Edit) -> None:
    """More than a tenth below."""
    _volume(edit)["Throughput"] = 899


@mutant(breaks=[])
def volume_is_a_tenth_below(edit: Edit) -> None:
    """Within the tolerance."""
    _volume(edit).update(Iops=6300, Throughput=900)


@mutant(breaks=[])
def volume_is_io2(edit: Edit) -> None:
    """Its throughput follows from its operations, and AWS does not state it."""
    volume = _volume(edit)
    volume["VolumeType"] = "io2"
    volume.pop("Throughput", None)


@mutant(breaks=["clickhouse_iops"])
def node_has_too_few_operations(edit: Edit) -> None:
    """A fast volume behind a slow instance."""
    for kind in _type(edit):
        kind["EbsInfo"]["EbsOptimizedInfo"]["BaselineIops"] = 6000


@mutant(breaks=[])
def node_is_slower_than_the_volume(edit: Edit) -> None:
    """594 MB/s of an m5.4xlarge: a remark."""
    for kind in _type(edit):
        kind["EbsInfo"]["EbsOptimizedInfo"]["BaselineThroughputInMBps"] = 593.75


@mutant(breaks=["clickhouse_single"])
def two_replicas(edit: Edit) -> None:
    """Each would have half of the traces."""
    stateful = _stateful(edit)
    stateful["spec"]["replicas"] = 2
    stateful["status"].update(readyReplicas=2, updatedReplicas=2)


@mutant(breaks=["clickhouse_single"])
def clickhouse_is_not_ready(edit: Edit) -> None:
    """It starts and stops."""
    _stateful(edit)["status"]["readyReplicas"] = 0


@mutant(breaks=["clickhouse_password"])
def the_charts_password(edit: Edit) -> None:
    """Everybody knows it."""
    for secret in edit.each("kubernetes", "secrets", "items"):
        if "clickhouse_password" in secret["keys"]:
            secret["keys"]["clickhouse_password"]["default"] = True


@mutant(breaks=["clickhouse_password", "secrets_complete", "clickhouse_told"])
def no_password(edit: Edit) -> None:
    """An empty one lets everybody in."""
    for secret in edit.each("kubernetes", "secrets", "items"):
        if "clickhouse_password" in secret["keys"]:
            secret["keys"]["clickhouse_password"]["empty"] = True


@mutant(breaks=["clickhouse_can_grow"])
def volume_cannot_grow(edit: Edit) -> None:
    """The storage class does not let it."""
    name = _claim(edit)["spec"]["storageClassName"]
    next(edit.objects("storageclasses", name))["allowVolumeExpansion"] = False


@mutant(breaks=["clickhouse_private"])
def clickhouse_has_a_node_port(edit: Edit) -> None:
    """Reachable on every node."""
    next(edit.objects("services", NAME))["spec"]["type"] = "NodePort"


@mutant(breaks=["clickhouse_private"])
def clickhouse_has_an_ingress(edit: Edit) -> None:
    """A path of the host leads to it."""
    backend = {"service": {"name": NAME, "port": {"number": 8123}}}
    for rule in next(edit.objects("ingresses"))["spec"]["rules"]:
        rule["http"]["paths"].append({"path": "/clickhouse", "pathType": "Prefix", "backend": backend})


@mutant(breaks=["clickhouse_private", "no_other_entrance"])
def clickhouse_has_a_balancer(edit: Edit) -> None:
    """Reachable from everywhere."""
    next(edit.objects("services", NAME))["spec"]["type"] = "LoadBalancer"


@mutant(breaks=["clickhouse_private", "nodes_in_private_subnets"])
def clickhouse_node_has_a_public_address(edit: Edit) -> None:
    """Its node is in a private subnet and has an address all the same."""
    node = next(edit.objects("nodes", _pod(edit)["spec"]["nodeName"], version="v1"))
    name = node["spec"]["providerID"].rpartition("/")[2]
    for instance in edit.each("ec2", "describe_instances", "Reservations.Instances"):
        if instance["InstanceId"] == name:
            instance["PublicIpAddress"] = "198.51.100.7"
