"""The workstation and the account, before anything is built."""

import pytest

from hallmark.errors import Miss
from hallmark.views.workstation import ZONES, Workstation

TERRAFORM = (1, 11)
# What operates the platform once it stands. Nothing is built with them, so they are only remarked on.
LATER = {"aws": (2, 0), "kubectl": (1, 30), "helm": (3, 12)}
LARGEST_SKEW_SECONDS = 300


@pytest.mark.check(
    "ART-1",
    points=2,
    why="Older Terraform writes generated passwords into its state: write-only arguments came with 1.11.",
)
def test_tools_are_ready(workstation: Workstation) -> str | None:
    """Terraform 1.11 or later is installed; what operates the platform later is remarked on."""
    version = workstation.tools.get("terraform", ())
    if version < TERRAFORM:
        raise Miss(
            expected="terraform 1.11 or later",
            observed=f"terraform {_text(version)}" if version else "terraform is not on PATH",
            where="this workstation",
            next="python -m webbrowser https://developer.hashicorp.com/terraform/install",
        )
    lacking = [
        f"{name} {_text(floor)} or later ({_text(workstation.tools[name]) if name in workstation.tools else 'missing'})"
        for name, floor in LATER.items()
        if workstation.tools.get(name, ()) < floor
    ]
    return f"to operate the platform you will need {', '.join(lacking)}" if lacking else None


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
    requires=["region_is_enabled"],  # identity is asked of the region itself
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


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
