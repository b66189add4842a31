"""A request as the load balancer shows it to WAF."""

from dataclasses import dataclass, field
from functools import cached_property
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

LIMIT = 8192
"""Bytes of a body that an application load balancer forwards (WAF developer guide, "body inspection limits")."""


@dataclass(frozen=True)
class Inspected:
    """What WAF sees.

    Attributes:
        method, path, query: As sent.
        headers: Names in lower case.
        body: Its beginning, up to the limit.
        oversize: Whether there is more.
        source: The client's address.
    """

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    oversize: bool = False
    source: str = "192.0.2.1"

    def header(self, name: str) -> str | None:
        """The value of a header; None without it."""
        found = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(found) if found else None

    @cached_property
    def arguments(self) -> tuple[tuple[str, str], ...]:
        """Query arguments."""
        return tuple(parse_qsl(self.query, keep_blank_values=True))

    @cached_property
    def cookies(self) -> tuple[tuple[str, str], ...]:
        """Cookies."""
        try:
            return tuple((name, one.value) for name, one in SimpleCookie(self.header("cookie") or "").items())
        except CookieError:
            return ()
