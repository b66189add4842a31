"""Certificates as a client meets them: a local authority issues what ACM says it has issued.

Names and validity are those of the ACM certificate, so an expired one is served expired. Clients trust ``ca.pem``.
"""

import os
import ssl
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import trustme

from hallmark.twin.edge.records import Certificate, Listener
from hallmark.twin.files import write

VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
OLD = {"TLSv1", "TLSv1.1"}


class Authority:
    """The local certificate authority; it stays the same for as long as its folder does.

    Args:
        folder: Holds ``ca.pem``, and the key that only its owner can read.
    """

    def __init__(self, folder: Path) -> None:
        self._authority = _kept(folder)
        self._contexts: dict[tuple[tuple[str, ...], tuple[Certificate, ...]], ssl.SSLContext] = {}

    def context(self, listener: Listener) -> ssl.SSLContext:
        """TLS settings of a listener: versions of its policy, a certificate by the name that is asked for."""
        key = (listener.versions, listener.certificates)
        if key not in self._contexts:
            while len(self._contexts) >= len(VERSIONS) ** 2:
                del self._contexts[next(iter(self._contexts))]
            self._contexts[key] = self._choosing(listener)
        return self._contexts[key]

    def _choosing(self, listener: Listener) -> ssl.SSLContext:
        contexts = [self._context(each, listener.versions) for each in listener.certificates]

        def choose(connection: ssl.SSLObject, name: str | None, _default: ssl.SSLContext) -> None:
            number = chosen(listener.certificates, name or "")
            connection.context = contexts[number]

        if not contexts:  # all are gone: a handshake without a common cipher, as there is
            return plain(listener.versions)
        contexts[0].sni_callback = choose
        return contexts[0]

    def _context(self, certificate: Certificate, versions: Sequence[str]) -> ssl.SSLContext:
        context = plain(versions)
        issued = self._authority.issue_cert(
            *certificate.names,
            common_name=certificate.names[0],
            not_before=certificate.begins,
            not_after=certificate.ends,
        )
        issued.configure_cert(context)
        return context


def chosen(certificates: Sequence[Certificate], name: str) -> int:
    """Which certificate fits a name best: an exact name, then a wildcard, else the default, which is the first."""
    wildcard = f"*.{name.partition('.')[2]}"
    for wanted in (name.lower(), wildcard.lower()):
        for number, each in enumerate(certificates):
            if wanted in (one.lower() for one in each.names):
                return number
    return 0


def plain(versions: Sequence[str]) -> ssl.SSLContext:
    """A server's side of TLS in these versions, which has no certificate yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    known = [VERSIONS[each] for each in versions if each in VERSIONS]
    if OLD & set(versions):
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a policy that admits TLS 1.0 is what it is about
        context.minimum_version, context.maximum_version = min(known), max(known)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _kept(folder: Path) -> trustme.CA:
    certificate, key = folder / "ca.pem", folder / "ca.key"
    with suppress(OSError, ValueError):
        return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    made = trustme.CA(organization_name="Hallmark twin")
    key.unlink(missing_ok=True)
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(made.private_key_pem.bytes())
    write(certificate, made.cert_pem.bytes())
    return made
