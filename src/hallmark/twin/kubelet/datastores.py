"""RDS and ElastiCache as a pod's network sees them, from what the emulated AWS says at this moment.

A connection is possible while the store is up and one of its security groups admits the pod: pods have their node's
security groups (VPC CNI, EKS user guide). The local route is always there; network ACLs between subnets are taken as
open.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from zlib import crc32

from hallmark.errors import HallmarkError
from hallmark.twin.control import Control
from hallmark.twin.kube.kinds import Object
from hallmark.twin.kubelet.cloud import Cloud, Instance

DOWN = frozenset({"stopped", "stopping", "starting", "creating", "deleting", "failed", "rebooting"})
RESERVED = 4
"""Addresses at the start of a subnet that are AWS's own; one more is at its end."""
SUFFIXES = (".rds.amazonaws.com", ".cache.amazonaws.com")


@dataclass(frozen=True)
class Store:
    """A data store of AWS.

    Attributes:
        port: Where it listens.
        status: As AWS words it.
        groups: Its security groups.
        subnets: Those of its subnet group, where AWS says them with the store.
        subnet_group: Name of its subnet group, where AWS says that instead.
    """

    port: int
    status: str
    groups: tuple[str, ...]
    subnets: tuple[str, ...] = ()
    subnet_group: str = ""


class DataStores:
    """Answers for the stores of one account.

    Args:
        cloud: The account in the emulated AWS.
        control: Its control paths, for logins; None if they cannot be reached.
        addresses: File that says where the real servers are (:mod:`hallmark.twin.stores.main`); it may be missing.
    """

    def __init__(self, cloud: Cloud, control: Control | None, addresses: Path | None = None) -> None:
        self._cloud = cloud
        self._clients = cloud.clients
        self._control = control
        self._addresses = addresses

    async def connect(self, node: Object | None, ip: str, host: str, port: int, *, established: bool) -> str:
        """What happens to a connection: a word of :mod:`hallmark.twin.programs.dependencies`, or ``connected``.

        Args:
            node: The pod's node.
            ip: The pod's address.
            host: Endpoint name.
            port: The port.
            established: Whether the connection stood before: security groups do not cut it.
        """
        return await self._cloud.ask(lambda: self._connect(node, ip, host, port, established), "timed out")

    def behind(self, host: str) -> tuple[str, int] | None:
        """Where the server behind a name listens: an empty address if there are no servers, None while it is down."""
        if self._addresses is None or not self._addresses.exists():
            return "", 0
        return self._served().get(host)

    def names(self) -> list[str]:
        """Names that a server is behind."""
        return list(self._served())

    def _served(self) -> dict[str, tuple[str, int]]:
        with suppress(OSError, ValueError, KeyError):
            told = json.loads(self._addresses.read_text(encoding="utf-8")) if self._addresses else {}
            return {host: (str(each["address"]), int(each["port"])) for host, each in told.items()}
        return {}

    async def whereabouts(self, host: str) -> str:
        """An address of the store, the same one as long as its subnets are; empty if it has none.

        AWS does not say the address, only DNS does: any of the store's subnet is as good for a rule about addresses.
        """
        return await self._cloud.ask(lambda: self._whereabouts(host), "")

    async def login(self, ip: str, asked: Mapping[str, Any]) -> dict[str, str]:
        """Ask the emulated AWS whether a login is right. The credentials are only passed on."""
        if self._control is None:
            return {"outcome": "timed out", "message": ""}
        try:
            return await asyncio.to_thread(self._control.login, self._clients.account, {**asked, "address": ip})
        except HallmarkError:
            return {"outcome": "timed out", "message": ""}

    def _connect(self, node: Object | None, ip: str, host: str, port: int, established: bool) -> str:  # noqa: FBT001
        store = self._stores().get(host)
        if store is None:
            return "unknown host"
        if not established:
            instance = self._cloud.instance(node) or Instance()
            rules = self._cloud.rules(store.groups, "IpPermissions")
            if not any(admits(rule, port, instance.groups, {ip, instance.address}) for rule in rules):
                return "timed out"
        return "refused" if store.status in DOWN or port != store.port else "connected"

    def _whereabouts(self, host: str) -> str:
        ec2, store = self._clients("ec2"), self._stores().get(host)
        chosen = sorted(self._subnets(store))[:1] if store else []
        if not chosen:
            return ""
        found = self._cloud.fresh(f"subnets {chosen}", lambda: ec2.describe_subnets(SubnetIds=chosen)["Subnets"])
        return spot(found[0]["CidrBlock"], host)

    def _subnets(self, store: Store) -> tuple[str, ...]:
        if store.subnets or not store.subnet_group:
            return store.subnets
        name, elasticache = store.subnet_group, self._clients("elasticache")
        groups = self._cloud.fresh(
            f"group {name}",
            lambda: elasticache.describe_cache_subnet_groups(CacheSubnetGroupName=name)["CacheSubnetGroups"],
        )
        return tuple(each["SubnetIdentifier"] for each in groups[0]["Subnets"])

    def _stores(self) -> dict[str, Store]:
        return self._cloud.fresh("stores", lambda: {**self._databases(), **self._caches()})

    def _databases(self) -> dict[str, Store]:
        found = self._clients("rds").describe_db_instances()["DBInstances"]
        return {
            each["Endpoint"]["Address"]: Store(
                port=each["Endpoint"]["Port"],
                status=each["DBInstanceStatus"],
                groups=tuple(group["VpcSecurityGroupId"] for group in each.get("VpcSecurityGroups", [])),
                subnets=tuple(
                    one["SubnetIdentifier"] for one in (each.get("DBSubnetGroup") or {}).get("Subnets") or []
                ),
            )
            for each in found
            if each.get("Endpoint", {}).get("Address")
        }

    def _caches(self) -> dict[str, Store]:
        elasticache = self._clients("elasticache")
        nodes = elasticache.describe_cache_clusters(ShowCacheNodeInfo=True)["CacheClusters"]
        members = {
            each["CacheClusterId"]: (
                tuple(group["SecurityGroupId"] for group in each.get("SecurityGroups", [])),
                each.get("CacheSubnetGroupName", ""),
            )
            for each in nodes
        }
        found: dict[str, Store] = {}
        for each in elasticache.describe_replication_groups()["ReplicationGroups"]:
            of_members = [members[member] for member in each.get("MemberClusters", []) if member in members]
            groups, subnet_group = of_members[0] if of_members else ((), "")
            shards = each.get("NodeGroups", [])
            endpoints = [shard.get(kind) for shard in shards for kind in ("PrimaryEndpoint", "ReaderEndpoint")]
            for endpoint in (*endpoints, each.get("ConfigurationEndpoint")):
                if endpoint and endpoint.get("Address"):
                    port = int(endpoint.get("Port") or 6379)
                    found[endpoint["Address"]] = Store(port, each["Status"], groups, (), subnet_group)
        return found


def spot(cidr: str, name: str) -> str:
    """An address of a subnet, always the same one for a name. Pure."""
    network = ip_network(cidr)
    return str(network[RESERVED + crc32(name.encode()) % (network.num_addresses - RESERVED - 1)])


def admits(rule: Mapping[str, Any], port: int, groups: Iterable[str], addresses: Iterable[str]) -> bool:
    """Whether a rule of a security group lets TCP in from these groups or addresses, or out to them. Pure.

    Source: EC2 user guide, "Security group rules".
    """
    protocol = str(rule.get("IpProtocol", ""))
    if protocol not in {"-1", "tcp", "6"}:
        return False
    if protocol != "-1" and not rule.get("FromPort", 0) <= port <= rule.get("ToPort", 65535):
        return False
    if {pair.get("GroupId") for pair in rule.get("UserIdGroupPairs", [])} & set(groups):
        return True
    networks = [ip_network(each["CidrIp"], strict=False) for each in rule.get("IpRanges", [])]
    return any(ip_address(each) in network for each in addresses if each for network in networks)
