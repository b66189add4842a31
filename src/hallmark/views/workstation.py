"""Before anything is built: tools, clock, identity, region, and what the plan asks of the account.

The plan is what the learner's ``*.tfvars`` say, in the variables of ``terraform/baseline``. It states everything
that is graded: a default that nobody has read is no plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from hallmark.model import Call
from hallmark.views import quotas
from hallmark.views.base import View, cached_property
from hallmark.views.compute import InstanceType
from hallmark.views.quotas import Headroom
from hallmark.views.terraform import Inventory

TOOLS = ("terraform", "aws", "kubectl", "helm")
ZONES = 3
"""Zones the baseline spreads over."""
_OPTED = frozenset({"opt-in-not-required", "opted-in"})
NODE_GROUPS = ("general_nodes", "clickhouse_nodes")
"""Variables that plan a node group each."""


@dataclass(frozen=True)
class NodePlan:
    """A planned node group.

    Attributes:
        name: The variable that plans it.
        type: Instance type.
        size: Nodes at the least.
    """

    name: str
    type: str
    size: int


@dataclass(frozen=True)
class Caller:
    """Who the credentials belong to."""

    account: str
    arn: str


class Workstation(View):
    """Tools, identity, quotas and offerings before anything is built."""

    @cached_property
    def tools(self) -> Mapping[str, tuple[int, ...]]:
        """Versions of the tools that are there, as numbers: ``{"terraform": (1, 11, 4)}``."""
        answers = self.ask_all_or(None, [Call.of("workstation", "tool", name=name) for name in TOOLS])
        found = {name: answer for name, answer in zip(TOOLS, answers, strict=True) if answer}
        return {name: tuple(int(n) for n in answer["version"].split(".")) for name, answer in found.items()}

    @cached_property
    def seconds_ahead(self) -> int:
        """How far this clock is ahead of the target's; negative: behind. Told in whole seconds."""
        return int(self.ask("workstation", "clock")["seconds_ahead"])

    @cached_property
    def caller(self) -> Caller:
        """Identity of the credentials in use."""
        answer = self.ask("sts", "get_caller_identity")
        return Caller(answer["Account"], answer["Arn"])

    @cached_property
    def region_status(self) -> str:
        """Opt-in status of the target's region; empty when AWS knows no such region."""
        regions = self.ask("ec2", "describe_regions", AllRegions=True)["Regions"]
        return str({each["RegionName"]: each["OptInStatus"] for each in regions}.get(self.scope("region"), ""))

    @property
    def is_region_enabled(self) -> bool:
        """Whether the account may use the region."""
        return self.region_status in _OPTED

    @cached_property
    def zones(self) -> tuple[str, ...]:
        """Availability Zones of the region that can be used; Local Zones hold neither EKS nor RDS."""
        found = self.ask("ec2", "describe_availability_zones")["AvailabilityZones"]
        usable = [
            z
            for z in found
            if z["State"] == "available" and z.get("ZoneType", "availability-zone") == "availability-zone"
        ]
        return tuple(sorted(zone["ZoneName"] for zone in usable))

    @cached_property
    def volumes_encrypted_by_default(self) -> bool:
        """Whether EBS encrypts every new volume of the account in this region."""
        return bool(self.ask("ec2", "get_ebs_encryption_by_default")["EbsEncryptionByDefault"])

    @property
    def plan_files(self) -> Inventory | None:
        """The files of the plan; None when there is no such folder."""
        return self.views.terraform.inventory

    @property
    def plan(self) -> Mapping[str, Any]:
        """The planned variables."""
        return self.views.terraform.values

    @property
    def planned_zones(self) -> tuple[str, ...]:
        """Zones of the plan; the region's first three when it leaves them to the baseline."""
        return tuple(self.plan.get("availability_zones") or self.zones[:ZONES])

    @property
    def planned_nodes(self) -> tuple[NodePlan, ...]:
        """Node groups that the plan states in full."""
        stated = [(name, self.plan.get(name)) for name in NODE_GROUPS]
        return tuple(NodePlan(n, p["instance_type"], p["min_size"]) for n, p in stated if _is_node_plan(p))

    @cached_property
    def planned_types(self) -> Mapping[str, InstanceType]:
        """The planned instance types that AWS has in this region, by name."""
        names = sorted({node.type for node in self.planned_nodes})
        if not names:
            return {}
        # Asked by filter: by name, one unknown type would fail the whole call.
        found = self.ask("ec2", "describe_instance_types", Filters=[{"Name": "instance-type", "Values": names}])
        return {each["InstanceType"]: _instance_type(each) for each in found["InstanceTypes"]}

    @cached_property
    def offered(self) -> frozenset[tuple[str, str]]:
        """Planned instance types and the zones they are offered in."""
        names = sorted({node.type for node in self.planned_nodes})
        filters = [{"Name": "instance-type", "Values": names}]
        found = self.ask("ec2", "describe_instance_type_offerings", LocationType="availability-zone", Filters=filters)
        return frozenset((each["InstanceType"], each["Location"]) for each in found["InstanceTypeOfferings"])

    @cached_property
    def headrooms(self) -> tuple[Headroom, ...]:
        """Every quota against the plan."""
        per_zone = self.plan.get("nat_gateway_per_zone") is True
        needed = {
            quotas.VCPUS: sum(self.planned_types[n.type].vcpus * n.size for n in self.planned_nodes),
            quotas.ADDRESSES: len(self.planned_zones) if per_zone else 1,
            quotas.VPCS: 1,
            quotas.NAT_GATEWAYS: 1,
            quotas.LOAD_BALANCERS: 1,
            quotas.GP3_TIB: 1,
            quotas.CLUSTERS: 1,
        }
        vpc = self.views.compute.cluster.get("resourcesVpcConfig", {}).get("vpcId", "")
        return quotas.headrooms(self, self.scope("cluster"), vpc, needed)

    @cached_property
    def zone_name(self) -> str:
        """Name of the existing Route 53 zone the plan names, without the last dot; empty when there is none."""
        answer = self.ask_or(None, "route53", "get_hosted_zone", Id=str(self.plan.get("zone_id", "")))
        return str(answer["HostedZone"]["Name"]).rstrip(".") if answer else ""

    @cached_property
    def supported_versions(self) -> frozenset[str]:
        """Kubernetes versions in standard support."""
        known = self.ask("eks", "describe_cluster_versions")["clusterVersions"]
        return frozenset(each["clusterVersion"] for each in known if each["versionStatus"] == "STANDARD_SUPPORT")


def _is_node_plan(value: Any) -> TypeGuard[dict[str, Any]]:
    known = value if isinstance(value, dict) else {}
    return isinstance(known.get("instance_type"), str) and isinstance(known.get("min_size"), int)


def _instance_type(raw: Mapping[str, Any]) -> InstanceType:
    # Types that are not optimised for EBS promise no figures.
    disk = raw["EbsInfo"].get("EbsOptimizedInfo", {})
    return InstanceType(
        name=raw["InstanceType"],
        vcpus=raw["VCpuInfo"]["DefaultVCpus"],
        memory_mib=raw["MemoryInfo"]["SizeInMiB"],
        ebs_iops=disk.get("BaselineIops", 0),
        ebs_mbps=disk.get("BaselineThroughputInMBps", 0.0),
    )
