"""JSON Web Tokens of Kubernetes service accounts, as STS reads and checks them."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key


class TokenRefused(Exception):
    """A token that STS does not take.

    Attributes:
        code: AWS's error code.
        message: AWS's words.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Token:
    """A token that could be read; whether it is genuine says :meth:`check`.

    Attributes:
        header: Its header.
        claims: Its claims.
        signed: What the signature covers.
        signature: The signature.
    """

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    @classmethod
    def read(cls, text: str | None) -> Self:
        """Take a token apart.

        Raises:
            TokenRefused: It is no JSON Web Token, or one without the claims that STS needs.
        """
        parts = (text or "").split(".")
        try:
            header, claims, signature = (_decode(part) for part in parts)
            read = cls(json.loads(header), json.loads(claims), ".".join(parts[:2]).encode(), signature)
            str(read.claims["iss"]), str(read.claims["sub"]), float(read.claims["exp"])
        except (ValueError, KeyError, TypeError) as error:
            message = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
            raise TokenRefused("InvalidIdentityToken", message) from error
        return read

    @property
    def issuer(self) -> str:
        """The claim ``iss``."""
        return str(self.claims["iss"])

    @property
    def subject(self) -> str:
        """The claim ``sub``."""
        return str(self.claims["sub"])

    @property
    def audience(self) -> list[str]:
        """The claim ``aud``, always as a list."""
        found = self.claims.get("aud", [])
        return [found] if isinstance(found, str) else [str(each) for each in found]

    def check(self, key: str) -> None:
        """Check signature and expiry.

        Args:
            key: Public key in PEM; empty if nobody published one, and then the signature is not looked at.

        Raises:
            TokenRefused: The signature is not of this key, or the token's time is over.
        """
        if key and not self._signed_with(key):
            raise TokenRefused(
                "InvalidIdentityToken",
                "Couldn't retrieve verification key from your identity provider, "
                "please reference AssumeRoleWithWebIdentity documentation for requirements",
            )
        now, end = int(datetime.now(UTC).timestamp()), int(self.claims["exp"])
        if now >= end:
            raise TokenRefused(
                "ExpiredTokenException",
                f"Token expired: current date/time {now} must be before the expiration date/time {end}",
            )

    def _signed_with(self, pem: str) -> bool:
        try:
            key = load_pem_public_key(pem.encode())
            if isinstance(key, rsa.RSAPublicKey) and self.header.get("alg") == "RS256":
                key.verify(self.signature, self.signed, padding.PKCS1v15(), SHA256())
            elif isinstance(key, ec.EllipticCurvePublicKey) and self.header.get("alg") == "ES256":
                half = len(self.signature) // 2
                numbers = (int.from_bytes(part) for part in (self.signature[:half], self.signature[half:]))
                key.verify(encode_dss_signature(*numbers), self.signed, ec.ECDSA(SHA256()))
            else:
                return False
        except (InvalidSignature, ValueError):
            return False
        return True


def _decode(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError) as error:
        raise ValueError("not Base64") from error
