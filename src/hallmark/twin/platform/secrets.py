"""Hashes of API keys and passwords: neither is stored."""

import hashlib
import hmac
import secrets

KINDS = {"personal": "lsv2_pt_", "service": "lsv2_sk_"}
_COST = {"n": 2**13, "r": 8, "p": 1}


def new_key(kind: str) -> str:
    """A fresh API key, personal or of a service."""
    return f"{KINDS[kind]}{secrets.token_hex(16)}_{secrets.token_hex(5)}"


def hash_key(salt: str, key: str) -> str:
    """What is stored of a key. With another salt no key is found again."""
    return hmac.digest(salt.encode(), key.encode("utf-8", "replace"), hashlib.sha256).hex()


def short(key: str) -> str:
    """What may be shown of a key."""
    return f"{key[:12]}...{key[-4:]}"


def hash_password(password: str) -> str:
    """What is stored of a password."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${hashlib.scrypt(password.encode(), salt=salt, **_COST).hex()}"


def matches(password: str, stored: str) -> bool:
    """Whether a password is the one that was stored."""
    salt, _, digest = stored.partition("$")
    given = hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), **_COST).hex()
    return hmac.compare_digest(given, digest)
