"""The cluster and its nodes: what counts as a worker, and what AWS leaves out of an answer."""

from typing import Any

import pytest

from hallmark.errors import Unobservable
from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views.all import Views
from hallmark.views.compute import Compute

DESCRIBE = Call.of("eks", "describe_cluster", name="c")
MANAGED = Call.of("ec2", "describe_instances", Filters=[{"Name": "tag:eks:cluster-name", "Values": ["c"]}])
JOINED = Call.of("ec2", "describe_instances", Filters=[{"Name": "tag-key", "Values": ["kubernetes.io/cluster/c"]}])


def compute(answers: dict[Call, Any]) -> Compute:
    """A compute view over the given answers."""
    observed = {call.key: Answer(Status.OBSERVED, value) for call, value in answers.items()}
    return Views(Snapshot(observed, {"cluster": "c"})).compute


def instance(name: str, state: str = "running", **more: Any) -> dict[str, Any]:
    """An instance as EC2 describes it."""
    plain = {"InstanceId": name, "InstanceType": "m", "VpcId": "v", "SubnetId": "s", "State": {"Name": state}}
    return plain | more


def reservations(*instances: dict[str, Any]) -> dict[str, Any]:
    """Each instance in a reservation of its own."""
    return {"Reservations": [{"Instances": [one]} for one in instances]}


def test_an_absent_cluster_is_an_observation() -> None:
    """EKS says there is no such cluster: nothing failed."""
    absent = Answer(Status.ABSENT, None, "ResourceNotFoundException", "eks.describe_cluster")
    assert Views(Snapshot({DESCRIBE.key: absent}, {"cluster": "c"})).compute.cluster == {}


def test_a_refused_question_is_not_an_absent_cluster() -> None:
    """Without permission nothing is known."""
    denied = Answer(Status.DENIED, None, "denied", "eks.describe_cluster: AccessDeniedException")
    with pytest.raises(Unobservable):
        _ = Views(Snapshot({DESCRIBE.key: denied}, {"cluster": "c"})).compute.cluster


def test_workers_are_counted_once_whether_managed_or_joined_by_hand() -> None:
    """Both ways of tagging are looked for; terminated instances are gone."""
    view = compute({
        MANAGED: reservations(instance("i-1"), instance("i-2", "terminated")),
        JOINED: reservations(instance("i-1"), instance("i-3"), instance("i-4", "stopped"), instance("i-5", "pending")),
    })  # fmt: skip
    assert sorted(node.id for node in view.nodes) == ["i-1", "i-3", "i-5"]


def test_groups_and_addresses_of_all_interfaces_belong_to_a_node() -> None:
    """A second interface may have a group and a public address of its own."""
    second = {"Groups": [{"GroupId": "sg-2"}], "Association": {"PublicIp": "198.51.100.1"}}
    one = instance("i-1", SecurityGroups=[{"GroupId": "sg-1"}], NetworkInterfaces=[{"Groups": []}, second])
    (node,) = compute({MANAGED: reservations(one), JOINED: reservations()}).nodes
    assert node.groups == frozenset({"sg-1", "sg-2"})
    assert node.public_address == "198.51.100.1"


def test_no_worker_means_no_capacity() -> None:
    """Nothing is asked about types when there is no instance."""
    view = compute({MANAGED: reservations(), JOINED: reservations()})
    assert (view.vcpus, view.memory_mib, view.instance_types) == (0, 0, {})


def test_a_type_without_ebs_optimisation_promises_nothing() -> None:
    """Old types have no figures."""
    kind = {"InstanceType": "m", "VCpuInfo": {"DefaultVCpus": 2}, "MemoryInfo": {"SizeInMiB": 4096}, "EbsInfo": {}}
    types = Call.of("ec2", "describe_instance_types", InstanceTypes=["m"])
    view = compute({MANAGED: reservations(instance("i-1")), JOINED: reservations(), types: {"InstanceTypes": [kind]}})
    assert (view.instance_types["m"].ebs_iops, view.instance_types["m"].ebs_mbps) == (0, 0.0)


@pytest.mark.parametrize(
    ("access", "wide"),
    [
        ({"endpointPublicAccess": False, "publicAccessCidrs": ["0.0.0.0/0"]}, ()),
        ({"endpointPublicAccess": True, "publicAccessCidrs": ["192.0.2.0/24"]}, ()),
        ({"endpointPublicAccess": True, "publicAccessCidrs": ["192.0.2.0/24", "0.0.0.0/0"]}, ("0.0.0.0/0",)),
        ({"endpointPublicAccess": True, "publicAccessCidrs": ["::/0"]}, ("::/0",)),
        ({"endpointPublicAccess": True}, ("0.0.0.0/0",)),
    ],
)
def test_the_api_is_open_when_public_and_wide(access: dict[str, Any], wide: tuple[str, ...]) -> None:
    """Without ranges, public access means everybody."""
    assert compute({DESCRIBE: {"cluster": {"resourcesVpcConfig": access}}}).api_openings == wide


@pytest.mark.parametrize(("version", "support"), [("1.35", "STANDARD_SUPPORT"), ("1.20", "UNSUPPORTED")])
def test_a_version_aws_no_longer_lists_has_no_support(version: str, support: str) -> None:
    """By default AWS lists only what it supports."""
    known = {"clusterVersions": [{"clusterVersion": "1.35", "versionStatus": "STANDARD_SUPPORT"}]}
    answers = {DESCRIBE: {"cluster": {"version": version}}, Call.of("eks", "describe_cluster_versions"): known}
    assert compute(answers).version_support == support


def test_a_cluster_without_node_groups_has_no_scaling_groups() -> None:
    """Nothing is asked of Auto Scaling: without names it would list the whole account."""
    view = compute({Call.of("eks", "list_nodegroups", clusterName="c"): {"nodegroups": []}})
    assert (view.node_groups, view.scaling_groups) == ((), ())
