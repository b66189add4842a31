"""What a new node of a group would be like: as those it has, or, of an empty group, as AWS describes its machines."""

from collections.abc import Iterable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from hallmark.twin.controllers.aws.autoscaler.groups import Group, daemons, template
from hallmark.twin.controllers.aws.cloud import Cloud
from hallmark.twin.controllers.aws.gate import CLUSTER_AUTOSCALER
from hallmark.twin.controllers.aws.nodes import objects
from hallmark.twin.controllers.aws.nodes.objects import Machine
from hallmark.twin.controllers.workloads.pods import is_ready
from hallmark.twin.controllers.workloads.scheduling.places import Place
from hallmark.twin.kube.kinds import Object


class Templates:
    """Finds templates, and keeps those that AWS had to be asked for.

    Args:
        cloud: The cluster and its account.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._described: dict[str, Object] = {}

    async def of(self, group: Group, nodes: Sequence[Object], pods: Iterable[Object]) -> Place | None:
        """The template of a group; None if it cannot be told."""
        if nodes:
            chosen = next(filter(is_ready, nodes), nodes[0])
            return template(chosen, pods)
        if group.name not in self._described:
            node = await self._describe(group)
            if node is None:
                return None
            self._described[group.name] = node
        node = self._described[group.name]
        return Place(node, daemons(node, pods))

    async def _describe(self, group: Group) -> Object | None:
        try:
            type_ = await self._type(group)
            about = await self._cloud.act(
                CLUSTER_AUTOSCALER,
                "eks",
                "describe_nodegroup",
                clusterName=self._cloud.cluster,
                nodegroupName=group.tags.get("eks:nodegroup-name", ""),
            )
        except ClientError:
            return None
        nodegroup = about["nodegroup"]
        instance = {
            "InstanceId": "i-0",
            "InstanceType": type_["InstanceType"],
            "ImageId": "",
            "PrivateDnsName": f"template-node-for-{group.name}",
            "PrivateIpAddress": "10.255.255.254",
            "State": {"Name": "running"},
        }
        # The zone of a group that spans several is open; its first subnet's is as good as any.
        subnet = {"AvailabilityZone": await self._zone(nodegroup["subnets"]), "CidrBlock": "10.255.0.0/16"}
        machine = Machine(instance, type_, nodegroup, subnet, self._cloud.region)
        ready = [{"type": "Ready", "status": "True"}]
        return objects.node(machine, ()) | {"status": objects.status(machine) | {"conditions": ready}}

    async def _type(self, group: Group) -> dict[str, Any]:
        version = str(group.template.get("Version", "$Default"))
        which = {"LaunchTemplateId": group.template["LaunchTemplateId"], "Versions": [version]}
        answer = await self._cloud.act(CLUSTER_AUTOSCALER, "ec2", "describe_launch_template_versions", **which)
        name = answer["LaunchTemplateVersions"][0]["LaunchTemplateData"]["InstanceType"]
        found = await self._cloud.act(CLUSTER_AUTOSCALER, "ec2", "describe_instance_types", InstanceTypes=[name])
        type_: dict[str, Any] = found["InstanceTypes"][0]
        return type_

    async def _zone(self, subnets: Sequence[str]) -> str:
        answer = await self._cloud.run(self._cloud.account("ec2").describe_subnets, SubnetIds=list(subnets)[:1])
        return str(answer["Subnets"][0]["AvailabilityZone"])
