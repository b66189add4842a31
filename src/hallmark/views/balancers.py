"""Load balancers and their listeners, read from what AWS answers: application, network and classic ones alike."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

_CONFIGS = ("HostHeaderConfig", "PathPatternConfig")


@dataclass(frozen=True)
class Balancer:
    """One load balancer of the cluster.

    Attributes:
        name: Its name.
        arn: ARN; a classic one has none, then its name.
        kind: ``application``, ``network``, ``gateway`` or ``classic``.
        scheme: ``internet-facing`` or ``internal``.
        state: ``active`` and others.
        vpc: VPC it stands in.
        dns: Its own DNS name.
        zones: Subnet by Availability Zone.
        groups: Security groups.
        tags: Tags.
    """

    name: str
    arn: str
    kind: str
    scheme: str
    state: str
    vpc: str
    dns: str
    zones: dict[str, str]
    groups: tuple[str, ...]
    tags: dict[str, str]

    @property
    def is_ingress(self) -> bool:
        """Whether the controller made it for an Ingress."""
        return self.tags.get("ingress.k8s.aws/resource") == "LoadBalancer"

    @property
    def service(self) -> str:
        """``<namespace>/<name>`` of the Service it was made for, or empty."""
        return self.tags.get("service.k8s.aws/stack") or self.tags.get("kubernetes.io/service-name", "")


@dataclass(frozen=True)
class Listener:
    """One port of a load balancer.

    Attributes:
        arn: ARN; of a classic load balancer its name and port.
        port: Port.
        protocol: ``HTTPS``, ``HTTP``, ``TLS``, ``TCP`` and others.
        policy: TLS policy, or empty.
        certificate: ARN of the default certificate, or empty.
        default: Default actions.
    """

    arn: str
    port: int
    protocol: str
    policy: str
    certificate: str
    default: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class ListenerRule:
    """One rule of a listener.

    Attributes:
        hosts: Patterns of host names it asks for; empty: any.
        paths: Patterns of paths it asks for; empty: any.
        asks_more: Whether it asks for anything else, such as a header, a source address or a regular expression.
        actions: What it does.
    """

    hosts: tuple[str, ...]
    paths: tuple[str, ...]
    asks_more: bool
    actions: tuple[dict[str, Any], ...]

    @property
    def forwards(self) -> bool:
        """Whether it hands requests on to targets."""
        return any(action["Type"] == "forward" for action in self.actions)

    def takes(self, host: str, path: str = "/") -> bool:
        """Whether it decides about a plain request for *path* on *host*."""
        return not self.asks_more and _fits(host, self.hosts) and _fits(path, self.paths)


def plain_name(name: str) -> str:
    """Return a DNS name in one spelling: lower case, no final dot, without the prefix of dual-stack aliases."""
    return re.sub(r"^dualstack\.", "", name.lower().rstrip("."))


def read_balancer(raw: dict[str, Any], labels: dict[str, str]) -> Balancer:
    """Read one load balancer of ``elbv2.describe_load_balancers``; *labels* are its tags."""
    return Balancer(
        name=raw["LoadBalancerName"],
        arn=raw["LoadBalancerArn"],
        kind=raw["Type"],
        scheme=raw["Scheme"],
        state=raw["State"]["Code"],
        vpc=raw["VpcId"],
        dns=plain_name(raw["DNSName"]),
        zones={zone["ZoneName"]: zone["SubnetId"] for zone in raw["AvailabilityZones"]},
        groups=tuple(raw.get("SecurityGroups", [])),
        tags=labels,
    )


def read_classic(raw: dict[str, Any], labels: dict[str, str]) -> Balancer:
    """Read one load balancer of ``elb.describe_load_balancers``; *labels* are its tags."""
    return Balancer(
        name=raw["LoadBalancerName"],
        arn=raw["LoadBalancerName"],
        kind="classic",
        scheme=raw["Scheme"],
        state="active",  # a classic load balancer has no other state
        vpc=raw.get("VPCId", ""),
        dns=plain_name(raw["DNSName"]),
        zones=dict.fromkeys(raw["AvailabilityZones"], ""),
        groups=tuple(raw.get("SecurityGroups", [])),
        tags=labels,
    )


def read_listener(raw: dict[str, Any]) -> Listener:
    """Read one listener of ``elbv2.describe_listeners``."""
    certificates = [one["CertificateArn"] for one in raw.get("Certificates", [])]
    return Listener(
        arn=raw["ListenerArn"],
        port=raw["Port"],
        protocol=raw["Protocol"],
        policy=raw.get("SslPolicy", ""),
        certificate=certificates[0] if certificates else "",
        default=tuple(raw["DefaultActions"]),
    )


def read_classic_listener(name: str, raw: dict[str, Any]) -> Listener:
    """Read one listener of the classic load balancer *name*."""
    port = raw["LoadBalancerPort"]
    return Listener(f"{name}:{port}", port, raw["Protocol"], "", raw.get("SSLCertificateId", ""), ())


def read_rule(raw: dict[str, Any]) -> ListenerRule:
    """Read one rule of ``elbv2.describe_rules``."""
    conditions = {one["Field"]: one for one in raw["Conditions"]}
    by_pattern = any("RegexValues" in one.get(config, {}) for one in conditions.values() for config in _CONFIGS)
    return ListenerRule(
        hosts=tuple(host.lower() for host in _values(conditions.pop("host-header", {}), _CONFIGS[0])),
        paths=_values(conditions.pop("path-pattern", {}), _CONFIGS[1]),
        asks_more=bool(conditions) or by_pattern,
        actions=tuple(raw["Actions"]),
    )


def _values(condition: dict[str, Any], config: str) -> tuple[str, ...]:
    # Older answers hold the values beside the configuration, newer ones inside it.
    return tuple(condition.get(config, condition).get("Values", []))


def _fits(text: str, patterns: tuple[str, ...]) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)


def goes_to_https(action: dict[str, Any]) -> bool:
    """Whether an action sends the client to HTTPS."""
    # Without a protocol, or with #{protocol}, the client stays where it is.
    return bool(action["Type"] == "redirect" and action["RedirectConfig"].get("Protocol") == "HTTPS")
