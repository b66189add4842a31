"""Kubernetes versions and add-ons that EKS offers.

Source: EKS user guide, "Kubernetes versions" (release calendar) and the add-on version tables, read 2026-11.
"""

from datetime import UTC, date, datetime

VERSIONS: dict[str, tuple[date, date] | None] = {
    "1.31": (date(2025, 11, 26), date(2026, 11, 26)),
    "1.32": (date(2026, 3, 23), date(2027, 3, 23)),
    "1.33": (date(2026, 7, 29), date(2027, 7, 29)),
    "1.34": (date(2026, 12, 2), date(2027, 12, 2)),
    "1.35": (date(2027, 3, 27), date(2028, 3, 27)),
    "1.36": None,
}
"""Version: last day of standard and of extended support, None where the calendar was not read."""
DEFAULT_VERSION = "1.35"

ADDONS = {
    "vpc-cni": "v1.20.4-eksbuild.1",
    "coredns": "v1.12.4-eksbuild.1",
    "kube-proxy": "v{kubernetes}.0-eksbuild.2",
    "aws-ebs-csi-driver": "v1.51.0-eksbuild.1",
    "aws-efs-csi-driver": "v2.1.13-eksbuild.1",
    "metrics-server": "v0.8.0-eksbuild.2",
    "amazon-cloudwatch-observability": "v4.5.0-eksbuild.1",
    "eks-pod-identity-agent": "v1.3.9-eksbuild.3",
    "snapshot-controller": "v8.3.0-eksbuild.1",
    "external-dns": "v0.19.0-eksbuild.2",
    "cert-manager": "v1.18.2-eksbuild.2",
}
"""Add-on and the version a new one gets; ``{kubernetes}`` is the cluster's version."""


def addon_version(name: str, kubernetes: str) -> str:
    """The default version of an add-on on a cluster of some Kubernetes version."""
    return ADDONS[name].format(kubernetes=kubernetes)


def offered(today: date) -> list[str]:
    """Versions a new cluster can have: in standard or extended support on a day; oldest first."""
    return [version for version, ends in VERSIONS.items() if ends is None or today <= ends[1]]


def support(version: str, today: date) -> str:
    """``STANDARD_SUPPORT``, ``EXTENDED_SUPPORT`` or ``UNSUPPORTED`` on a day."""
    ends = VERSIONS[version]
    if ends is None or today <= ends[0]:
        return "STANDARD_SUPPORT"
    return "EXTENDED_SUPPORT" if today <= ends[1] else "UNSUPPORTED"


def midnight(day: date) -> datetime:
    """A day as the API gives it: a time in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def today() -> date:
    """The current day in UTC."""
    return datetime.now(UTC).date()
