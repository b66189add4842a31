"""What the edge knows of load balancers, as plain records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

IDLE = "idle_timeout.timeout_seconds"
DROPS_INVALID = "routing.http.drop_invalid_header_fields.enabled"
FORWARDED_FOR = "routing.http.xff_header_processing.mode"
HEALTHY, UNHEALTHY, INITIAL = "healthy", "unhealthy", "initial"
"""States of a target, in AWS's words."""


@dataclass(frozen=True)
class Certificate:
    """A certificate of ACM as far as a client sees it."""

    arn: str
    names: tuple[str, ...]
    begins: datetime | None
    ends: datetime | None


@dataclass(frozen=True)
class Target:
    """A registered target; *state* is its health in AWS's words."""

    address: str
    port: int
    state: str


@dataclass(frozen=True)
class TargetGroup:
    """A target group; *kind* is ``ip`` or ``instance``."""

    arn: str
    kind: str
    protocol: str
    targets: tuple[Target, ...]

    @property
    def usable(self) -> tuple[Target, ...]:
        """The healthy ones; without any, all that may still be asked.

        A load balancer fails open, and has no target only if none is registered or all are unused (ALB user guide,
        "Target group health", "HTTP 503").
        """
        healthy = tuple(each for each in self.targets if each.state == HEALTHY)
        return healthy or tuple(each for each in self.targets if each.state in {UNHEALTHY, INITIAL})


@dataclass(frozen=True)
class Checked:
    """A target group, and how its targets are checked.

    Attributes:
        arn, kind, protocol, path: Which, and where a check goes.
        port: The port that checks go to; 0: the target's own.
        codes: HTTP statuses of a target that is well, as AWS writes them: ``200-399,404``.
        every, patience: Seconds between checks, and for one.
        healthy, unhealthy: Checks in a row after which the state changes.
        targets: Those that are registered, each with the state that AWS says now.
        sources: Addresses that checks come from.
        barred: Those that security groups keep the load balancer from.
    """

    arn: str
    kind: str
    protocol: str
    path: str
    port: int
    codes: str
    every: float
    patience: float
    healthy: int
    unhealthy: int
    targets: tuple[Target, ...]
    sources: tuple[str, ...]
    barred: frozenset[Target]

    def takes(self, status: int) -> bool:
        """Whether a status is one of a target that is well."""
        ranges = [each.partition("-") for each in self.codes.split(",")]
        return any(int(low) <= status <= int(high or low) for low, _, high in ranges)


@dataclass(frozen=True)
class Listener:
    """One port of a load balancer.

    Attributes:
        port, protocol: Where and how it listens.
        versions: TLS versions of its policy, as AWS names them.
        certificates: The default one first.
        rules: As AWS describes them, in order; the default rule is last.
    """

    port: int
    protocol: str
    versions: tuple[str, ...]
    certificates: tuple[Certificate, ...]
    rules: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Balancer:
    """A load balancer: its names, and where it stands."""

    arn: str
    name: str
    dns: str
    scheme: str
    vpc: str
    subnets: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Protection:
    """A web ACL, and what its rules refer to by ARN: address sets, pattern sets, rule groups."""

    acl: Mapping[str, Any]
    references: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """All that decides what a load balancer does at this moment.

    Attributes:
        balancer: Which.
        attributes: Its attributes.
        listeners: By port.
        targets: Target groups by ARN.
        inbound: Ingress rules of its security groups.
        sources: Addresses that its packets come from.
        barred: Targets that security groups keep it from.
        protection: Its web ACL, if it has one.
    """

    balancer: Balancer
    attributes: Mapping[str, str]
    listeners: Mapping[int, Listener]
    targets: Mapping[str, TargetGroup]
    inbound: tuple[Mapping[str, Any], ...]
    sources: tuple[str, ...]
    barred: frozenset[Target]
    protection: Protection | None

    @property
    def idle(self) -> float:
        """Seconds without a byte after which a connection ends."""
        return float(self.attributes.get(IDLE) or 60)
