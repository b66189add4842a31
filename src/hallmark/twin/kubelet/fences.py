"""NetworkPolicies as they count on EKS: only while the add-on vpc-cni is told to enforce them.

Source: EKS user guide, "Limit Pod traffic with Kubernetes network policies": ``enableNetworkPolicy`` in the add-on's
configuration, off by default. A cluster without an emulated AWS around it enforces them always.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

import yaml

from hallmark.twin.clients import Clients
from hallmark.twin.kube.kinds import NAMESPACES, NETWORK_POLICIES
from hallmark.twin.kubelet.cloud import Cloud
from hallmark.twin.kubelet.datastores import spot
from hallmark.twin.kubelet.machine import Machine, internal_ip
from hallmark.twin.kubelet.pod import Pod
from hallmark.twin.kubelet.policies import Port, Rules, Side


class Fences:
    """Answers for one cluster.

    Args:
        machine: The cluster as pods see it.
        cloud: The account in the emulated AWS; None without one.
    """

    def __init__(self, machine: Machine, cloud: Cloud | None) -> None:
        self._machine = machine
        self._cloud = cloud
        self._enforced = cloud is None

    @property
    def stand(self) -> bool:
        """Whether there are policies at all."""
        return bool(self._machine.caches[NETWORK_POLICIES].all())

    async def open(self, pod: Pod, other: Pod | str, port: int, protocol: str = "TCP") -> bool:
        """Whether a new connection of a pod passes.

        Args:
            pod: Who connects.
            other: The pod on the other side, or an address; an empty one is nobody's.
            port: The port there, after a Service has led to it.
            protocol: TCP or UDP.
        """
        if (rules := await self._rules()) is None:
            return True
        target = Side(other) if isinstance(other, str) else self._side(other)
        return rules.allow(self._side(pod), target, Port(port, protocol))

    async def closed(self, pod: Pod, sources: Iterable[str]) -> dict[str, list[int]]:
        """Ports that a pod serves, by each address outside of the cluster from which they are not reached."""
        if (rules := await self._rules()) is None:
            return {}
        target, ports = self._side(pod), [port for port, _ in pod.ports()]
        return {each: [port for port in ports if not rules.allow(Side(each), target, Port(port))] for each in sources}

    async def admit_api(self, pod: Pod, port: int) -> bool:
        """Whether the API server's proxy reaches a pod: on EKS it comes from interfaces in the cluster's subnets.

        It may come from any of them, so all have to be let in. Source: EKS user guide, "View Amazon EKS networking
        requirements for VPC and subnets".
        """
        if (rules := await self._rules()) is None:
            return True
        target = self._side(pod)
        return all(rules.allow(Side(each), target, Port(port)) for each in await self._interfaces())

    async def _rules(self) -> Rules | None:
        policies = self._machine.caches[NETWORK_POLICIES].all()
        if not policies or not await self._count():
            return None
        return Rules(policies, self._machine.caches[NAMESPACES].all())

    async def _interfaces(self) -> list[str]:
        """Addresses of the API server; without an emulated AWS nobody knows one."""
        if (cloud := self._cloud) is None:
            return [""]
        read = partial(_interfaces, cloud.clients)
        return await cloud.ask(lambda: cloud.fresh("interfaces", read), [""])

    def _side(self, pod: Pod) -> Side:
        # A pod on its node's own address is the node, as far as policies can tell.
        if pod.object["spec"].get("hostNetwork"):
            return Side(pod.ip)
        return Side(pod.ip, pod.object, internal_ip(self._machine.node(pod.node_name)))

    async def _count(self) -> bool:
        if cloud := self._cloud:  # without an answer it stays as it was
            read = partial(_is_enforced, cloud.clients)
            self._enforced = await cloud.ask(lambda: cloud.fresh("policies", read), self._enforced)
        return self._enforced


def _interfaces(clients: Clients) -> list[str]:
    eks = clients("eks")
    for cluster in eks.list_clusters()["clusters"][:1]:
        subnets = eks.describe_cluster(name=cluster)["cluster"]["resourcesVpcConfig"]["subnetIds"]
        found = clients("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
        return [spot(each["CidrBlock"], cluster) for each in found]
    return [""]


def _is_enforced(clients: Clients) -> bool:
    eks = clients("eks")
    # An account of the twin has one cluster.
    for cluster in eks.list_clusters()["clusters"][:1]:
        if "vpc-cni" in eks.list_addons(clusterName=cluster)["addons"]:
            addon = eks.describe_addon(clusterName=cluster, addonName="vpc-cni")["addon"]
            return enables(addon.get("configurationValues"))
    return False


def enables(configuration: str | None) -> bool:
    """Whether the configuration of vpc-cni, JSON or YAML, turns policies on. Pure."""
    try:
        given: Any = yaml.safe_load(configuration or "")
    except yaml.YAMLError:
        return False
    return isinstance(given, dict) and str(given.get("enableNetworkPolicy", "")).lower() == "true"
