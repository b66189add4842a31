"""The load balancer has no public address: an office network or a VPN leads to it."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from hallmark.cli.hands import Hands
from hallmark.waiting import until

author = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("solve.py"))))
release = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("release.py"))))
SECONDS = 120.0


def solve(client: Hands, scope: Mapping[str, str]) -> None:
    """Make the load balancer internal: the controller replaces it, and the record follows."""
    release.upgrade(client, scope, {"ingress": {"annotations": {release.annotation("scheme"): "internal"}}})
    if not until(lambda: _is_led_to(client, scope), SECONDS, pause=0.5):
        raise TimeoutError("the name does not lead to an internal load balancer")
    author.solve(client, scope)


def _is_led_to(client: Hands, scope: Mapping[str, str]) -> bool:
    """Whether Ingress and record both name a load balancer that is internal and active."""
    found = client("elbv2").describe_load_balancers()["LoadBalancers"]
    internal = {one["DNSName"].lower() for one in found
                if (one["Scheme"], one["State"]["Code"]) == ("internal", "active")}  # fmt: skip
    path = "jsonpath={.items[*].status.loadBalancer.ingress[*].hostname}"
    address = client.kubectl("-n", scope["namespace"], "get", "ingress", "-o", path).lower()
    return address in internal and address in _targets(client, scope["host"])


def _targets(client: Hands, host: str) -> set[str]:
    """Return where the records of a host lead."""
    route53 = client("route53")
    zones = [zone["Id"] for zone in route53.list_hosted_zones()["HostedZones"]]
    records = [
        one for zone in zones for one in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    ]
    led = [one["AliasTarget"]["DNSName"] for one in records if one["Name"] == f"{host}." and "AliasTarget" in one]
    return {name.lower().removesuffix(".").removeprefix("dualstack.") for name in led}
