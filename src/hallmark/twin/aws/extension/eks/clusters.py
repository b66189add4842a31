"""Clusters as EKS describes them: VPC, security group, access, logging, identity; and those it would not create."""

import uuid
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.eks.models import EKSBackend
from moto.eks.responses import EKSResponse

from hallmark.twin.aws.extension.eks.catalogue import DEFAULT_VERSION, offered, today
from hallmark.twin.aws.extension.eks.common import cluster_of, invalid
from hallmark.twin.aws.extension.eks.updates import record
from hallmark.twin.aws.extension.patching import Function, around, extend, parameter
from hallmark.twin.aws.published import published

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
ANYWHERE = ["0.0.0.0/0"]
ENOUGH_ZONES = 2


def install() -> None:
    """Complete a cluster when it is made; change its configuration piecemeal; remove its security group with it."""
    around(EKSResponse, "create_cluster")(_create_cluster)
    around(EKSBackend, "delete_cluster")(_delete_cluster)
    extend(EKSResponse, update_cluster_config, update_cluster_version)


def _create_cluster(original: Function, request: EKSResponse) -> Any:
    backend: Any = request.eks_backend
    asked = {key: parameter(request, key) for key in ("resourcesVpcConfig", "accessConfig", "upgradePolicy")}
    version = parameter(request, "version")
    network = _network(asked["resourcesVpcConfig"] or {})
    _refuse_version(version)
    _refuse_endpoints(network)
    subnets = _subnets(backend, network.get("subnetIds", []))
    answer = original(request)
    cluster = backend.clusters[parameter(request, "name")]
    cluster.version = version or DEFAULT_VERSION
    cluster.platformVersion = "eks.8"
    cluster.health = {"issues": []}
    _identify(cluster, backend)
    group = _security_group(backend, cluster.name, subnets[0].vpc_id)
    cluster.resources_vpc_config = network | {"vpcId": subnets[0].vpc_id, "clusterSecurityGroupId": group}
    cluster.kubernetes_network_config = _service_network(cluster.kubernetes_network_config)
    cluster.logging = _logging(cluster.logging)
    cluster.access_config = {
        "authenticationMode": "CONFIG_MAP",
        "bootstrapClusterCreatorAdminPermissions": True,
        **(asked["accessConfig"] or {}),
    }
    cluster.upgrade_policy = dict(asked["upgradePolicy"] or {"supportType": "EXTENDED"})
    cluster.addons, cluster.access_entries, cluster.pod_identities, cluster.updates = {}, {}, {}, {}
    return answer


def _delete_cluster(original: Function, backend: EKSBackend, name: str) -> Any:
    cluster = original(backend, name)
    ec2 = ec2_backends[backend.account_id][backend.region_name]
    group = cluster.resources_vpc_config["clusterSecurityGroupId"]
    if ec2.get_security_group_from_id(group):
        ec2.delete_security_group(group_id=group)
    return cluster


def _refuse_version(version: str | None) -> None:
    if version and version not in offered(today()):
        raise invalid(f"unsupported Kubernetes version {version}")


def _refuse_endpoints(network: dict[str, Any]) -> None:
    if not (network["endpointPublicAccess"] or network["endpointPrivateAccess"]):
        raise invalid("Private and public endpoint access cannot be false")


def _subnets(backend: Any, ids: list[str]) -> list[Any]:
    ec2 = ec2_backends[backend.account_id][backend.region_name]
    subnets = [ec2.get_subnet(one) for one in ids]
    if len({subnet.availability_zone for subnet in subnets}) < ENOUGH_ZONES:
        raise invalid("Subnets specified must be in at least two different AZs")
    return subnets


def _network(asked: dict[str, Any]) -> dict[str, Any]:
    network = {"endpointPublicAccess": True, "endpointPrivateAccess": False, **asked}
    network["publicAccessCidrs"] = (
        (network.get("publicAccessCidrs") or ANYWHERE) if network["endpointPublicAccess"] else []
    )
    return network


def _service_network(asked: dict[str, Any] | None) -> dict[str, Any]:
    defaults = {"serviceIpv4Cidr": "172.20.0.0/16", "ipFamily": "ipv4", "elasticLoadBalancing": {"enabled": False}}
    return defaults | (asked or {})


def _identify(cluster: Any, backend: Any) -> None:
    # moto draws these once a process; every cluster has its own, and the identity provider's URL is one of them.
    key = uuid.uuid4().hex.upper()
    region, server = backend.region_name, published(backend.account_id)
    issuer = server.issuer if server else ""
    cluster.identity = {"oidc": {"issuer": issuer or f"https://oidc.eks.{region}.amazonaws.com/id/{key}"}}
    cluster.endpoint = f"https://{key}.gr7.{region}.eks.amazonaws.com"


def _security_group(backend: Any, name: str, vpc: str) -> str:
    ec2 = ec2_backends[backend.account_id][backend.region_name]
    group = ec2.create_security_group(
        f"eks-cluster-sg-{name}-{uuid.uuid4().int % 10**9}",
        "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, "
        "as well as any managed workloads.",
        vpc_id=vpc,
        tags={"aws:eks:cluster-name": name, f"kubernetes.io/cluster/{name}": "owned"},
    )
    ec2.authorize_security_group_ingress(
        group.id, "-1", "", "", ip_ranges=[], source_groups=[{"GroupId": group.id}], vpc_id=vpc
    )
    return group.id


def _logging(asked: dict[str, Any] | None) -> dict[str, Any]:
    # AWS names every log type, those that are on and those that are off.
    entries = (asked or {}).get("clusterLogging", [])
    enabled = {one for entry in entries if entry.get("enabled") for one in entry.get("types", [])}
    return _log_setup(enabled)


def _log_setup(enabled: set[str]) -> dict[str, Any]:
    kinds = {
        True: [one for one in LOG_TYPES if one in enabled],
        False: [one for one in LOG_TYPES if one not in enabled],
    }
    return {"clusterLogging": [{"types": types, "enabled": state} for state, types in kinds.items() if types]}


def update_cluster_config(request: Any) -> ActionResult:
    """UpdateClusterConfig: whatever part of the configuration the request carries."""
    cluster = cluster_of(request)
    network = parameter(request, "resourcesVpcConfig")
    if network:
        changed = _network(cluster.resources_vpc_config | network)
        _refuse_endpoints(changed)
        cluster.resources_vpc_config = changed
    logging = parameter(request, "logging")
    if logging:
        _change_logging(cluster, logging)
    cluster.access_config |= parameter(request, "accessConfig") or {}
    cluster.upgrade_policy |= parameter(request, "upgradePolicy") or {}
    kind = "VpcConfigUpdate" if network else "LoggingUpdate" if logging else "ConfigUpdate"
    return ActionResult({"update": record(cluster, kind)})


def _change_logging(cluster: Any, asked: dict[str, Any]) -> None:
    state = {one: entry["enabled"] for entry in cluster.logging["clusterLogging"] for one in entry["types"]}
    for entry in asked.get("clusterLogging", []):
        state |= dict.fromkeys(entry.get("types", []), bool(entry.get("enabled")))
    cluster.logging = _log_setup({one for one, enabled in state.items() if enabled})


def update_cluster_version(request: Any) -> ActionResult:
    """UpdateClusterVersion."""
    cluster, version = cluster_of(request), parameter(request, "version")
    _refuse_version(version)
    cluster.version = version
    return ActionResult({"update": record(cluster, "VersionUpdate")})
