"""One change at a time to the mended disk, and to what the learner wrote down."""

from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Status

AFTER = ["node_keeps_up", "data_is_kept", "class_promises_the_same", "clickhouse_serves"]
SLOW = ["volume_operations", "volume_throughput", *AFTER]
WRITTEN = ["evidence_is_collected", "limits_are_understood"]


def _claim(edit: Edit) -> dict[str, Any]:
    return next(edit.objects("persistentvolumeclaims", "data-langsmith-clickhouse-0"))


def _volume(edit: Edit) -> dict[str, Any]:
    return next(edit.each("ec2", "describe_volumes", "Volumes"))


def _class(edit: Edit) -> dict[str, Any]:
    return next(edit.objects("storageclasses", _claim(edit)["spec"]["storageClassName"]))


def _instance(edit: Edit) -> dict[str, Any]:
    """Return what the type of ClickHouse's instance can do with EBS."""
    pod = next(edit.objects("pods", "langsmith-clickhouse-0"))
    node = next(edit.objects("nodes", pod["spec"]["nodeName"], version="v1"))
    instance = node["spec"]["providerID"].rpartition("/")[2]
    running = edit.each("ec2", "describe_instances", "Reservations.Instances")
    kind = next(one["InstanceType"] for one in running if one["InstanceId"] == instance)
    types = edit.each("ec2", "describe_instance_types", "InstanceTypes")
    found: dict[str, Any] = next(one for one in types if one["InstanceType"] == kind)["EbsInfo"]["EbsOptimizedInfo"]
    return found


def _make_anew(edit: Edit) -> None:
    """Let the claim be younger than the release, and its volume fast from the first."""
    _claim(edit)["metadata"]["creationTimestamp"] = "2099-01-01T00:00:00Z"
    for one in edit.each("ec2", "describe_volumes_modifications", "VolumesModifications"):
        one |= {"OriginalIops": 7000, "OriginalThroughput": 1000}


def _written(edit: Edit, table: str) -> dict[str, Any]:
    return next(edit.each("files", "table", table))


@mutant(breaks=SLOW)
def volume_has_the_defaults(edit: Edit) -> None:
    """As it was."""
    _volume(edit).update(Iops=3000, Throughput=125)


@mutant(breaks=["volume_operations", *AFTER])
def operations_are_one_too_few(edit: Edit) -> None:
    """More than a tenth below."""
    _volume(edit)["Iops"] = 6299


@mutant(breaks=["volume_throughput", *AFTER])
def throughput_is_one_too_little(edit: Edit) -> None:
    """More than a tenth below."""
    _volume(edit)["Throughput"] = 899


@mutant(breaks=[])
def both_are_a_tenth_below(edit: Edit) -> None:
    """Within the tolerance."""
    _volume(edit).update(Iops=6300, Throughput=900)


@mutant(breaks=[])
def volume_is_io2(edit: Edit) -> None:
    """Its throughput follows from its operations, and AWS does not state it."""
    _volume(edit)["VolumeType"] = "io2"
    _volume(edit).pop("Throughput", None)


@mutant(breaks=["volume_throughput", *AFTER])
def volume_is_io1(edit: Edit) -> None:
    """It moves 500 MiB/s at most, whatever its operations."""
    _volume(edit).update(VolumeType="io1", Iops=16000)


@mutant(breaks=SLOW)
def volume_is_a_hard_disk(edit: Edit) -> None:
    """AWS states no operations for it."""
    volume = _volume(edit)
    volume["VolumeType"] = "st1"
    del volume["Iops"], volume["Throughput"]


@mutant(breaks=SLOW)
def volume_is_gone(edit: Edit) -> None:
    """AWS does not know it any more."""
    for answer in edit.answers("ec2", "describe_volumes"):
        answer["Volumes"] = []


@mutant(breaks=SLOW)
def data_is_on_an_empty_dir(edit: Edit) -> None:
    """The node's own disk may be fast, and forgets."""
    for volume in next(edit.objects("pods", "langsmith-clickhouse-0"))["spec"]["volumes"]:
        if volume.pop("persistentVolumeClaim", None):
            volume["emptyDir"] = {}


@mutant(breaks=[*SLOW, "evidence_is_collected"])
def clickhouse_is_gone(edit: Edit) -> None:
    """There is no stateful set."""
    edit.remove("statefulsets", "langsmith-clickhouse")


@mutant(breaks=["node_keeps_up", "evidence_is_collected"])
def node_moves_too_little(edit: Edit) -> None:
    """An m5.4xlarge."""
    _instance(edit)["BaselineThroughputInMBps"] = 593.75


@mutant(breaks=["node_keeps_up"])
def node_has_too_few_operations(edit: Edit) -> None:
    """A fast volume behind a slow instance."""
    _instance(edit)["BaselineIops"] = 6000


@mutant(breaks=["node_keeps_up", "evidence_is_collected"])
def node_moves_it_in_bursts_only(edit: Edit) -> None:
    """An m6i.4xlarge reaches 1250 MB/s for half an hour a day."""
    _instance(edit).update(BaselineThroughputInMBps=625.0, MaximumThroughputInMBps=1250.0)


@mutant(breaks=["data_is_kept"])
def claim_is_lost(edit: Edit) -> None:
    """Its volume was deleted under it."""
    _claim(edit)["status"]["phase"] = "Lost"


@mutant(breaks=["data_is_kept"])
def volume_is_new(edit: Edit) -> None:
    """It was never modified: it was made like this, and empty."""
    for answer in edit.answers("ec2", "describe_volumes_modifications"):
        answer["VolumesModifications"] = []


@mutant(breaks=["data_is_kept"])
def new_volume_was_modified(edit: Edit) -> None:
    """The claim was deleted and made again; then its empty volume, fast from the first, got a modification, too."""
    _make_anew(edit)


@mutant(breaks=[])
def claim_was_made_anew_long_ago(edit: Edit) -> None:
    """Younger than the release, and its volume was there in the incident: it was slow before it was modified."""
    _claim(edit)["metadata"]["creationTimestamp"] = "2099-01-01T00:00:00Z"


@mutant(breaks=[])
def copy_from_a_snapshot_was_modified(edit: Edit) -> None:
    """The data was copied to a new volume, and that was modified: a remark."""
    _make_anew(edit)
    _volume(edit)["SnapshotId"] = "snap-0123456789abcdef0"


@mutant(breaks=["data_is_kept"])
def modification_failed(edit: Edit) -> None:
    """What AWS could not do says nothing about the volume."""
    for one in edit.each("ec2", "describe_volumes_modifications", "VolumesModifications"):
        one["ModificationState"] = "failed"


@mutant(breaks=[])
def volume_is_optimised_still(edit: Edit) -> None:
    """It performs as wanted, and AWS moves its blocks for some hours."""
    for one in edit.each("ec2", "describe_volumes_modifications", "VolumesModifications"):
        one["ModificationState"] = "optimizing"


@mutant(breaks=[])
def volume_comes_from_a_snapshot(edit: Edit) -> None:
    """A copy of the data on a new volume: a remark."""
    _volume(edit)["SnapshotId"] = "snap-0123456789abcdef0"
    for answer in edit.answers("ec2", "describe_volumes_modifications"):
        answer["VolumesModifications"] = []


@mutant(breaks=["data_is_kept"])
def volume_is_not_encrypted(edit: Edit) -> None:
    """The copy was made without the key."""
    _volume(edit)["Encrypted"] = False


@mutant(breaks=["class_promises_the_same"])
def class_says_gp3_and_no_more(edit: Edit) -> None:
    """The next volume has the defaults."""
    _class(edit)["parameters"] = {"type": "gp3", "encrypted": "true"}


@mutant(breaks=["class_promises_the_same"])
def class_has_too_few_operations(edit: Edit) -> None:
    """More than a tenth below."""
    _class(edit)["parameters"]["iops"] = "6299"


@mutant(breaks=["class_promises_the_same"])
def class_has_too_little_throughput(edit: Edit) -> None:
    """More than a tenth below."""
    _class(edit)["parameters"]["throughput"] = "899"


@mutant(breaks=["class_promises_the_same"])
def class_cannot_grow(edit: Edit) -> None:
    """A volume that cannot grow has to be copied."""
    _class(edit)["allowVolumeExpansion"] = False


@mutant(breaks=["class_promises_the_same"])
def class_is_gone(edit: Edit) -> None:
    """Nobody makes the next volume."""
    edit.remove("storageclasses", _claim(edit)["spec"]["storageClassName"])


@mutant(breaks=[])
def class_counts_by_size(edit: Edit) -> None:
    """140 operations for each of 50 GiB, written as the driver lets one write it."""
    _class(edit)["parameters"] = {"type": "gp3", "iopsPerGB": "140", "Throughput": "1000"}


@mutant(breaks=[])
def class_makes_io2(edit: Edit) -> None:
    """Throughput follows."""
    _class(edit)["parameters"] = {"type": "io2", "iops": "7000"}


@mutant(breaks=["clickhouse_serves"])
def clickhouse_is_not_ready(edit: Edit) -> None:
    """It starts and stops."""
    next(edit.objects("statefulsets", "langsmith-clickhouse"))["status"]["readyReplicas"] = 0


@mutant(breaks=["clickhouse_serves"])
def clickhouse_is_two(edit: Edit) -> None:
    """Each would have half of the traces."""
    stateful = next(edit.objects("statefulsets", "langsmith-clickhouse"))
    stateful["spec"]["replicas"] = 2
    stateful["status"].update(readyReplicas=2, updatedReplicas=2)


@mutant(breaks=["clickhouse_serves"])
def nobody_asks_clickhouse(edit: Edit) -> None:
    """The ingestion workers are gone."""
    edit.remove("deployments", "langsmith-ingest-queue")


@mutant(breaks=["evidence_is_collected"])
def operations_are_those_of_the_class(edit: Edit) -> None:
    """What was promised, not what was there."""
    _written(edit, "evidence")["operations"] = 7000


@mutant(breaks=["evidence_is_collected"])
def throughput_is_not_written(edit: Edit) -> None:
    """Left as handed out."""
    _written(edit, "evidence")["throughput"] = 0


@mutant(breaks=["evidence_is_collected"])
def node_is_measured_in_megabits(edit: Edit) -> None:
    """The figure beside it."""
    _written(edit, "evidence")["node_throughput"] = 12500


@mutant(breaks=[])
def figures_are_rounded(edit: Edit) -> None:
    """Up or down."""
    _written(edit, "evidence")["node_throughput"] = 1562
    _written(edit, "diagnosis").update(needed=1048.576, m5_4xlarge=594)


@mutant(breaks=["limits_are_understood"])
def bottleneck_is_the_class(edit: Edit) -> None:
    """The class is as it should be."""
    _written(edit, "diagnosis")["bottleneck"] = "storage-class"


@mutant(breaks=["limits_are_understood"])
def units_are_mixed_up(edit: Edit) -> None:
    """1000 MiB/s are more than 1000 MB/s."""
    _written(edit, "diagnosis")["needed"] = 1000


@mutant(breaks=["limits_are_understood"])
def instance_is_overlooked(edit: Edit) -> None:
    """The volume's figure, not the smaller of the two."""
    _written(edit, "diagnosis")["m5_4xlarge"] = 1049


@mutant(breaks=["limits_are_understood"])
def answer_is_a_truth_value(edit: Edit) -> None:
    """Not a number."""
    _written(edit, "diagnosis")["needed"] = True


@mutant(breaks=WRITTEN)
def file_is_gone(edit: Edit) -> None:
    """Nothing was written down."""
    edit.status("files", "table", Status.ABSENT, "NoSuchFile")
