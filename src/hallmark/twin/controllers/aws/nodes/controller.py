"""The controller: instances of managed node groups come and go, their Nodes with them."""

import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from hallmark.twin.controllers.aws.cloud import Cloud
from hallmark.twin.controllers.aws.nodes import addresses, objects
from hallmark.twin.controllers.aws.nodes.objects import Machine
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import NAMESPACES, NODES, Key, Kind, Object
from hallmark.twin.kube.reconcile import Mapper
from hallmark.twin.pulse import Pulse

EVERY = 2.0
"""Seconds between two looks at the instances: one call, unless the account rests."""
GROUPS_EVERY = 10.0
"""Seconds between two looks at the node groups: their labels and taints change rarely."""
ALL: Key = ("", "nodes")
SEEN = ("pending", "running", "stopping", "stopped")


class Nodes:
    """Keeps a Node for each instance.

    Args:
        cloud: The cluster and its account.
    """

    name = "node-controller"

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._caches = cloud.caches
        self._events = Recorder(cloud.caches.api, "cloud-node-lifecycle-controller")
        self._groups: dict[str, dict[str, Any]] = {}
        self._looked = -GROUPS_EVERY
        self._pulse = Pulse(cloud.state.parent)
        self._machines: list[Machine] = []
        self._types: dict[str, Mapping[str, Any]] = {}
        self._subnets: dict[str, Mapping[str, Any]] = {}

    def watches(self) -> Mapping[Kind, Mapper]:
        """Namespaces are always there, so this begins at once; a Node that a person deleted comes back."""
        return {NAMESPACES: lambda _: [ALL], NODES: lambda node: [ALL] if _is_gone(self._caches, node) else []}

    async def reconcile(self, _: Key) -> float | None:
        """Compare instances and Nodes."""
        if self._pulse.is_due():
            cluster = await self._cloud.look()
            self._machines = await self._find(cluster) if cluster else []
        machines = self._machines
        known = {node["metadata"]["name"]: node for node in self._caches[NODES].all()}
        for machine in machines:
            await self._keep(machine, known.get(machine.name))
        names = {machine.name for machine in machines}
        for name, node in known.items():
            if name not in names and _is_ours(node):
                await self._remove(node)
        return EVERY

    async def _find(self, cluster: str) -> list[Machine]:
        ec2 = self._cloud.account("ec2")
        filters = [
            {"Name": "tag:eks:cluster-name", "Values": [cluster]},
            {"Name": "instance-state-name", "Values": list(SEEN)},
        ]
        answer = await self._cloud.run(ec2.describe_instances, Filters=filters)
        instances = [each for reservation in answer["Reservations"] for each in reservation["Instances"]]
        await self._look_up(cluster, instances)
        return [
            Machine(
                instance,
                self._types[instance["InstanceType"]],
                self._groups[_tag(instance, "eks:nodegroup-name")],
                self._subnets[instance["SubnetId"]],
                self._cloud.region,
            )
            for instance in instances
            if _tag(instance, "eks:nodegroup-name") in self._groups
        ]

    async def _look_up(self, cluster: str, instances: list[Mapping[str, Any]]) -> None:
        groups = {_tag(each, "eks:nodegroup-name") for each in instances}
        if time.monotonic() - self._looked > GROUPS_EVERY or not groups <= set(self._groups):
            self._groups = await self._describe_groups(cluster)
            self._looked = time.monotonic()
        ec2 = self._cloud.account("ec2")
        if types := sorted({each["InstanceType"] for each in instances} - set(self._types)):
            found = await self._cloud.run(ec2.describe_instance_types, InstanceTypes=types)
            self._types |= {each["InstanceType"]: each for each in found["InstanceTypes"]}
        if subnets := sorted({each["SubnetId"] for each in instances} - set(self._subnets)):
            found = await self._cloud.run(ec2.describe_subnets, SubnetIds=subnets)
            self._subnets |= {each["SubnetId"]: each for each in found["Subnets"]}

    async def _describe_groups(self, cluster: str) -> dict[str, dict[str, Any]]:
        eks, found = self._cloud.account("eks"), {}
        try:
            names = (await self._cloud.run(eks.list_nodegroups, clusterName=cluster))["nodegroups"]
            for name in names:
                answer = await self._cloud.run(eks.describe_nodegroup, clusterName=cluster, nodegroupName=name)
                found[name] = answer["nodegroup"] | await self._root_volume(answer["nodegroup"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
        return found

    async def _root_volume(self, group: Mapping[str, Any]) -> dict[str, int]:
        template = group.get("launchTemplate")
        if not template:
            return {}
        ec2 = self._cloud.account("ec2")
        which = {"LaunchTemplateId": template["id"], "Versions": [str(template["version"])]}
        answer = await self._cloud.run(ec2.describe_launch_template_versions, **which)
        disks = answer["LaunchTemplateVersions"][0]["LaunchTemplateData"].get("BlockDeviceMappings") or []
        sizes = [int(each["Ebs"]["VolumeSize"]) for each in disks if each.get("Ebs", {}).get("VolumeSize")]
        return {"rootGib": sizes[0]} if sizes else {}

    async def _keep(self, machine: Machine, known: Object | None) -> None:
        if known is None:
            created = await self._caches.create(NODES, objects.node(machine, self._taken()))
            await self._caches.patch(NODES, created, {"status": objects.status(machine)}, "status")
            await self._events.normal(created, "Synced", "Node synced successfully")
            return
        if patch := objects.changes(known, machine):
            known = await self._caches.patch(NODES, known, patch)
        wanted = objects.status(machine)
        if {key: (known.get("status") or {}).get(key) for key in wanted} != wanted:
            await self._caches.patch(NODES, known, {"status": wanted}, "status")

    def _taken(self) -> list[str]:
        nodes = self._caches[NODES].all()
        return [(node["metadata"].get("annotations") or {}).get(addresses.ANNOTATION, "") for node in nodes]

    async def _remove(self, node: Object) -> None:
        name = node["metadata"]["name"]
        message = f"Deleting node {name} because it does not exist in the cloud provider"
        await self._events.normal(node, "DeletingNode", message)
        await self._caches.delete(NODES, node)


def _tag(instance: Mapping[str, Any], key: str) -> str:
    return next((str(each["Value"]) for each in instance.get("Tags") or [] if each["Key"] == key), "")


def _is_ours(node: Object) -> bool:
    return objects.GROUP in (node["metadata"].get("labels") or {})


def _is_gone(caches: Any, node: Object) -> bool:
    return caches[NODES].get(("", node["metadata"]["name"])) is None
