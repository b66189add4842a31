"""Managed node groups and what EKS makes behind them: a launch template, an Auto Scaling group, instances.

The tags are those EKS sets so that the Cluster Autoscaler finds the group (EKS user guide, "Managed node groups").
"""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.eks.exceptions import InvalidRequestException
from moto.eks.models import EKSBackend
from moto.eks.responses import EKSResponse

from hallmark.twin.aws.extension.eks.addresses import without_addresses
from hallmark.twin.aws.extension.eks.common import cluster_of, invalid
from hallmark.twin.aws.extension.eks.updates import record
from hallmark.twin.aws.extension.patching import Function, around, extend, parameter

IMAGE = "ami-0a1b2c3d4e5f67890"
"""Stands for the EKS-optimised image, which the emulator does not have."""
AMI_TYPE = "AL2023_x86_64_STANDARD"
INSTANCE_TYPE = "t3.medium"


def install() -> None:
    """Complete a node group, scale it and remove it together with its machines."""
    around(EKSResponse, "create_nodegroup")(_create_nodegroup)
    around(EKSResponse, "update_nodegroup_config")(_update_nodegroup_config)
    around(EKSBackend, "list_nodegroups")(_list_nodegroups)
    around(EKSBackend, "describe_nodegroup")(_describe_nodegroup)
    around(EKSBackend, "delete_nodegroup")(_delete_nodegroup)
    extend(EKSResponse, update_nodegroup_version)


def _list_nodegroups(original: Function, backend: Any, cluster_name: str, *args: Any, **kwargs: Any) -> Any:
    backend.describe_cluster(cluster_name)  # moto fails on an unknown cluster; AWS says that it is not there
    return original(backend, cluster_name, *args, **kwargs)


def _release(version: str) -> str:
    """Return the image a new node group gets: AWS publishes one about every other week."""
    return f"{version}.0-{datetime.now(UTC) - timedelta(days=7):%Y%m%d}"


def _create_nodegroup(original: Function, request: Any) -> Any:
    _refuse_sizes(parameter(request, "scalingConfig") or {})
    _refuse_types(parameter(request, "instanceTypes") or [])
    answer = original(request)
    cluster, backend = cluster_of(request), request.eks_backend
    group = cluster.nodegroups[parameter(request, "nodegroupName")]
    if not parameter(request, "remoteAccess"):
        # moto invents an SSH key; Terraform would replace the group because of it.
        group.remote_access = None
        group.resources.pop("remoteAccessSecurityGroup")
    if group.launch_template:
        group.disk_size = None
        group.launch_template.setdefault("version", str(_template(backend, group).default_version_number))
    group.version = parameter(request, "version") or cluster.version
    group.release_version = parameter(request, "releaseVersion") or _release(group.version)
    group.ami_type = parameter(request, "amiType") or AMI_TYPE
    group.instance_types = parameter(request, "instanceTypes") or (
        [] if _template_type(backend, group) else [INSTANCE_TYPE]
    )
    group.update_config = parameter(request, "updateConfig") or {"maxUnavailable": 1}
    group.node_repair_config = parameter(request, "nodeRepairConfig")
    group.health = {"issues": without_addresses(_ec2(backend), group, _machine(backend, cluster, group))}
    if group.health["issues"]:
        group.status, group.resources = "CREATE_FAILED", {}
    else:
        _launch(backend, cluster, group)
    return answer


def _launch(backend: Any, cluster: Any, group: Any) -> None:
    name = f"eks-{group.nodegroup_name}-{group.uuid}"
    group.resources["autoScalingGroups"] = [{"name": name}]
    tags = _machine_tags(cluster, group)
    template = _ec2(backend).create_launch_template(
        f"eks-{group.uuid}", "", _machine(backend, cluster, group), {"launch-template": tags}
    )
    _autoscaling(backend).create_auto_scaling_group(
        name=name,
        availability_zones=[],
        desired_capacity=group.scaling_config["desiredSize"],
        max_size=group.scaling_config["maxSize"],
        min_size=group.scaling_config["minSize"],
        launch_config_name="",
        launch_template={"LaunchTemplateId": template.id, "Version": "1"},
        vpc_zone_identifier=",".join(group.subnets),
        default_cooldown=None,
        health_check_period=15,
        health_check_type="EC2",
        load_balancers=[],
        target_group_arns=[],
        placement_group=None,
        termination_policies=["AllocationStrategy", "OldestLaunchTemplate", "OldestInstance"],
        tags=[{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in tags.items()],
        capacity_rebalance=True,
    )


def _machine_tags(cluster: Any, group: Any) -> dict[str, str]:
    return {
        "eks:cluster-name": cluster.name,
        "eks:nodegroup-name": group.nodegroup_name,
        f"kubernetes.io/cluster/{cluster.name}": "owned",
        "k8s.io/cluster-autoscaler/enabled": "true",
        f"k8s.io/cluster-autoscaler/{cluster.name}": "owned",
    }


def _machine(backend: Any, cluster: Any, group: Any) -> dict[str, Any]:
    # The learner's template, completed by what EKS decides: image, instance type, security group.
    template = _template(backend, group)
    data = copy.deepcopy(template.get_version(group.launch_template["version"]).data) if template else {}
    data.setdefault("ImageId", IMAGE)
    data.setdefault("InstanceType", (group.instance_types or [INSTANCE_TYPE])[0])
    data.setdefault("SecurityGroupIds", [cluster.resources_vpc_config["clusterSecurityGroupId"]])
    return data


def _template(backend: Any, group: Any) -> Any:
    if not group.launch_template:
        return None
    return _ec2(backend).get_launch_template(group.launch_template["id"])


def _template_type(backend: Any, group: Any) -> Any:
    template = _template(backend, group)
    return template.get_version(group.launch_template["version"]).instance_type if template else None


def _update_nodegroup_config(original: Function, request: Any) -> Any:
    cluster = cluster_of(request)
    group = request.eks_backend.describe_nodegroup(cluster.name, parameter(request, "nodegroupName"))
    _refuse_sizes(group.scaling_config | (parameter(request, "scalingConfig") or {}))
    _refuse_failed(group)
    original(request)
    machines = _machines(request.eks_backend, group)
    machines.min_size, machines.max_size = group.scaling_config["minSize"], group.scaling_config["maxSize"]
    machines.set_desired_capacity(group.scaling_config["desiredSize"])
    return ActionResult({"update": record(cluster, "ConfigUpdate")})


def _describe_nodegroup(original: Function, backend: Any, *args: Any, **kwargs: Any) -> Any:
    # Whoever scales the machines, the autoscaler or a person, scales the node group.
    group = original(backend, *args, **kwargs)
    machines = _machines(backend, group)
    if machines:
        group.scaling_config["desiredSize"] = machines.desired_capacity
    return group


def _delete_nodegroup(original: Function, backend: Any, *args: Any, **kwargs: Any) -> Any:
    group = original(backend, *args, **kwargs)
    if _machines(backend, group):
        _autoscaling(backend).delete_auto_scaling_group(group.resources["autoScalingGroups"][0]["name"])
    if group.resources:
        _ec2(backend).delete_launch_template(f"eks-{group.uuid}", None)
    return group


def update_nodegroup_version(request: Any) -> ActionResult:
    """UpdateNodegroupVersion: Kubernetes version, image release, launch template."""
    cluster = cluster_of(request)
    group = request.eks_backend.describe_nodegroup(cluster.name, parameter(request, "nodegroupName"))
    _refuse_failed(group)
    group.version = parameter(request, "version") or cluster.version
    group.release_version = parameter(request, "releaseVersion") or _release(group.version)
    if group.launch_template:
        group.launch_template.update(parameter(request, "launchTemplate") or {})
    _replace(request.eks_backend, cluster, group)
    return ActionResult({"update": record(cluster, "VersionUpdate")})


def _replace(backend: Any, cluster: Any, group: Any) -> None:
    # AWS replaces the machines one by one; here all at once.
    template = _ec2(backend).get_launch_template_by_name(f"eks-{group.uuid}")
    template.create_version(_machine(backend, cluster, group), "")
    template.default_version_number = template.latest_version_number
    machines = _machines(backend, group)
    wanted = machines.desired_capacity
    machines.set_desired_capacity(0)
    machines.launch_template_version = str(template.default_version_number)
    machines.provided_launch_template_version = machines.launch_template_version
    machines.set_desired_capacity(wanted)


def _machines(backend: Any, group: Any) -> Any:
    names = [one["name"] for one in group.resources.get("autoScalingGroups", [])]
    return _autoscaling(backend).autoscaling_groups.get(names[0]) if names else None


def _refuse_failed(group: Any) -> None:
    if group.status == "CREATE_FAILED":
        raise InvalidRequestException(
            message="Nodegroup cannot be updated as it is currently not in Active State",
            clusterName=group.cluster_name,
            nodegroupName=group.nodegroup_name,
            addonName=None,
        )


def _refuse_sizes(scaling: dict[str, int]) -> None:
    low, wish, high = (scaling.get(one) for one in ("minSize", "desiredSize", "maxSize"))
    if low is not None and high is not None and low > high:
        raise invalid(f"Minimum capacity {low} can't be greater than maximum capacity {high}")
    if low is not None and wish is not None and wish < low:
        raise invalid(f"Minimum capacity {low} can't be greater than desired size {wish}")
    if high is not None and wish is not None and wish > high:
        raise invalid(f"desired capacity {wish} can't be greater than max size {high}")


def _refuse_types(names: list[str]) -> None:
    unknown = [name for name in names if name not in INSTANCE_TYPES]
    if unknown:
        raise invalid(f"The following supplied instance types do not exist: [{', '.join(unknown)}]")


def _ec2(backend: Any) -> Any:
    return ec2_backends[backend.account_id][backend.region_name]


def _autoscaling(backend: Any) -> Any:
    return autoscaling_backends[backend.account_id][backend.region_name]
