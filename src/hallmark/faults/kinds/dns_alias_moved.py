"""The platform's name leads nowhere: its alias points at a load balancer that is not there.

Browsers say that the server cannot be found, client libraries that the name does not resolve. By the load balancer's
own DNS name everything answers, so pods, targets and alarms of the platform are green. External DNS does not mend it:
the record is signed by another owner, and what others own it leaves alone.

The fault is what remains of an older installation that takes the name back. It changes the alias and its signature in
one batch. Its inverse writes both as they were recorded. Resolvers keep an alias for a minute.
"""

import re
from typing import Any

from hallmark.faults import balancers, records
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.faults.sight import WAY_IN, Sight
from hallmark.model import Call

SHOWS_WITHIN = 120.0
"""A resolver may have just asked: an alias lives for 60 seconds (Route 53 developer guide, "Alias records")."""
SEEN = Sight(WAY_IN, "unreachable", words="curl: could not resolve host")
_FORMER = "-former"
_NUMBER = re.compile(r"-\d+(?=\.)")
"""What AWS appends to the name of a load balancer in its DNS name."""


def plan(read: Reader) -> list[Step]:
    """Move the aliases, and sign them by another; the inverse writes the recorded records."""
    zone, aliases, signatures = records.find(read)
    moved = [{**each, "AliasTarget": _moved(each["AliasTarget"])} for each in aliases]
    signed = [records.signed(each, f"{records.signature(each)}{_FORMER}") for each in signatures]
    step = Step(
        what=f"point the alias at {moved[0]['AliasTarget']['DNSName']}, signed by another owner",
        back=f"point the alias at {aliases[0]['AliasTarget']['DNSName']}",
        resource=f"record {aliases[0]['Name']} in {zone}",
        do=_write(zone, [*moved, *signed]),
        undo=_write(zone, [*aliases, *signatures]),
    )
    return [step]


def observe(read: Reader) -> Observation:
    """Look whether the alias leads to a load balancer that is not there, and at the other records of the zone."""
    _, aliases, _ = records.find(read)
    present = {_canonical(each["DNSName"]) for each in balancers.own(read)}
    is_moved = not any(_canonical(each["AliasTarget"]["DNSName"]) in present for each in aliases)
    return Observation(is_moved, {"other records": records.rest(read), "the load balancers": sorted(present)})


def _moved(target: dict[str, Any]) -> dict[str, Any]:
    """Return the alias target of a load balancer of the same region that there is not."""
    present = str(target["DNSName"])
    moved = _NUMBER.sub(f"{_FORMER}-1000000000", present, count=1)
    return {**target, "DNSName": moved if moved != present else f"former.{present}"}


def _write(zone: str, changed: list[Any]) -> Call:
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": each} for each in changed]}
    return Call.of("route53", "change_resource_record_sets", HostedZoneId=zone, ChangeBatch=batch)


def _canonical(name: str) -> str:
    return name.rstrip(".").lower().removeprefix("dualstack.")
