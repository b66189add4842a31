"""Every client refuses the platform's certificate.

Browsers warn, and client libraries say CERTIFICATE_VERIFY_FAILED and drop what they were to send. Of a certificate for
another name they say that it does not match, of an old one that it has expired. Who does not look, like curl with -k,
gets through: inside all is well. The Ingress was reconciled without an error, the load balancer is active.

The fault imports a certificate of its own making into ACM and names it in the Ingress, which is where the controller
takes it from. Its inverses name the recorded one, and delete the other once the load balancer has let go of it. The
key of the certificate is made, imported and forgotten.
"""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from hallmark.errors import Absent
from hallmark.faults import changes, release
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.faults.release import Object, annotations, name
from hallmark.faults.sight import HANDSHAKE, Sight
from hallmark.model import Call
from hallmark.targets.cluster_writer import CERTIFICATE

SHOWS_WITHIN = 180.0
"""The controller has to act, and an old certificate has to end: ACM takes none that has ended already."""
SEEN = Sight(HANDSHAKE, "untrusted", words="curl: SSL certificate problem")
OTHER = "platform.invalid"
"""A name that nobody has (RFC 2606)."""
_YEAR, _MOMENT = timedelta(days=365), timedelta(seconds=20)


def plan(read: Reader, expired: bool = False) -> list[Step]:  # noqa: FBT001, FBT002  (parameters come from a table)
    """Import a certificate for another name, or one that ends at once, and serve it; the inverse serves the recorded.

    Args:
        read: The target.
        expired: Whether it is for the right name, but over.
    """
    ingress, mark = _ingress(read), f"certificate-{secrets.token_hex(4)}"
    recorded = annotations(ingress)[CERTIFICATE]
    which = {"namespace": ingress["metadata"]["namespace"], "name": name(ingress)}
    host = read.scope["host"] if expired else OTHER
    ends = (datetime.now(UTC) + (_MOMENT if expired else _YEAR)).isoformat(timespec="seconds")
    return [
        Step(
            what=f"import one for {host} that ends at {ends}",
            back="delete it",
            resource=f"ACM certificate {mark}",
            do=Call.of("acm", "import_certificate", mark=mark, names=[host], ends=ends),
            undo=Call.of("acm", "delete_certificate", mark=mark),
        ),
        Step(
            what=f"serve it instead of {recorded}",
            back=f"serve {recorded}",
            resource=f"Ingress {name(ingress)}",
            do=Call.of("kubernetes", "set_certificate", **which, mark=mark),
            undo=Call.of("kubernetes", "set_certificate", **which, certificate=recorded),
        ),
    ]


def observe(read: Reader) -> Observation:
    """Look whether the certificate of the Ingress is for another name or over, and at all other objects."""
    ingress = _ingress(read)
    arns = str(annotations(ingress)[CERTIFICATE]).split(",")
    found = [read.ask("acm", "describe_certificate", CertificateArn=arn.strip())["Certificate"] for arn in arns]
    others = {key: value for key, value in annotations(ingress).items() if key != CERTIFICATE}
    unaffected = changes.surroundings(read) | {"its other annotations": others}
    return Observation(not any(_fits(each, read.scope["host"]) for each in found), unaffected)


def _ingress(read: Reader) -> Object:
    """Return the Ingress of the release that names a certificate."""
    for one in release.own_objects(read, "ingresses", "networking.k8s.io"):
        if release.is_own(one, read) and annotations(one).get(CERTIFICATE):
            return one
    raise Absent("no Ingress of the release names a certificate")


def _fits(certificate: dict[str, Any], host: str) -> bool:
    names = {certificate["DomainName"], *certificate.get("SubjectAlternativeNames", [])}
    ends = str(certificate.get("NotAfter") or "")
    is_over = bool(ends) and datetime.fromisoformat(ends) <= datetime.now(UTC)
    return not is_over and not names.isdisjoint({host, f"*.{host.partition('.')[2]}"})
