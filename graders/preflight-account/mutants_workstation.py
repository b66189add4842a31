"""Mutants of the workstation and the account."""

from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call, Status


@mutant(breaks=["tools_are_ready"])
def terraform_is_missing(edit: Edit) -> None:
    """Terraform is not installed."""
    edit.status("workstation", "tool", Status.ABSENT, code="NotFound", name="terraform")


@mutant(breaks=["tools_are_ready"])
def terraform_is_old(edit: Edit) -> None:
    """Terraform is one minor version too old."""
    _tool(edit, "terraform", "1.10.9")


@mutant(breaks=())
def terraform_is_just_new_enough(edit: Edit) -> None:
    """Terraform is the oldest that will do."""
    _tool(edit, "terraform", "1.11.0")


@mutant(breaks=())
def only_terraform_is_there(edit: Edit) -> None:
    """Helm is missing and the AWS CLI is version 1: remarks."""
    _tool(edit, "aws", "1.44.5")
    edit.status("workstation", "tool", Status.ABSENT, code="NotFound", name="helm")


@mutant(breaks=["clock_is_right"])
def clock_is_ahead(edit: Edit) -> None:
    """The clock is five minutes ahead."""
    _clock(edit, 300)


@mutant(breaks=["clock_is_right"])
def clock_is_behind(edit: Edit) -> None:
    """The clock is five minutes behind."""
    _clock(edit, -300)


@mutant(breaks=())
def clock_is_a_little_off(edit: Edit) -> None:
    """The clock is a second short of five minutes off."""
    _clock(edit, 299)


@mutant(breaks=["identity_is_not_root"])
def caller_is_root(edit: Edit) -> None:
    """The credentials are the root user's."""
    for caller in edit.answers("sts", "get_caller_identity"):
        caller["Arn"] = f"arn:aws:iam::{caller['Account']}:root"


@mutant(breaks=["region_is_enabled"])
def region_is_not_opted_in(edit: Edit) -> None:
    """The region has to be enabled first, and is not."""
    for region in edit.each("ec2", "describe_regions", "Regions"):
        region["OptInStatus"] = "not-opted-in"


@mutant(breaks=["region_is_enabled"])
def region_does_not_exist(edit: Edit) -> None:
    """AWS knows no such region."""
    for answer in edit.answers("ec2", "describe_regions"):
        answer["Regions"] = [r for r in answer["Regions"] if r["RegionName"] != edit.scope["region"]]


@mutant(breaks=["region_has_zones", "plan_is_for_this_region"])
def region_has_two_zones(edit: Edit) -> None:
    """The region has two zones, and the plan names a third."""
    for answer in edit.answers("ec2", "describe_availability_zones"):
        answer["AvailabilityZones"] = answer["AvailabilityZones"][:2]


@mutant(breaks=["region_has_zones", "plan_is_for_this_region"])
def zones_are_impaired(edit: Edit) -> None:
    """No zone is available."""
    for zone in edit.each("ec2", "describe_availability_zones", "AvailabilityZones"):
        zone["State"] = "impaired"


@mutant(breaks=["region_has_zones", "plan_is_for_this_region"])
def zones_are_local_zones(edit: Edit) -> None:
    """What is offered are Local Zones, which hold neither EKS nor RDS."""
    for zone in edit.each("ec2", "describe_availability_zones", "AvailabilityZones"):
        zone["ZoneType"] = "local-zone"


@mutant(breaks=["quotas_suffice"])
def quota_of_cpus_is_small(edit: Edit) -> None:
    """A new account's quota: five vCPU."""
    _quota(edit, "L-1216C47A", 5)


@mutant(breaks=["quotas_suffice"])
def quota_of_vpcs_is_used_up(edit: Edit) -> None:
    """One VPC is allowed, and the default VPC is it."""
    _quota(edit, "L-F678F1CE", 1)


@mutant(breaks=["quotas_suffice"])
def quota_of_clusters_is_zero(edit: Edit) -> None:
    """No cluster is allowed."""
    _quota(edit, "L-1194D53C", 0)


@mutant(breaks=["quotas_suffice"])
def others_use_the_addresses(edit: Edit) -> None:
    """Others hold all five Elastic IP addresses."""
    _quota(edit, "L-0263D0A3", 5)
    for answer in edit.answers("ec2", "describe_addresses"):
        answer["Addresses"] = [{"AllocationId": f"eipalloc-{n}", "PublicIp": f"198.51.100.{n}"} for n in range(5)]


@mutant(breaks=["quotas_suffice"])
def others_use_the_cpus(edit: Edit) -> None:
    """Others run instances that leave no room."""
    _run(edit, _instance("m6i.4xlarge", 8))


@mutant(breaks=())
def others_use_other_cpus(edit: Edit) -> None:
    """Spot instances and accelerated types have quotas of their own."""
    _run(edit, _instance("m6i.4xlarge", 8, InstanceLifecycle="spot"), _instance("p5.48xlarge", 96))


@mutant(breaks=())
def the_platform_stands_already(edit: Edit) -> None:
    """The nodes that run are those of the planned cluster."""
    mine = [{"Key": "eks:cluster-name", "Value": edit.scope["cluster"]}]
    _run(edit, _instance("m6i.4xlarge", 8, Tags=mine))


def _tool(edit: Edit, name: str, version: str) -> None:
    edit.put(Call.of("workstation", "tool", name=name), {"version": version})


def _clock(edit: Edit, seconds: int) -> None:
    for clock in edit.answers("workstation", "clock"):
        clock["seconds_ahead"] = seconds


def _quota(edit: Edit, code: str, value: float) -> None:
    for quota in edit.each("service-quotas", "get_service_quota", "Quota", QuotaCode=code):
        quota["Value"] = value


def _instance(kind: str, cores: int, **more: Any) -> dict[str, Any]:
    return {"InstanceType": kind, "CpuOptions": {"CoreCount": cores, "ThreadsPerCore": 2}, **more}


def _run(edit: Edit, *instances: dict[str, Any]) -> None:
    """Run *instances* in an account whose quota holds just the plan."""
    _quota(edit, "L-1216C47A", 32)
    for answer in edit.answers("ec2", "describe_instances"):
        answer["Reservations"] = [{"Instances": list(instances)}]
