"""Names as the public DNS resolves them, from the zones of the emulated Route 53. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

HOPS = 8
BALANCERS = ".elb.amazonaws.com"
WILDCARD = ("*", "\\052")
"""An asterisk, and how Route 53 writes it (developer guide, "DNS domain name format")."""


class Unresolved(Exception):
    """The public DNS does not know the name."""


@dataclass(frozen=True)
class Zone:
    """A hosted zone; *records* by name and type."""

    name: str
    private: bool
    records: Mapping[tuple[str, str], Mapping[str, Any]]

    def find(self, name: str, *kinds: str) -> Mapping[str, Any] | None:
        """A record of one of these types: by its own name, else by the nearest wildcard."""
        labels = name.split(".")
        above = [".".join(labels[number:]) for number in range(1, len(labels))]
        names = [name, *(f"{star}.{parent}" for parent in above for star in WILDCARD)]
        return next((self.records[one, kind] for one in names for kind in kinds if (one, kind) in self.records), None)


def canonical(name: str) -> str:
    """A name in the one form that is compared."""
    return name.rstrip(".").lower()


def zone(described: Mapping[str, Any], records: Iterable[Mapping[str, Any]]) -> Zone:
    """A zone from the answers of ``ListHostedZones`` and ``ListResourceRecordSets``."""
    kept: dict[tuple[str, str], Mapping[str, Any]] = {}
    for record in records:
        if record.get("Weight") != 0:
            kept.setdefault((canonical(record["Name"]), record["Type"]), record)
    return Zone(canonical(described["Name"]), bool(described.get("Config", {}).get("PrivateZone")), kept)


def resolve(name: str, zones: Iterable[Zone]) -> str:
    """Follow aliases and CNAMEs.

    Returns:
        The name of a load balancer without ``dualstack.``, or an address.

    Raises:
        Unresolved: The way ends before.
    """
    public = [each for each in zones if not each.private]
    asked = canonical(name)
    for _ in range(HOPS):
        if asked.endswith(BALANCERS):
            return asked.removeprefix("dualstack.")
        record = _record(asked, public)
        if "AliasTarget" in record:
            asked = canonical(record["AliasTarget"]["DNSName"])
        elif record["Type"] == "CNAME":
            asked = canonical(record["ResourceRecords"][0]["Value"])
        else:
            return str(record["ResourceRecords"][0]["Value"])
    raise Unresolved(name)


def _record(name: str, zones: Iterable[Zone]) -> Mapping[str, Any]:
    covering = [each for each in zones if name == each.name or name.endswith(f".{each.name}")]
    nearest = max(covering, key=lambda each: len(each.name), default=None)
    record = nearest.find(name, "A", "CNAME") if nearest else None
    if record is None:
        raise Unresolved(name)
    return record
