"""The preflight view: the plan, and what the account has left for it."""

from typing import Any

import pytest

from hallmark.errors import Unobservable
from hallmark.evidence.snapshot import Snapshot
from hallmark.model import Answer, Call, Status
from hallmark.views import quotas
from hallmark.views.all import Views
from hallmark.views.workstation import NodePlan, Workstation

VALUES = {
    "general_nodes": {"instance_type": "m6i.2xlarge", "min_size": 2},
    "clickhouse_nodes": {"instance_type": "m6in.4xlarge", "min_size": 1},
    "availability_zones": ["us-east-1a", "us-east-1b", "us-east-1c"],
}
TYPES = (("m6i.2xlarge", 8), ("m6in.4xlarge", 16))
OTHER = {"InstanceType": "m5.large", "CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 2}}
Answers = dict[str, Answer]


def seen(service: str, operation: str, value: Any, **params: Any) -> Answers:
    """One observed answer."""
    return {Call.of(service, operation, **params).key: Answer(Status.OBSERVED, value)}


def account(used: dict[str, Any] | None = None, limit: float = 100) -> Answers:
    """An account with quotas of *limit* each, and what is in use."""
    empty: dict[str, Any] = {
        "instances": {"Reservations": []}, "addresses": {"Addresses": []}, "vpcs": {"Vpcs": []},
        "subnets": {"Subnets": []}, "gateways": {"NatGateways": []}, "volumes": {"Volumes": []},
        "balancers": {"LoadBalancers": []}, "clusters": {"clusters": []},
    }  # fmt: skip
    filters = {
        "instances": [{"Name": "instance-state-name", "Values": ["pending", "running"]}],
        "volumes": [{"Name": "volume-type", "Values": ["gp3"]}],
    }
    operations = {
        "instances": ("ec2", "describe_instances"), "addresses": ("ec2", "describe_addresses"),
        "vpcs": ("ec2", "describe_vpcs"), "subnets": ("ec2", "describe_subnets"),
        "gateways": ("ec2", "describe_nat_gateways"), "volumes": ("ec2", "describe_volumes"),
        "balancers": ("elbv2", "describe_load_balancers"), "clusters": ("eks", "list_clusters"),
    }  # fmt: skip
    answers: Answers = {}
    for name, value in {**empty, **(used or {})}.items():
        params: dict[str, Any] = {"Filters": filters[name]} if name in filters else {}
        answers |= seen(*operations[name], value, **params)
    for quota in quotas.ALL:
        value = {"Quota": {"Value": limit}}
        answers |= seen("service-quotas", "get_service_quota", value, ServiceCode=quota.service, QuotaCode=quota.code)
    return answers


def view(values: dict[str, Any], *parts: Answers, cluster: dict[str, Any] | None = None) -> Workstation:
    """The view over a plan."""
    types = [
        {"InstanceType": n, "VCpuInfo": {"DefaultVCpus": c}, "MemoryInfo": {"SizeInMiB": 1}, "EbsInfo": {}}
        for n, c in TYPES
    ]
    names = [{"Name": "instance-type", "Values": [name for name, _ in TYPES]}]
    answers = {
        **seen("files", "terraform", {"values": values}, path="work"),
        **seen("ec2", "describe_instance_types", {"InstanceTypes": types}, Filters=names),
        **seen("eks", "describe_cluster", {"cluster": cluster or {}}, name="prod"),
    }
    for part in parts:
        answers |= part
    return Views(Snapshot(answers, {"terraform": "work", "cluster": "prod", "region": "us-east-1"})).workstation


def room(workstation: Workstation) -> dict[quotas.Quota, tuple[int, int]]:
    """What is used and needed, by quota."""
    return {each.quota: (each.used, each.needed) for each in workstation.headrooms}


def test_node_groups_are_read_from_the_plan() -> None:
    """Type and size at the least."""
    assert view(VALUES).planned_nodes == (
        NodePlan("general_nodes", "m6i.2xlarge", 2),
        NodePlan("clickhouse_nodes", "m6in.4xlarge", 1),
    )


@pytest.mark.parametrize(
    "group", [None, "m6i.2xlarge", {"instance_type": "m6i.2xlarge"}, {"min_size": 2}, ["m6i.2xlarge", 2]]
)
def test_node_group_that_is_not_stated_in_full_is_not_planned(group: object) -> None:
    """Half a plan is none."""
    names = [node.name for node in view({**VALUES, "general_nodes": group}).planned_nodes]

    assert names == ["clickhouse_nodes"]


def test_plan_needs_what_the_baseline_makes() -> None:
    """CPUs by type and size, one address for the one NAT gateway, one of the rest."""
    needed = {quota: need for quota, (_, need) in room(view(VALUES, account())).items()}

    assert needed == dict.fromkeys(quotas.ALL, 1) | {quotas.VCPUS: 32}


def test_nat_gateway_in_each_zone_needs_an_address_each() -> None:
    """Three zones, three addresses."""
    per_zone = {**VALUES, "nat_gateway_per_zone": True}

    assert room(view(per_zone, account()))[quotas.ADDRESSES] == (0, 3)


def test_what_others_use_is_counted() -> None:
    """Instances by their real vCPU, gateways in the fullest zone, volumes in whole TiB."""
    gateways: list[Any] = [
        {"VpcId": "vpc-9", "State": "available", "SubnetId": s, "NatGatewayAddresses": []}
        for s in ("s-1", "s-2", "s-3")
    ]
    zones = [{"SubnetId": s, "AvailabilityZone": z} for s, z in (("s-1", "a"), ("s-2", "a"), ("s-3", "b"))]
    used = {
        "instances": {"Reservations": [{"Instances": [OTHER, {**OTHER, "InstanceLifecycle": "spot"}]}]},
        "addresses": {"Addresses": [{"AllocationId": "eip-1"}]},
        "vpcs": {"Vpcs": [{"VpcId": "vpc-9"}]},
        "subnets": {"Subnets": zones},
        "gateways": {"NatGateways": gateways},
        "volumes": {"Volumes": [{"Size": 1024}, {"Size": 1500}]},
        "balancers": {
            "LoadBalancers": [{"Type": "application", "VpcId": "vpc-9"}, {"Type": "network", "VpcId": "vpc-9"}]
        },
        "clusters": {"clusters": ["staging"]},
    }
    in_use = {quota: number for quota, (number, _) in room(view(VALUES, account(used))).items()}

    assert in_use == dict.fromkeys(quotas.ALL, 1) | {quotas.VCPUS: 2, quotas.NAT_GATEWAYS: 2, quotas.GP3_TIB: 2}


def test_platform_that_stands_is_not_counted_twice() -> None:
    """A preflight may be run again when the planned cluster is there."""
    mine = [{"Key": "eks:cluster-name", "Value": "prod"}]
    gateway = {
        "VpcId": "vpc-1",
        "State": "available",
        "SubnetId": "s-1",
        "NatGatewayAddresses": [{"AllocationId": "eip-1"}, {"PrivateIp": "10.0.0.9"}],
    }
    used = {
        "instances": {"Reservations": [{"Instances": [{**OTHER, "Tags": mine}]}]},
        "addresses": {"Addresses": [{"AllocationId": "eip-1"}]},
        "vpcs": {"Vpcs": [{"VpcId": "vpc-1"}]},
        "subnets": {"Subnets": [{"SubnetId": "s-1", "AvailabilityZone": "a"}]},
        "gateways": {"NatGateways": [gateway]},
        "balancers": {"LoadBalancers": [{"Type": "application", "VpcId": "vpc-1"}]},
        "clusters": {"clusters": ["prod"]},
    }
    standing = view(VALUES, account(used), cluster={"resourcesVpcConfig": {"vpcId": "vpc-1"}})

    assert {number for number, _ in room(standing).values()} == {0}


def test_quota_that_was_never_changed_counts_by_its_default() -> None:
    """AWS tells no applied value for some quotas."""
    where = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}
    answers = account(limit=1)
    answers[Call.of("service-quotas", "get_service_quota", **where).key] = Answer(Status.ABSENT, None, "NoSuch", "none")
    answers |= seen("service-quotas", "get_aws_default_service_quota", {"Quota": {"Value": 5}}, **where)
    found = {each.quota: each.limit for each in view(VALUES, answers).headrooms}

    assert (found[quotas.VPCS], found[quotas.CLUSTERS]) == (5, 1)


def test_quota_without_any_value_is_not_taken_for_enough() -> None:
    """Neither applied nor default: it cannot be told."""
    where = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}
    answers = account()
    for operation in ("get_service_quota", "get_aws_default_service_quota"):
        answers[Call.of("service-quotas", operation, **where).key] = Answer(Status.ABSENT, None, "NoSuch", "none")

    with pytest.raises(Unobservable, match="L-F678F1CE"):
        _ = view(VALUES, answers).headrooms


@pytest.mark.parametrize(("used", "needed", "enough"), [(0, 5, True), (1, 5, False), (0, 6, False), (5, 0, True)])
def test_headroom_ends_at_the_quota(used: int, needed: int, *, enough: bool) -> None:
    """The last one still fits."""
    assert quotas.Headroom(quotas.VPCS, 5, used, needed).is_enough is enough
