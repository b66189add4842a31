"""ACM: a certificate is issued when the records that prove its domains exist, and not before.

moto issues after a while whether or not anybody can prove anything.
"""

from collections.abc import Iterator
from typing import Any

from moto.acm.models import CertBundle
from moto.route53.models import route53_backends

from hallmark.twin.aws.extension.patching import Function, around


def install() -> None:
    """Decide on issuing whenever a certificate is looked at."""
    around(CertBundle, "check")(_check)


def _check(original: Function, certificate: Any) -> None:
    pending = certificate.type == "AMAZON_ISSUED" and certificate.status == "PENDING_VALIDATION"
    if not pending:
        original(certificate)
    elif set(_proofs(certificate)) <= set(_records(certificate.arn.split(":")[4])):
        certificate.status = "ISSUED"


def _proofs(certificate: Any) -> Iterator[tuple[str, str]]:
    options = certificate.describe()["Certificate"]["DomainValidationOptions"]
    for option in options:
        record = option.get("ResourceRecord")
        if record:
            yield _canonical(record["Name"]), _canonical(record["Value"])
        else:
            yield "validation by mail", "is not emulated"


def _records(account: str) -> Iterator[tuple[str, str]]:
    for zone in route53_backends[account]["aws"].zones.values():
        for record in zone.rrsets:
            if record.type == "CNAME":
                yield from ((_canonical(record.name), _canonical(value)) for value in record.records)


def _canonical(name: str) -> str:
    return name.rstrip(".").lower()
