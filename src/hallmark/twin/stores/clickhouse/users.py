"""Who may use a ClickHouse, and as what; the engine has no users of its own."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class User:
    """One user.

    Attributes:
        name: Of the user.
        password: May be empty.
        readonly: Whether only reading is allowed.
        settings: Of the profile.
    """

    name: str
    password: str = field(default="", repr=False)
    readonly: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Users:
    """All users.

    Attributes:
        known: By name.
    """

    known: Mapping[str, User]

    @classmethod
    def of(cls, told: Mapping[str, Mapping[str, Any]]) -> "Users":
        """Read what was told at the start."""
        return cls({name: User(name, **about) for name, about in told.items()})

    def find(self, name: str, password: str) -> User | None:
        """The user, if the password is right."""
        user = self.known.get(name)
        right = hmac.compare_digest((user.password if user else "").encode(), password.encode())
        return user if right else None


def credentials(headers: Mapping[str, str], query: Mapping[str, str]) -> tuple[str, str]:
    """Name and password of a request: of ClickHouse's headers, of HTTP, or of the URL."""
    if "X-ClickHouse-User" in headers:
        return headers["X-ClickHouse-User"], headers.get("X-ClickHouse-Key", "")
    kind, _, encoded = headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            name, _, password = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return name or "default", password
    return query.get("user") or "default", query.get("password", "")
