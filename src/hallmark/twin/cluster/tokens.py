"""Tokens of service accounts: JSON Web Tokens signed with the cluster's own key.

Claims as in Kubernetes documentation, "Managing Service Accounts", section "Bound service account tokens"; the key set
is published at ``/openid/v1/jwks`` so that others can verify (OpenID Connect Discovery 1.0; RFC 7517, RFC 7519).
"""

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from hallmark.twin.cluster.certificates import write_private
from hallmark.twin.cluster.store import encode

DEFAULT_ISSUER = "https://kubernetes.default.svc.cluster.local"
DEFAULT_SECONDS = 3600
SHORTEST_SECONDS = 600
LEEWAY = 10
"""Seconds a clock may differ."""

Json = dict[str, Any]


class Tokens:
    """Signs and verifies the tokens of one cluster.

    Args:
        state: The state folder, with the key in ``service-account.key``; made if missing.
        issuer: URL in the tokens' ``iss``.
    """

    def __init__(self, state: Path, issuer: str = DEFAULT_ISSUER) -> None:
        self.issuer = issuer
        self._key = _key(state / "service-account.key")
        self._public = self._key.public_key()
        encoded = self._public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self._id = _base64(hashlib.sha256(encoded).digest())

    def issue(
        self, account: Json, audiences: Sequence[str], seconds: int, bound: Mapping[str, Json]
    ) -> tuple[str, int]:
        """A token of a service account.

        Args:
            account: The ServiceAccount.
            audiences: Who is to accept it; by default the API server itself.
            seconds: How long it is valid.
            bound: Further entries of the ``kubernetes.io`` claim: the pod, the node, the secret it is bound to.

        Returns:
            The token, and when it expires in seconds since 1970.
        """
        namespace, name = account["metadata"]["namespace"], account["metadata"]["name"]
        now = int(time.time())
        about = {"name": name, "uid": account["metadata"]["uid"]}
        claims = {
            "aud": list(audiences) or [self.issuer],
            "exp": now + seconds,
            "iat": now,
            "iss": self.issuer,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": {"namespace": namespace, **bound, "serviceaccount": about},
            "nbf": now,
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }
        return self._sign(claims), now + seconds

    def verify(self, token: str) -> Json | None:
        """The claims of a token, or None if it is not ours, or not valid now."""
        header, _, rest = token.partition(".")
        payload, _, signature = rest.partition(".")
        try:
            signed = f"{header}.{payload}".encode()
            self._public.verify(_unbase64(signature), signed, padding.PKCS1v15(), hashes.SHA256())
            claims: Json = json.loads(_unbase64(payload))
        except (InvalidSignature, ValueError):
            return None
        now = time.time()
        valid = claims["iss"] == self.issuer and claims["nbf"] - LEEWAY <= now < claims["exp"]
        return claims if valid else None

    def key_set(self) -> Json:
        """The public key as a JSON Web Key Set."""
        numbers = self._public.public_numbers()
        key = {
            "use": "sig",
            "kty": "RSA",
            "kid": self._id,
            "alg": "RS256",
            "n": _number(numbers.n),
            "e": _number(numbers.e),
        }
        return {"keys": [key]}

    def configuration(self) -> Json:
        """OpenID Connect discovery document of the issuer."""
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def _sign(self, claims: Json) -> str:
        header = {"alg": "RS256", "kid": self._id}
        signed = f"{_base64(encode(header))}.{_base64(encode(claims))}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_base64(signature)}"


def _key(file: Path) -> rsa.RSAPrivateKey:
    if not file.exists():
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        write_private(file, made.private_bytes(*form))
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("The key of the service accounts is not an RSA key.")
    return key


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(value: int) -> str:
    return _base64(value.to_bytes((value.bit_length() + 7) // 8, "big"))
