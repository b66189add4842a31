"""Names and times as they are in objects' metadata."""

import secrets
from datetime import UTC, datetime

SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""Of generated names: no vowels, so no words (apimachinery ``pkg/util/rand``)."""
SUFFIX_LENGTH = 5
LONGEST_BASE = 58
"""Of generated names (``apiserver/pkg/storage/names/generate.go``)."""


def now() -> str:
    """The time as in objects: RFC 3339, whole seconds, UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def generated(base: str) -> str:
    """A name made of a base and random letters."""
    return base[:LONGEST_BASE] + "".join(secrets.choice(SUFFIX_LETTERS) for _ in range(SUFFIX_LENGTH))
