"""Addresses of pods: one the cluster sees, from the node's subnet, and a loopback address that stands for it.

All of 127.0.0.0/8 is loopback on Linux, so each pod has an address of its own on this machine and may listen on any
port. Each kubelet claims a block of 65,536 of them by listening on its last address: the kernel lets go of the claim
when the process ends, and two kubelets never share an address.
"""

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from hallmark.errors import EnvironmentFault

CLAIM_PORT = 10256
BLOCKS = range(2, 255)
FIRST_HOST = 16
"""The first addresses of a subnet are AWS's and the nodes'."""


@dataclass(frozen=True)
class Address:
    """A pod's address.

    Attributes:
        ip: As the cluster knows it.
        loopback: Where its programs listen on this machine.
    """

    ip: str
    loopback: str


class Addresses:
    """Hands out addresses and takes them back."""

    def __init__(self) -> None:
        self._block, self._claim = _claim_block()
        self._in_use: set[str] = set()
        self._loopbacks: set[int] = set()

    def close(self) -> None:
        """Give the block back."""
        self._claim.close()

    @property
    def own(self) -> str:
        """An address of the block that no pod gets: the kubelet's own."""
        return f"127.{self._block}.255.253"

    def take(self, subnet: str, wanted: str = "", taken: Iterable[str] = ()) -> Address:
        """A free address.

        Args:
            subnet: CIDR of the node's pods; empty for what is fixed by *wanted*, a node's own address.
            wanted: The address to have, if it is free: a pod keeps its address when its kubelet starts again.
            taken: Addresses of others in the subnet, such as nodes.

        Raises:
            EnvironmentFault: The subnet is used up.
        """
        ip = self._ip(subnet, wanted, frozenset(taken)) if subnet else wanted
        self._in_use.add(ip)
        number = next(
            each for each in range(1, 250 * 256) if each % 256 not in {0, 255} and each not in self._loopbacks
        )
        self._loopbacks.add(number)
        return Address(ip, f"127.{self._block}.{number // 256}.{number % 256}")

    def give_back(self, address: Address) -> None:
        """Free an address."""
        self._in_use.discard(address.ip)
        _, _, high, low = address.loopback.split(".")
        self._loopbacks.discard(int(high) * 256 + int(low))

    def _ip(self, subnet: str, wanted: str, taken: frozenset[str]) -> str:
        network = ipaddress.ip_network(subnet, strict=False)
        if wanted and wanted not in self._in_use and ipaddress.ip_address(wanted) in network:
            return wanted
        for number in range(FIRST_HOST, network.num_addresses - 1):
            candidate = str(network[number])
            if candidate not in self._in_use and candidate not in taken:
                return candidate
        raise EnvironmentFault(f"The subnet {subnet} has no address left for a pod.")


def _claim_block() -> tuple[int, socket.socket]:
    for block in BLOCKS:
        claim = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            claim.bind((f"127.{block}.255.254", CLAIM_PORT))
            claim.listen(1)
        except OSError:
            claim.close()
        else:
            return block, claim
    raise EnvironmentFault("No block of loopback addresses is free.", "stop other twins of this machine")
