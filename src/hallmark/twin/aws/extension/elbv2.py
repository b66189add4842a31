"""Load balancers: scheme, names and zone as AWS gives them, and the ones it would not make."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from moto.ec2.models import ec2_backends
from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeLoadBalancer, FakeTargetGroup, elbv2_backends
from moto.elbv2.ssl_policies import SSL_POLICIES

from hallmark.twin.aws.extension.patching import Function, around

HOSTED_ZONES = {
    "us-east-1": "Z35SXDOTRQ7X7K",
    "us-east-2": "Z3AADJGX6KTTL2",
    "us-west-1": "Z368ELLRRE2KJ0",
    "us-west-2": "Z1H1FL5HABSF5",
    "eu-central-1": "Z215JYRZR1TBD5",
    "eu-west-1": "Z32O12XQLNTSW2",
}
"""Hosted zone of application load balancers by region (AWS General Reference, "Elastic Load Balancing endpoints")."""
ENOUGH_ZONES = 2
SECURE = {"HTTPS", "TLS"}
OBSERVED = "hallmark_observed"
"""Attribute of moto's target groups, kept with them in snapshots."""
NOT_CHECKED = ("initial", "Elb.RegistrationInProgress", "Target registration is in progress")


def install() -> None:
    """Complete a balancer, refuse what AWS refuses of balancers and listeners."""
    around(FakeLoadBalancer, "__init__")(_begin)
    around(ELBv2Backend, "create_load_balancer")(_create_load_balancer)
    around(ELBv2Backend, "create_listener")(_create_listener)
    around(FakeTargetGroup, "health_for")(_health_for)


def observe(account: str, found: Mapping[str, Sequence[Sequence[Any]]]) -> None:
    """Keep what health checks found.

    Args:
        account: Whose load balancers.
        found: By ARN of a target group, for each target: address, port, state, reason, words for it.
    """
    for backend in elbv2_backends[account].values():
        for arn in found.keys() & backend.target_groups.keys():
            seen = {(address, int(port)): said for address, port, *said in found[arn]}
            setattr(backend.target_groups[arn], OBSERVED, seen)


def _begin(original: Function, balancer: FakeLoadBalancer, *args: Any, **kwargs: Any) -> None:
    original(balancer, *args, **kwargs)
    region = balancer.arn.split(":")[3]
    balancer.scheme = balancer.scheme or "internet-facing"
    balancer.canonical_hosted_zone_id = HOSTED_ZONES.get(region, balancer.canonical_hosted_zone_id)
    # A balancer that is made again under the same name gets another address: old DNS records point to nothing.
    prefix = "internal-" if balancer.scheme == "internal" else ""
    number = random.randrange(10**8, 10**10)  # noqa: S311  (part of a name, not a secret)
    balancer.dns_name = f"{prefix}{balancer.name}-{number}.{region}.elb.amazonaws.com"


def _create_load_balancer(original: Function, backend: ELBv2Backend, **wanted: Any) -> Any:
    mappings = [mapping["SubnetId"] for mapping in wanted.get("subnet_mappings") or []]
    ids = [*wanted.get("subnet_ids", []), *mappings]
    if ids and (wanted.get("loadbalancer_type") or "application") == "application":
        ec2 = ec2_backends[backend.account_id][backend.region_name]
        subnets = [ec2.get_subnet(one) for one in ids]
        _refuse_zones(subnets)
        if (wanted.get("scheme") or "internet-facing") == "internet-facing":
            _refuse_without_gateway(ec2, subnets[0].vpc_id)
    return original(backend, **wanted)


def _refuse_zones(subnets: list[Any]) -> None:
    zones = {subnet.availability_zone for subnet in subnets}
    if len(zones) < ENOUGH_ZONES:
        raise ELBClientError(
            "ValidationError", "At least two subnets in two different Availability Zones must be specified"
        )
    if len(zones) < len({subnet.id for subnet in subnets}):
        raise ELBClientError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )


def _refuse_without_gateway(ec2: Any, vpc: str) -> None:
    if not any(gateway.vpc and gateway.vpc.id == vpc for gateway in ec2.internet_gateways.values()):
        raise ELBClientError("InvalidSubnet", f"VPC {vpc} has no internet gateway")


def _health_for(original: Function, group: FakeTargetGroup, target: dict[str, Any], ec2: Any) -> FakeHealthStatus:
    health: FakeHealthStatus = original(group, target, ec2)
    if health.status == "healthy":  # registered: whether it is well, a check has to say
        known: dict[tuple[str, int], list[str]] = getattr(group, OBSERVED, {})
        said = known.get((health.instance_id, int(health.port)), NOT_CHECKED)
        health.status, health.reason, health.description = said[0], said[1] or None, said[2] or None
    return health


def _create_listener(original: Function, backend: ELBv2Backend, **wanted: Any) -> Any:
    policy = wanted.get("ssl_policy")
    if wanted.get("protocol") in SECURE:
        if not wanted.get("certificate"):
            message = f"A certificate must be specified for {wanted['protocol']} listeners"
            raise ELBClientError("ValidationError", message)
        if policy not in SSL_POLICIES:
            raise ELBClientError("SSLPolicyNotFound", f"SSL policy '{policy}' not found")
    return original(backend, **wanted)
