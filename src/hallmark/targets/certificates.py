"""Certificates that a fault puts into ACM and takes out again. Each is found by its mark, a tag.

The key is made here, goes to ACM and nowhere else: no file, no journal, no message holds it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from hallmark.waiting import until

MARK = "hallmark:fault"
IN_USE = "ResourceInUseException"
LETS_GO_WITHIN = 60.0
"""Seconds for a load balancer to let go of a certificate that it does not have any more."""
_YESTERDAY = timedelta(days=1)


def find(acm: Any, mark: str) -> str:
    """Return the ARN of the certificate with a mark; empty: there is none."""
    for page in acm.get_paginator("list_certificates").paginate():
        for each in page["CertificateSummaryList"]:
            arn = str(each["CertificateArn"])
            if {"Key": MARK, "Value": mark} in acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]:
                return arn
    return ""


def supply(acm: Any, mark: str, names: Sequence[str], ends: str) -> bool:
    """Import a certificate of our own making; False: it is there already.

    Args:
        acm: boto3 client.
        mark: By which it is found again.
        names: What it is for.
        ends: Its last second, ISO 8601. ACM takes none that has ended (ACM user guide, "Prerequisites for importing").
    """
    if find(acm, mark):
        return False
    certificate, key = _made(names, datetime.fromisoformat(ends))
    acm.import_certificate(Certificate=certificate, PrivateKey=key, Tags=[{"Key": MARK, "Value": mark}])
    return True


def withdraw(acm: Any, mark: str) -> bool:
    """Delete it, as soon as nothing uses it any more; False: there is none.

    Raises:
        ClientError: Something still uses it, or the account does not let us.
    """
    arn = find(acm, mark)
    if not arn:
        return False
    if not until(lambda: _is_deleted(acm, arn), LETS_GO_WITHIN, pause=1):
        acm.delete_certificate(CertificateArn=arn)
    return True


def _is_deleted(acm: Any, arn: str) -> bool:
    try:
        acm.delete_certificate(CertificateArn=arn)
    except ClientError as error:
        if error.response["Error"].get("Code") == IN_USE:
            return False
        raise
    return True


def _made(names: Sequence[str], ends: datetime) -> tuple[bytes, bytes]:
    """Return a certificate that nobody vouches for, and its key, both PEM."""
    # An extra: who never breaks a certificate does not need it.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    whose = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    built = (
        x509.CertificateBuilder()
        .subject_name(whose)
        .issuer_name(whose)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - _YESTERDAY)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    unprotected = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unprotected)
    return built.public_bytes(serialization.Encoding.PEM), private
