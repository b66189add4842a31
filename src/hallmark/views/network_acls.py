"""Network ACLs: what may pass a subnet's border, whatever routes and security groups say.

Rules are tried by number, the first that fits decides, and answers are judged as well as questions: an ACL remembers
nothing (VPC user guide, "Network ACLs"). Judged are single addresses, one of each subnet and one of the internet.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_network
from typing import Any

ANSWERS = 40_000
"""A port that answers come back to: of the range that Linux takes for connections it opens."""
INTERNET = IPv4Address("198.51.100.10")
"""Stands for whoever is out there."""
_TCP = frozenset({"-1", "6"})


@dataclass(frozen=True)
class Acl:
    """One network ACL.

    Attributes:
        id: Its id.
        entries: Its rules, in the order in which they are tried.
    """

    id: str
    entries: tuple[Mapping[str, Any], ...]

    def lets(self, port: int, other: IPv4Address, *, out: bool) -> bool:
        """Whether TCP packets to *port* pass: out to the address *other*, or in from it."""
        for entry in self.entries:
            if entry["Egress"] is out and _fits(entry, port, other):
                return bool(entry["RuleAction"] == "allow")
        return False


def read_acls(raw: Iterable[Mapping[str, Any]]) -> dict[str, Acl]:
    """Read ``ec2.describe_network_acls``: the ACL of each subnet by its id."""
    found: dict[str, Acl] = {}
    for one in raw:
        acl = Acl(one["NetworkAclId"], tuple(sorted(one["Entries"], key=lambda entry: int(entry["RuleNumber"]))))
        found |= {link["SubnetId"]: acl for link in one["Associations"]}
    return found


def stopping(client: tuple[Acl, IPv4Address], server: tuple[Acl | None, IPv4Address], port: int) -> str:
    """Return the id of the ACL that stops a connection to *port*, or its answers; empty when none does.

    Args:
        client: ACL and address of whoever opens it.
        server: The same of whoever takes it; without an ACL on the internet.
        port: Port it is opened to.
    """
    (near, here), (far, there) = client, server
    ends = [(near, there, port, ANSWERS), *([(far, here, ANSWERS, port)] if far else [])]
    closed = (acl.id for acl, other, out, back in ends if not _lets_both(acl, other, out, back))
    return next(closed, "")


def _lets_both(acl: Acl, other: IPv4Address, out: int, back: int) -> bool:
    return acl.lets(out, other, out=True) and acl.lets(back, other, out=False)


def _fits(entry: Mapping[str, Any], port: int, other: IPv4Address) -> bool:
    span = entry.get("PortRange")
    if entry["Protocol"] not in _TCP or other not in ip_network(entry.get("CidrBlock", "::/0"), strict=False):
        return False
    return entry["Protocol"] == "-1" or not span or span["From"] <= port <= span["To"]
