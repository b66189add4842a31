"""Services of type LoadBalancer, as the AWS cloud provider in EKS's control plane serves them: a Classic Load Balancer.

It is open to the internet unless an annotation says otherwise, has no certificate and no web ACL, and nobody is asked
(SE-01). The load balancer controller takes over only Services that ask for it by class; the twin installs it as the
vendor's Terraform does, with its service webhook off. Left out: certificates, access logs, health check annotations.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from hallmark.twin.controllers.aws.cloud import Cloud
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import NODES, SERVICES, Key, Kind, Object, key_of
from hallmark.twin.kube.reconcile import Mapper

FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
INTERNAL = "service.beta.kubernetes.io/aws-load-balancer-internal"
TYPE = "service.beta.kubernetes.io/aws-load-balancer-type"
SERVICE_NAME = "kubernetes.io/service-name"
AGAIN, UNTIL_ACTIVE = 10.0, 2.0
ROLES = {True: "kubernetes.io/role/internal-elb", False: "kubernetes.io/role/elb"}


class Balancers:
    """Classic load balancers of one cluster.

    Args:
        elb, ec2: boto3 clients of ``elb`` (the classic API) and ``ec2``.
        cluster: Name of the cluster.
        vpc: Its VPC.
    """

    def __init__(self, elb: Any, ec2: Any, cluster: str, vpc: str) -> None:
        self._elb = elb
        self._ec2 = ec2
        self._cluster = cluster
        self._vpc = vpc

    def make(self, service: Object, instances: list[str]) -> str:
        """Make the load balancer of a Service, or bring it up to date.

        Args:
            service: The Service.
            instances: Ids of the nodes.

        Returns:
            Its DNS name.
        """
        name, ports = name_of(service), service["spec"].get("ports") or []
        found = self._find(name) or self._create(service, name, ports)
        registered = {each["InstanceId"] for each in found.get("Instances", [])}
        for method, ids in (
            (self._elb.register_instances_with_load_balancer, set(instances) - registered),
            (self._elb.deregister_instances_from_load_balancer, registered - set(instances)),
        ):
            if ids:
                method(LoadBalancerName=name, Instances=[{"InstanceId": each} for each in sorted(ids)])
        dns: str = found["DNSName"]
        return dns

    def remove(self, name: str) -> None:
        """Remove a load balancer and its security group; gone already is fine."""
        found = self._find(name)
        if found is None:
            return
        self._elb.delete_load_balancer(LoadBalancerName=name)
        for group in found.get("SecurityGroups", []):
            self._ec2.delete_security_group(GroupId=group)

    def _find(self, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._elb.describe_load_balancers(LoadBalancerNames=[name])[
                "LoadBalancerDescriptions"
            ][0]
        except (ClientError, IndexError):
            return None
        return found

    def _create(self, service: Object, name: str, ports: list[Object]) -> dict[str, Any]:
        internal = (service["metadata"].get("annotations") or {}).get(INTERNAL) == "true"
        listeners = [
            {
                "Protocol": "TCP", "LoadBalancerPort": each["port"],
                "InstanceProtocol": "TCP", "InstancePort": each.get("nodePort", each["port"]),
            }
            for each in ports
        ]  # fmt: skip
        self._elb.create_load_balancer(
            LoadBalancerName=name,
            Listeners=listeners,
            Subnets=self._subnets(internal=internal),
            SecurityGroups=[self._security_group(service, name, [each["port"] for each in ports])],
            **({"Scheme": "internal"} if internal else {}),
            Tags=[
                {"Key": SERVICE_NAME, "Value": "/".join(key_of(service))},
                self._owned,
            ],
        )
        return self._find(name) or {}

    def _subnets(self, *, internal: bool) -> list[str]:
        wanted = [{"Name": "vpc-id", "Values": [self._vpc]}, {"Name": f"tag:{ROLES[internal]}", "Values": ["", "1"]}]
        return [each["SubnetId"] for each in self._ec2.describe_subnets(Filters=wanted)["Subnets"]]

    @property
    def _owned(self) -> dict[str, str]:
        return {"Key": f"kubernetes.io/cluster/{self._cluster}", "Value": "owned"}

    def _security_group(self, service: Object, name: str, ports: list[int]) -> str:
        group: str = self._ec2.create_security_group(
            GroupName=f"k8s-elb-{name}",
            Description=f"Security group for Kubernetes ELB {name} ({'/'.join(key_of(service))})",
            VpcId=self._vpc,
            TagSpecifications=[{"ResourceType": "security-group", "Tags": [self._owned]}],
        )["GroupId"]
        everybody = [{"CidrIp": "0.0.0.0/0"}]
        rules = [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": everybody} for port in ports]
        self._ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)
        return group


class ServiceBalancers:
    """The service controller of the cloud provider.

    Args:
        cloud: The cluster and the account it is in.
    """

    name = "service-controller"

    def __init__(self, cloud: Cloud) -> None:
        self._caches = cloud.caches
        self._cloud = cloud
        self._events = Recorder(cloud.caches.api, self.name)

    def watches(self) -> Mapping[Kind, Mapper]:
        """Services, and the nodes behind them."""
        return {SERVICES: lambda service: [key_of(service)], NODES: lambda _: self._balanced()}

    async def reconcile(self, key: Key) -> float | None:
        """Bring the load balancer of one Service in order."""
        service = self._caches[SERVICES].get(key)
        if service is None:
            return None
        if not self._cloud.cluster:
            return UNTIL_ACTIVE
        try:
            if _wants(service):
                await self._ensure(service)
            elif FINALIZER in (service["metadata"].get("finalizers") or []):
                await self._drop(service)
        except ClientError as error:
            said = error.response["Error"]
            message = f"Error syncing load balancer: failed to ensure load balancer: {said['Code']}: {said['Message']}"
            await self._events.warning(service, "SyncLoadBalancerFailed", message)
            return AGAIN
        return None

    async def _ensure(self, service: Object) -> None:
        present = service["metadata"].get("finalizers") or []
        if FINALIZER not in present:
            await self._events.normal(service, "EnsuringLoadBalancer", "Ensuring load balancer")
            change = {"metadata": {"finalizers": [*present, FINALIZER]}}
            service = await self._caches.patch(SERVICES, service, change)
        balancers = await self._balancers()
        dns = await asyncio.to_thread(balancers.make, service, self._instances())
        status = {"loadBalancer": {"ingress": [{"hostname": dns}]}}
        if service.get("status") != status:
            await self._caches.patch(SERVICES, service, {"status": status}, "status")
            await self._events.normal(service, "EnsuredLoadBalancer", "Ensured load balancer")

    async def _drop(self, service: Object) -> None:
        balancers = await self._balancers()
        await asyncio.to_thread(balancers.remove, name_of(service))
        if not service["metadata"].get("deletionTimestamp"):
            empty = {"status": {"loadBalancer": {"ingress": None}}}
            service = await self._caches.patch(SERVICES, service, empty, "status")
        kept = [each for each in service["metadata"].get("finalizers") or [] if each != FINALIZER]
        await self._caches.patch(SERVICES, service, {"metadata": {"finalizers": kept}})
        await self._events.normal(service, "DeletedLoadBalancer", "Deleted load balancer")

    async def _balancers(self) -> Balancers:
        """The control plane's own role may do this; nobody configures it."""
        account, cluster = self._cloud.account, self._cloud.cluster
        described = await self._cloud.run(account("eks").describe_cluster, name=cluster)
        vpc = described["cluster"]["resourcesVpcConfig"]["vpcId"]
        return Balancers(account("elb"), account("ec2"), cluster, vpc)

    def _instances(self) -> list[str]:
        nodes = [each["spec"].get("providerID", "") for each in self._caches[NODES].all()]
        return sorted(each.rpartition("/")[2] for each in nodes if each)

    def _balanced(self) -> list[Key]:
        return [key_of(each) for each in self._caches[SERVICES].all() if _wants(each)]


def name_of(service: Object) -> str:
    """Name of the load balancer: ``a`` and the uid, as every cloud provider names it."""
    return f"a{service['metadata']['uid'].replace('-', '')}"[:32]


def _wants(service: Object) -> bool:
    spec, annotations = service["spec"], service["metadata"].get("annotations") or {}
    elsewhere = spec.get("loadBalancerClass") or annotations.get(TYPE) in {"external", "nlb-ip"}
    return spec.get("type") == "LoadBalancer" and not elsewhere and not service["metadata"].get("deletionTimestamp")
