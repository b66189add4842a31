"""Service quotas against what the plan needs on top of what is in use.

What belongs to the planned platform itself, when it stands already, is not counted twice: a preflight may be run
again later. Codes: Service Quotas, ``aws service-quotas list-service-quotas``.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hallmark.errors import Unobservable
from hallmark.model import Call
from hallmark.views.base import View, tags


@dataclass(frozen=True)
class Quota:
    """A service quota: AWS's codes for it, and what it counts."""

    service: str
    code: str
    counts: str


VCPUS = Quota("ec2", "L-1216C47A", "vCPU of running standard instances")
ADDRESSES = Quota("ec2", "L-0263D0A3", "Elastic IP addresses")
VPCS = Quota("vpc", "L-F678F1CE", "VPCs")
NAT_GATEWAYS = Quota("vpc", "L-FE5A380F", "NAT gateways in one zone")
LOAD_BALANCERS = Quota("elasticloadbalancing", "L-53DA6B97", "Application Load Balancers")
GP3_TIB = Quota("ebs", "L-7A658B76", "TiB of gp3 volumes")
CLUSTERS = Quota("eks", "L-1194D53C", "EKS clusters")
ALL = (VCPUS, ADDRESSES, VPCS, NAT_GATEWAYS, LOAD_BALANCERS, GP3_TIB, CLUSTERS)
_STANDARD = frozenset("acdhimrtz")
"""First letters of the instance types the vCPU quota is about."""
_LISTS = {
    "instances": Call.of(
        "ec2", "describe_instances", Filters=[{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    ),
    "addresses": Call.of("ec2", "describe_addresses"),
    "vpcs": Call.of("ec2", "describe_vpcs"),
    "subnets": Call.of("ec2", "describe_subnets"),
    "gateways": Call.of("ec2", "describe_nat_gateways"),
    "volumes": Call.of("ec2", "describe_volumes", Filters=[{"Name": "volume-type", "Values": ["gp3"]}]),
    "balancers": Call.of("elbv2", "describe_load_balancers"),
    "clusters": Call.of("eks", "list_clusters"),
}


@dataclass(frozen=True)
class Headroom:
    """What a quota leaves for the plan.

    Attributes:
        quota: Which one.
        limit: What AWS grants this account in this region.
        used: What others than the planned platform use of it.
        needed: What the plan uses.
    """

    quota: Quota
    limit: float
    used: int
    needed: int

    @property
    def is_enough(self) -> bool:
        """Whether the plan fits."""
        return self.used + self.needed <= self.limit

    def __str__(self) -> str:
        figures = f"{self.limit:g} granted, {self.used} used, {self.needed} needed"
        return f"{self.quota.counts} ({self.quota.code}): {figures}"


def headrooms(view: View, cluster: str, vpc: str, needed: Mapping[Quota, int]) -> tuple[Headroom, ...]:
    """Compare every quota with the plan.

    Args:
        view: Whose evidence is asked.
        cluster: Name of the planned cluster.
        vpc: Its VPC when it stands already, else empty.
        needed: What the plan uses, by quota.

    Raises:
        Unobservable: AWS knows no value for a quota.
    """
    view.evidence.need([*map(_applied, ALL), *_LISTS.values()])
    used = _used(view, cluster, vpc)
    return tuple(Headroom(quota, _limit(view, quota), used[quota], needed[quota]) for quota in ALL)


def _applied(quota: Quota) -> Call:
    return Call.of("service-quotas", "get_service_quota", ServiceCode=quota.service, QuotaCode=quota.code)


def _limit(view: View, quota: Quota) -> float:
    """The value applied to the account; AWS tells none for some that were never changed, then the default counts."""
    where = {"ServiceCode": quota.service, "QuotaCode": quota.code}
    answer = view.ask_or(None, "service-quotas", "get_service_quota", **where)
    if answer is None:
        answer = view.ask_or(None, "service-quotas", "get_aws_default_service_quota", **where)
    if answer is None:
        raise Unobservable("malformed", f"AWS tells no value of quota {quota.code} ({quota.counts})")
    return float(answer["Quota"]["Value"])


def _used(view: View, cluster: str, vpc: str) -> Mapping[Quota, int]:
    found = {name: view.evidence.ask(call) for name, call in _LISTS.items()}
    gateways = [
        g for g in found["gateways"]["NatGateways"] if g["VpcId"] != vpc and g["State"] in {"pending", "available"}
    ]
    own = {
        a.get("AllocationId")  # a private gateway has no public address
        for g in found["gateways"]["NatGateways"]
        if g["VpcId"] == vpc
        for a in g["NatGatewayAddresses"]
    }
    zones = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in found["subnets"]["Subnets"]}
    balancers = [b for b in found["balancers"]["LoadBalancers"] if b["Type"] == "application" and b["VpcId"] != vpc]
    return {
        VCPUS: sum(
            _vcpus(i) for r in found["instances"]["Reservations"] for i in r["Instances"] if not _is_node(i, cluster)
        ),
        ADDRESSES: sum(address["AllocationId"] not in own for address in found["addresses"]["Addresses"]),
        VPCS: sum(each["VpcId"] != vpc for each in found["vpcs"]["Vpcs"]),
        NAT_GATEWAYS: max(Counter(zones[g["SubnetId"]] for g in gateways if "SubnetId" in g).values(), default=0),
        LOAD_BALANCERS: len(balancers),
        GP3_TIB: sum(volume["Size"] for volume in found["volumes"]["Volumes"]) // 1024,
        CLUSTERS: sum(name != cluster for name in found["clusters"]["clusters"]),
    }


def _is_node(instance: Mapping[str, Any], cluster: str) -> bool:
    return tags(dict(instance)).get("eks:cluster-name") == cluster


def _vcpus(instance: Mapping[str, Any]) -> int:
    if instance.get("InstanceLifecycle") == "spot" or instance["InstanceType"][0] not in _STANDARD:
        return 0
    options = instance["CpuOptions"]
    return int(options["CoreCount"] * options["ThreadsPerCore"])
