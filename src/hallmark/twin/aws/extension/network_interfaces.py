"""Network interfaces that AWS services put into a learner's subnets, and moto does not.

Whoever asks what stands in a public subnet looks here first: load balancers, databases, caches and the EKS control
plane each hold an interface in their subnets. They are derived, not hooked into five services: whenever interfaces
are read, those that are owed are made and those whose owner is gone are removed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_network_interfaces import NetworkInterface, NetworkInterfaceBackend
from moto.ec2.utils import random_public_ip
from moto.eks.models import eks_backends
from moto.elasticache.models import elasticache_backends
from moto.elbv2.models import elbv2_backends
from moto.rds.models import rds_backends

from hallmark.twin.aws.extension.patching import Function, around


@dataclass(frozen=True)
class Owed:
    """One interface that a service keeps in a subnet.

    Attributes:
        requester: Account of the service, as AWS shows it in ``RequesterId``.
        owner: ARN of what it belongs to; with the subnet, its identity.
        description: What AWS writes on it.
        subnet: Subnet id.
        groups: Security group ids.
        public: Whether it has a public address.
        kind: ``InterfaceType``.
    """

    requester: str
    owner: str
    description: str
    subnet: str
    groups: tuple[str, ...]
    public: bool = False
    kind: str = "interface"


class ManagedInterface(NetworkInterface):
    """An interface that belongs to a service; the account can see it, not use it."""

    owner_arn = ""

    @property
    def attachment(self) -> Any:
        """AWS attaches it to an instance of its own, of which only the owner is shown."""
        return {
            "AttachmentId": f"ela-attach-{self.id.removeprefix('eni-')}",
            "InstanceOwnerId": self.requester_id,
            "DeviceIndex": 1,
            "Status": "attached",
            "DeleteOnTermination": False,
        }


def install() -> None:
    """Bring the interfaces up to date before each reading."""
    around(NetworkInterfaceBackend, "get_all_network_interfaces")(_reconciled)
    around(NetworkInterfaceBackend, "get_network_interface")(_reconciled)


def _reconciled(original: Function, backend: EC2Backend, *args: Any, **kwargs: Any) -> Any:
    reconcile(backend)
    return original(backend, *args, **kwargs)


def reconcile(backend: EC2Backend) -> None:
    """Make the interfaces that are owed in this account and region, remove the others of services."""
    owed = {(one.owner, one.subnet): one for one in _owed(backend.account_id, backend.region_name)}
    present: dict[tuple[str, str], NetworkInterface] = {}
    for interface in list(backend.enis.values()):
        if isinstance(interface, ManagedInterface):
            present[interface.owner_arn, interface.subnet.id] = interface
    for identity in present.keys() - owed.keys():
        del backend.enis[present[identity].id]
    for identity, one in owed.items():
        interface = present.get(identity) or _make(backend, one)
        interface._group_set = [  # noqa: SLF001  (moto has no setter)
            group for group in map(backend.get_security_group_from_id, one.groups) if group
        ]


def _make(backend: EC2Backend, owed: Owed) -> NetworkInterface:
    subnet = backend.get_subnet(owed.subnet)
    address = subnet.get_available_subnet_ip(instance=None)  # type: ignore[arg-type]  # no instance behind it
    make: Any = ManagedInterface  # moto's CloudFormation methods stay abstract: nothing here is made by a template
    interface: ManagedInterface = make(backend, subnet, address, description=owed.description)
    interface.owner_arn = owed.owner
    interface.requester_managed = True
    interface.requester_id = owed.requester
    interface.interface_type = owed.kind
    interface.status = "in-use"
    interface.public_ip = random_public_ip() if owed.public else None
    backend.enis[interface.id] = interface
    return interface


def _owed(account: str, region: str) -> Iterator[Owed]:
    yield from _load_balancers(account, region)
    yield from _databases(account, region)
    yield from _caches(account, region)
    yield from _control_planes(account, region)


def _load_balancers(account: str, region: str) -> Iterator[Owed]:
    for balancer in elbv2_backends[account][region].load_balancers.values():
        description = f"ELB {balancer.arn.partition(':loadbalancer/')[2]}"
        kind = "network_load_balancer" if balancer.type == "network" else "interface"
        public = balancer.scheme == "internet-facing"
        for subnet in balancer.subnets:
            groups = tuple(balancer.security_groups or ())
            yield Owed("amazon-elb", balancer.arn, description, subnet.id, groups, public, kind)


def _databases(account: str, region: str) -> Iterator[Owed]:
    for database in rds_backends[account][region].databases.values():
        group = getattr(database, "db_subnet_group", None)
        for subnet in group.subnets if group else ():
            # One subnet a zone that is used: the instance's own, and a second one for a Multi-AZ standby.
            if subnet["SubnetAvailabilityZone"]["Name"] in zones_in_use(database):
                groups = tuple(database.vpc_security_group_ids)
                public = bool(database.publicly_accessible)
                place = subnet["SubnetIdentifier"]
                yield Owed("amazon-rds", database.arn, "RDSNetworkInterface", place, groups, public)


def zones_in_use(database: Any) -> list[str]:
    """The availability zones a database occupies: its own first, a standby's second."""
    own: str = database.availability_zone
    zones = [subnet["SubnetAvailabilityZone"]["Name"] for subnet in database.db_subnet_group.subnets]
    standby = sorted({zone for zone in zones if zone != own})[:1] if database.multi_az else []
    return [own, *standby]


def _caches(account: str, region: str) -> Iterator[Owed]:
    backend = elasticache_backends[account][region]
    for cluster in backend.cache_clusters.values():
        group = backend.cache_subnet_groups.get(cluster.cache_subnet_group_name)
        for subnet in group.subnets if group else ():
            if subnet["subnet_availability_zone"] == cluster.preferred_availability_zone:
                description = f"ElastiCache {cluster.cache_cluster_id}"
                groups = tuple(cluster.security_group_ids)
                yield Owed("amazon-elasticache", cluster.arn, description, subnet["subnet_identifier"], groups)


def _control_planes(account: str, region: str) -> Iterator[Owed]:
    for cluster in eks_backends[account][region].clusters.values():
        vpc = cluster.resources_vpc_config
        groups = tuple(filter(None, [vpc.get("clusterSecurityGroupId"), *vpc.get("securityGroupIds", [])]))
        # EKS chooses two to four of the subnets it was given; here each of them has one, so none is forgotten.
        for subnet in vpc.get("subnetIds", []):
            yield Owed("amazon-eks", cluster.arn, f"Amazon EKS {cluster.name}", subnet, groups)
