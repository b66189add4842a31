"""Who vouches for the data stores of AWS: an authority that lives as long as the kubelet, as RDS has one of Amazon's.

Its certificate is in a file, for programs to verify by; keys are in memory alone.
"""

import ssl
from pathlib import Path

import trustme

FILE = "stores-ca.pem"


class Authority:
    """Issues certificates.

    Args:
        folder: Where its own certificate is written.
    """

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA(organization_name="Hallmark twin", organization_unit_name="data stores")
        self._contexts: dict[str, ssl.SSLContext] = {}
        self.file = folder / FILE
        """Certificate of the authority, PEM."""
        self._authority.cert_pem.write_to_path(str(self.file))

    def context(self, name: str) -> ssl.SSLContext:
        """TLS settings of a server by this name, and no other."""
        if name not in self._contexts:
            made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            made.minimum_version = ssl.TLSVersion.TLSv1_2
            self._authority.issue_cert(name).configure_cert(made)
            self._contexts[name] = made
        return self._contexts[name]
