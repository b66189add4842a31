"""Tokens of a login: JSON Web Tokens signed with HMAC-SHA256 (RFC 7519), and nothing else of that standard."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any

import orjson

HEADER = {"alg": "HS256", "typ": "JWT"}
LIFETIME = 24 * 3600


def issue(secret: str, **claims: object) -> str:
    """A token that holds for a day."""
    now = int(time.time())
    content = {**claims, "iat": now, "exp": now + LIFETIME}
    text = f"{_encoded(orjson.dumps(HEADER))}.{_encoded(orjson.dumps(content))}"
    return f"{text}.{_signature(secret, text)}"


def read(secret: str, token: str) -> Mapping[str, Any]:
    """Claims of a token; none if it is not ours, or has ended."""
    text, _, signature = token.rpartition(".")
    if not secret or not hmac.compare_digest(signature.encode(), _signature(secret, text).encode()):
        return {}
    header, _, content = text.partition(".")
    if _decoded(header).get("alg") != HEADER["alg"]:
        return {}
    claims = _decoded(content)
    return claims if claims.get("exp", 0) > time.time() else {}


def _signature(secret: str, text: str) -> str:
    return _encoded(hmac.digest(secret.encode(), text.encode("utf-8", "replace"), hashlib.sha256))


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> dict[str, Any]:
    # Only what carries our signature comes here.
    found: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found
