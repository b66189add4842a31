"""The platform's own records in Route 53, and what External DNS keeps beside them."""

import re
from collections.abc import Mapping
from typing import Any

from hallmark.errors import Absent
from hallmark.faults.reader import Reader

Record = Mapping[str, Any]
_OWNER = re.compile(r"(?P<before>heritage=external-dns,external-dns/owner=)(?P<owner>[^,\"]+)")
"""How External DNS signs what it made (External DNS, "TXT registry")."""
_PREFIXES = ("", "a-", "aaaa-", "cname-")
"""What the name of such a signature begins with, by version and type of record."""
_ADDRESSES = frozenset({"A", "AAAA"})


def find(read: Reader) -> tuple[str, list[Record], list[Record]]:
    """Return the zone of the platform's host, its aliases there, and their signatures.

    Raises:
        Absent: No public zone has an alias for it.
    """
    zone = _zone(read)
    # All of the zone's: a read that begins at a name gives everything after it, too.
    listed = read.ask("route53", "list_resource_record_sets", HostedZoneId=zone)["ResourceRecordSets"]
    own = [each for each in listed if is_own(read, each)]
    aliases = [each for each in own if each["Type"] in _ADDRESSES and "AliasTarget" in each]
    if not aliases:
        raise Absent(f"{_host(read)} has no alias in Route 53")
    return zone, aliases, [each for each in own if each["Type"] == "TXT" and signature(each)]


def rest(read: Reader) -> list[Record]:
    """Return the other records of the zone, in an order of their own."""
    listed = read.ask("route53", "list_resource_record_sets", HostedZoneId=_zone(read))["ResourceRecordSets"]
    return sorted((each for each in listed if not is_own(read, each)), key=lambda each: (each["Name"], each["Type"]))


def is_own(read: Reader, record: Record) -> bool:
    """Whether a record is the host's address, or may be its signature."""
    name, host = str(record["Name"]).rstrip(".").lower(), _host(read)
    if record["Type"] in _ADDRESSES:
        return name == host
    return record["Type"] == "TXT" and name in {f"{prefix}{host}" for prefix in _PREFIXES}


def signature(record: Record) -> str:
    """Return who made a record, from its signature; empty: it is none."""
    values = [str(each["Value"]) for each in record.get("ResourceRecords", [])]
    found = [match["owner"] for value in values if (match := _OWNER.search(value))]
    return found[0] if found else ""


def signed(record: Record, owner: str) -> Record:
    """Return a signature with another owner."""
    values = [_OWNER.sub(rf"\g<before>{owner}", str(each["Value"])) for each in record["ResourceRecords"]]
    return {**record, "ResourceRecords": [{"Value": value} for value in values]}


def _zone(read: Reader) -> str:
    zones = read.ask("route53", "list_hosted_zones")["HostedZones"]
    public = [each for each in zones if not each.get("Config", {}).get("PrivateZone")]
    fitting = [each for each in public if f".{_host(read)}.".endswith(f".{each['Name'].lower()}")]
    if not fitting:
        raise Absent(f"no public zone of this account holds {_host(read)}")
    return str(max(fitting, key=lambda each: len(each["Name"]))["Id"])


def _host(read: Reader) -> str:
    return read.scope["host"].rstrip(".").lower()
