"""What the rules of a security group let in: addresses, groups, and the addresses that a prefix list holds now."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

IpNetwork = IPv4Network | IPv6Network
EVERYBODY = 8
"""A range with a shorter prefix than this admits everybody: nobody owns more than a /8."""


@dataclass(frozen=True)
class Opening:
    """One source that a security group lets in.

    Attributes:
        group: Security group with the rule.
        protocol: ``tcp``, ``udp``, a number, or ``-1`` for all.
        first: Lowest port.
        last: Highest port.
        source: Address range, security group id or prefix list id; an address range names the list it is of.
        range: The address range, None for the other kinds of source.
        is_local_group: Whether the source is a security group of the same VPC.
    """

    group: str
    protocol: str
    first: int
    last: int
    source: str
    range: IpNetwork | None = None
    is_local_group: bool = False

    def covers(self, port: int) -> bool:
        """Whether TCP connections to *port* are let in."""
        return self.protocol == "-1" or (self.protocol in {"tcp", "6"} and self.first <= port <= self.last)

    @property
    def is_list(self) -> bool:
        """Whether the source is a prefix list."""
        return self.range is None and self.source.startswith("pl-")

    @property
    def is_everybody(self) -> bool:
        """Whether the source is the whole internet, or half of it written twice."""
        return self.range is not None and self.range.prefixlen < EVERYBODY

    def __str__(self) -> str:
        ports = "all ports" if self.protocol == "-1" else f"ports {self.first}-{self.last}"
        return f"{self.source} ({ports} of {self.group})"


def openings_of(group: str, rule: Mapping[str, Any], local: Collection[str]) -> Iterator[Opening]:
    """Read one rule.

    Args:
        group: The security group it is of.
        rule: One of its ``IpPermissions``.
        local: Security groups of the same VPC.
    """
    # Without ports the rule is about all of them (protocol -1).
    ports = (rule["IpProtocol"], rule.get("FromPort", 0), rule.get("ToPort", 65535))
    for entry in rule.get("IpRanges", []):
        yield Opening(group, *ports, entry["CidrIp"], ip_network(entry["CidrIp"], strict=False))
    for entry in rule.get("Ipv6Ranges", []):
        yield Opening(group, *ports, entry["CidrIpv6"], ip_network(entry["CidrIpv6"], strict=False))
    for entry in rule.get("PrefixListIds", []):
        yield Opening(group, *ports, entry["PrefixListId"])
    for entry in rule.get("UserIdGroupPairs", []):
        is_local = entry["GroupId"] in local and not entry.get("VpcPeeringConnectionId")
        yield Opening(group, *ports, entry["GroupId"], is_local_group=is_local)


def listed(opening: Opening, entries: Iterable[Mapping[str, Any]]) -> list[Opening]:
    """Return what a rule with a prefix list comes to: the same for each of the list's addresses.

    Args:
        opening: One whose source is a prefix list.
        entries: ``Entries`` of that list, as AWS gives them.
    """
    return [
        replace(opening, source=f"{one['Cidr']} of {opening.source}", range=ip_network(one["Cidr"], strict=False))
        for one in entries
    ]


def is_within(inner: IpNetwork, outer: IpNetwork | None) -> bool:
    """Whether all addresses of a range are in another."""
    match inner, outer:
        case (IPv4Network(), IPv4Network()) | (IPv6Network(), IPv6Network()):
            return inner.subnet_of(outer)  # type: ignore[arg-type]  # both are of one family here
        case _:
            return False
