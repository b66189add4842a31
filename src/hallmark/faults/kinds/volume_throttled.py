"""ClickHouse is slow under load: its volume has 3000 operations a second and 125 MiB/s (sharp edge SE-22).

Queries and merges take long, inserts pile up, and no error says why; without load people see nothing. The claim is
bound and the storage class promises more. In EC2 the volume has what gp3 has by default; VolumeThroughputPercentage is
at 100. Size, type, encryption and every object of the cluster are untouched, and no data moves.

The fault modifies the EBS volume. AWS lets a volume be modified again only once the last modification is completed,
which may take hours, and a few times a day (EBS User Guide, "Modify a volume"). So on AWS its inverse may be refused
for a while: the journal stays until it is not.
"""

from typing import Any

from hallmark.errors import Absent, GuardRefused
from hallmark.faults import changes, release
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.faults.release import name
from hallmark.model import Call

DEFAULTS = {"Iops": 3000, "Throughput": 125}
"""What a gp3 volume has unless more is asked for (EBS User Guide, "General Purpose SSD volumes")."""
_DRIVER = "ebs.csi.aws.com"


def plan(read: Reader, component: str = "clickhouse") -> list[Step]:
    """Modify the volume; the inverse restores the recorded figures."""
    volume = _volume(read, component)
    if volume["VolumeType"] != "gp3":
        hint = "This fault is for gp3: other types do not have throughput of their own."
        raise GuardRefused(f"the volume {volume['VolumeId']} is {volume['VolumeType']}.", hint)
    recorded = {key: volume[key] for key in DEFAULTS}
    step = Step(
        what=f"from {_words(recorded)} to {_words(DEFAULTS)}",
        back=f"to {_words(recorded)}",
        resource=f"EBS volume {volume['VolumeId']} of {component}",
        do=Call.of("ec2", "modify_volume", VolumeId=volume["VolumeId"], **DEFAULTS),
        # A learner may have given it another type, for which these figures are none.
        undo=Call.of("ec2", "modify_volume", VolumeId=volume["VolumeId"], VolumeType="gp3", **recorded),
    )
    return [step]


def observe(read: Reader, component: str = "clickhouse") -> Observation:
    """Look whether the volume is slow, and at the rest of it and the objects of the namespace."""
    volume = _volume(read, component)
    kept = ("VolumeId", "VolumeType", "Size", "Encrypted", "KmsKeyId", "AvailabilityZone", "State")
    unaffected = changes.surroundings(read) | {"the rest of the volume": {key: volume.get(key) for key in kept}}
    return Observation({key: volume.get(key) for key in DEFAULTS} == DEFAULTS, unaffected)


def _volume(read: Reader, component: str) -> dict[str, Any]:
    """Return the one EBS volume of a component: from its claim to the volume, to what the driver calls it."""
    one = release.workload(read, component)
    wanted = release.selector(one).items()
    claims = {name(each): each for each in release.own_objects(read, "persistentvolumeclaims")
              if wanted <= release.labels(each).items()}  # fmt: skip
    bound = {each["spec"].get("volumeName") for each in claims.values()}
    sources = [each["spec"].get("csi") or {} for each in release.objects(read, "persistentvolumes")
               if name(each) in bound]  # fmt: skip
    handles = [each["volumeHandle"] for each in sources if each.get("driver") == _DRIVER]
    if len(handles) != 1:
        raise Absent(f"{component} has {len(handles)} EBS volumes")
    found: dict[str, Any] = read.ask("ec2", "describe_volumes", VolumeIds=handles)["Volumes"][0]
    return found


def _words(figures: dict[str, Any]) -> str:
    return f"{figures['Iops']} operations a second and {figures['Throughput']} MiB/s"
