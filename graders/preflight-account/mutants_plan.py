"""Mutants of the plan and of what AWS says about it."""

from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call, Status


@mutant(breaks=["plan_is_stated", "no_secret_in_plan"])
def no_plan(edit: Edit) -> None:
    """The folder does not exist: the lab was not started."""
    for operation in ("inventory", "terraform", "leaks"):
        edit.status("files", operation, Status.ABSENT, code="NotFound")


@mutant(breaks=["plan_is_stated"])
def plan_has_another_name(edit: Edit) -> None:
    """The folder holds no variables file."""
    for answer in edit.answers("files", "inventory"):
        answer["files"] = ["work/preflight-account/plan.txt"]


@mutant(breaks=["plan_is_stated"])
def plan_does_not_parse(edit: Edit) -> None:
    """A bracket is missing."""
    for answer in edit.answers("files", "inventory"):
        answer["problems"] = ["work/preflight-account/plan.tfvars does not parse, line 12"]
    edit.status("files", "terraform", Status.FAILED, code="malformed")


@mutant(breaks=["plan_is_stated"])
def version_is_left_out(edit: Edit) -> None:
    """The plan leaves the Kubernetes version to a default."""
    del _plan(edit)["kubernetes_version"]


@mutant(breaks=["plan_is_stated"])
def node_group_without_type(edit: Edit) -> None:
    """The plan states a node group without a type."""
    _plan(edit)["general_nodes"] = {"min_size": 2, "max_size": 6}


@mutant(breaks=["plan_has_an_owner"])
def nobody_owns_the_plan(edit: Edit) -> None:
    """The plan names no owner."""
    del _plan(edit)["owner"]


@mutant(breaks=["plan_has_an_owner"])
def plan_never_ends(edit: Edit) -> None:
    """The plan states no expiry."""
    del _plan(edit)["expires"]


@mutant(breaks=["plan_has_an_owner"])
def plan_has_expired(edit: Edit) -> None:
    """The plan's expiry is over."""
    _plan(edit)["expires"] = "2020-12-31"


@mutant(breaks=["plan_has_an_owner"])
def plan_never_expires(edit: Edit) -> None:
    """What is no date never comes."""
    _plan(edit)["expires"] = "never"


@mutant(breaks=["no_secret_in_plan"])
def token_in_the_plan(edit: Edit) -> None:
    """The plan holds an AUTH token."""
    for answer in edit.answers("files", "leaks"):
        finding = {"file": "work/preflight-account/plan.tfvars", "line": 9, "kind": "literal value of redis_auth_token"}
        answer["findings"] = [finding]


@mutant(breaks=["plan_is_for_this_region"])
def plan_is_for_another_region(edit: Edit) -> None:
    """The plan is for another region."""
    _plan(edit)["region"] = "eu-central-1"


@mutant(breaks=["plan_is_for_this_region"])
def plan_names_a_zone_elsewhere(edit: Edit) -> None:
    """One zone of the plan is not in the region."""
    _plan(edit)["availability_zones"][2] = "eu-central-1a"


@mutant(breaks=["plan_spreads_over_zones"])
def plan_has_one_zone(edit: Edit) -> None:
    """The plan has one zone."""
    _plan(edit)["availability_zones"] = _plan(edit)["availability_zones"][:1]


@mutant(breaks=["plan_spreads_over_zones"])
def plan_names_a_zone_twice(edit: Edit) -> None:
    """Three zones are named, two of them are one."""
    first, second, _ = _plan(edit)["availability_zones"]
    _plan(edit)["availability_zones"] = [first, second, first]


@mutant(breaks=())
def plan_leaves_zones_to_the_baseline(edit: Edit) -> None:
    """The plan takes the region's first three zones."""
    _plan(edit)["availability_zones"] = []


@mutant(breaks=["types_are_offered"])
def type_is_offered_nowhere(edit: Edit) -> None:
    """The general nodes' type is not offered in any zone."""
    for zone in _plan(edit)["availability_zones"]:
        _withdraw(edit, "general_nodes", zone)


@mutant(breaks=["types_are_offered"])
def first_zone_lacks_the_type(edit: Edit) -> None:
    """The ClickHouse type is not offered in the first zone, where its volume lives."""
    zone = _plan(edit)["availability_zones"][0]
    _withdraw(edit, "clickhouse_nodes", zone)


@mutant(breaks=())
def last_zone_lacks_the_type(edit: Edit) -> None:
    """The ClickHouse type is not offered in the last zone, where it is not needed."""
    zone = _plan(edit)["availability_zones"][2]
    _withdraw(edit, "clickhouse_nodes", zone)


@mutant(breaks=["planned_cpu"])
def too_few_cpus(edit: Edit) -> None:
    """15 vCPU over all nodes."""
    _type(edit, "general_nodes")["VCpuInfo"]["DefaultVCpus"] = 0
    _type(edit, "clickhouse_nodes")["VCpuInfo"]["DefaultVCpus"] = 15


@mutant(breaks=["planned_memory"])
def too_little_memory(edit: Edit) -> None:
    """One MiB less than 64 GiB over all nodes."""
    _type(edit, "general_nodes")["MemoryInfo"]["SizeInMiB"] = 8 * 1024
    _type(edit, "clickhouse_nodes")["MemoryInfo"]["SizeInMiB"] = 48 * 1024 - 1


@mutant(breaks=["clickhouse_fits_its_node"])
def clickhouse_node_has_seven_cpus(edit: Edit) -> None:
    """The ClickHouse node has less than 8 vCPU."""
    _type(edit, "clickhouse_nodes")["VCpuInfo"]["DefaultVCpus"] = 7


@mutant(breaks=["clickhouse_fits_its_node"])
def clickhouse_node_has_just_its_memory(edit: Edit) -> None:
    """The ClickHouse node has 32 GiB and nothing for anything else."""
    _type(edit, "clickhouse_nodes")["MemoryInfo"]["SizeInMiB"] = 32 * 1024


@mutant(breaks=["clickhouse_disk_is_fast"])
def clickhouse_node_is_slow(edit: Edit) -> None:
    """The ClickHouse node sustains too few operations a second."""
    _type(edit, "clickhouse_nodes")["EbsInfo"]["EbsOptimizedInfo"]["BaselineIops"] = 6299


@mutant(breaks=["clickhouse_disk_is_fast"])
def clickhouse_node_promises_nothing(edit: Edit) -> None:
    """The ClickHouse node's type is not optimised for EBS."""
    del _type(edit, "clickhouse_nodes")["EbsInfo"]["EbsOptimizedInfo"]


@mutant(breaks=())
def clickhouse_node_is_narrow(edit: Edit) -> None:
    """The ClickHouse node's throughput falls short: a remark (D9, SE-21)."""
    _type(edit, "clickhouse_nodes")["EbsInfo"]["EbsOptimizedInfo"]["BaselineThroughputInMBps"] = 594.0


@mutant(breaks=["version_is_supported"])
def version_in_extended_support(edit: Edit) -> None:
    """The planned Kubernetes version is in extended support."""
    for version in edit.each("eks", "describe_cluster_versions", "clusterVersions"):
        if version["clusterVersion"] == _plan(edit)["kubernetes_version"]:
            version["versionStatus"] = "EXTENDED_SUPPORT"


@mutant(breaks=["version_is_supported"])
def version_is_unknown(edit: Edit) -> None:
    """AWS knows no such Kubernetes version."""
    _plan(edit)["kubernetes_version"] = "1.99"


@mutant(breaks=["postgres_is_new_enough"])
def postgres_13(edit: Edit) -> None:
    """PostgreSQL is one major version too old."""
    _plan(edit)["postgres_version"] = "13.20"


@mutant(breaks=())
def postgres_14(edit: Edit) -> None:
    """PostgreSQL is the oldest that will do, written as a number."""
    _plan(edit)["postgres_version"] = 14


@mutant(breaks=["api_is_restricted"])
def api_open_to_everybody(edit: Edit) -> None:
    """The API is open to the world."""
    _plan(edit)["api_access_cidrs"] = ["203.0.113.0/24", "0.0.0.0/0"]


@mutant(breaks=["api_is_restricted"])
def api_open_to_half_the_world(edit: Edit) -> None:
    """The API is open to half of the world."""
    _plan(edit)["api_access_cidrs"] = ["128.0.0.0/1"]


@mutant(breaks=())
def api_closed(edit: Edit) -> None:
    """The API can be reached from the VPC only."""
    _plan(edit)["api_access_cidrs"] = []


@mutant(breaks=["host_is_in_zone"])
def host_outside_the_domain(edit: Edit) -> None:
    """The host only ends alike: it is in another domain."""
    _plan(edit)["host"] = f"langsmith.not{_plan(edit)['domain']}"


@mutant(breaks=["host_is_in_zone"])
def zone_does_not_exist(edit: Edit) -> None:
    """The plan uses an existing zone that does not exist."""
    _plan(edit).update(create_zone=False, zone_id="Z0000000000000")
    call = Call.of("route53", "get_hosted_zone", Id="Z0000000000000")
    edit.put(call, {})
    edit.status("route53", "get_hosted_zone", Status.ABSENT, code="NoSuchHostedZone")


@mutant(breaks=())
def zone_exists(edit: Edit) -> None:
    """The plan uses a zone that exists."""
    _plan(edit).update(create_zone=False, zone_id="Z0123456789ABC")
    zone = {"Id": "/hostedzone/Z0123456789ABC", "Name": f"{_plan(edit)['domain']}."}
    edit.put(Call.of("route53", "get_hosted_zone", Id="Z0123456789ABC"), {"HostedZone": zone})


def _plan(edit: Edit) -> dict[str, Any]:
    return next(edit.each("files", "terraform", "values"))


def _type(edit: Edit, group: str) -> dict[str, Any]:
    """What AWS says about the planned type of a node group."""
    name = _plan(edit)[group]["instance_type"]
    types = edit.each("ec2", "describe_instance_types", "InstanceTypes")
    return next(each for each in types if each["InstanceType"] == name)


def _withdraw(edit: Edit, group: str, zone: str) -> None:
    name = _plan(edit)[group]["instance_type"]
    for answer in edit.answers("ec2", "describe_instance_type_offerings"):
        offered = answer["InstanceTypeOfferings"]
        gone = [each for each in offered if (each["InstanceType"], each["Location"]) == (name, zone)]
        answer["InstanceTypeOfferings"] = [each for each in offered if each not in gone]
