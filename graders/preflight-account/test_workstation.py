"""The workstation and the account, before anything is built."""

from collections.abc import Mapping

import pytest

from hallmark.errors import Miss
from hallmark.views.workstation import ZONES, Workstation

# Floors of the reference's tools. Terraform builds; the others operate what was built.
BUILD = {"terraform": (1, 11, 0)}
OPERATE = {"aws": (2, 0, 0), "kubectl": (1, 30, 0), "helm": (3, 12, 0)}
INSTALL = {
    "terraform": "https://developer.hashicorp.com/terraform/install",
    "aws": "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
    "kubectl": "https://kubernetes.io/docs/tasks/tools/",
    "helm": "https://helm.sh/docs/intro/install/",
}
LARGEST_SKEW_SECONDS = 300


@pytest.mark.check(
    "ART-1",
    points=2,
    why="Older Terraform writes generated passwords into its state: write-only arguments came with 1.11.",
)
def test_tools_to_build(workstation: Workstation) -> None:
    """Terraform 1.11 or later is installed."""
    _require(workstation, BUILD)


@pytest.mark.check(
    "SB-8",
    points=1,
    why="Upgrades and diagnosis are done with these tools; the day of an incident is late to install them.",
)
def test_tools_to_operate(workstation: Workstation) -> None:
    """AWS CLI 2, kubectl 1.30 and Helm 3.12, or later ones, are installed."""
    _require(workstation, OPERATE)


@pytest.mark.check(
    "ART-1",
    points=1,
    why="AWS refuses signatures that are more than five minutes off, with messages that do not mention the clock.",
)
def test_clock_is_right(workstation: Workstation) -> None:
    """The clock of this machine is right to within five minutes."""
    ahead = workstation.seconds_ahead
    if abs(ahead) >= LARGEST_SKEW_SECONDS:
        raise Miss(
            expected=f"less than {LARGEST_SKEW_SECONDS} seconds off",
            observed=f"{abs(ahead)} seconds {'ahead' if ahead > 0 else 'behind'}",
            where="this workstation",
            next="timedatectl status",
        )


@pytest.mark.check(
    "MODE-1",
    points=2,
    why="The root user cannot be limited, and Kubernetes access is given to roles and users.",
)
def test_identity_is_not_root(workstation: Workstation) -> None:
    """The credentials belong to a user or role of the account, not to its root user."""
    caller = workstation.caller
    if caller.arn.endswith(":root"):
        raise Miss(
            expected="an IAM role or user",
            observed="the root user of the account",
            where=caller.arn,
            next="aws sts get-caller-identity",
        )


@pytest.mark.check(
    "ART-1",
    points=1,
    why="In a region that is not enabled every call is refused as if the credentials were wrong.",
)
def test_region_is_enabled(workstation: Workstation) -> None:
    """The region is enabled for the account."""
    if not workstation.is_region_enabled:
        region = workstation.scope("region")
        raise Miss(
            expected=f"{region} enabled",
            observed=workstation.region_status or "no such region",
            where=region,
            next=f"aws account enable-region --region-name {region}",
        )


@pytest.mark.check(
    "NET-3",
    points=1,
    why="The load balancer and the database's subnet group need two zones, and a third keeps a margin.",
)
def test_region_has_zones(workstation: Workstation) -> None:
    """The region offers three Availability Zones."""
    if len(workstation.zones) < ZONES:
        raise Miss(
            expected=f"{ZONES} available zones",
            observed=", ".join(workstation.zones) or "none",
            where=workstation.scope("region"),
            next="aws ec2 describe-availability-zones --query 'AvailabilityZones[].ZoneName'",
        )


def _require(workstation: Workstation, floors: Mapping[str, tuple[int, ...]]) -> None:
    """Every tool in *floors* is there and new enough."""
    for name, floor in floors.items():
        version = workstation.tools.get(name)
        if version is None or version < floor:
            raise Miss(
                expected=f"{name} {floor[0]}.{floor[1]} or later",
                observed=f"{name} {'.'.join(map(str, version))}" if version else f"{name} is not on PATH",
                where=INSTALL[name],
                next=f"python -m webbrowser {INSTALL[name]}",
            )
