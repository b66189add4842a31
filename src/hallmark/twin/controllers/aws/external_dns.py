"""external-dns: the host names of Ingresses become records in the Route 53 zone they belong to.

Kept of the real one: alias records for load balancers, the TXT registry with its owner, the default policy of its
chart (``upsert-only``: a record whose Ingress is gone stays). Left out: other sources, other record types.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from hallmark.twin.controllers.aws.cloud import STALE, Cloud
from hallmark.twin.controllers.aws.gate import EXTERNAL_DNS
from hallmark.twin.kube.kinds import INGRESSES, Key, Kind, key_of
from hallmark.twin.kube.reconcile import Mapper

AGAIN, UNTIL_ACTIVE = 15.0, 2.0


class Records:
    """Records in the hosted zones of one account.

    Args:
        dns, elb: boto3 clients of ``route53`` and ``elbv2``.
        owner: Whose records these are.
    """

    def __init__(self, dns: Any, elb: Any, owner: str) -> None:
        self._dns = dns
        self._elb = elb
        self._owner = owner

    def point(self, host: str, balancer: str, resource: str) -> None:
        """Point a host name at a load balancer, unless somebody else owns the name.

        Args:
            host: Host name.
            balancer: DNS name of the load balancer.
            resource: ``ingress/<namespace>/<name>``, for the registry.
        """
        zone = self._zone(host)
        found = next(
            (b for b in self._elb.describe_load_balancers()["LoadBalancers"] if b["DNSName"] == balancer), None
        )
        if zone is None or found is None:
            return
        present = {(r["Name"], r["Type"]): r for r in self._records(zone, host)}
        if not self._may_change(present, host):
            return
        alias = {
            "HostedZoneId": found["CanonicalHostedZoneId"],
            "DNSName": f"{balancer}.",
            "EvaluateTargetHealth": True,
        }
        note = f'"heritage=external-dns,external-dns/owner={self._owner},external-dns/resource={resource}"'
        wanted: list[dict[str, Any]] = [
            {"Name": f"{host}.", "Type": "A", "AliasTarget": alias},
            {"Name": f"cname-{host}.", "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": note}]},
        ]
        changes = [r for r in wanted if not _same(present.get((r["Name"], r["Type"])), r)]
        if changes:
            batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": each} for each in changes]}
            self._dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)

    def _zone(self, host: str) -> str | None:
        zones = self._dns.list_hosted_zones()["HostedZones"]
        fitting = [each for each in zones if f".{host}.".endswith(f".{each['Name']}")]
        best = max(fitting, key=lambda each: len(each["Name"]), default=None)
        return str(best["Id"]) if best else None

    def _records(self, zone: str, host: str) -> list[dict[str, Any]]:
        names = {f"{host}.", f"cname-{host}."}
        pages = self._dns.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
        return [each for page in pages for each in page["ResourceRecordSets"] if each["Name"] in names]

    def _may_change(self, present: Mapping[tuple[str, str], dict[str, Any]], host: str) -> bool:
        """A record without an entry of ours in the registry was made by somebody else."""
        if not any(name == f"{host}." and kind in {"A", "AAAA", "CNAME"} for name, kind in present):
            return True
        registry = present.get((f"cname-{host}.", "TXT"), {}).get("ResourceRecords", [])
        return any(f"external-dns/owner={self._owner}," in each["Value"] for each in registry)


class ExternalDns:
    """The controller.

    Args:
        cloud: The cluster and the account it is in.
    """

    name = EXTERNAL_DNS.name

    def __init__(self, cloud: Cloud) -> None:
        self._ingresses = cloud.caches[INGRESSES]
        self._cloud = cloud
        self._log = cloud.log(self.name)

    def watches(self) -> Mapping[Kind, Mapper]:
        """Ingresses: their hosts and the load balancers they got."""
        return {INGRESSES: lambda ingress: [key_of(ingress)]}

    async def reconcile(self, key: Key) -> float | None:
        """Bring the records of one Ingress in order."""
        ingress = self._ingresses.get(key)
        if ingress is None or ingress["metadata"].get("deletionTimestamp"):
            return None
        identity = self._cloud.gate.identity(EXTERNAL_DNS)
        if identity is None or not self._cloud.cluster:
            return UNTIL_ACTIVE
        balancers = (ingress.get("status") or {}).get("loadBalancer", {}).get("ingress") or []
        hosts = {rule["host"] for rule in ingress["spec"].get("rules") or [] if rule.get("host")}
        try:
            dns = await self._cloud.sessions.client("route53", identity, self._cloud.cluster)
            # The real one has a table of the load balancers' zones by region; here the account is asked for it.
            records = Records(dns, self._cloud.account("elbv2"), self._cloud.cluster)
            for host in sorted(hosts) if balancers else ():
                await asyncio.to_thread(records.point, host, balancers[0]["hostname"], f"ingress/{'/'.join(key)}")
        except ClientError as error:
            self._log.error("failed to sync: %s", error)
            if error.response["Error"]["Code"] in STALE:
                self._cloud.sessions.forget(identity)
            return AGAIN
        return None


def _same(present: dict[str, Any] | None, wanted: dict[str, Any]) -> bool:
    return present is not None and all(present.get(key) == value for key, value in wanted.items())
