"""What the controllers' process is told once, at its start."""

from dataclasses import dataclass
from pathlib import Path

from hallmark.twin.kube.access import Access


@dataclass(frozen=True)
class Settings:
    """Where controllers work.

    Attributes:
        access: How the cluster is reached.
        state: Directory for what they keep.
        endpoint: URL of the emulated AWS; empty without one.
        account: AWS account, 12 digits.
        region: AWS region.
        cluster: Name of the EKS cluster.
    """

    access: Access
    state: Path
    endpoint: str = ""
    account: str = ""
    region: str = ""
    cluster: str = ""
