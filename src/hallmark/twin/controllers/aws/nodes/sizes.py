"""How much an instance offers: what the kernel sees, and what is left for pods.

Sources: EKS user guide, "Choosing an instance type" (pods by network interfaces); the EKS image's `nodeadm`, which
reserves CPU and memory for kubelet and runtime; Kubernetes documentation, "Reserve Compute Resources".
"""

from collections.abc import Mapping
from typing import Any

KERNEL_SHARE = 0.035
"""Part of the instance's memory that firmware and kernel keep. Measured on m5 and m6i it is 3 to 5 %."""
EVICTION_MIB = 100
DISK_RESERVED_GIB = 1
CPU_RESERVED = ((1, 60.0), (1, 10.0), (2, 5.0))
"""Number of cores and millicores reserved of each of them, from the first core on; 2.5 of each further core."""


def pods(type_: Mapping[str, Any]) -> int:
    """Most pods of an instance type: one address each, without the interfaces' own, and two on the host network."""
    network = type_["NetworkInfo"]
    return int(network["MaximumNetworkInterfaces"] * (network["Ipv4AddressesPerInterface"] - 1) + 2)


def capacity(type_: Mapping[str, Any], disk_gib: int) -> dict[str, str]:
    """What the kubelet reports as the node's capacity.

    Args:
        type_: One entry of DescribeInstanceTypes.
        disk_gib: Size of the root volume.
    """
    return {
        "cpu": str(type_["VCpuInfo"]["DefaultVCpus"]),
        "memory": f"{_seen_kib(type_)}Ki",
        "ephemeral-storage": f"{disk_gib * 2**20 - 76 * 2**10}Ki",
        "pods": str(pods(type_)),
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
    }


def allocatable(type_: Mapping[str, Any], disk_gib: int) -> dict[str, str]:
    """What is left for pods."""
    cores, most = type_["VCpuInfo"]["DefaultVCpus"], pods(type_)
    reserved_mib = 255 + 11 * most + EVICTION_MIB
    disk = (disk_gib * 2**30) * 9 // 10 - DISK_RESERVED_GIB * 2**30
    return capacity(type_, disk_gib) | {
        "cpu": f"{cores * 1000 - _reserved_millicores(cores)}m",
        "memory": f"{_seen_kib(type_) - reserved_mib * 1024}Ki",
        "ephemeral-storage": str(disk),
    }


def _seen_kib(type_: Mapping[str, Any]) -> int:
    return int(type_["MemoryInfo"]["SizeInMiB"] * 1024 * (1 - KERNEL_SHARE))


def _reserved_millicores(cores: int) -> int:
    reserved, left = 0.0, cores
    for number, each in CPU_RESERVED:
        reserved += min(number, left) * each
        left -= min(number, left)
    return int(reserved + left * 2.5)
