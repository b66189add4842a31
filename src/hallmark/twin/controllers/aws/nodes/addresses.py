"""Addresses for pods: each node gets a block of its subnet, since on EKS pods have addresses of the VPC."""

from collections.abc import Iterable
from ipaddress import IPv4Network

ANNOTATION = "hallmark.dev/pod-cidr"
"""Where the kubelet finds the block."""
SPARE = 2


def block(subnet: str, taken: Iterable[str], pods: int) -> str:
    """Choose a block for a node, from the end of its subnet: instances are given addresses from the start.

    Args:
        subnet: CIDR of the subnet.
        taken: Blocks of other nodes.
        pods: How many pods the node may have.

    Returns:
        CIDR of the block; empty if the subnet is full.
    """
    network = IPv4Network(subnet)
    prefix = max(32 - (pods + SPARE - 1).bit_length(), network.prefixlen + 1)
    others = [IPv4Network(one) for one in taken if one]
    blocks = list(network.subnets(new_prefix=prefix))
    for candidate in reversed(blocks[len(blocks) // 2 :]):
        if not any(candidate.overlaps(other) for other in others):
            return str(candidate)
    return ""
